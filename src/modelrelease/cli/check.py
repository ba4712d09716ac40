"""Check that what changed says who, why and when, and that versions are what their papers say.

What is staged, a range of commits, or everything as it stands.
"""

from __future__ import annotations

import argparse
import json
import os

from modelrelease.cli.output import say, say_json

EXAMPLE = "modelrelease check --from-ref origin/main --to-ref HEAD"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="what is staged, against HEAD")
    what.add_argument("--from-ref", metavar="REF", help="what a branch changes since it began from REF")
    parser.add_argument("--to-ref", metavar="REF", help="the branch's end (default: HEAD)")
    parser.add_argument("--json", action="store_true", help="print findings and notes as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check; exit 1 where a record is missing or refused, 2 where a file is malformed."""
    from modelrelease.flows.registry.check import Checked, check_changes, today, verdict
    from modelrelease.flows.registry.hooks import Changes, no_pickle_weights
    from modelrelease.flows.registry.scope import open_git, range_scope, staged_scope
    from modelrelease.flows.registry.versions import check_changed, check_standing
    from modelrelease.settings import cache_home, commit_environment

    if arguments.to_ref is not None and arguments.from_ref is None:
        _misused("--to-ref needs --from-ref")
    git = open_git(os.curdir, commit_environment())
    ranged = arguments.from_ref is not None
    scope = range_scope(git, arguments.from_ref, arguments.to_ref or "HEAD") if ranged else staged_scope(git)
    try:
        if ranged or arguments.staged:
            changes = Changes(scope)
            checked: Checked = check_changes(scope, today()).with_versions(check_changed(changes))
            checked = checked.with_findings(no_pickle_weights(changes))  # who commits can leave the hook out
        else:
            from modelrelease.flows.registry.standing import check_work_tree

            layout = check_standing(scope, cache_home())
            checked = check_work_tree(scope, today()).with_versions(layout)
    finally:
        scope.objects.close()
    error = verdict(checked.findings) if checked.findings else None
    if arguments.json:
        document = {**checked.as_json(), "exit_code": error.exit_code if error is not None else 0}
        say_json((json.dumps(document, ensure_ascii=True, indent=2, sort_keys=True) + "\n").encode("ascii"))
        return 0 if error is None else error.exit_code
    if error is not None:
        raise error
    say("".join(f"{line}\n" for line in checked.summary()))
    return 0


def _misused(message: str) -> None:
    from modelrelease.codes import Code
    from modelrelease.errors import invalid

    raise invalid("modelrelease check", Code.USAGE, message, "see `modelrelease check --help`")
