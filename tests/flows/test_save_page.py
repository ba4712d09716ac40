"""docs/save.md: its commands and its Python, run in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from commands import run
from tiny_models import TinyModels, make_tokenizer
from version_folders import papers, write_checkpoint

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "save.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "model_v1.0").mkdir(parents=True)
    (tmp_path / "training").mkdir()
    for name in ("text.txt", "log.txt"):
        (tmp_path / "training" / name).write_text("a small dog\n")
    return tmp_path


def test_the_commands_do_what_the_page_says(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("models/model_v1.1/checkpoint"))
    lines = [line[2:] for block in blocks("console") for line in block.splitlines()]
    assert len(lines) == 4
    for line in lines:
        done = run(capsys, *shlex.split(line)[1:])
        assert (done.code, done.err) == (0, ""), line
    record = papers(Path("models/model_v1.1"))
    assert (record["parent"], record["license"], record["training"]["seed"]) == ("model_v1.0", "apache-2.0", 1)
    assert papers(Path("models/model_v1.2"))["checkpoint"]["source"] == "file:///srv/weights/bot"
    assert papers(Path("models/model_v1.3"))["checkpoint"]["same_as"] == "model_v1.1"


def test_the_python_does_what_the_page_says(inside: Path, tiny: TinyModels) -> None:
    from transformers import AutoModelForCausalLM, DataCollatorForLanguageModeling, Trainer, TrainingArguments

    import modelrelease

    tokenizer = make_tokenizer(bos=True)
    names: dict[str, Any] = {
        "modelrelease": modelrelease,
        "model": AutoModelForCausalLM.from_pretrained(tiny.folder("llama")),
        "tokenizer": tokenizer,
        "Trainer": lambda **given: Trainer(
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False), **given
        ),
        "arguments": TrainingArguments(
            output_dir="out", max_steps=2, report_to=[], use_cpu=True, per_device_train_batch_size=1, disable_tqdm=True
        ),
        "rows": [{"input_ids": tokenizer("a small dog")["input_ids"]}] * 4,
    }
    by_hand, by_trainer = blocks("python")
    exec(by_hand, names)
    first = papers(Path("models/model_v1.1"))
    assert (first["saved_by"], first["training"]["steps"], first["license"]) == ("save", 600, "apache-2.0")
    exec(by_trainer, names)
    second = papers(Path("models/model_v1.1"))
    assert (second["saved_by"], second["training"]["steps"]) == ("trainer", 2)


def test_every_key_of_the_document_is_told(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoint(Path("models/model_v1.1/checkpoint"))
    run(capsys, "record", "models/model_v1.1")
    told = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in PAGE.splitlines() if line[:3] == "| `")))
    assert set(papers(Path("models/model_v1.1"))) - told == {"schema_version", "tool", "saved_by", "created"}
