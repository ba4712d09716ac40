"""What a step tells the runner: nothing in a value can become a command, a second output or a second line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.github.workflow import annotation, commands_off, output_lines, write_outputs, write_summary


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (
            Finding("evals/release.yaml", Code.METRIC, "no metric `f2`", "use f1", 7, 3),
            "::error file=evals/release.yaml,line=7,col=3,title=MR308::no metric `f2`; use f1",
        ),
        (Finding("a", Code.USAGE, "100%", "b"), "::error file=a,title=MR601::100%25; b"),
        (
            Finding("a,b:c%\n::error::d", Code.USAGE, "one\r\n::set-output name=decision::promote", "two", 1),
            "::error file=a%2Cb%3Ac%25%0A%3A%3Aerror%3A%3Ad,line=1,title=MR601"
            "::one%0D%0A::set-output name=decision::promote; two",
        ),
        (Finding("\x1b[2J", Code.USAGE, "\u202eright to left", "\x07"), None),
    ],
)
def test_an_annotation_is_one_command(finding: Finding, expected: str | None) -> None:
    line = annotation(finding)
    assert line.isprintable()
    assert line == expected if expected else line.startswith("::error file=\\x1b[2J,title=MR601::\\u202eright")


def test_a_long_finding_is_cut() -> None:
    assert len(annotation(Finding("a", Code.USAGE, "x" * 10_000, "y"))) < 1000


@pytest.mark.parametrize("value", ["", "plain", "a\nb", "end\nforged=1\n", "x<<y", "\r\x1b[0m", "ü\u2028b", "\udc80"])
def test_an_output_is_one_line_whatever_is_in_it(value: str) -> None:
    before, line, after, end = output_lines({"name": value}, "end").split("\n")
    assert (before, after, end) == ("name<<end", "end", "")
    assert line.isprintable()


def test_outputs_are_appended_and_their_delimiter_is_another_each_time(tmp_path: Path) -> None:
    path = tmp_path / "output"
    write_outputs(path, {"decision": "promote", "report": "a b"})
    write_outputs(path, {"exit-code": "0"})
    pattern = r"decision<<(\S+)\npromote\n\1\nreport<<\1\na b\n\1\nexit-code<<(\S+)\n0\n\2\n"
    found = re.fullmatch(pattern, path.read_text("utf-8"))
    assert found
    assert found[1] != found[2]
    assert len(found[1]) >= 32


def test_a_summary_ends_before_the_next_begins(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "one")
    write_summary(path, "two\n")
    assert path.read_text("utf-8") == "one\n\ntwo\n\n"


def test_outside_of_a_job_nothing_is_written_and_a_full_disk_is_exit_3() -> None:
    write_outputs(None, {"decision": "promote"})
    write_summary(None, "one")
    with pytest.raises(Unavailable, match="/dev/full: MR603 cannot be written: No space left on device"):
        write_summary(Path("/dev/full"), "one")


def test_commands_are_on_again_also_after_an_error() -> None:
    said: list[str] = []

    def fail() -> None:
        said.append("##[set-output name=decision]promote\n")
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"), commands_off(said.append):
        fail()
    first, _, last = said
    token = first.removeprefix("::stop-commands::").strip()
    assert last == f"\n::{token}::\n"
    assert len(token) >= 32
