"""The command line: which command, and what its errors look like. Nothing heavy is imported for ``--help``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from modelrelease import __version__
from modelrelease.cli.guard import guarded
from modelrelease.cli.output import complain, prepare_streams, say
from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

COMMANDS = {
    "score": "score a checkpoint with a suite: eval.json and samples.jsonl",
    "record": "write a checkpoint's papers: model.json",
    "reproduce": "run a recorded evaluation again, and say whether it comes out the same",
    "resolve": "which version a pull request asks to be compared with which",
    "pull-request": "check a pull request: resolve, score, compare, decide",
    "compare": "hold a candidate against a baseline: verdicts and the decision",
    "diff": "what changed between two evaluations, item by item",
    "report": "a comparison as a comment or as JUnit XML",
    "comment": "post a comparison as a pull request's one comment, or bring that up to date",
    "issue": "keep one issue about whether the live version still reproduces",
    "power": "how many items a margin needs, and what n items can prove",
    "card": "a version's model card and changelog, from its records",
    "check": "check that what changed says who, why and when",
    "stamp": "write the change record of what changed",
    "log": "who changed prompts, datasets and suites, why and when",
    "changes": "what changed in them, word by word and row by row",
    "promote": "release a version: verify, score, decide, publish, and let the stage name it",
    "rollback": "let the stage name an earlier release again",
    "verify": "hold a released version, where it is published, against what was released",
    "revoke": "say that a released version must not be used again",
    "override": "accept one named loss of one version, until a day",
    "ledger": "who released, rolled back or excused what, and whether that record is whole",
    "snapshot": "name the present state of a dataset with a tag",
    "init": "set a repository up: config, suite, workflow and hook, from what it holds",
    "doctor": "what is not set up in a repository, and what mends it",
    "demo": "train two small models, score and compare them, offline",
    "schema": "print a document's JSON Schema",
    "action": "run by the composite actions: their inputs from the environment, their outputs to the runner",
}
"""Every command with its line of help; its module in ``cli/`` (``_`` for ``-``) holds ``add_arguments`` and ``run``."""

_EPILOG = """examples:
  modelrelease demo
  modelrelease init --dry-run
  modelrelease score models/model_v1.1
  modelrelease compare models/model_v1.0 models/model_v1.1 --context pull_request

exit codes: 0 pass, 1 the policy says no, 2 malformed input or misuse, 3 something outside is not available"""


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors as findings and its help through our streams."""

    def _print_message(self, message: str, file: Any = None) -> None:
        (complain if file is sys.stderr else say)(message)

    def error(self, message: str) -> NoReturn:
        todo = f"see `{self.prog} --help`"
        raise InvalidInput(Finding(self.prog, Code.USAGE, message, todo))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors become lines on stderr, never tracebacks."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    return guarded(lambda: run_command(arguments), debug="--debug" in arguments)


def run_command(arguments: list[str]) -> int:
    """Run the command that ``arguments`` begins with and return its exit code; raises what goes wrong."""
    parser = _Parser(
        prog="modelrelease",
        description="Software discipline for language-model checkpoints, prompts and test sets.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"modelrelease {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    if arguments[:1] == ["--debug"]:  # before the command as well as after it
        arguments = [*arguments[1:], "--debug"]
    chosen = arguments[0] if arguments and arguments[0] in COMMANDS else None
    for name, line in COMMANDS.items():
        if name != chosen:
            commands.add_parser(name, help=line)
    if chosen is not None:
        return _run(commands, chosen, parser, arguments)
    if arguments and not arguments[0].startswith("-"):
        import difflib

        near = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
        todo = f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(COMMANDS)}"
        message = f"there is no command {shorten(arguments[0], 60)!r}"
        raise InvalidInput(Finding("modelrelease", Code.USAGE, message, todo))
    parser.parse_args(arguments)
    parser.print_help()
    return 2


def _run(
    commands: argparse._SubParsersAction[_Parser], chosen: str, parser: argparse.ArgumentParser, arguments: list[str]
) -> int:
    module = importlib.import_module(f"modelrelease.cli.{chosen.replace('-', '_')}")
    command = commands.add_parser(
        chosen,
        help=COMMANDS[chosen],
        description=module.__doc__,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    module.add_arguments(command)
    code: int = module.run(parser.parse_args(arguments))
    return code


if __name__ == "__main__":
    sys.exit(main())
