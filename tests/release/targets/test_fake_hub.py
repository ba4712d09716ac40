"""The local Hub against the real client."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from fakes.hub import WRITE_TOKEN, FakeHub, contract

from modelrelease.release.targets import hub_session

TESTS = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # how it calls its HTTP library
OLDEST = "1.19.0"
"""The oldest huggingface_hub that pyproject.toml allows."""


@pytest.fixture(autouse=True)
def as_it_comes() -> None:
    """The client as it comes: what an earlier test's target has set up in this process is taken back."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    set_client_factory(_http.default_client_factory)
    hub_session._in_force = None


def test_the_real_client_finds_what_the_contract_says(tmp_path: Path) -> None:
    contract.walk(tmp_path)


def test_our_oldest_client_is_pyproject_s() -> None:
    text = (TESTS.parent / "pyproject.toml").read_text("utf-8")
    assert f'"huggingface-hub>={OLDEST.removesuffix(".0")}"' in text


@pytest.mark.oldest_hub
def test_the_oldest_client_finds_the_same_and_our_targets_work_with_it(tmp_path: Path) -> None:
    """In an environment of its own, kept where MODELRELEASE_OLDEST_HUB says: making it takes a minute and a network."""
    folder = Path(os.environ.get("MODELRELEASE_OLDEST_HUB") or tmp_path / "venv").absolute()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        wanted = [f"huggingface_hub=={OLDEST}", "pytest>=8.0", "hypothesis>=6.100", "--editable", f"{TESTS.parent}"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    for command in (["-m", "fakes.hub.contract"], ["-m", "pytest", "-q", "-p", "no:cacheprovider", "release/targets"]):
        done = subprocess.run([python, *command], cwd=TESTS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert OLDEST in done.stdout or "passed" in done.stdout


def test_a_weight_file_is_never_held_in_memory(tmp_path: Path) -> None:
    """150 MB sent up and fetched again, in a process that only serves."""
    program = f"""
import re, sys
from pathlib import Path
from fakes.hub import FakeHub
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
hub = FakeHub(Path({str(tmp_path / "hub")!r}))
with hub:
    hub.repository("acme/bot")
    print(hub.url, flush=True)
    before = peak()
    sys.stdin.readline()
    print(peak() - before, flush=True)
"""
    server = subprocess.Popen(
        [sys.executable, "-c", program], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        from huggingface_hub import CommitOperationAdd, HfApi

        api = HfApi(endpoint=server.stdout.readline().strip(), token=WRITE_TOKEN)
        with (tmp_path / "large.safetensors").open("wb") as stream:
            stream.truncate(150_000_000)
        add = CommitOperationAdd("large.safetensors", tmp_path / "large.safetensors")
        api.create_commit("acme/bot", [add], commit_message="Large")
        place = api.hf_hub_download("acme/bot", "large.safetensors", local_dir=tmp_path / "down")
        assert Path(place).stat().st_size == 150_000_000
        server.stdin.write("\n")
        server.stdin.flush()
        assert int(server.stdout.readline()) < 40_000


def test_the_access_log_counts_what_came_and_went(tmp_path: Path) -> None:
    from huggingface_hub import CommitOperationAdd, HfApi

    with FakeHub(tmp_path / "hub") as hub:
        hub.repository("acme/bot")
        api = HfApi(endpoint=hub.url, token=WRITE_TOKEN)
        api.create_commit("acme/bot", [CommitOperationAdd("x.bin", b"x" * 100_000)], commit_message="One")
        assert hub.moved("/_storage/", "PUT") == 100_000
        api.hf_hub_download("acme/bot", "x.bin", local_dir=tmp_path / "down")
        assert hub.moved("/_storage/", "GET") == 100_000
        assert {one.who for one in hub.requests if "/commit/" in one.path} == {"writer"}
