"""Checkpoints that are damaged, incomplete or hostile: a finding each, and nothing of theirs is ever run."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import CONTEXT, VOCABULARY, TinyModels

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused, Unavailable
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.scoring.engines.loading import LoadedModel, Numerics, load_model

Alter = Callable[..., Path]


def load(folder: Path, **numerics: Any) -> LoadedModel:
    return load_model(read_checkpoint(folder, "shown"), Numerics(**{"device": "cpu", **numerics}))


def finding(folder: Path, **numerics: Any) -> str:
    with pytest.raises(ModelreleaseError) as caught:
        load(folder, **numerics)
    (line,) = caught.value.lines()
    return line


def change_weights(folder: Path, drop: str | None = None, **more: Any) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    if drop is not None:
        del weights[drop]
    save_file({**weights, **more}, folder / "model.safetensors", metadata={"format": "pt"})


def test_what_was_loaded_is_described(tiny: TinyModels) -> None:
    loaded = tiny.loaded("llama")
    assert (loaded.device, loaded.dtype, loaded.attention) == ("cpu", "float32", "sdpa")
    assert (loaded.max_length, loaded.vocabulary, loaded.deterministic) == (CONTEXT, VOCABULARY, True)
    assert not loaded.model.training
    assert tiny.loaded("gpt2").max_length == CONTEXT
    assert tiny.loaded("mamba").max_length is None


@pytest.mark.parametrize("name", ["gemma2", "mamba", "rwkv"])
def test_an_architecture_without_sdpa_is_loaded_with_eager_attention(tiny: TinyModels, name: str) -> None:
    assert tiny.loaded(name).attention == "eager"


def test_attention_and_dtype_are_the_persons_choice(tiny: TinyModels) -> None:
    loaded = load(tiny.folder("llama"), attention="eager", dtype="bfloat16")
    assert (loaded.attention, loaded.dtype) == ("eager", "bfloat16")


def test_a_config_that_names_kernels_of_the_hub_has_no_say_in_attention(altered: Alter) -> None:
    hub = "kernels-community/flash-attn"
    folder = altered(config={"_attn_implementation": hub, "attn_implementation": hub, "_experts_implementation": hub})
    assert load(folder).attention == "sdpa"


@pytest.mark.parametrize(
    ("drop", "more"),
    [
        ("model.layers.1.mlp.up_proj.weight", {}),
        ("model.layers.1.mlp.up_proj.weight", {"model.layers.1.mlp.other": (4, 4)}),
        (None, {"model.layers.1.mlp.up_proj.weight": (4, 4)}),
    ],
)
def test_weights_that_lack_a_tensor_are_never_filled_up_with_random_numbers(
    altered: Alter, drop: str | None, more: dict[str, tuple[int, int]]
) -> None:
    import torch

    folder = altered()
    change_weights(folder, drop, **{name: torch.zeros(shape) for name, shape in more.items()})
    assert finding(folder) == (
        "shown: MR405 the weights lack 1 of the model's tensors (model.layers.1.mlp.up_proj.weight); "
        "save the whole model again"
    )


def test_a_tied_output_projection_is_not_missing(altered: Alter) -> None:
    folder = altered(config={"tie_word_embeddings": True})
    change_weights(folder, "lm_head.weight")
    assert load(folder).vocabulary == VOCABULARY


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "nonesuch"}, "config.json: The checkpoint you are trying to load has model type `nonesuch`"),
        ({"model_type": None}, "config.json: "),
        ({"hidden_size": "wide"}, "config.json: Validation error for field 'hidden_size': TypeError: Field 'hidden_"),
        ({"num_attention_heads": 0}, "config.json: integer modulo by zero"),
        ({"num_attention_heads": -4}, "the model: Trying to create tensor with negative dimension"),
        ({"model_type": "t5"}, "the model: Unrecognized configuration class"),
    ],
)
def test_a_config_that_cannot_be_used_is_a_finding(altered: Alter, config: dict[str, Any], said: str) -> None:
    line = finding(altered(config=config))
    assert line.startswith(f"shown: MR401 transformers cannot read {said}")
    assert "Traceback" not in line


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", "{", "MR401 transformers cannot read config.json: It looks like the config file"),
        ("config.json", "[]", "MR401 transformers cannot read config.json: "),
        ("tokenizer.json", "{", "MR402 transformers cannot read the tokenizer: "),
        ("tokenizer.json", "{}", "MR402 transformers cannot read the tokenizer: "),
        ("generation_config.json", "[]", "MR401 transformers cannot read the model: "),
    ],
)
def test_a_damaged_file_is_a_finding(altered: Alter, file: str, content: str, said: str) -> None:
    folder = altered()
    (folder / file).write_text(content, "utf-8")
    assert finding(folder).startswith(f"shown: {said}")


def test_an_unknown_length_is_no_length(altered: Alter) -> None:
    folder = altered("mamba", tokenizer_config={"model_max_length": "long"})
    assert load(folder).max_length is None


def test_an_adapter_beside_the_weights_is_refused(altered: Alter) -> None:
    assert finding(altered(adapter_config={"peft_type": "LORA"})) == (
        "shown: MR401 holds an adapter; merge it into its model (`merge_and_unload`) and save that"
    )


@pytest.mark.parametrize(
    ("weight_map", "said"),
    [
        (
            {"lm_head.weight": "../other.safetensors"},
            "names '../other.safetensors', which is no file name",
        ),
        ({"lm_head.weight": "model-2.safetensors"}, "names 'model-2.safetensors', which the checkpoint does not hold"),
        ({"lm_head.weight": "/etc/hostname"}, "names '/etc/hostname', which is no file name"),
        ({"lm_head.weight": 7}, "is no index of weights; save the whole model again"),
        (
            {"nothing.weight": "model.safetensors"},
            "says that 'model.safetensors' holds tensor 'nothing.weight', and no",
        ),
        ([], "is no index of weights; save the whole model again"),
        ({"lm_head.weight": {}}, "is no index of weights; save the whole model again"),
    ],
)
def test_an_index_cannot_lead_to_weights_outside_of_the_checkpoint(altered: Alter, weight_map: Any, said: str) -> None:
    folder = altered(**{"model.safetensors.index": {"weight_map": weight_map}})
    shutil.copy(folder / "model.safetensors", folder.parent / "other.safetensors")
    assert finding(folder).startswith(f"{folder}/model.safetensors.index.json: MR405 {said}")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that only a checkpoint's own code would write."""
    return tmp_path / "it-ran"


def add_code(folder: Path, marker: Path) -> None:
    code = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    for name in ("configuration_mine.py", "modeling_mine.py", "tokenization_mine.py"):
        (folder / name).write_text(f"{code}class Mine:\n    pass\n", "utf-8")
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(f"{code}def generate(*_, **__): ...\n", "utf-8")


MAPPED = {
    "AutoConfig": "configuration_mine.Mine",
    "AutoModelForCausalLM": "modeling_mine.Mine",
    "AutoTokenizer": ["tokenization_mine.Mine", None],
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {"model_type": "mine", "auto_map": MAPPED}}, "config.json asks"),
        ({"tokenizer_config": {"tokenizer_class": "Mine", "auto_map": MAPPED}}, "the tokenizer asks"),
    ],
)
def test_code_of_a_checkpoint_is_refused_and_never_run(
    altered: Alter, marker: Path, changes: dict[str, Any], said: str
) -> None:
    folder = altered(**changes)
    add_code(folder, marker)
    assert finding(folder) == (
        f"shown: MR406 {said} for code of its own; use an architecture that transformers has; "
        "code from a checkpoint is never run"
    )
    assert not marker.exists()


def test_code_beside_an_architecture_that_transformers_has_is_passed_over(altered: Alter, marker: Path) -> None:
    from modelrelease.scoring.engines import Generation
    from modelrelease.scoring.engines.transformers_engine import TransformersEngine
    from modelrelease.scoring.requests import Request

    folder = altered(config={"auto_map": MAPPED})
    add_code(folder, marker)
    TransformersEngine(load(folder)).generate([Request(0, 0, (1, 5), 2, 2)], Generation(), [0])
    assert not marker.exists()


class Hostile:
    """Unpickled, it touches a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("how", ["a zip as torch.save writes it", "a bare pickle"])
def test_a_pickle_that_holds_more_than_tensors_is_refused_and_never_run(altered: Alter, marker: Path, how: str) -> None:
    import torch

    folder = altered()
    (folder / "model.safetensors").unlink()
    weights = folder / "pytorch_model.bin"
    if how == "a bare pickle":
        weights.write_bytes(pickle.dumps({"lm_head.weight": Hostile(marker)}, protocol=2))
    else:
        torch.save({"lm_head.weight": Hostile(marker)}, weights)
    with pytest.raises(Refused) as caught:
        load(folder)
    assert caught.value.lines() == [
        "shown: MR404 the weights are a pickle that is damaged or holds more than tensors; it was not run; "
        "save the model again with model.save_pretrained(folder)"
    ]
    assert caught.value.exit_code == 1
    assert not marker.exists()


def test_what_is_no_pickle_at_all_is_a_finding(altered: Alter) -> None:
    folder = altered()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"these are no weights" * 9)
    assert finding(folder).startswith("shown: MR401 transformers cannot read the model: ")


def test_a_pickle_beside_safetensors_is_not_read(altered: Alter, marker: Path) -> None:
    folder = altered()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(marker)))
    assert load(folder).vocabulary == VOCABULARY
    assert not marker.exists()


def test_a_pickle_of_tensors_alone_is_read(altered: Alter, tiny: TinyModels) -> None:
    import torch
    from safetensors.torch import load_file

    folder = altered()
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    weight = load(folder).model.lm_head.weight
    assert torch.equal(weight, tiny.loaded("llama").model.lm_head.weight)


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "--device: MR409 torch sees no CUDA device; use --device cpu, or a runner with a GPU"),
        ("abacus", "abacus: MR409 Expected one of cpu,"),
    ],
)
def test_a_device_that_is_not_there_is_unavailable(tiny: TinyModels, device: str, said: str) -> None:
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(Unavailable) as caught:
        load(tiny.folder("llama"), device=device)
    assert caught.value.lines()[0].startswith(said)


def test_threads_are_set(tiny: TinyModels) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        load(tiny.folder("llama"), threads=before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_a_folder_without_weights_or_tokenizer_is_no_checkpoint(altered: Alter) -> None:
    folder = altered()
    (folder / "model.safetensors").unlink()
    with pytest.raises(InvalidInput, match="MR401 has no weights"):
        load(folder)
