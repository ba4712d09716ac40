"""What all tests share: tiny checkpoints and a small repository, see ``tiny_models``."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from tiny_models import TinyModels, write_project

if TYPE_CHECKING:
    from fakes.github import FakeGitHub

# Two test processes with two threads each are several times slower on two cores; commands we start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests release into folders, which is refused where GitHub's runner would take them along.
os.environ.pop("RUNNER_ENVIRONMENT", None)
# Read by huggingface_hub when it is imported: no test asks the real Hub, and the local one speaks no Xet.
for name in ("XET", "TELEMETRY", "UPDATE_CHECK"):
    os.environ[f"HF_HUB_DISABLE_{name}"] = "1"

# What decides whether a change lands gives the same answer twice; `make fuzz` looks where nobody has looked yet.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("fuzz", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True)
def begun_anew() -> None:
    """Take back what an earlier test's scoring or releasing has set in this process: each begins as a process does."""
    from modelrelease.settings import allow_network

    allow_network()
    session = sys.modules.get("modelrelease.release.targets.hub_session")
    if session is not None and session._in_force is not None:  # whose rules know one Hub, and a test has its own
        import huggingface_hub
        from huggingface_hub.utils import _http

        session._in_force = None
        huggingface_hub.set_client_factory(_http.default_client_factory)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    """Return the tiny checkpoints by name; torch is offline, quiet, and has one thread."""
    from modelrelease.scoring.engines.loading import import_torch

    import_torch().set_num_threads(1)
    return TinyModels(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def altered(tiny: TinyModels, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies a tiny checkpoint, with other JSON settings in the files it names."""

    def alter(name: str = "llama", **changes: dict[str, Any]) -> Path:
        folder = tmp_path / "checkpoint"
        shutil.copytree(tiny.folder(name), folder)
        for stem, settings in changes.items():
            path = folder / f"{stem}.json"
            before = json.loads(path.read_text("utf-8")) if path.exists() else {}
            path.write_text(json.dumps({**before, **settings}), "utf-8")
        return folder

    return alter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with a suite of all kinds of tasks over text and chat prompts."""
    return write_project(tmp_path / "repository")


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """Return a local GitHub with an empty ``acme/bot``; what does not fit GitHub's description fails the test."""
    from fakes.github import FakeGitHub

    with FakeGitHub() as server:
        server.repository("acme/bot")
        yield server
        assert server.problems == []
