"""The demo's last screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelrelease.cli.demo import where_to_look

BASELINE, CANDIDATE = "models/model_v1.0", "models/model_v1.1"


@pytest.mark.parametrize("activate", [None, Path("/a kit/.venv/bin/activate")])
def test_what_is_to_be_tried_can_be_pasted(activate: Path | None) -> None:
    """Where the shell does not find modelrelease, the first command is what changes that."""
    text = where_to_look(Path("build/demo"), BASELINE, CANDIDATE, 84.2, activate)
    look, _, then = text.partition("\n\nThen, in build/demo:\n")
    commands = [line.partition("  # ")[0].strip() for line in then.splitlines()]
    assert commands[0] == ("modelrelease log" if activate is None else ". '/a kit/.venv/bin/activate'")
    assert all(command.startswith("modelrelease ") for command in commands[1:])
    assert f"modelrelease compare {CANDIDATE} {BASELINE}" in commands
    assert f"build/demo/{CANDIDATE}/" in look
    assert len({line.index("  # ") for line in then.splitlines()}) == 1, "one column"
    assert all(len(line) < 120 for line in text.splitlines())
