"""``modelrelease record``: papers for checkpoints from elsewhere, and more of them later."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import write
from commands import run
from repositories import Repository
from version_folders import POINTER, Pretrained, papers, safetensors, write_checkpoint

import modelrelease
from modelrelease.config import find_project
from modelrelease.errors import Refused
from modelrelease.flows.papers import find_work_tree
from modelrelease.flows.record import Elsewhere, Here, record_version
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.files import sha256_of
from modelrelease.records.model import ConvertedFrom, read_model_record
from modelrelease.records.prompts import read_prompt
from modelrelease.release.papers import Said

Capture = pytest.CaptureFixture[str]
V10, V11 = "models/model_v1.0", "models/model_v1.1"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "modelrelease.yaml": "schema_version: 1\nsuite: evals/release.yaml\n",
    "evals/release.yaml": """schema_version: 1
name: release
tasks:
  - {name: say, kind: generate, dataset: datasets/qa.jsonl, prompt: prompts/qa.txt, target: answer,
     max_new_tokens: 4, metrics: [exact_match]}
""",
    "prompts/qa.txt": "Q: {{question}}\nA:",
    "datasets/qa.jsonl": '{"id": 1, "question": "who?", "answer": "the cat"}\n',
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository, entered, with the checkpoint of v1.1 and a folder of v1.0."""
    repository = Repository(tmp_path / "repository")
    for name, text in FILES.items():
        repository.write(name, text)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message=begin")
    monkeypatch.chdir(repository.root)
    write_checkpoint(Path(V10) / "checkpoint", 0)
    write_checkpoint(Path(V11) / "checkpoint", 1)
    return repository


def test_a_checkpoint_from_elsewhere_is_recorded(here: Repository, capsys: Capture) -> None:
    here.write("train.log", "step 1")
    said = ["--command", "python t.py --token x", "--seed", 3, "--parent", "model_v1.0", "--base-model", "acme/base"]
    paths = ["--license", "mit", "--dataset", "datasets/qa.jsonl", "--log", "train.log"]
    done = run(capsys, "record", V11, *said, *paths)
    assert (done.code, done.err) == (0, "")
    found = read_checkpoint(Path(V11), "m")
    record = papers(Path(V11))
    assert done.out.splitlines()[0] == f"model_v1.1: 4 files, 0.0 MB, safetensors, digest {found.digest[:12]}"
    assert "  command: python t.py --token ***\n" in done.out
    assert "  not recorded: machine\n" in done.out
    assert f"written to {V11}/model.json\n" in done.out
    assert record["checkpoint"]["digest"] == found.digest
    assert record["checkpoint"]["files"] == [file.model_dump() for file in found.files]
    assert (record["saved_by"], record["version"], record["parent"]) == ("record", "model_v1.1", "model_v1.0")
    assert (record["environment"], record["base_model"], record["license"]) == (None, "acme/base", "mit")
    assert record["git"] == {"sha": here.git("rev-parse", "HEAD"), "dirty": False, "branch": "main", "remote": None}
    assert record["tokenizer"] == {
        "class": "LlamaTokenizer",
        "version": None,
        "digest": found.tokenizer_digest,
        "chat_template_digest": found.chat_template_digest,
    }
    prompt = Path("prompts/qa.txt")
    assert record["prompts"] == [{"path": str(prompt), "digest": read_prompt(prompt.read_bytes(), str(prompt)).digest}]
    assert record["training"]["command"] == "python t.py --token ***"
    assert record["training"]["seed"] == 3
    assert record["training"]["logs"] == [{"path": "train.log", "sha256": sha256_of(Path("train.log"))}]
    assert record["training"]["datasets"][0]["git_sha"] == record["git"]["sha"]


def test_json_is_the_document(here: Repository, capsys: Capture) -> None:
    done = run(capsys, "record", V11, "--json")
    assert done.out.encode() == (Path(V11) / "model.json").read_bytes()


def test_outside_of_git_without_config_and_tokenizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / "model_v1.0" / "checkpoint", tokenizer=False)
    assert run(capsys, "record", "model_v1.0").code == 0
    record = papers(tmp_path / "model_v1.0")
    assert (record["git"], record["tokenizer"], record["prompts"], record["environment"]) == (None, None, [], None)
    assert set(map(str, record["training"].values())) == {"None", "[]"}


def test_recorded_again_what_is_said_changes_and_the_rest_stays(here: Repository, capsys: Capture) -> None:
    folder = here.root / V11
    saved = modelrelease.save_checkpoint(Pretrained(1), None, folder, command="python t.py", seed=1, license="mit")
    before = papers(folder)
    assert run(capsys, "record", V11, "--seed", 2, "--base-model", "acme/base").code == 0
    expected = {**before, "base_model": "acme/base", "training": {**before["training"], "seed": 2}}
    assert papers(folder) == expected
    assert saved.environment is not None
    assert run(capsys, "record", V11).code == 0
    assert papers(folder) == expected


def test_this_machine_is_described_only_when_asked(here: Repository, capsys: Capture) -> None:
    run(capsys, "record", V11)
    assert papers(Path(V11))["environment"] is None
    run(capsys, "record", V11, "--trained-here")
    described = papers(Path(V11))["environment"]
    assert described["packages"]["modelrelease"] == modelrelease.__version__
    run(capsys, "record", V11, "--seed", 1)
    assert papers(Path(V11))["environment"] == described


def test_papers_of_other_weights_are_replaced_and_it_says_so(here: Repository, capsys: Capture) -> None:
    run(capsys, "record", V11, "--seed", 1)
    old = papers(Path(V11))["checkpoint"]["digest"]
    write_checkpoint(Path(V11) / "checkpoint", 9)
    done = run(capsys, "record", V11)
    assert f"the papers of other weights, {old[:12]}, were replaced\n" in done.out
    assert papers(Path(V11))["training"]["seed"] is None


def test_where_only_what_lies_beside_the_weights_changed_they_keep_their_papers(
    here: Repository, capsys: Capture
) -> None:
    run(capsys, "record", V11, "--seed", 1)
    here.write(f"{V11}/checkpoint/LICENSE", "MIT")
    done = run(capsys, "record", V11)
    assert "replaced" not in done.out
    record = papers(Path(V11))
    assert (record["training"]["seed"], record["checkpoint"]["digest"]) == (1, read_checkpoint(Path(V11), "m").digest)


def test_a_scored_version_keeps_its_weights_and_its_prompts(here: Repository, capsys: Capture) -> None:
    folder = here.root / V11
    run(capsys, "record", V11)
    digest = papers(folder)["checkpoint"]["digest"]
    write(folder, {"say": {"exact_match": [1.0, 0.0]}}, model="model_v1.1", changes={"model.digest": digest})
    before = papers(folder)
    here.write("prompts/qa.txt", "{{question}}")
    assert run(capsys, "record", V11, "--license", "mit").code == 0
    assert papers(folder) == {**before, "license": "mit"}
    document = (folder / "model.json").read_bytes()
    write_checkpoint(folder / "checkpoint", 9)
    for _ in range(2):
        done = run(capsys, "record", V11)
        assert done.code == 1
        assert "eval.json: MR412 is of the weights" in done.err
    assert (folder / "model.json").read_bytes() == document


def test_prompts_follow_the_suite_until_a_version_is_scored(here: Repository, capsys: Capture) -> None:
    run(capsys, "record", V11)
    first = papers(Path(V11))["prompts"]
    here.write("prompts/qa.txt", "{{question}}")
    run(capsys, "record", V11)
    assert papers(Path(V11))["prompts"][0]["digest"] != first[0]["digest"]


LEFT = ("optimizer.pt", "rng_state.pth", "training_args.bin")


def test_what_a_trainer_left_is_left_out_and_told(here: Repository, capsys: Capture) -> None:
    digest = read_checkpoint(Path(V11), "m").digest
    for name in LEFT:
        here.write(f"{V11}/checkpoint/{name}", pickle.dumps([]))
    done = run(capsys, "record", V11)
    assert f"left out, since a Trainer goes on from it and nobody scores it: {', '.join(LEFT)}\n" in done.out
    assert "move it out of checkpoint/ before you commit" in done.out
    assert papers(Path(V11))["checkpoint"]["digest"] == digest
    assert all((Path(V11) / "checkpoint" / name).exists() for name in LEFT)


def test_a_trainer_s_state_tells_steps_epochs_and_loss(here: Repository, capsys: Capture) -> None:
    history = [{"loss": 2.5, "step": 1}, {"loss": 1.5, "step": 2}, {"eval_loss": 3.0, "step": 2}]
    here.write("out/trainer_state.json", json.dumps({"global_step": 2, "epoch": 0.5, "log_history": history}))
    assert run(capsys, "record", V11, "--log", "out/trainer_state.json").code == 0
    training = papers(Path(V11))["training"]
    assert (training["steps"], training["epochs"], training["final_loss"]) == (2, 0.5, 1.5)
    assert training["logs"][0]["path"] == "out/trainer_state.json"


@pytest.mark.parametrize("text", ["[]", "{", '{"global_step": -1, "epoch": "x", "log_history": [1, {"loss": "y"}]}'])
def test_a_state_that_tells_nothing_is_a_log_like_another(here: Repository, capsys: Capture, text: str) -> None:
    here.write("trainer_state.json", text)
    assert run(capsys, "record", V11, "--log", "trainer_state.json").code == 0
    training = papers(Path(V11))["training"]
    assert (training["steps"], training["epochs"], training["final_loss"], len(training["logs"])) == (None,) * 3 + (1,)


def test_a_prompt_only_version_shares_a_checkpoint(here: Repository, capsys: Capture) -> None:
    run(capsys, "record", V10)
    shared = papers(Path(V10))["checkpoint"]
    assert run(capsys, "record", "models/model_v1.2", "--same-as", "model_v1.0").code == 0
    assert run(capsys, "record", "models/model_v1.3", "--same-as", "model_v1.2").code == 0
    for name, parent in (("model_v1.2", "model_v1.0"), ("model_v1.3", "model_v1.2")):
        record = papers(Path("models") / name)
        assert record["checkpoint"] == {**shared, "same_as": "model_v1.0"}
        assert (record["parent"], record["tokenizer"]) == (parent, papers(Path(V10))["tokenizer"])
    assert run(capsys, "record", "models/model_v1.3", "--license", "mit").code == 0
    assert papers(Path("models/model_v1.3"))["checkpoint"]["same_as"] == "model_v1.0"


def test_a_shared_checkpoint_is_looked_at(here: Repository, capsys: Capture) -> None:
    assert run(capsys, "record", "models/model_v1.2", "--same-as", "model_v1.0").code == 0  # without papers of its own
    run(capsys, "record", V10)
    write_checkpoint(Path(V10) / "checkpoint", 9)
    done = run(capsys, "record", "models/model_v1.3", "--same-as", "model_v1.0")
    assert (done.code, "MR412 its model.json is of other weights" in done.err) == (1, True)
    assert not Path("models/model_v1.3").exists()


def test_weights_that_lie_elsewhere_are_recorded_by_their_address(
    here: Repository, tmp_path: Path, capsys: Capture
) -> None:
    files = write_checkpoint(tmp_path / "fetched", 4)
    source = f"hf://acme/bot@{COMMIT}"
    assert run(capsys, "record", "models/model_v1.2", "--source", source, "--files", files).code == 0
    checkpoint = papers(Path("models/model_v1.2"))["checkpoint"]
    assert (checkpoint["source"], checkpoint["digest"]) == (source, read_checkpoint(files, "m").digest)
    shutil.rmtree(files)
    other = f"hf://acme/other@{COMMIT}"
    assert run(capsys, "record", "models/model_v1.2", "--source", other).code == 0
    assert papers(Path("models/model_v1.2"))["checkpoint"] == {**checkpoint, "source": other}


def test_a_folder_of_this_machine_is_read_by_its_address(here: Repository, tmp_path: Path, capsys: Capture) -> None:
    files = write_checkpoint(tmp_path / "disk", 4)
    assert run(capsys, "record", "models/model_v1.2", "--source", f"file://{files}").code == 0
    assert papers(Path("models/model_v1.2"))["checkpoint"]["digest"] == read_checkpoint(files, "m").digest


def _put(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "checkpoint" / name).write_bytes(data)


def _nothing(_: Path) -> None:
    pass


REFUSED: dict[str, tuple[Callable[[Path], object], list[str], int, str]] = {
    "a name that is no version": (_nothing, ["record", "models/v1.1"], 2, "models/v1.1: MR411 is not named as a ver"),
    "a name with a zero": (_nothing, ["record", "models/model_v1.01"], 2, "MR411 is not named as a version is"),
    "a folder that is not there": (_nothing, ["record", "models/model_v7.0"], 2, "model_v7.0: MR401 is no folder"),
    "no parent": (_nothing, ["record", V11, "--parent", "model_v0.1"], 2, "model_v0.1: MR411 has no folder beside"),
    "its own parent": (_nothing, ["record", V11, "--parent", "model_v1.1"], 2, "MR411 would be its own parent"),
    "no dataset": (_nothing, ["record", V11, "--dataset", "no.jsonl"], 2, "no.jsonl: MR209 does not exist"),
    "no log": (_nothing, ["record", V11, "--log", "no.log"], 2, "no.log: MR209 does not exist"),
    "an empty licence": (_nothing, ["record", V11, "--license", ""], 2, "license: MR601 is no text, or an empty one"),
    "a branch": (_nothing, ["record", V11, "--source", "hf://a/b@main"], 2, "MR423 names a branch or a tag"),
    "a password": (_nothing, ["record", V11, "--source", "s3://k:s@b/x"], 2, "MR423 holds a password"),
    "a signed address": (_nothing, ["record", V11, "--source", "https://h/x?sig=1"], 2, "MR423 has a query after"),
    "upwards": (_nothing, ["record", V11, "--source", "file:///a/../b"], 2, "MR423 is not the address of a folder"),
    "weights and another's": (_nothing, ["record", V11, "--same-as", "model_v1.0"], 2, "MR601 has weights, and is to"),
    "files of nowhere": (
        _nothing,
        ["record", "models/model_v1.2", "--files", "x"],
        2,
        "MR601 has files from somewhere",
    ),
    "the same as itself": (
        _nothing,
        ["record", "models/model_v1.2", "--same-as", "model_v1.2"],
        2,
        "model_v1.2: MR411 is no such version",
    ),
    "an address without files": (
        _nothing,
        ["record", "models/model_v1.2", "--source", f"hf://a/b@{COMMIT}"],
        2,
        "MR401 has no checkpoint/ to take digests from; put the weights there, or fetch them",
    ),
    "a pointer": (_put("model.safetensors", POINTER), ["record", V11], 2, "MR403 is a Git LFS pointer"),
    "a pickle in disguise": (
        _put("model.safetensors", pickle.dumps({"a": 1})),
        ["record", V11],
        1,
        "MR404 is a pickle under a safetensors name",
    ),
    "cut weights": (_put("model.safetensors", safetensors()[:-1]), ["record", V11], 2, "MR405 is no sound safetensors"),
    "papers that are none": (
        lambda folder: (folder / "model.json").write_text('{"schema_version": 1, "seed": 3}'),
        ["record", V11],
        2,
        "models/model_v1.1/model.json:1: MR206 unknown key",
    ),
    "papers with NaN": (
        lambda folder: (folder / "model.json").write_text('{"final_loss": NaN}'),
        ["record", V11],
        2,
        "MR204",
    ),
    "a suite that cannot be read": (
        lambda folder: (folder.parent.parent / "evals/release.yaml").write_text("tasks: ["),
        ["record", V11],
        2,
        "evals/release.yaml",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_writes_nothing(here: Repository, capsys: Capture, name: str) -> None:
    spoil, arguments, code, said = REFUSED[name]
    spoil(here.root / V11)
    before = _files(here.root)
    done = run(capsys, *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err
    assert _files(here.root) == before


def _files(root: Path) -> dict[Path, bytes | None]:
    inside = (path for path in root.rglob("*") if ".git" not in path.parts)
    return {path: path.read_bytes() if path.is_file() else None for path in inside}


def test_converted_weights_keep_the_papers_and_say_what_they_were(here: Repository, capsys: Capture) -> None:
    folder = here.root / V11
    (folder / "checkpoint" / "model.safetensors").rename(folder / "checkpoint" / "pytorch_model.bin")
    run(capsys, "record", V11, "--seed", 4)
    old = read_model_record(folder).checkpoint
    (folder / "checkpoint" / "pytorch_model.bin").unlink()
    write_checkpoint(folder / "checkpoint", 5)
    world = Here(find_project(here.root), find_work_tree(folder), lambda: "", trained_here=False)
    origin = ConvertedFrom(digest=old.digest, files=old.files)
    done = record_version(folder, Said(), Elsewhere(), world, origin)
    assert done.replaced is None
    for record in (done.record, read_model_record(folder)):
        assert (record.training.seed, record.checkpoint.format) == (4, "safetensors")
        assert record.checkpoint.converted_from == origin
    run(capsys, "record", V11, "--license", "mit")
    assert read_model_record(folder).checkpoint.converted_from == origin
    assert old.format == "pickle"


@pytest.mark.parametrize("change", ["written", "replaced", "added"])
def test_a_checkpoint_swapped_between_digest_and_write_is_refused(here: Repository, change: str) -> None:
    folder = here.root / V11
    weights = folder / "checkpoint" / "model.safetensors"

    def swap() -> str:  # the clock is asked when all digests are taken
        if change == "replaced":
            (folder / "new").write_bytes(safetensors(7))
            (folder / "new").replace(weights)
        else:
            (weights if change == "written" else weights.with_name("more.safetensors")).write_bytes(safetensors(7))
        return "2026-01-01T00:00:00+00:00"

    world = Here(find_project(here.root), find_work_tree(folder), swap, trained_here=False)
    with pytest.raises(Refused, match="MR418 changed while the checkpoint was in use"):
        record_version(folder, Said(), Elsewhere(), world)
    assert not (folder / "model.json").exists()


def test_the_folder_may_be_named_from_elsewhere(here: Repository, capsys: Capture, tmp_path: Path) -> None:
    (here.root / "prompts" / "deep").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here.root / "prompts" / "deep")
        assert run(capsys, "record", V11).code == 0
    assert read_model_record(here.root / V11).version == "model_v1.1"


def test_hostile_names_reach_no_terminal(here: Repository, capsys: Capture) -> None:
    done: Any = run(capsys, "record", V11, "--license", "mit\x1b[2J\nforged", "--command", "python \x1b[31m")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "\nforged" not in done.out
