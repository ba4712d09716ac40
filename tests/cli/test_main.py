from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from modelrelease import __version__
from modelrelease.cli import main as module
from modelrelease.cli.main import COMMANDS, escape_controls_but_newlines, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    ran = run(capsys, command, "--help")
    assert (ran.code, ran.err) == (0, "")
    example = importlib.import_module(f"modelrelease.cli.{command.replace('-', '_')}").EXAMPLE
    assert example.startswith(f"modelrelease {command}")
    assert f"example:\n  {example}" in ran.out
    assert "--debug" in ran.out


@pytest.mark.parametrize("command", ["compare", "diff", "init", "power", "pull_request", "report", "resolve", "score"])
def test_every_option_is_explained(command: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"modelrelease.cli.{command}").add_arguments(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_the_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "--help")
    assert ran.code == 0
    for command, line in COMMANDS.items():
        assert command in ran.out
        assert line.split(":")[0] in " ".join(ran.out.split())
    assert "exit codes: 0 pass, 1 the policy says no, 2 malformed input or misuse, 3 something outside" in ran.out


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "--version")
    assert (ran.code, ran.out) == (0, f"modelrelease {__version__}\n")


def test_without_a_command_the_help_is_shown_and_nothing_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys)
    assert ran.code == 2
    assert ran.out.startswith("usage: modelrelease ")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["compere"], "modelrelease: MR601 there is no command 'compere'; did you mean `compare`?"),
        (["Diff"], "modelrelease: MR601 there is no command 'Diff'; did you mean `diff`?"),
        (["xyzzy", "a"], "modelrelease: MR601 there is no command 'xyzzy'; use one of score, "),
        (["\x1b[31m"], "modelrelease: MR601 there is no command '\\x1b[31m'; use one of"),
        (["x" * 500], f"modelrelease: MR601 there is no command '{'x' * 59}…'; use one of"),
        (["--nonsense"], "modelrelease: MR601 unrecognized arguments: --nonsense; see `modelrelease --help`"),
        (["diff", "a"], "modelrelease diff: MR601 the following arguments are required: CANDIDATE; see `modelrelease"),
        (["diff", "a", "b", "--nonsense"], "modelrelease: MR601 unrecognized arguments: --nonsense"),
        (["compare", "a", "b", "--form", "json"], "modelrelease: MR601 unrecognized arguments: --form json"),
        (
            ["compare", "a", "b", "--format", "xml"],
            "modelrelease compare: MR601 argument --format: invalid choice: 'xml' (choose from ",
        ),
    ],
)
def test_misuse_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str], arguments: list[str], error: str) -> None:
    ran = run(capsys, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(error)
    assert ran.err.count("\n") == 1


def test_an_error_shows_its_traceback_only_when_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    line = f"{missing}: MR209 does not exist; name an existing file\n"
    assert run(capsys, "diff", missing, missing).err == line
    debug = run(capsys, "diff", missing, missing, "--debug")
    assert debug.code == 2
    assert debug.err.startswith("Traceback (most recent call last):\n")
    assert debug.err.endswith(line)


class Failing:
    """A command that raises."""

    __doc__ = "A command that fails."
    EXAMPLE = "modelrelease power"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_arguments(self, parser: object) -> None:
        """Declare nothing."""

    def run(self, arguments: object) -> int:
        """Raise."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            ValueError("a \x1b[31m defect\nof two lines"),
            3,
            "modelrelease: MR699 a defect in modelrelease: ValueError: a \\x1b[31m defect; run with --debug and report "
            "what it prints\n",
        ),
        (
            ModuleNotFoundError("No module named 'scipy'", name="scipy.special"),
            3,
            'modelrelease: MR602 this command needs scipy.special; pip install "modelrelease[stats]"\n',
        ),
        (
            OSError(28, "No space left on device", "out/comparison.json"),
            3,
            "out/comparison.json: MR603 No space left on device; make it available and run again\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_goes_wrong_inside_is_one_line_and_no_traceback(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    line: str,
) -> None:
    monkeypatch.setattr(module.importlib, "import_module", lambda name: Failing(error))
    ran = run(capsys, "power")
    assert (ran.code, ran.out, ran.err) == (code, "", line)


def test_a_traceback_cannot_move_the_cursor() -> None:
    assert escape_controls_but_newlines("one\n\x1b[2Jtwo\r\n") == "one\n\\x1b[2Jtwo\\r\n"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "modelrelease", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_package_runs_as_a_module() -> None:
    done = command("power", "--margin", "0.02", "--discordance", "0.1", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        b'[\n  {\n    "discordance": 0.1,\n    "items": 1546\n  }\n]\n',
        b"",
    )


def test_a_terminal_without_a_character_gets_its_escape() -> None:
    done = command("power", "--items", "50000", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2013" in done.stdout


def test_a_reader_that_has_gone_is_no_error() -> None:
    program = [sys.executable, "-m", "modelrelease", "schema", "comparison"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_main_takes_the_process_s_arguments(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["modelrelease", "power", "--margin", "0.02"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("To rule out a loss of 2.0 points")
