"""Say what of all this is not set up in a repository, each with the step that mends it.

Reads, asks GitHub and the Hub, and changes nothing. What needs a token that is not here cannot be seen from here.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli import on_github
from modelrelease.cli.common import add_config
from modelrelease.cli.output import say, say_json

if TYPE_CHECKING:
    from modelrelease.records.repository_settings import RepositorySettings, Unseen
    from modelrelease.release.targets.address import Surroundings

EXAMPLE = "modelrelease doctor --repository acme/support"
_PATIENCE = 5.0
_TIMEOUT = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config(parser)
    parser.add_argument("--repository", metavar="OWNER/NAME", help="on GitHub (default: the job's, or origin's)")
    parser.add_argument("--offline", action="store_true", help="ask neither origin, nor GitHub, nor the Hub")
    parser.add_argument("--json", action="store_true", help="print the document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Look; exit 1 where something is to be done, 2 where the config cannot be read, else 0."""
    from modelrelease.flows.card import Written
    from modelrelease.flows.doctor.diagnose import Outside, diagnose
    from modelrelease.github.report import checked_repository
    from modelrelease.reports.doctor import diagnosis_text
    from modelrelease.reports.version_card import card_section
    from modelrelease.reports.version_changelog import changelog
    from modelrelease.settings import cache_home, github_environment

    offline: bool = arguments.offline
    named = arguments.repository or github_environment().repository
    outside = Outside(
        ask=_unasked if offline else _ask,
        texts=Written(card_section, changelog),
        today=datetime.datetime.now(datetime.timezone.utc).date(),
        cache=cache_home(),
        hub=None if offline else _hub,
        github=checked_repository(named) if named is not None else None,
        offline=offline,
    )
    found = diagnose(Path.cwd(), arguments.config, outside)
    if arguments.json:
        say_json(found.to_bytes())
    else:
        say(diagnosis_text(found, shutil.get_terminal_size().columns))
    return found.exit_code


def _unasked(repository: str, ledger: str) -> Unseen:
    from modelrelease.records.repository_settings import Unseen

    return Unseen("GitHub was not asked", "run it without `--offline`")


def _ask(repository: str, ledger: str) -> RepositorySettings | Unseen:
    from modelrelease.errors import Unavailable
    from modelrelease.github.settings import read_settings
    from modelrelease.records.repository_settings import Unseen
    from modelrelease.settings import github_environment

    try:
        client = on_github.client_of(github_environment(), longest=_PATIENCE)
    except Unavailable:
        todo = "export GH_TOKEN=$(gh auth token): whoever administers the repository sees most"
        return Unseen("there is no token for GitHub", todo)
    except ModuleNotFoundError:
        return Unseen("PyGithub is not installed", "install `modelrelease[github]`")
    return read_settings(client, repository, ledger)


def _hub(root: Path) -> Surroundings:
    from modelrelease.release.targets.address import Surroundings
    from modelrelease.settings import hub_environment

    hub = hub_environment()
    identity, sleep, tell = hub.oidc_request, on_github.sleep, on_github.tell
    return Surroundings(root, hub.endpoint, hub.token, _TIMEOUT, sleep, tell=tell, identity=identity)
