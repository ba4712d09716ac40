from __future__ import annotations

from pathlib import Path

import pytest
from builders import decide
from commands import run

SAME = {"qa": {"acc": [1.0] * 100}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    comparison = decide(tmp_path, SAME, SAME, {"qa/acc": {"margin": 0.05}}, after_model="model_v1.0")
    (tmp_path / "comparison.json").write_bytes(comparison.to_bytes())
    return tmp_path


@pytest.mark.parametrize("name", ["", "comparison.json"])
@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ((), "**🟢 Promote: inputs and outputs are identical; release it.**\n"),
        (("--format", "markdown"), "**🟢 Promote: inputs and outputs are identical; release it.**\n"),
        (("--format", "html"), '<!DOCTYPE html>\n<html lang="en">\n<head>\n'),
        (("--format", "junit"), '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites tests="1" failures="0" '),
    ],
)
def test_a_comparison_is_shown_again(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str, arguments: tuple[str, ...], begin: str
) -> None:
    printed = run(capsys, "report", folder / name, *arguments)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.startswith(begin)
    written = run(capsys, "report", folder / name, *arguments, "--out", folder / "new" / "report")
    assert (written.code, written.err) == (0, "")
    assert written.out == f"written to {folder / 'new' / 'report'}\n"
    assert (folder / "new" / "report").read_text("utf-8") == printed.out


def test_a_blocked_comparison_is_shown_with_exit_code_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    worse = {"qa": {"acc": [0.0] * 100}}
    comparison = decide(tmp_path, SAME, worse, {"qa/acc": {"margin": 0.05}})
    (tmp_path / "comparison.json").write_bytes(comparison.to_bytes())
    shown = run(capsys, "report", tmp_path)
    assert shown.code == 0
    assert shown.out.startswith("**🔴 Blocked: qa/acc is regressed; ")


def test_a_malformed_comparison_is_refused_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "comparison.json").write_text('{"decision": "promote"}')
    refused = run(capsys, "report", folder, "--out", folder / "report.md")
    assert refused.code == 2
    assert "comparison.json:1: MR207 `" in refused.err
    assert not (folder / "report.md").exists()
