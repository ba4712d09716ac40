"""The demo, made once a test run: training takes most of a minute."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import start
from filelock import FileLock


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the demo's repository and what it printed; all test processes share it, so it is read and not changed."""
    base = tmp_path_factory.getbasetemp()
    base = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo-shared"
    base.mkdir(exist_ok=True)
    with FileLock(base / "lock"):
        screen = base / "screen.txt"
        if not screen.exists():
            done = start(base, "demo", "--into", "demo")
            assert done.returncode == 0, done.stdout + done.stderr
            screen.write_text(done.stdout, "utf-8")
    return base / "demo", screen.read_text("utf-8")
