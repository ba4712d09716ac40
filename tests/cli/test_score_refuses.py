"""What a suite, a dataset, a prompt or a checkpoint can have wrong: one line, the exit code, nothing written."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import TinyModels

from modelrelease.cli.main import main

ROW = '{"id": 0, "question": "who?", "choices": ["a", "b"], "answer": 0, "topic": "t", "reference": "a"}\n'
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"

Spoil = Callable[[Path], object]


def replace(name: str, old: str, new: str) -> Spoil:
    def spoil(root: Path) -> None:
        path = root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return spoil


def write(name: str, content: str | bytes) -> Spoil:
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    return lambda root: (root / name).write_bytes(data)


def row(old: str, new: str) -> Spoil:
    return write("datasets/qa.jsonl", ROW.replace(old, new))


def remove(*names: str) -> Spoil:
    return lambda root: [(root / name).unlink() for name in names]


def backtracking(root: Path) -> None:
    """A tokenizer's expression comes with the weights; the library panics on it, which is no Exception."""
    path = root / "model" / "tokenizer.json"
    tokenizer = json.loads(path.read_text("utf-8"))
    split = {"type": "Split", "pattern": {"Regex": "^(a|a)*$"}, "behavior": "Isolated", "invert": False}
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, tokenizer["pre_tokenizer"]]}
    path.write_text(json.dumps(tokenizer), "utf-8")
    row('"who?"', '"' + "a" * 40 + '!"')(root)
    (root / QA).write_text("{{question}}", "utf-8")


SUITE, DATA, QA = "evals/release.yaml", "datasets/qa.jsonl", "prompts/qa.txt"
WEIGHTS = "model/model.safetensors"
REFUSED: dict[str, tuple[Spoil, int, str]] = {
    "an unknown key": (
        replace(SUITE, "slices:", "slice:"),
        2,
        f"{SUITE}:5: MR206 unknown key `slice`; did you mean `slices`?",
    ),
    "an unknown metric": (
        replace(SUITE, "acc_norm", "acc_nrm"),
        2,
        f"{SUITE}:4: MR308 task `pick`: there is no metric `acc_nrm`; did you mean `acc_norm`?",
    ),
    "a missing field": (
        replace(SUITE, "choices: choices,\n", "\n"),
        2,
        "MR208 a multiple_choice task has no `choices`",
    ),
    "no suite": (remove(SUITE), 2, f"{SUITE}: MR209 does not exist"),
    "no config": (remove("modelrelease.yaml"), 2, "modelrelease.yaml: MR209 is not in"),
    "repeats": (
        replace(SUITE, "kind: perplexity", "repeats: 3, kind: perplexity"),
        2,
        "MR311 task `read` asks for `repeats`",
    ),
    "clusters": (
        replace(SUITE, "kind: perplexity", "cluster_by: x, kind: perplexity"),
        2,
        "MR311 task `read` asks for",
    ),
    "a template field that no row has": (
        write(QA, "first\n{{qestion}}"),
        2,
        f"{QA}:1: MR301 names the field `qestion`, which no row of {DATA} has",
    ),
    "a template that opens nothing": (write(QA, "a\n{{ %}"), 2, f"{QA}:2: MR302 `{{{{ %}}` opens no field"),
    "a duplicate id": (write(DATA, ROW + ROW), 2, f"{DATA}:2: MR303"),
    "no id": (row('"id": 0, ', ""), 2, f"{DATA}:1: MR304"),
    "invalid JSON": (write(DATA, ROW + "{x}\n"), 2, f"{DATA}:2:2: MR201 is not valid JSON"),
    "a duplicate key": (row('"id": 0', '"id": 0, "id": 1'), 2, f"{DATA}:1: MR203"),
    "NaN": (row('"answer": 0', '"answer": NaN'), 2, f"{DATA}:1: MR204 `NaN` is no finite number"),
    "invalid UTF-8": (write(DATA, ROW.encode() + b'{"id": "\xff"}\n'), 2, f"{DATA}:2: MR202 byte 0xff is not UTF-8"),
    "an empty dataset": (write(DATA, ""), 2, f"{DATA}: MR305"),
    "a choice list of one": (
        row('["a", "b"]', '["a"]'),
        2,
        f"{DATA}:1: MR306 `choices` must be a list of two or more non-empty texts (1 of them)",
    ),
    "an index out of range": (
        row('"answer": 0', '"answer": 2'),
        2,
        f"{DATA}:1: MR307 `answer` is 2; it must be an index from 0 to 1 or one of the choices",
    ),
    "a negative index": (row('"answer": 0', '"answer": -1'), 2, f"{DATA}:1: MR307 `answer` is -1"),
    "a null field": (row('"who?"', "null"), 2, f"{DATA}:1: MR313 has no `question`, which the prompt names"),
    "a prompt longer than the context": (
        row('"who?"', f'"{"what " * 80}"'),
        2,
        f"{DATA}:1: MR407 item '0' of task `pick` needs ",
    ),
    "a dataset outside": (replace(SUITE, DATA, "../qa.jsonl"), 2, "../qa.jsonl: MR209 lies outside the repository"),
    "a dataset that is an LFS pointer": (write(DATA, POINTER), 2, f"{DATA}: MR403 is a Git LFS pointer"),
    "no tokenizer": (
        remove("model/tokenizer.json", "model/tokenizer_config.json"),
        2,
        "model: MR402 has no tokenizer",
    ),
    "an LFS pointer for weights": (
        write(WEIGHTS, POINTER),
        2,
        f"{WEIGHTS}: MR403 is a Git LFS pointer, not the weights",
    ),
    "a pickle for weights": (
        write(WEIGHTS, pickle.dumps([1])),
        1,
        f"{WEIGHTS}: MR404 is a pickle under a safetensors name; save the weights with safetensors",
    ),
    "damaged weights": (write(WEIGHTS, b"\xff" * 100), 2, f"{WEIGHTS}: MR405 is no sound safetensors file"),
    "more layers than tensors": (
        replace("model/config.json", '"num_hidden_layers": 2', '"num_hidden_layers": 1000000'),
        2,
        "model: MR405 config.json has 1000000 layers and the weights have ",
    ),
    "a tokenizer that backtracks without end": (backtracking, 2, "MR402 the tokenizer fails on a text"),
    "a file name that is no text": (
        lambda root: (root / "model" / "a\udcff").touch(),
        2,
        "MR401 has a name that is no",
    ),
    "links in a circle": (
        lambda root: [(root / DATA).unlink(), (root / DATA).symlink_to("qa.jsonl")],
        2,
        f"{DATA}: MR209 ",
    ),
    "no model": (lambda root: shutil.rmtree(root / "model"), 2, "model: MR401 is no folder"),
}


@pytest.fixture
def repository(project: Path, tiny: TinyModels, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    shutil.copytree(tiny.folder("llama"), project / "model")
    monkeypatch.chdir(project)
    monkeypatch.setenv("MODELRELEASE_CACHE", str(tmp_path / "cache"))
    return project


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(
    repository: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, code, line = REFUSED[case]
    spoil(repository)
    before = files(repository)
    assert main(["score", "model"]) == code
    out, err = capsys.readouterr()
    assert line in err
    assert "Traceback" not in err
    assert out == ""
    assert files(repository) == before


def test_a_hub_that_is_not_there_is_said(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes.small_hub import SmallHub

    with SmallHub(status=404) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        assert main(["score", "hf://acme/bot@main"]) == 3
    assert capsys.readouterr().err.startswith("hf://acme/bot@main: MR603 is not there: Client error")
    assert {host for host, _, _ in hub.seen} == {"127.0.0.1"}
    assert main(["score", "hf://bot"]) == 2
    assert capsys.readouterr().err.startswith("hf://bot: MR423 is no model on the Hub")


def test_a_model_on_the_hub_is_scored_and_named_by_its_commit(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes.small_hub import COMMIT, SmallHub

    with SmallHub() as hub:
        hub.add(repository / "model")
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        assert main(["score", "hf://acme/bot", "--json"]) == 0
        remote = json.loads(capsys.readouterr().out)
        assert main(["score", "model", "--json"]) == 0
    local = json.loads(capsys.readouterr().out)
    assert (remote["model"]["source"], remote["model"]["version"]) == (f"hf://acme/bot@{COMMIT}", None)
    assert remote["model"]["digest"] == local["model"]["digest"]
    assert remote["metrics"] == local["metrics"]
    assert [path.name for path in repository.iterdir() if path.name.startswith("hf")] == []


def test_a_version_whose_weights_lie_elsewhere_holds_its_record(
    repository: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from papers import write_papers

    write_papers(repository / "models" / "model_v1.0", repository / "model", source=(repository / "model").as_uri())
    write_papers(repository / "models" / "model_v1.1", repository / "model", same_as="model_v1.0")
    for version in ("model_v1.0", "model_v1.1"):
        assert main(["score", f"models/{version}"]) == 0
        written = {path.name for path in (repository / "models" / version).iterdir()}
        assert written == {"model.json", "eval.json", "samples.jsonl"}
        model = json.loads((repository / "models" / version / "eval.json").read_text("utf-8"))["model"]
        assert (model["version"], model["source"]) == (version, f"models/{version}")
    assert len(list((tmp_path / "cache" / "checkpoints").glob("*/model.safetensors"))) == 1


def test_the_record_of_a_version_is_not_overwritten(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = repository / "models" / "model_v1.0"
    version.mkdir(parents=True)
    (version / "eval.json").write_text("the record")
    assert main(["score", "model", "--out", str(version)]) == 2
    assert "MR410 is the record of a version" in capsys.readouterr().err
    assert (version / "eval.json").read_text() == "the record"


def test_a_scored_version_holds_its_record_and_the_next_run_goes_elsewhere(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = repository / "models" / "model_v1.0"
    shutil.copytree(repository / "model", version / "checkpoint")
    assert main(["score", "models/model_v1.0"]) == 0
    assert {path.name for path in version.iterdir()} == {"checkpoint", "eval.json", "samples.jsonl"}
    record = (version / "eval.json").read_bytes()
    assert main(["score", "models/model_v1.0"]) == 0
    assert (version / "eval.json").read_bytes() == record
    runs = list((repository / ".modelrelease" / "runs").iterdir())
    assert len(runs) == 1
    assert (runs[0] / "samples.jsonl").read_bytes() == (version / "samples.jsonl").read_bytes()
    assert (repository / ".modelrelease" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("out", [".", "checkpoint/..", "../model_v1.0"])
def test_no_way_of_writing_it_makes_a_record_another_folder_s(
    repository: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    version = repository / "models" / "model_v1.0"
    (version / "checkpoint").mkdir(parents=True)
    (version / "eval.json").write_text("the record")
    monkeypatch.chdir(version)
    assert main(["score", "../../model", "--out", out]) == 2
    assert (version / "eval.json").read_text() == "the record"


@pytest.mark.parametrize("link", [".modelrelease", ".modelrelease/runs"])
def test_runs_are_not_written_through_a_link(
    repository: Path, tmp_path: Path, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (repository / link).parent.mkdir(exist_ok=True)
    (repository / link).symlink_to(victim)
    assert main(["score", "model"]) == 2
    assert f"{link}: MR209 is a link, and runs are written there" in capsys.readouterr().err
    assert list(victim.iterdir()) == []


def test_a_record_is_not_put_beside_the_weights(repository: Path) -> None:
    flat = repository / "models" / "model_v1.0"
    shutil.copytree(repository / "model", flat)
    before = files(flat)
    assert main(["score", "models/model_v1.0"]) == 0
    assert files(flat) == before


def test_another_suite_s_evaluation_is_not_the_version_s_record(repository: Path) -> None:
    version = repository / "models" / "model_v1.0"
    shutil.copytree(repository / "model", version / "checkpoint")
    shutil.copy(repository / SUITE, repository / "evals" / "other.yaml")
    assert main(["score", "models/model_v1.0", "--suite", "evals/other.yaml"]) == 0
    assert not (version / "eval.json").exists()


def test_weights_that_are_swapped_while_they_are_used_give_no_record(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelrelease.flows import score as flow

    score = flow.score

    def meddle(*arguments: object) -> object:
        (repository / "model" / "config.json").write_bytes((repository / "model" / "config.json").read_bytes() + b" ")
        return score(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(flow, "score", meddle)
    assert main(["score", "model", "--out", "out"]) == 1
    assert "model/config.json: MR418 changed while the checkpoint was in use" in capsys.readouterr().err
    assert not (repository / "out").exists()


def test_json_is_the_document_that_was_written(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "model", "--out", "out", "--json"]) == 0
    assert capsys.readouterr().out == (repository / "out" / "eval.json").read_text("utf-8")
