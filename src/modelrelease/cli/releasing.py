"""What the commands about releases share: who does it, when and where, and how the target is reached."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import complain
from modelrelease.errors import escape_controls

if TYPE_CHECKING:
    from modelrelease.config import Project
    from modelrelease.flows.release.grounds import Doer, Grounds
    from modelrelease.records.ledger import Person
    from modelrelease.release.targets.target import Target


def grounds_of(config: Path | None) -> Grounds:
    """Return what a release stands on, in the project named by ``--config`` or around the working directory."""
    from modelrelease.flows.release.grounds import open_grounds

    return open_grounds(open_project(config))


def doer_of(project: Project) -> Doer:
    """Return who runs this, as git and GitHub's runner know them."""
    from modelrelease import settings
    from modelrelease.flows.release.grounds import Doer

    return Doer(
        by=_person(project),
        now=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"),
        run_url=settings.run_url(),
        open_target=lambda address: _target(project, address),
        tell=tell,
    )


def refuse_lost_folder(grounds: Grounds) -> None:
    """Refuse (MR715) to release on a machine of GitHub's into a folder that is gone with the job.

    Where the ledger has no remote it goes along, and nothing is left that would name a lost release.
    """
    from modelrelease import settings
    from modelrelease.codes import Code
    from modelrelease.errors import Finding, Refused
    from modelrelease.git.remotes import remote_of
    from modelrelease.release.targets.address import ends_with

    address, root = grounds.config.release.target, grounds.project.root
    workspace = settings.github_environment().workspace
    if not settings.is_github_hosted() or remote_of(root) is None:
        return
    if ends_with(address, root, Path(workspace or root)):
        message = "is a folder of this job, on a machine of GitHub's: the release would be gone when the job ends"
        todo = "name `hf://ORGANISATION/NAME`, or run this job on a runner of your own that keeps an absolute folder"
        raise Refused(Finding(f"release.target {address}", Code.TARGET_LOST, message, todo))


def tell(line: str) -> None:
    """Say on stderr what a person who waits wants to know."""
    complain(escape_controls(line) + "\n")


def add_reason(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add ``--config``, ``--reason`` and ``--json``."""
    add_config(parser)
    parser.add_argument("--reason", required=required, metavar="TEXT", help="why, for whoever reads the ledger")
    parser.add_argument("--json", action="store_true", help="print the ledger's event as JSON")


def _person(project: Project) -> Person:
    from modelrelease import git, settings
    from modelrelease.records.ledger import Person

    here, actor = git.person(project.root), settings.github_environment().actor
    return Person(name=here.name if here else None, email=here.email if here else None, login=actor)


def _target(project: Project, address: str) -> Target:
    from modelrelease import settings
    from modelrelease.release.targets.address import Surroundings, open_target

    hub = settings.hub_environment()
    settings.allow_network()  # which scoring in this process has forbidden
    return open_target(
        address, Surroundings(project.root, hub.endpoint, hub.token, tell=tell, identity=hub.oidc_request)
    )
