"""Targets of both kinds, each with a look behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from target_lab import FolderLab, HubLab, Lab, hub_lab

from modelrelease.release.targets import hub_session


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubLab]:
    """Return a target on a local Hub."""
    with hub_lab(tmp_path) as lab:
        yield lab


@pytest.fixture
def folder(tmp_path: Path) -> FolderLab:
    """Return a target in a folder."""
    return FolderLab(tmp_path)


@pytest.fixture(params=["folder", "hub"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Return a target of each kind."""
    found: Lab = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def _client_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let huggingface_hub try its transfers again at once, and forget what a target has set in it."""
    import huggingface_hub
    from huggingface_hub import file_download
    from huggingface_hub.utils import _http

    for module in (_http, file_download):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "sleep": lambda _: None}))
    hub_session._in_force = None
    yield
    hub_session._in_force = None
    huggingface_hub.set_client_factory(_http.default_client_factory)
