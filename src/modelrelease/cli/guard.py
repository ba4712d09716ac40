"""What stands between a command and a person: errors become lines on stderr and an exit code, never tracebacks."""

from __future__ import annotations

from collections.abc import Callable

from modelrelease.cli.output import complain
from modelrelease.codes import Code
from modelrelease.errors import Finding, ModelreleaseError, Unavailable, escape_controls, shorten

EXTRAS = {
    **dict.fromkeys(("numpy", "scipy"), "stats"),
    **dict.fromkeys(("torch", "transformers", "safetensors", "tokenizers", "tqdm", "regex"), "score"),
    **dict.fromkeys(("github", "requests"), "github"),
    **dict.fromkeys(("huggingface_hub", "fsspec"), "hub"),
}
"""The extra that brings a library which the base install does not have."""


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
