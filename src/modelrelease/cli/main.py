"""The command line: which command, and what its errors look like. Nothing heavy is imported for ``--help``."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from modelrelease import __version__
from modelrelease.cli.output import complain, prepare_streams, say
from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Unavailable, escape_controls, shorten

COMMANDS = {
    "score": "score a checkpoint with a suite: eval.json and samples.jsonl",
    "resolve": "which version a pull request asks to be compared with which",
    "pull-request": "check a pull request: resolve, score, compare, decide",
    "compare": "hold a candidate against a baseline: verdicts and the decision",
    "diff": "what changed between two evaluations, item by item",
    "report": "a comparison as a comment or as JUnit XML",
    "power": "how many items a margin needs, and what n items can prove",
    "init": "set a repository up: config, suite, workflow and hook, from what it holds",
    "demo": "train two small models, score and compare them, offline",
    "schema": "print a document's JSON Schema",
    "action": "run by the composite actions: their inputs from the environment, their outputs to the runner",
}
"""Every command with its line of help; its module in ``cli/`` (``_`` for ``-``) holds ``add_arguments`` and ``run``."""

EXTRAS = {
    **dict.fromkeys(("numpy", "scipy"), "stats"),
    **dict.fromkeys(("torch", "transformers", "safetensors", "tokenizers", "tqdm", "regex"), "score"),
}
"""The extra that brings a library which the base install does not have."""

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


def guarded(
    work: Callable[[], int], *, debug: bool = False, heard: Callable[[ModelreleaseError], object] | None = None
) -> int:
    """Do ``work`` and return its exit code, or the one of the error it ended with; ``heard`` is told the error too."""
    try:
        return work()
    except ModelreleaseError as error:
        return _report(error, debug, heard)
    except KeyboardInterrupt:
        complain("interrupted\n")
        return 130
    except SystemExit:  # how argparse ends after --help
        raise
    except BaseException as error:  # the last resort: a defect of ours, a system that fails us, a panic in a library
        return _report(_as_finding(error), debug, heard)


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


def _as_finding(error: BaseException) -> ModelreleaseError:
    if isinstance(error, ModuleNotFoundError) and (extra := EXTRAS.get(str(error.name).partition(".")[0])):
        message, todo = f"this command needs {error.name}", f'pip install "modelrelease[{extra}]"'
        return Unavailable(Finding("modelrelease", Code.MISSING_EXTRA, message, todo))
    if isinstance(error, OSError):
        path = str(error.filename or "modelrelease")
        message = error.strerror or str(error)
        return Unavailable(Finding(path, Code.UNAVAILABLE, message, "make it available and run again"))
    lines = str(error).splitlines() or [""]
    message = f"a defect in modelrelease: {type(error).__name__}: {shorten(lines[0], 200)}"
    return Unavailable(Finding("modelrelease", Code.INTERNAL, message, "run with --debug and report what it prints"))


def _report(error: ModelreleaseError, debug: bool, heard: Callable[[ModelreleaseError], object] | None) -> int:
    if debug:
        import traceback

        complain(escape_controls_but_newlines(traceback.format_exc()))
    complain("".join(line + "\n" for line in error.lines()))
    if heard is not None:
        heard(error)
    return error.exit_code


def escape_controls_but_newlines(text: str) -> str:
    """Return ``text`` with control characters escaped, its lines kept."""
    return "\n".join(escape_controls(line) for line in text.split("\n"))


if __name__ == "__main__":
    sys.exit(main())
