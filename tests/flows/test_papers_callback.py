"""PapersCallback in a real transformers.Trainer on a tiny model."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import TinyModels, make_tokenizer
from version_folders import papers

import modelrelease
from modelrelease.errors import InvalidInput, Refused
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.files import sha256_of
from modelrelease.records.model import read_model_record

TEXTS = ["the cat sat on the mat.", "a small dog ran to the cat; the answer is 42."] * 8
SCRIPT = """
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments
import modelrelease

Trainer(
    model=AutoModelForCausalLM.from_pretrained({model!r}),
    args=TrainingArguments(output_dir="out", report_to=[], use_cpu=True),
    callbacks=[modelrelease.PapersCallback("models/model_v1.0")],
)
"""
Make = Callable[..., Any]


@pytest.fixture
def trainer(tiny: TinyModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes a Trainer of six steps with a callback for models/model_v1.1."""
    from transformers import AutoModelForCausalLM, DataCollatorForLanguageModeling, Trainer, TrainingArguments

    monkeypatch.chdir(tmp_path)
    tokenizer = make_tokenizer(bos=True)
    rows = [{"input_ids": tokenizer(text)["input_ids"]} for text in TEXTS]

    def make(callback: Any, *, tokenizer_given: bool = True, **settings: Any) -> Any:
        plain = {"max_steps": 6, "save_steps": 2, "logging_steps": 1, "per_device_train_batch_size": 2, "seed": 5}
        arguments = TrainingArguments(
            output_dir=str(tmp_path / "out"), report_to=[], use_cpu=True, disable_tqdm=True, **{**plain, **settings}
        )
        return Trainer(
            model=AutoModelForCausalLM.from_pretrained(tiny.folder("llama")),
            args=arguments,
            train_dataset=rows,
            eval_dataset=rows[:4],
            processing_class=tokenizer if tokenizer_given else None,
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
            callbacks=[callback],
        )

    return make


FOLDER = Path("models/model_v1.1")


def test_a_training_leaves_a_whole_version(trainer: Make, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("\n".join(TEXTS))
    (tmp_path / "models" / "model_v1.0").mkdir(parents=True)
    callback = modelrelease.PapersCallback(FOLDER, parent="model_v1.0", datasets=["text.txt"], license="mit")
    training = trainer(callback)
    training.train()
    assert sorted(path.name for path in FOLDER.iterdir()) == ["checkpoint", "model.json", "trainer_state.json"]
    record, found = read_model_record(FOLDER), read_checkpoint(FOLDER, "m")
    assert found.leftovers == ()
    assert (record.checkpoint.digest, record.saved_by) == (found.digest, "trainer")
    # What is published is what the Trainer saved: the weights of its last checkpoint, and the tokenizer.
    assert found.digest == read_checkpoint(tmp_path / "out" / "checkpoint-6", "m").digest
    history = training.state.log_history
    losses = [entry["loss"] for entry in history if "loss" in entry]
    assert (record.training.steps, record.training.seed) == (6, 5)
    assert (record.training.final_loss, record.training.epochs) == (losses[-1], training.state.epoch)
    state = json.loads((FOLDER / "trainer_state.json").read_text())
    assert state["log_history"] == history
    log = record.training.logs[0]
    assert (log.path, log.sha256) == (str(FOLDER / "trainer_state.json"), sha256_of(FOLDER / "trainer_state.json"))
    assert (record.parent, record.license) == ("model_v1.0", "mit")
    assert [part.path for part in record.training.datasets] == ["text.txt"]
    assert record.environment is not None
    assert record.tokenizer is not None


def test_every_save_brings_the_version_up_to_date(trainer: Make) -> None:
    from transformers import TrainerCallback

    seen: list[tuple[int, int, bool]] = []

    class Watch(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            record = read_model_record(FOLDER)
            same = record.checkpoint.digest == read_checkpoint(FOLDER, "m").digest
            seen.append((state.global_step, record.training.steps or 0, same))

    training = trainer(modelrelease.PapersCallback(FOLDER))
    training.add_callback(Watch())
    training.train()
    assert seen == [(2, 2, True), (4, 4, True), (6, 6, True)]


def test_the_best_checkpoint_is_the_version_where_the_trainer_loads_it(trainer: Make, tmp_path: Path) -> None:
    # The larger the loss the better, so that it is not the last that is best.
    best_of = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": True}
    settings = {"eval_strategy": "steps", "eval_steps": 2, "save_total_limit": 1, "learning_rate": 1e-2, **best_of}
    training = trainer(modelrelease.PapersCallback(FOLDER), **settings)
    training.train()
    best = Path(training.state.best_model_checkpoint)
    assert best.name == "checkpoint-2"
    record = read_model_record(FOLDER)
    assert record.training.steps == training.state.best_global_step == int(best.name.rpartition("-")[2])
    assert record.checkpoint.digest == read_checkpoint(FOLDER, "m").digest == read_checkpoint(best, "m").digest
    expected = [e["loss"] for e in training.state.log_history if "loss" in e and e["step"] <= record.training.steps]
    assert record.training.final_loss == expected[-1]
    assert 0 < (record.training.epochs or 0) < training.state.epoch


def test_where_only_the_best_is_saved_the_version_is_that(trainer: Make, tmp_path: Path) -> None:
    of = {"metric_for_best_model": "eval_loss", "greater_is_better": True, "eval_strategy": "steps", "eval_steps": 2}
    training = trainer(modelrelease.PapersCallback(FOLDER), save_strategy="best", learning_rate=1e-2, **of)
    training.train()
    assert [path.name for path in (tmp_path / "out").glob("checkpoint-*")] == ["checkpoint-2"]
    record = read_model_record(FOLDER)
    assert (record.training.steps, training.state.global_step) == (2, 6)
    assert record.checkpoint.digest == read_checkpoint(tmp_path / "out" / "checkpoint-2", "m").digest
    assert json.loads((FOLDER / "trainer_state.json").read_text())["global_step"] == 6


def test_a_trainer_that_saves_nothing_leaves_its_last_weights(trainer: Make, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    training = trainer(modelrelease.PapersCallback(FOLDER), save_strategy="no")
    training.train()
    saved = AutoModelForCausalLM.from_pretrained(FOLDER / "checkpoint").state_dict()
    trained = training.model.state_dict()
    assert all(torch.equal(saved[name], trained[name]) for name in trained)
    assert read_model_record(FOLDER).training.steps == 6


def test_the_arguments_have_one_digest_wherever_they_write(trainer: Make) -> None:
    digests = []
    for number, rate in enumerate((1e-3, 1e-3, 2e-3)):
        folder = Path(f"models/model_v2.{number}")
        training = trainer(modelrelease.PapersCallback(folder), max_steps=1, learning_rate=rate, save_strategy="no")
        training.args.output_dir = f"out{number}"
        training.train()
        digests.append(papers(folder)["training"]["config_digest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_tokenizer_can_be_given_where_the_trainer_has_none(trainer: Make) -> None:
    callback = modelrelease.PapersCallback(FOLDER, tokenizer=make_tokenizer(bos=True))
    training = trainer(callback, tokenizer_given=False, max_steps=2)
    training.data_collator = _padded
    training.train()
    assert read_model_record(FOLDER).tokenizer is not None
    assert read_checkpoint(FOLDER, "m").has_tokenizer


def _padded(rows: list[dict[str, Any]]) -> dict[str, Any]:
    import torch

    ids = [torch.tensor(row["input_ids"]) for row in rows]
    padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    return {"input_ids": padded, "labels": padded}


def test_only_process_zero_of_the_world_writes(trainer: Make) -> None:
    training = trainer(modelrelease.PapersCallback(FOLDER), max_steps=2)
    training.is_world_process_zero = lambda: False
    training.train()
    assert not FOLDER.exists()


def test_what_cannot_be_saved_is_refused_before_it_is_trained(trainer: Make, tmp_path: Path) -> None:
    def steps(**arguments: Any) -> int:
        training = trainer(modelrelease.PapersCallback(FOLDER, **arguments))
        with pytest.raises((InvalidInput, Refused)) as caught:
            training.train()
        said.append(str(caught.value))
        return int(training.state.global_step)

    said: list[str] = []
    assert steps(parent="model_v0.9") == 0
    assert steps(datasets=["no.jsonl"]) == 0
    FOLDER.mkdir(parents=True)
    (FOLDER / "eval.json").write_text("{}")
    assert steps() == 0
    assert ["MR411" in said[0], "MR209" in said[1], "MR410" in said[2]] == [True] * 3
    with pytest.raises(InvalidInput, match="license: MR601"):
        modelrelease.PapersCallback(FOLDER, license="")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH came with Python 3.11")
@pytest.mark.skipif(importlib.util.find_spec("datasets") is not None, reason="an installed library is not hidden")
def test_a_folder_that_hides_a_library_of_the_trainer_is_named(tiny: TinyModels, tmp_path: Path) -> None:
    """The folder that this kit keeps test sets in; without a word of it, the Trainer ends with an AttributeError."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "train.py").write_text(SCRIPT.format(model=str(tiny.folder("llama"))))
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "train.py"]
        return subprocess.run(command, cwd=tmp_path, env=plain | more, capture_output=True, text=True, check=False)

    hidden, seen = run(), run(PYTHONSAFEPATH="1")
    said = "datasets: MR601 hides the library `datasets`, which the Trainer looks for; run the script with `python -P`"
    assert (hidden.returncode, said in hidden.stderr) == (1, True)
    assert seen.returncode == 0, seen.stderr


def test_an_adapter_is_refused_before_it_is_trained(trainer: Make) -> None:
    training = trainer(modelrelease.PapersCallback(FOLDER))
    training.model.peft_config = {}
    with pytest.raises(InvalidInput, match="MR401 an adapter is trained"):
        training.train()
    assert training.state.global_step == 0


def test_a_training_that_goes_on_goes_on_with_its_version(trainer: Make, tmp_path: Path) -> None:
    trainer(modelrelease.PapersCallback(FOLDER), max_steps=2).train()
    trainer(modelrelease.PapersCallback(FOLDER)).train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))
    assert read_model_record(FOLDER).training.steps == 6
    assert read_checkpoint(FOLDER, "m").digest == read_checkpoint(tmp_path / "out" / "checkpoint-6", "m").digest
