"""save_checkpoint with real tiny models: what it writes, what it says of it, what it refuses."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from repositories import Repository
from tiny_models import TinyModels, make_tokenizer, write_project
from version_folders import Pretrained, papers, write_checkpoint

import modelrelease
from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, Refused, Unavailable
from modelrelease.flows.version_folder import STAGE, opened
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.datasets import read_dataset
from modelrelease.records.digests import dataset_digest
from modelrelease.records.files import sha256_of
from modelrelease.records.model import read_model_record
from modelrelease.records.prompts import read_prompt

VERSION = "models/model_v1.1"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of the small project, committed, with a remote that has a password, and v1.0."""
    root = write_project(tmp_path / "repository")
    found = Repository(root)
    found.git("init", "--quiet", "--initial-branch=main")
    found.git("remote", "add", "origin", "https://ada:secret@github.com/acme/bot.git")
    found.write("models/model_v1.0/model.json", "{}")
    found.git("add", "--all")
    found.git("commit", "--quiet", "--message=begin")
    return found


@pytest.fixture
def inside(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(repository.root)
    return repository


@pytest.fixture(scope="module")
def llama(tiny: TinyModels) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny.folder("llama"))


def test_a_model_is_saved_with_its_papers(inside: Repository, llama: Any) -> None:
    inside.write("log.txt", "step 1")
    record = modelrelease.save_checkpoint(
        llama,
        make_tokenizer(bos=True),
        VERSION,
        command="python train.py --token hf_aaaaaaaaaaaa",
        seed=7,
        parent="models/model_v1.0",
        datasets=["datasets/qa.jsonl", "prompts"],
        logs=["log.txt"],
        steps=600,
        epochs=1.5,
        final_loss=0.25,
        config={"lr": 3e-4},
        base_model="acme/base",
        license="mit",
    )
    folder = inside.root / VERSION
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "model.json"]
    assert (folder / "model.json").read_bytes() == record.to_bytes()
    assert read_model_record(folder) == record
    found = read_checkpoint(folder, "m")
    assert (record.checkpoint.digest, record.checkpoint.files) == (found.digest, found.files)
    assert (record.checkpoint.format, record.saved_by, record.version) == ("safetensors", "save", "model_v1.1")
    assert (record.parent, record.base_model, record.license) == ("model_v1.0", "acme/base", "mit")
    assert record.git is not None
    assert record.git.model_dump() == {
        "sha": inside.git("rev-parse", "HEAD"),
        "dirty": False,
        "branch": "main",
        "remote": "https://github.com/acme/bot.git",
    }
    training = record.training
    assert (training.command, training.seed, training.steps) == ("python train.py --token ***", 7, 600)
    assert (training.epochs, training.final_loss, training.config_digest) == (1.5, 0.25, digest_of({"lr": 3e-4}))
    rows = read_dataset((inside.root / "datasets/qa.jsonl").read_bytes(), "datasets/qa.jsonl")
    first, second = training.datasets
    assert (first.path, first.digest) == ("datasets/qa.jsonl", dataset_digest(row.digest for row in rows))
    assert (first.git_sha, second.path, second.git_sha) == (record.git.sha, "prompts", record.git.sha)
    assert [(log.path, log.sha256) for log in training.logs] == [("log.txt", sha256_of(Path("log.txt")))]
    prompts = ["prompts/chat.prompt.yml", "prompts/qa.txt"]
    assert [(prompt.path, prompt.digest) for prompt in record.prompts] == [
        (path, read_prompt(Path(path).read_bytes(), path).digest) for path in prompts
    ]
    assert record.environment is not None
    assert record.environment.packages["torch"] == metadata.version("torch")
    assert record.tokenizer is not None
    assert record.tokenizer.version == metadata.version("tokenizers")
    named = json.loads((folder / "checkpoint/tokenizer_config.json").read_text())["tokenizer_class"]
    assert (record.tokenizer.kind, record.tokenizer.digest) == (named, found.tokenizer_digest)
    assert record.tokenizer.chat_template_digest == found.chat_template_digest is not None


def test_what_is_saved_is_the_model(inside: Repository, llama: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    modelrelease.save_checkpoint(llama, make_tokenizer(bos=True), VERSION)
    loaded = AutoModelForCausalLM.from_pretrained(f"{VERSION}/checkpoint")
    ids = AutoTokenizer.from_pretrained(f"{VERSION}/checkpoint")("the cat", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.equal(loaded(ids).logits, llama(ids).logits)


def test_what_is_not_there_is_absent_and_not_invented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiment"
    record = modelrelease.save_checkpoint(Pretrained(1, tokenizer=False), None, folder)
    assert (record.version, record.parent, record.git, record.tokenizer) == (None, None, None, None)
    assert (record.prompts, record.base_model, record.license) == ((), None, None)
    said = record.training.model_dump(exclude={"command"})
    assert set(said.values()) == {None, ()}
    assert record.training.command is not None


def test_the_command_is_that_of_the_process(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import modelrelease; from version_folders import Pretrained\n"
        "modelrelease.save_checkpoint(Pretrained(1), None, 'model_v1.0')\n"
    )
    command = [sys.executable, "train.py", "--name", "a b", "--hub-token=abc"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert papers(tmp_path / "model_v1.0")["training"]["command"] == "python train.py --name 'a b' --hub-token=***"


def test_local_changes_before_the_first_commit_and_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository(tmp_path / "code")
    repository.write("train.py", "")
    repository.git("init", "--quiet", "--initial-branch=work")
    monkeypatch.chdir(repository.root)
    folder = tmp_path / "disk" / "model_v1.0"  # in no repository: that of the working directory counts

    def state() -> list[Any]:
        record = modelrelease.save_checkpoint(Pretrained(1), None, folder, datasets=["train.py"])
        assert record.git is not None
        return [record.git.sha, record.git.dirty, record.git.branch, record.training.datasets[0].git_sha]

    assert state() == [None, None, "work", None]
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message=begin")
    sha = repository.git("rev-parse", "HEAD")
    assert state() == [sha, False, "work", sha]
    repository.write("train.py", "print()")
    assert state() == [sha, True, "work", None]
    repository.git("checkout", "--quiet", "--detach")
    assert state() == [sha, True, None, None]


def test_saving_again_replaces_checkpoint_and_papers_and_nothing_else(inside: Repository) -> None:
    folder = inside.root / VERSION
    modelrelease.save_checkpoint(Pretrained(1), None, folder, seed=1)
    (folder / "README.md").write_text("mine")
    (folder / "checkpoint" / "extra.json").write_text("{}")
    record = modelrelease.save_checkpoint(Pretrained(2), None, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "checkpoint", "model.json"]
    assert read_checkpoint(folder, "m").digest == record.checkpoint.digest
    assert record.training.seed is None


class _Adapter:
    def save_pretrained(self, folder: Any) -> None:
        write_checkpoint(Path(folder))
        (Path(folder) / "adapter_config.json").write_text("{}")


class _FullDisk:
    def save_pretrained(self, folder: Any) -> None:
        write_checkpoint(Path(folder))
        raise OSError(28, "No space left on device")


class _Interrupted:
    def save_pretrained(self, folder: Any) -> None:
        write_checkpoint(Path(folder))
        raise KeyboardInterrupt


def test_one_dataset_needs_no_list(inside: Repository) -> None:
    inside.write("train.py", "pass\n")
    record = modelrelease.save_checkpoint(
        Pretrained(1), None, VERSION, datasets="datasets/qa.jsonl", logs=Path("train.py")
    )
    assert [item.path for item in record.training.datasets] == ["datasets/qa.jsonl"]
    assert [item.path for item in record.training.logs] == ["train.py"]


REFUSED: dict[str, tuple[Any, dict[str, Any], type[BaseException], str]] = {
    "a parent that is not there": (Pretrained(1), {"parent": "model_v0.9"}, InvalidInput, "model_v0.9: MR411 has no f"),
    "a parent that is no version": (Pretrained(1), {"parent": "base"}, InvalidInput, "base: MR411 is no version"),
    "itself as parent": (Pretrained(1), {"parent": VERSION}, InvalidInput, "MR411 would be its own parent"),
    "a dataset that is not there": (Pretrained(1), {"datasets": ["no.jsonl"]}, InvalidInput, "no.jsonl: MR209"),
    "a log that is a folder": (Pretrained(1), {"logs": ["prompts"]}, InvalidInput, "prompts: MR209 is a folder"),
    "a loss that is no number": (Pretrained(1), {"final_loss": math.nan}, InvalidInput, "final_loss: MR601 is nan"),
    "steps below none": (Pretrained(1), {"steps": -1}, InvalidInput, "steps: MR601 is -1"),
    "an empty licence": (Pretrained(1), {"license": " "}, InvalidInput, "license: MR601"),
    "settings that are no JSON": (Pretrained(1), {"config": {"a": object()}}, InvalidInput, "config: MR601"),
    "no model": (object(), {}, InvalidInput, "model: MR601 a object has no `save_pretrained`"),
    "an adapter": (_Adapter(), {}, InvalidInput, "model: MR401 is an adapter without its model; merge it"),
    "a full disk": (_FullDisk(), {}, Unavailable, "MR603 the checkpoint cannot be written: No space left"),
    "somebody's Ctrl-C": (_Interrupted(), {}, KeyboardInterrupt, ""),
}


@pytest.mark.parametrize("before", [False, True], ids=["new", "over an older one"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(inside: Repository, name: str, before: bool) -> None:
    model, arguments, error, said = REFUSED[name]
    folder = inside.root / VERSION
    if before:
        modelrelease.save_checkpoint(Pretrained(2), None, folder)
    state = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(error) as caught:
        modelrelease.save_checkpoint(model, None, VERSION, **arguments)
    assert said in str(caught.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == state
    assert folder.exists() == before
    assert not any(path.name.startswith(".tmp") for path in folder.rglob("*"))


def test_a_scored_version_is_never_overwritten(inside: Repository) -> None:
    inside.write(f"{VERSION}/eval.json", "{}")
    with pytest.raises(Refused, match="MR410 is the record of a version") as caught:
        modelrelease.save_checkpoint(Pretrained(1), None, VERSION)
    assert caught.value.findings[0].code is Code.EXISTING_RECORD
    assert [path.name for path in (inside.root / VERSION).iterdir()] == ["eval.json"]


def test_a_suite_that_cannot_be_read_is_told_of_and_loses_no_training(inside: Repository) -> None:
    inside.write("evals/release.yaml", "tasks: [")
    with pytest.warns(UserWarning, match="model.json names no prompts.*MR201"):
        record = modelrelease.save_checkpoint(Pretrained(1), None, VERSION)
    assert record.prompts == ()
    assert (inside.root / VERSION / "checkpoint").is_dir()


class _Asking:
    """What git would add while it is being saved."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self.seen = "nothing asked"

    def save_pretrained(self, folder: Any) -> None:
        write_checkpoint(Path(folder))
        self.seen = self._repository.git("status", "--porcelain", "--untracked-files=all")


def test_git_adds_nothing_of_a_save_in_the_making(inside: Repository) -> None:
    model = _Asking(inside)
    modelrelease.save_checkpoint(model, None, VERSION)
    assert model.seen == ""
    assert f"{VERSION}/model.json" in inside.git("status", "--porcelain", "--untracked-files=all")


def _decided(folder: Path, value: int) -> Path:
    """An interrupted save that was decided, as a kill leaves it or a pull request brings it."""
    stage = folder / STAGE
    other = folder.parent / "model_v7.0"
    modelrelease.save_checkpoint(Pretrained(value), None, other)
    folder.mkdir(parents=True, exist_ok=True)
    other.rename(stage)
    return stage


def test_a_scored_version_is_not_replaced_by_what_was_begun(inside: Repository) -> None:
    folder = inside.root / VERSION
    modelrelease.save_checkpoint(Pretrained(1), None, folder)
    digest = read_checkpoint(folder, "m").digest
    _decided(folder, 2)
    (folder / "eval.json").write_text("{}")
    with opened(folder):
        pass
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "eval.json", "model.json"]
    assert read_checkpoint(folder, "m").digest == read_model_record(folder).checkpoint.digest == digest


def test_of_what_was_begun_nothing_but_a_version_is_taken(inside: Repository) -> None:
    folder = inside.root / VERSION
    stage = _decided(folder, 2)
    for name in ("eval.json", "README.md", "trainer_state.json"):
        (stage / name).write_text("{}")
    with opened(folder):
        pass
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint", "model.json", "trainer_state.json"]


def test_what_was_begun_elsewhere_is_left_alone(inside: Repository) -> None:
    folder = inside.root / VERSION
    other = _decided(inside.root / "models" / "model_v1.0", 2)
    folder.mkdir()
    (folder / STAGE).symlink_to(other)
    with pytest.raises(InvalidInput, match="MR209 is a link"):
        modelrelease.save_checkpoint(Pretrained(1), None, folder)
    assert sorted(path.name for path in other.iterdir()) == ["checkpoint", "model.json"]


HOLD = """
import sys
from pathlib import Path
from modelrelease.flows.version_folder import opened
with opened(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(inside: Repository) -> Iterator[Path]:
    folder = inside.root / VERSION
    folder.mkdir()
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield folder
        process.communicate()


def test_two_processes_do_not_write_one_version(holder: Path) -> None:
    with pytest.raises(Unavailable, match="MR603 is being written by another process"):
        modelrelease.save_checkpoint(Pretrained(1), None, holder)
    assert list(holder.iterdir()) == []


def test_where_no_folder_can_be_made_it_is_exit_3(inside: Repository) -> None:
    inside.write("file", "")
    with pytest.raises(Unavailable, match="MR603 cannot be written"):
        modelrelease.save_checkpoint(Pretrained(1), None, "file/model_v1.1")


SETS: dict[str, tuple[Callable[[Path], object], bool]] = {
    "rows without ids": (lambda path: path.write_text('{"text": "a"}\n'), False),
    "rows with ids": (lambda path: path.write_text('{"id": 1, "text": "a"}\n'), True),
    "no rows": (lambda path: path.write_text(""), False),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), False),
}


@pytest.mark.parametrize("name", SETS)
def test_a_training_set_has_the_digest_of_its_rows_or_of_its_bytes(inside: Repository, name: str) -> None:
    write, rows = SETS[name]
    path = inside.root / "train.jsonl"
    write(path)
    record = modelrelease.save_checkpoint(Pretrained(1), None, VERSION, datasets=[path])
    found = record.training.datasets[0]
    assert (found.path, found.git_sha) == ("train.jsonl", None)
    assert (found.digest == sha256_of(path)) == (not rows)
