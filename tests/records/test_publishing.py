"""A checkpoint on disk, asked whether it may be published."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput, Refused
from modelrelease.records.publishing import refuse_unpublishable

Alter = Callable[..., Path]


@pytest.mark.parametrize("name", ["llama", "gpt2", "mamba"])
def test_what_transformers_saves_is_published(tiny: TinyModels, name: str) -> None:
    refuse_unpublishable(tiny.folder(name))


def test_a_weight_that_is_no_number_is_named_with_its_tensor(altered: Alter) -> None:
    from safetensors.torch import load_file, save_file

    path = altered() / "model.safetensors"
    weights = load_file(path)
    weights["model.norm.weight"][3] = float("nan")
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(Refused) as caught:
        refuse_unpublishable(path.parent)
    assert caught.value.lines() == [
        f"{path}: MR415 tensor 'model.norm.weight' is not finite at element 3; "
        "train on from a checkpoint before that, or save the model again"
    ]


def test_everything_wrong_is_said_at_once_and_malformed_weighs_more(altered: Alter) -> None:
    folder = altered(config={"auto_map": {"AutoModel": "m.M"}})
    (folder / "m.py").write_text("class M: ...\n")
    (folder / "training_args.bin").write_bytes(b"")
    with pytest.raises(Refused) as refused:
        refuse_unpublishable(folder)
    assert [finding.code.value for finding in refused.value.findings] == ["MR406", "MR406", "MR417"]
    (folder / "generation_config.json").write_text("{")
    with pytest.raises(InvalidInput) as invalid:
        refuse_unpublishable(folder)
    assert [finding.code.value for finding in invalid.value.findings] == ["MR406", "MR201", "MR406", "MR417"]


@pytest.mark.real_models
def test_real_checkpoints_are_published(tmp_path: Path) -> None:
    for config in Path(os.environ["MODELRELEASE_DATA"]).glob("models/*/config.json"):
        shutil.copytree(config.parent, tmp_path / config.parent.name)
        refuse_unpublishable(tmp_path / config.parent.name)
