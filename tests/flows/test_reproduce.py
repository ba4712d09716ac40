"""Recorded evaluations run again: real repositories, real tiny models, real changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from repositories import LIVE, NOW, PROMPT, QUESTIONS, SUITE, Repository, create, create_scored, options, rows
from tiny_models import TinyModels

from modelrelease import git
from modelrelease.config import find_project
from modelrelease.errors import InvalidInput, ModelreleaseError
from modelrelease.flows.reproduce import Reproduced, Wanted, reproduce_model
from modelrelease.flows.score import score_model
from modelrelease.records.canonical import document_bytes
from modelrelease.records.reproduction import Reproduction, read_reproduction
from modelrelease.scoring.run import Surroundings

Prepare = Callable[[Repository], object]


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a version scored at its first commit: the record names that commit."""
    repository = create(tmp_path_factory.mktemp("reproduce") / "repository")
    repository.add_version(LIVE, tiny.folder("llama"))
    repository.commit("Inputs and weights")
    _score(repository)
    repository.commit("The record")
    return repository


@pytest.fixture
def repository(template: Repository, tmp_path: Path) -> Repository:
    shutil.copytree(template.root, tmp_path / "copy", symlinks=True)
    return Repository(tmp_path / "copy")


def _score(repository: Repository) -> None:
    state = git.head(repository.root)
    surroundings = Surroundings(now=lambda: NOW, git_sha=state.sha, dirty=state.dirty)
    score_model(find_project(repository.root), LIVE, None, None, options(), surroundings)


def reproduce(repository: Repository, model: str = LIVE, **wanted: Any) -> Reproduced:
    return reproduce_model(find_project(repository.root), model, Wanted(**wanted), Surroundings(now=lambda: NOW))


def written(repository: Repository) -> bool:
    return (repository.root / LIVE / "reproduction.json").exists()


def state_of(repository: Repository) -> tuple[str, ...]:
    """What a reproduction must leave alone: HEAD, the index, the work tree, the worktrees, the configuration."""
    names = (("rev-parse", "HEAD"), ("ls-files", "--stage"), ("status", "--porcelain", "--ignored"))
    said = [repository.git(*name) for name in (*names, ("worktree", "list"), ("config", "--list", "--local"))]
    return (*said, *sorted(path.name for path in (repository.root / ".git" / "hooks").iterdir()))


def test_exact_in_the_same_environment(repository: Repository) -> None:
    before = state_of(repository)
    done = reproduce(repository)
    found = done.reproduction
    assert (found.outcome, found.inputs, found.max_abs_difference) == ("exact", "work tree", 0.0)
    assert found.explanations == found.identity_differences == found.mismatches == found.flips == ()
    assert {metric.recorded == metric.reproduced for metric in found.metrics} == {True}
    assert done.path is not None
    assert done.path.read_bytes() == found.to_bytes()
    assert read_reproduction(repository.root / LIVE) == found
    done.path.unlink()
    assert state_of(repository) == before


def test_it_really_computes(repository: Repository) -> None:
    """Neither the record's samples nor a journal may answer: a record of other numbers is found out."""
    _falsify(repository, lambda sample: _shift(sample, 0.01))
    found = reproduce(repository).reproduction
    assert found.outcome == "mismatch"
    assert found.max_abs_difference == pytest.approx(0.01, rel=1e-3)
    assert (found.mismatch_count, found.mismatches[0].what) == (8, "log-likelihood")
    assert found.explanations == ()


def _shift(sample: dict[str, Any], by: float) -> None:
    sample["loglikelihoods"] = [value + by for value in sample["loglikelihoods"]]


def _falsify(repository: Repository, edit: Callable[[dict[str, Any]], None]) -> None:
    """Let the record say something else, consistently, as if it had come from another machine."""
    import hashlib

    folder = repository.root / LIVE
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text("utf-8").splitlines()]
    for sample in samples:
        edit(sample)
    lines = [json.dumps(s, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for s in samples]
    data = "".join(line + "\n" for line in lines).encode("utf-8")
    (folder / "samples.jsonl").write_bytes(data)
    _edit(folder / "eval.json", lambda value: value["samples"].update(sha256=hashlib.sha256(data).hexdigest()))


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_bytes(document_bytes(value))


def test_another_batch_plan_is_named_as_the_cause(repository: Repository) -> None:
    found = reproduce(repository, batch_tokens=40).reproduction
    assert found.outcome in {"exact", "equivalent"}
    assert [one.what for one in found.explanations] == ["batch plan"]
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-4


def test_other_batch_tokens_that_give_the_same_plan_are_no_difference(repository: Repository) -> None:
    same = reproduce(repository, batch_tokens=257).reproduction
    assert (same.outcome, same.explanations) == ("exact", ())


def test_another_dtype_is_named_and_measured_by_the_coarser_tolerance(repository: Repository) -> None:
    found = reproduce(repository, dtype="bfloat16").reproduction
    changed = {one.what: (one.recorded, one.found) for one in found.explanations}
    assert changed == {"dtype": ("float32", "bfloat16")}
    assert found.tolerance > 0.1
    assert found.max_abs_difference is not None
    assert found.max_abs_difference > 1e-3


def test_a_tolerance_that_is_asked_for_decides(repository: Repository) -> None:
    found = reproduce(repository, dtype="bfloat16", tolerance=1e-9).reproduction
    assert (found.outcome, found.tolerance) == ("mismatch", 1e-9)
    assert {one.what for one in found.explanations} == {"dtype"}
    assert "log-likelihood" in found.mismatches[0].what


def test_flips_between_choices_that_were_too_close_are_documented(repository: Repository) -> None:
    """The record's best two choices are brought within the tolerance of each other, the other one ahead."""
    changed: list[str] = []

    def swap(sample: dict[str, Any]) -> None:
        if sample["task"] != "pick" or changed:
            return
        values = sample["loglikelihoods"]
        order = sorted(range(len(values)), key=lambda n: -values[n])
        first, second = order[0], order[1]
        if sample["target"] in {first, second}:  # then the metric's value would have to change too
            return
        middle = (values[first] + values[second]) / 2
        values[first], values[second] = middle - 1e-6, middle + 1e-6
        sample["prediction"] = second
        changed.append(sample["item_id"])

    _falsify(repository, swap)
    assert changed
    found = reproduce(repository, tolerance=50.0).reproduction
    assert (found.outcome, found.flip_count) == ("variance-documented", 1)
    assert (found.flips[0].item_id, found.flips[0].gap) == (changed[0], pytest.approx(2e-6, rel=1e-3))
    assert written(repository)


REFUSED: dict[str, tuple[Prepare, list[tuple[str, str]]]] = {
    "one weight, by one bit": (
        lambda r: _flip_bit(r.root / LIVE / "checkpoint" / "model.safetensors"),
        [("checkpoint file", "model.safetensors")],
    ),
    "the tokenizer": (
        lambda r: r.replace(f"{LIVE}/checkpoint/tokenizer_config.json", '"<eos>"', '"<pad>"'),
        [("tokenizer", "tokenizer_config.json")],
    ),
    "a file more": (
        lambda r: r.write(f"{LIVE}/checkpoint/notes.txt", "x"),
        [("checkpoint file", "notes.txt")],
    ),
}


def _flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", REFUSED)
def test_other_weights_are_refused_and_the_file_is_named(repository: Repository, name: str) -> None:
    prepare, expected = REFUSED[name]
    prepare(repository)
    done = reproduce(repository)
    assert done.reproduction.outcome == "refused"
    assert [(one.what, one.where) for one in done.reproduction.identity_differences] == expected
    assert (done.path, written(repository)) == (None, False)


def _without_git(repository: Repository) -> None:
    """A record that names no commit, as one made outside of git."""
    _edit(repository.root / LIVE / "eval.json", lambda value: value["provenance"].update(git_sha=None))


def _changed_row(repository: Repository) -> None:
    values = rows()
    values[3]["question"] = "what is a zebra?"
    repository.write_rows(values)


INPUTS: dict[str, tuple[Prepare, list[tuple[str, str]]]] = {
    "a row changed": (_changed_row, [("row", f"{QUESTIONS}:4 (id q3)")]),
    "a row gone": (lambda r: r.write_rows(rows()[:-1]), [("row", f"{QUESTIONS} (id q7, row 8 of the record)")]),
    "a row more": (lambda r: r.write_rows(rows(9)), [("row", f"{QUESTIONS}:9 (id q8)")]),
    "rows in another order": (lambda r: r.write_rows([*rows()[1:], rows()[0]]), [("row order", f"{QUESTIONS}:1")]),
    "a prompt": (lambda r: r.write(PROMPT, "Question: {{question}}\nA:"), [("prompt", PROMPT)]),
    "a metric": (lambda r: r.replace(SUITE, "[acc]", "[acc, acc_norm]"), [("task", f"{SUITE}:4 (pick)")]),
    "a task's name": (
        lambda r: r.replace(SUITE, "name: say", "name: tell"),
        [("task", "say"), ("task", f"{SUITE}:6 (tell)")],
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_other_inputs_are_refused_and_named(repository: Repository, name: str) -> None:
    prepare, expected = INPUTS[name]
    prepare(repository)
    _without_git(repository)
    done = reproduce(repository)
    assert done.reproduction.outcome == "refused"
    assert [(one.what, one.where) for one in done.reproduction.identity_differences] == expected
    assert not written(repository)


@pytest.mark.parametrize("name", INPUTS)
def test_what_changed_since_is_read_from_the_recorded_commit(repository: Repository, name: str) -> None:
    INPUTS[name][0](repository)
    before = state_of(repository)
    found = reproduce(repository, out=repository.root.parent / "out").reproduction
    assert (found.outcome, found.inputs) == ("exact", "commit")
    assert state_of(repository) == before


def test_a_committed_change_and_a_malformed_work_tree_hinder_nobody(repository: Repository) -> None:
    _changed_row(repository)
    repository.write(".gitattributes", "* filter=evil\n")
    repository.commit("Another row")
    repository.git("config", "filter.evil.smudge", "touch ran; cat")
    repository.git("config", "filter.evil.required", "true")
    hook = repository.root / ".git" / "hooks" / "post-checkout"
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    repository.write(SUITE, "tasks: [")
    assert reproduce(repository).reproduction.outcome == "exact"
    assert not (repository.root / "ran").exists()


def test_a_commit_that_is_gone(repository: Repository) -> None:
    commit = "0" * 39 + "1"
    _edit(repository.root / LIVE / "eval.json", lambda value: value["provenance"].update(git_sha=commit))
    assert reproduce(repository).reproduction.outcome == "exact"  # the work tree has all that was recorded
    (repository.root / LIVE / "reproduction.json").unlink()
    _changed_row(repository)
    with pytest.raises(InvalidInput) as caught:
        reproduce(repository)
    (line,) = caught.value.lines()
    assert line.startswith("eval.json: MR511 was recorded at commit 000000000000, which is not in this clone")
    assert f"{QUESTIONS}:4 (id q3)" in line
    assert f"git fetch origin {commit}" in line
    assert not written(repository)


def test_a_record_of_uncommitted_inputs_says_which(tiny: TinyModels, tmp_path: Path) -> None:
    repository = create(tmp_path / "dirty")
    repository.add_version(LIVE, tiny.folder("llama"))
    repository.commit("Before the row")
    _changed_row(repository)
    _score(repository)
    assert reproduce(repository).reproduction.outcome == "exact"
    repository.git("checkout", "--quiet", "--", QUESTIONS)
    found = reproduce(repository).reproduction
    assert [one.where for one in found.identity_differences] == [f"{QUESTIONS}:4 (id q3)"]


def test_a_dataset_in_lfs_is_read_where_the_clone_has_it(repository: Repository) -> None:
    import hashlib

    data = (repository.root / QUESTIONS).read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n"
    repository.write(QUESTIONS, pointer)
    commit = repository.commit("Kept in LFS")
    _edit(repository.root / LIVE / "eval.json", lambda value: value["provenance"].update(git_sha=commit))
    with pytest.raises(InvalidInput, match=f"MR403 .*git lfs fetch origin {commit}"):
        reproduce(repository)
    kept = repository.root / ".git" / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256
    kept.parent.mkdir(parents=True)
    kept.write_bytes(data)
    assert reproduce(repository).reproduction.inputs == "commit"


HOSTILE = {
    "engine.name": "openai",
    "engine.dtype": "load",
    "engine.device": "cuda; rm",
    "engine.attention": "someone/kernel",
    "environment.threads": 10**9,
    "engine.batch_tokens": 10**12,
    "provenance.git_sha": "--output=/tmp/x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_settings_that_no_run_can_have(repository: Repository, name: str) -> None:
    block, key = name.split(".")
    _edit(repository.root / LIVE / "eval.json", lambda value: value[block].update({key: HOSTILE[name]}))
    _changed_row(repository)
    with pytest.raises(InvalidInput, match=f"eval.json: MR512 `{name}`"):
        reproduce(repository)
    assert not written(repository)


def test_a_record_elsewhere_names_its_model(repository: Repository, tmp_path: Path) -> None:
    for name in ("eval.json", "samples.jsonl"):
        (tmp_path / "run").mkdir(exist_ok=True)
        shutil.copy(repository.root / LIVE / name, tmp_path / "run" / name)
    done = reproduce(repository, str(tmp_path / "run" / "eval.json"))
    assert done.path == tmp_path / "run" / "reproduction.json"
    assert done.reproduction.outcome == "exact"


def test_a_checkpoint_that_is_swapped_while_it_is_scored(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    import modelrelease.flows.reproduce as flow

    real, weights = flow.score, repository.root / LIVE / "checkpoint" / "model.safetensors"

    def scoring(*arguments: Any) -> Any:
        _flip_bit(weights)
        return real(*arguments)

    monkeypatch.setattr(flow, "score", scoring)
    with pytest.raises(ModelreleaseError, match="MR418") as caught:
        reproduce(repository)
    assert (caught.value.exit_code, written(repository)) == (1, False)


def test_the_noise_floor(repository: Repository) -> None:
    found = reproduce(repository, plans=2).reproduction
    assert found.noise is not None
    assert found.noise.plans == 2
    assert 0 < found.noise.max_abs_difference < 1e-4
    assert found.tolerance == 1e-3


def test_scoring_records_the_noise_floor_as_the_tolerance_of_reproductions(repository: Repository) -> None:
    out = repository.root / "out"
    project = find_project(repository.root)
    plain = score_model(project, LIVE, None, out, options(), Surroundings(now=lambda: NOW)).evaluation
    noisy = score_model(project, LIVE, None, out, options(), Surroundings(now=lambda: NOW), plans=2).evaluation
    tolerance = noisy.engine.tolerance
    assert tolerance is not None
    assert 0 < tolerance < 1e-4
    assert plain.engine.tolerance is None
    assert noisy.samples == plain.samples
    assert reproduce(repository, "out").reproduction.tolerance == tolerance


def test_a_reproduction_counts_for_its_own_record_alone(repository: Repository) -> None:
    folder = repository.root / LIVE
    assert read_reproduction(folder) is None
    reproduce(repository)
    assert isinstance(read_reproduction(folder), Reproduction)
    _edit(folder / "eval.json", lambda value: value["provenance"].update(host="another"))
    assert read_reproduction(folder) is None
    (folder / "reproduction.json").write_text("{}", "utf-8")
    with pytest.raises(InvalidInput):
        read_reproduction(folder)


def test_a_refused_one_leaves_an_earlier_reproduction_alone(repository: Repository) -> None:
    done = reproduce(repository)
    assert done.path is not None
    before = done.path.read_bytes()
    _flip_bit(repository.root / LIVE / "checkpoint" / "model.safetensors")
    assert reproduce(repository).reproduction.outcome == "refused"
    assert done.path.read_bytes() == before


def test_a_record_from_before_its_commit_is_reproduced_too(tiny: TinyModels, tmp_path: Path) -> None:
    """The first version is scored before anything is committed: then there is no commit to name."""
    repository = create_scored(tmp_path / "first", tiny.folder("llama"))
    assert reproduce(repository).reproduction.commit is None
