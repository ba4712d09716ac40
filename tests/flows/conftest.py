"""A world of each kind, with versions to release and to disturb; see ``survival``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from survival import KINDS, World, copy_world, template_of
from tiny_models import TinyModels


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def template(kind: str, tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template_of(kind, tiny.folder("llama"), tmp_path_factory)


@pytest.fixture
def world(template: Path, kind: str, tmp_path: Path) -> Iterator[World]:
    with copy_world(template, tmp_path / "world", kind) as world:
        yield world
