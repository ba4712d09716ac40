"""A real model, fine-tuned by a real Trainer, leaves a version that is scored as it stands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.files import sha256_of
from modelrelease.records.model import ModelRecord, read_model_record
from tests.acceptance.conftest import modelrelease, rows_of

pytestmark = pytest.mark.real_models
PROGRAM = Path(__file__).with_name("fine_tune.py")
BEFORE, AFTER = "models/model_v1.0", "models/model_v1.1"
FILES = {
    "modelrelease.yaml": "schema_version: 1\nsuite: evals/release.yaml\n",
    "evals/release.yaml": """schema_version: 1
name: release
tasks:
  - {name: answers, kind: perplexity, dataset: datasets/test.jsonl, prompt: prompts/none.txt, target: answer,
     metrics: [nll]}
""",
    "prompts/none.txt": "Answer:",
    ".gitignore": "out/\n",
}
SAID = "license: mit\ndatasets: [openai/gsm8k]\nlanguage: en\ntags: [stories]\n"


@pytest.fixture
def repository(tmp_path: Path, data: Path, stories: Path) -> Path:
    """A repository with the model as v1.0, and a folder `datasets` at its root, as most have."""
    rows = rows_of(data / "gsm8k" / "test.jsonl")
    sets = {"train": rows[100:160], "test": rows[:20]}
    texts = {f"datasets/{name}.jsonl": _lines(part) for name, part in sets.items()}
    for name, text in {**FILES, **texts}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    shutil.copytree(stories, tmp_path / BEFORE / "checkpoint")
    shutil.copy(PROGRAM, tmp_path / "fine_tune.py")
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "1"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def _lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps({"id": number, **row}) + "\n" for number, row in enumerate(rows))


def train(root: Path, *launcher: str) -> str:
    command = [sys.executable, *launcher, "fine_tune.py", f"{BEFORE}/checkpoint", "datasets/train.jsonl", AFTER]
    # Else the folder `datasets` hides the library of that name, and the Trainer fails while it looks for it; the
    # processes that a launcher starts do not inherit `-P`.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_version(repository: Path) -> ModelRecord:
    """Return the papers of the version that the training has left, whole."""
    folder = repository / AFTER
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "model.json", "trainer_state.json"]
    record, found = read_model_record(folder), read_checkpoint(folder, AFTER)
    assert (record.checkpoint.digest, found.leftovers) == (found.digest, ())
    assert record.checkpoint.digest != read_checkpoint(repository / BEFORE, BEFORE).digest
    assert (record.training.steps, record.training.seed, record.parent) == (8, 11, "model_v1.0")
    assert record.training.final_loss is not None
    assert record.git is not None
    assert record.git.dirty is False
    assert record.training.datasets[0].git_sha == record.git.sha
    assert record.training.logs[0].sha256 == sha256_of(folder / "trainer_state.json")
    assert [prompt.path for prompt in record.prompts] == ["prompts/none.txt"]
    return record


def test_a_fine_tuning_leaves_a_whole_version(repository: Path) -> None:
    print(train(repository))
    record = check_version(repository)
    print(record.to_bytes().decode())
    modelrelease(repository, "record", BEFORE, "--license", "mit")
    for version in (BEFORE, AFTER):
        modelrelease(repository, "score", version)
    scores = [json.loads((repository / version / "eval.json").read_text()) for version in (BEFORE, AFTER)]
    assert scores[1]["model"]["digest"] == record.checkpoint.digest
    assert scores[1]["metrics"][0]["value"] < scores[0]["metrics"][0]["value"]
    check_card(repository, scores[1]["metrics"][0]["value"])


def check_card(repository: Path, value: float) -> None:
    """A person says what no record knows, the rest is written from records; the Hub's own client reads it as meant."""
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import model_index_to_eval_results

    folder = repository / AFTER
    (folder / "README.md").write_text(f"---\n{SAID}---\n# Stories, tuned\n", "utf-8")
    modelrelease(repository, "card", AFTER, "--write")
    modelrelease(repository, "card", AFTER, "--check")
    card = ModelCard.load(folder / "README.md")
    print(card.content)
    print((folder / "changelog.md").read_text("utf-8"))
    written = card.data.to_dict()
    _, results = model_index_to_eval_results(written["model-index"])
    assert [(result.dataset_config, result.metric_value) for result in results] == [("answers", pytest.approx(value))]
    assert {"license", "base_model", "datasets", "language", "library_name", "pipeline_tag", "tags"} <= written.keys()


def test_of_two_processes_that_train_one_writes(repository: Path) -> None:
    train(repository, "-m", "torch.distributed.run", "--nproc-per-node=2")
    check_version(repository)
