"""What is at the other end of our streams changes neither the exit code nor what a person is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import table, write

COMMAND = [sys.executable, "-m", "modelrelease"]
COMPARE = ["compare", "a", "b"]
BLOCK, MISUSE, OUTSIDE = 1, 2, 3


@pytest.fixture
def regression(tmp_path: Path) -> Path:
    """Return a folder in which b is worse than a."""
    before, after = table(both=600, lost=80, gained=20, neither=300)
    write(tmp_path / "a", {"qa": {"acc": before}})
    write(tmp_path / "b", {"qa": {"acc": after}})
    (tmp_path / "modelrelease.yaml").write_text("schema_version: 1\ngate: {metrics: {qa/acc: {margin: 0.03}}}\n")
    return tmp_path


def run(folder: Path, *arguments: str, stdout: object = None, stderr: object = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*COMMAND, *arguments], cwd=folder, stdout=stdout, stderr=stderr)  # type: ignore[call-overload]


@pytest.mark.parametrize("arguments", [COMPARE, [*COMPARE, "--json"], [*COMPARE, "--format", "markdown"]])
def test_a_block_stays_a_block_when_the_reader_has_gone(regression: Path, arguments: list[str]) -> None:
    read, written = os.pipe()
    os.close(read)
    process = run(regression, *arguments, stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (BLOCK, b"")


def test_help_to_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    read, written = os.pipe()
    os.close(read)
    process = run(tmp_path, "--help", stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_exit_3(regression: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(regression, *COMPARE, stdout=full, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=60)
    assert process.returncode == OUTSIDE
    assert err.decode().startswith("stdout: MR603 cannot be written: No space left on device")
    assert len(err.decode().splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stderr_keeps_the_exit_code(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(tmp_path, *COMPARE, stderr=full)
        process.communicate(timeout=60)
    assert process.returncode == MISUSE


@pytest.mark.parametrize(("closed", "arguments", "code"), [(1, COMPARE, BLOCK), (2, ["compare", "x", "y"], MISUSE)])
def test_a_closed_stream_keeps_the_exit_code(regression: Path, closed: int, arguments: list[str], code: int) -> None:
    line = f'exec "$@" {closed}>&-'
    done = subprocess.run(["sh", "-c", line, "sh", *COMMAND, *arguments], cwd=regression, check=False, timeout=60)
    assert done.returncode == code
