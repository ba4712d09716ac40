"""What of the kit is set up in a repository, and what not: every check, in the order in which one would mend it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelrelease import git
from modelrelease.doctor.diagnosis import diagnosis
from modelrelease.doctor.on_github import Wanted, check_settings
from modelrelease.doctor.places import check_target
from modelrelease.doctor.releases import check_releases
from modelrelease.doctor.repository import check_clone
from modelrelease.doctor.section import Section
from modelrelease.doctor.workflows import check_workflow
from modelrelease.errors import ModelreleaseError
from modelrelease.flows.card import Written
from modelrelease.flows.doctor.clone import is_ignored, read_clone, read_workflows, templates
from modelrelease.flows.doctor.configuration import Configuration, read_configuration
from modelrelease.flows.doctor.releases import check_hub, read_ledger, read_plan, tag_prefix
from modelrelease.flows.doctor.versions import check_records, check_versions, version_names
from modelrelease.flows.ledger import ledger_branch
from modelrelease.records.diagnosis import Check, Diagnosis, Group
from modelrelease.records.repository_settings import RepositorySettings, Unseen
from modelrelease.release.targets.address import Surroundings
from modelrelease.scaffold.kit import github_name

Ask = Callable[[str, str], "RepositorySettings | Unseen"]
"""Given owner/name on GitHub and the ledger's branch, the settings there."""

_NO_NAME = Unseen("this clone has no remote on github.com", "name it: `modelrelease doctor --repository OWNER/NAME`")


@dataclass(frozen=True)
class Outside:
    """What a diagnosis takes from outside.

    ``github``: owner/name where it is known otherwise than by the remote. ``hub``: None to leave the Hub alone.
    ``offline``: ask no remote. ``cache``: where digests of weights are remembered.
    """

    ask: Ask
    texts: Written
    today: datetime.date
    cache: Path | None
    hub: Callable[[Path], Surroundings] | None
    github: str | None = None
    offline: bool = False


def diagnose(start: Path, config: Path | None, outside: Outside) -> Diagnosis:
    """Return how the repository around ``start`` is set up; reads, asks, and changes nothing.

    Raises InvalidInput (MR601) outside of a git work tree, Unavailable (exit 3) where git itself is not there.
    """
    found = read_configuration(start, config)
    root = git.work_tree(found.project.root)
    url = git.remote_url(root)
    name = outside.github or (github_name(url) if url is not None else None)
    checks = list(_checks(root, found, name, outside))
    return diagnosis(str(root), name, checks, malformed=found.malformed)


def _checks(root: Path, found: Configuration, name: str | None, outside: Outside) -> Iterator[Check]:
    yield from found.checks()
    yield from _guarded("repository", "clone", lambda: check_clone(read_clone(root, "datasets")))
    yield from _guarded("versions", "records", lambda: check_records(found.project, outside.today, outside.cache))
    yield from _guarded("versions", "versions", lambda: check_versions(found.project, outside.texts))
    workflows = read_workflows(root)
    for template in templates(to_hub=found.config.release.target.startswith("hf://")):
        yield from check_workflow(template, workflows)
    if found.fault is not None:  # what it says about releases cannot be known
        return
    config, project = found.config, found.project
    target = config.release.target
    ignored = is_ignored(project.root, target)
    yield from check_target(target, workflows, ignored=ignored)
    branch = ledger_branch(project.root, config.name).name
    settings = outside.ask(name, branch) if name is not None else _NO_NAME
    released = settings.releases if isinstance(settings, RepositorySettings) else None
    yield from _guarded(
        "releases",
        "releases",
        lambda: check_releases(
            read_plan(root, config, version_names(project)),
            read_ledger(project.root, config, offline=outside.offline),
            released,
        ),
    )
    yield from check_settings(settings, Wanted(config.release.approval, tag_prefix(config), branch))
    yield from _guarded("Hub", "target", lambda: check_hub(config, outside.hub(project.root) if outside.hub else None))


def _guarded(group: Group, name: str, make: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Yield checks; where a file or git stands in their way, that is the answer."""
    here = Section(group)
    try:
        yield from make()
    except ModelreleaseError as error:
        first = error.findings[0]
        unseen = error.exit_code == 3
        more = len(error.findings) - 1
        yield here.unseen(name, Unseen(first.message, first.todo)) if unseen else here.finding(name, first, more)
