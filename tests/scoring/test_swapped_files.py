"""A checkpoint whose files change between the digest and the end of a run: no record of it is made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import TinyModels, write_project

from modelrelease.config import tree_reader
from modelrelease.errors import Refused
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.scoring.engines import loading
from modelrelease.scoring.engines.loading import Numerics, load_model
from modelrelease.scoring.run import Options, Surroundings, score
from modelrelease.scoring.suites import load_suite


@pytest.fixture
def folder(tiny: TinyModels, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.folder("llama"), tmp_path / "checkpoint"))


def other_weights(tiny: TinyModels, path: Path) -> None:
    """Replace the weights by others of the same size, for the time that a loader needs."""
    from safetensors.torch import load_file, save_file

    weights = load_file(path)
    weights["lm_head.weight"] = weights["lm_head.weight"] + 1
    save_file(weights, path.with_name("other"), metadata={"format": "pt"})
    path.with_name("other").replace(path)


@pytest.mark.parametrize("back", [False, True])
def test_weights_that_are_swapped_before_they_are_loaded_are_refused(
    tiny: TinyModels, folder: Path, monkeypatch: pytest.MonkeyPatch, back: bool
) -> None:
    weights, kept = folder / "model.safetensors", folder.parent / "kept"
    checkpoint = read_checkpoint(folder, "m")
    read: Callable[..., Any] = loading.read_model

    def swapping(*arguments: Any) -> Any:
        os.link(weights, kept)
        other_weights(tiny, weights)
        model = read(*arguments)
        if back:
            kept.replace(weights)
        return model

    monkeypatch.setattr(loading, "read_model", swapping)
    with pytest.raises(Refused, match=r"model\.safetensors: MR418 changed while the checkpoint was in use"):
        load_model(checkpoint, Numerics(device="cpu"))


def test_a_template_that_is_swapped_during_a_run_leaves_no_record(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelrelease.scoring import run

    root = write_project(tmp_path / "project")
    suite = load_suite("evals/release.yaml", tree_reader(root))
    render = run.render_chats

    def swapping(*arguments: Any) -> list[str]:
        (folder / "chat_template.jinja").write_text("{{ messages[-1].content }}")
        return render(*arguments)

    monkeypatch.setattr(run, "render_chats", swapping)
    with pytest.raises(Refused, match=r"chat_template\.jinja: MR418"):
        score(read_checkpoint(folder, "m"), suite, Options(Numerics(device="cpu")), Surroundings())
