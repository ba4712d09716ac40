"""Records that were edited by hand so that all sums agree: none of them may pass for reproduced."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forging import aggregate_again
from repositories import LIVE, NOW, SUITE, Repository, create, options
from tiny_models import TinyModels

from modelrelease import git
from modelrelease.config import find_project
from modelrelease.errors import InvalidInput
from modelrelease.flows.reproduce import Wanted, reproduce_model
from modelrelease.flows.score import score_model
from modelrelease.records.canonical import document_bytes
from modelrelease.records.reproduction import Reproduction
from modelrelease.scoring.run import Surroundings

READ = "  - {name: read, kind: perplexity, dataset: datasets/qa.jsonl, target: question, metrics: [nll, perplexity]}\n"
Edit = Callable[[dict[str, Any]], object]
OTHER = "0" * 64


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a version that was scored on all three kinds of tasks."""
    repository = create(tmp_path_factory.mktemp("forged") / "repository")
    repository.write(SUITE, (repository.root / SUITE).read_text("utf-8") + READ)
    repository.add_version(LIVE, tiny.folder("llama"))
    state = repository.commit("Inputs and weights")
    surroundings = Surroundings(now=lambda: NOW, git_sha=state, dirty=False)
    score_model(find_project(repository.root), LIVE, None, None, options(), surroundings)
    repository.commit("The record")
    return repository


@pytest.fixture
def repository(template: Repository, tmp_path: Path) -> Repository:
    shutil.copytree(template.root, tmp_path / "copy", symlinks=True)
    return Repository(tmp_path / "copy")


def forge(repository: Repository, sample: Edit | None = None, evaluation: Edit | None = None) -> None:
    """Edit each sample, and eval.json; the digest and the means then agree with the samples again."""
    folder = repository.root / LIVE
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text("utf-8").splitlines()]
    document = json.loads((folder / "eval.json").read_text("utf-8"))
    if sample is not None:
        for one in samples:
            sample(one)
        aggregate_again(document, samples)
    lines = [json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for one in samples]
    data = "".join(line + "\n" for line in lines).encode("utf-8")
    (folder / "samples.jsonl").write_bytes(data)
    document["samples"]["sha256"] = hashlib.sha256(data).hexdigest()
    if evaluation is not None:
        evaluation(document)
    (folder / "eval.json").write_bytes(document_bytes(document))


def reproduced(repository: Repository, **wanted: Any) -> Reproduction:
    done = reproduce_model(find_project(repository.root), LIVE, Wanted(**wanted), Surroundings(now=lambda: NOW))
    assert (done.path is None) == (done.reproduction.outcome == "refused")
    return done.reproduction


def of(task: str, **changes: Callable[[dict[str, Any]], object]) -> Edit:
    def edit(sample: dict[str, Any]) -> None:
        if sample["task"] == task:
            sample.update({name: change(sample) for name, change in changes.items()})

    return edit


def nudged(sample: dict[str, Any]) -> list[float]:
    return [value + 1e-6 for value in sample["loglikelihoods"]]


def as_wanted(sample: dict[str, Any]) -> list[float]:
    return [0.0 if place == sample["target"] else -9.0 for place in range(len(sample["loglikelihoods"]))]


def kind(task: str, name: str) -> Edit:
    def edit(document: dict[str, Any]) -> None:
        next(one for one in document["suite"]["tasks"] if one["name"] == task).update(kind=name)

    return edit


def weights(document: dict[str, Any]) -> Any:
    return next(file for file in document["model"]["files"] if file["path"] == "model.safetensors")


RIGHT: dict[str, Callable[[dict[str, Any]], object]] = {
    "prediction": lambda sample: sample["target"],
    "scores": lambda sample: {"acc": 1.0},
}
ZEBRA = of("say", output=lambda s: " zebra", prediction=lambda s: "zebra", scores=lambda s: {"regex": 1.0})

SAMPLES: dict[str, tuple[Edit, Edit | None, str]] = {
    "texts": (ZEBRA, None, "its text went another way"),
    "log-likelihoods, and a tolerance that takes them all": (
        of("pick", loglikelihoods=as_wanted, **RIGHT),
        lambda document: document["engine"].update(tolerance=1e9),
        "log-likelihood",
    ),
    "predictions, and log-likelihoods by a hair": (of("pick", loglikelihoods=nudged, **RIGHT), None, "gives"),
    "scores of texts, and log-likelihoods by a hair": (
        of("read", loglikelihoods=nudged, scores=lambda s: {"nll": 0.5, "perplexity": 1.5}),
        None,
        "give",
    ),
    "an item's slice": (of("pick", slices=lambda s: {"topic": "odd"}), None, "slices"),
    "an item's prompt": (of("say", prompt_tokens=lambda s: 1), None, "prompt_tokens"),
}


def test_the_honest_one_is_exact(repository: Repository) -> None:
    forge(repository, lambda sample: None)
    assert reproduced(repository).outcome == "exact"


@pytest.mark.parametrize("name", SAMPLES)
def test_forged_samples_are_a_mismatch(repository: Repository, name: str) -> None:
    sample, evaluation, what = SAMPLES[name]
    forge(repository, sample, evaluation)
    found = reproduced(repository)
    assert found.outcome == "mismatch"
    assert what in found.mismatches[0].what


IDENTITY: dict[str, tuple[Edit, str]] = {
    "a kind for which texts do not count": (kind("say", "perplexity"), "task kind"),
    "a kind that has choices": (kind("say", "multiple_choice"), "task kind"),
    "the suite": (lambda document: document["suite"].update(digest=OTHER), "suite"),
    "the tokenizer": (lambda document: document["model"].update(tokenizer_digest=OTHER), "tokenizer"),
    "the chat template": (lambda document: document["model"].update(chat_template_digest=OTHER), "chat template"),
    "a file": (lambda document: weights(document).update(sha256=OTHER), "checkpoint file"),
    "a file fewer": (lambda document: document["model"]["files"].remove(weights(document)), "checkpoint file"),
}


@pytest.mark.parametrize("name", IDENTITY)
def test_a_record_of_another_experiment_is_refused(repository: Repository, name: str) -> None:
    edit, what = IDENTITY[name]
    forge(repository, ZEBRA if "kind" in what else None, edit)
    found = reproduced(repository)
    assert found.outcome == "refused"
    assert [one.what for one in found.identity_differences] == [what]


FIGURES: dict[str, tuple[Edit, str]] = {
    "an end of an interval": (lambda document: document["metrics"][0].update(ci_low=0.99), "ci_low"),
    "the other end": (lambda document: document["metrics"][2].update(ci_high=None), "ci_high"),
    "a standard error": (lambda document: document["metrics"][0].update(stderr=0.001), "stderr"),
    "a confidence": (lambda document: document["metrics"][0].update(confidence=0.5), "confidence"),
    "a method": (lambda document: document["metrics"][0].update(method="normal"), "method"),
    "a slice": (lambda document: document["metrics"][0]["slices"][0].update(mean=1.0), "slice"),
    "how many a slice has": (lambda document: document["metrics"][0]["slices"][0].update(n=1), "slice"),
    "a slice fewer": (lambda document: document["metrics"][0]["slices"].pop(), "slice"),
    "an invented slice": (
        lambda document: document["metrics"][1].update(slices=[{"field": "f", "value": "v", "n": 1, "mean": 1.0}]),
        "slice",
    ),
    "a flag": (lambda document: document["flags"].update(truncated=5), "truncated"),
    "errors": (lambda document: document["flags"].update(errors=1), "errors"),
    "ties": (lambda document: document["flags"].update(ties=3), "ties"),
    "boundaries": (lambda document: document["flags"].update(boundary_mismatch=4), "boundary_mismatch"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_that_the_samples_do_not_give_are_refused(repository: Repository, name: str) -> None:
    edit, what = FIGURES[name]
    forge(repository, None, edit)
    with pytest.raises(InvalidInput, match=what):
        reproduced(repository)
    assert not (repository.root / LIVE / "reproduction.json").exists()


@pytest.mark.parametrize("target", ["heads", "tags"])
def test_a_ref_is_no_commit(repository: Repository, target: str) -> None:
    """A name of 41 hex digits can be a branch's: what it leads to is nobody's recorded commit."""
    name = "a" * 41
    git.commit_of(repository.root, "HEAD")
    repository.git("update-ref", f"refs/{target}/{name}", "HEAD")
    repository.replace("datasets/qa.jsonl", '"id": "q0"', '"id": "q0x"')
    forge(repository, None, lambda document: document["provenance"].update(git_sha=name))
    with pytest.raises(InvalidInput, match="no commit's id"):
        reproduced(repository)


def test_an_annotated_tag_is_no_commit(repository: Repository) -> None:
    repository.git("tag", "-a", "-m", "x", "v9")
    tag = repository.git("rev-parse", "v9")
    repository.replace("datasets/qa.jsonl", '"id": "q0"', '"id": "q0x"')
    forge(repository, None, lambda document: document["provenance"].update(git_sha=tag))
    with pytest.raises(InvalidInput, match="MR511"):
        reproduced(repository)
