"""Whole checks of pull requests: real git, real (tiny) models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forging import aggregate_again
from papers import write_papers
from repositories import (
    CONFIG,
    LIVE,
    NEW,
    PROMPT,
    QUESTIONS,
    SUITE,
    Edit,
    Repository,
    copy,
    create,
    create_scored,
    other_weights,
    replacing,
    rows,
)
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.records.comparison import Comparison, MetricComparison
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE
from modelrelease.records.results import read_results
from modelrelease.scoring.execution import NoProgress

Base = Callable[..., Repository]
FLOOR = replacing(CONFIG, "    pick/acc: {margin: 0.05}\n", "    pick/acc: {margin: 0.05, min: 0.95}\n")
BOTH_GATES = replacing(CONFIG, "0.05}\n", "0.05}\n    say/regex: {margin: 0.05, min: 0.5}\n")


@pytest.fixture(scope="module")
def other(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with other weights than the live version's."""
    return other_weights(tiny.folder("llama"), tmp_path_factory.mktemp("other") / "checkpoint")


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose main has a scored version."""
    return create_scored(tmp_path_factory.mktemp("template") / "repository", tiny.folder("llama"))


@pytest.fixture
def based(template: Repository, tmp_path: Path) -> Base:
    """A pull request's branch, after edits of main."""
    return lambda *edits: copy(template, tmp_path / "repository", *edits)


@pytest.fixture
def pull(based: Base) -> Repository:
    """A branch of main as it is."""
    return based()


def metric(found: Comparison, name: str) -> MetricComparison:
    (row,) = [row for row in found.metrics if f"{row.task}/{row.metric}" == name]
    return row


def again(found: Comparison) -> tuple[int, int, str] | None:
    """How much of the baseline was scored again: items, of how many, why."""
    assert found.baseline is not None
    part = found.baseline.scored_again
    return (part.items, part.of, "; ".join(part.why)) if part else None


def without_times(document: Any) -> Any:
    """A document without what says when, where and how fast."""
    if isinstance(document, dict):
        return {key: without_times(value) for key, value in document.items() if key not in {"started", "age"}}
    return [without_times(value) for value in document] if isinstance(document, list) else document


def forge(repository: Repository, folder: str, score: float) -> None:
    """Give every sample of a record this score; eval.json and samples.jsonl agree with each other."""
    place = repository.root / folder
    samples = [json.loads(line) for line in (place / SAMPLES_FILE).read_text("utf-8").splitlines()]
    for sample in samples:
        sample["scores"] = dict.fromkeys(sample["scores"], score)
    data = "".join(json.dumps(sample, sort_keys=True) + "\n" for sample in samples).encode()
    document = json.loads((place / EVAL_FILE).read_text("utf-8"))
    document["samples"]["sha256"] = hashlib.sha256(data).hexdigest()
    aggregate_again(document, samples)
    (place / SAMPLES_FILE).write_bytes(data)
    (place / EVAL_FILE).write_text(json.dumps(document), "utf-8")
    read_results(place)


# New versions


def test_a_new_version_is_held_against_the_live_one_s_record(pull: Repository, other: Path) -> None:
    pull.add_version(NEW, other)
    head = pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.baseline_rule) == ("new-version", "highest-version")
    assert found.baseline is not None
    assert found.candidate is not None
    assert (found.baseline.version, found.candidate.version) == ("model_v1.0", "model_v1.1")
    assert found.candidate.git_sha == head
    assert found.context == "pull_request"
    assert again(found) is None
    assert len(found.policies) == 1
    assert metric(found, "pick/acc").role == "gate"
    record = read_results(pull.root / LIVE).evaluation
    assert metric(found, "pick/acc").baseline == record.metrics[0].value
    for side, version in (("candidate", "model_v1.1"), ("baseline", "model_v1.0")):
        assert read_results(pull.out / side).evaluation.model.version == version
    assert pull.written() == found.plain()
    assert pull.git("status", "--porcelain") == ""  # what a check writes is nobody's source


def test_a_copy_of_the_live_version_is_equivalent_and_both_keep_their_names(pull: Repository) -> None:
    pull.add_version(NEW, pull.root / LIVE / "checkpoint")
    pull.commit()
    found = pull.check()
    assert (found.decision, metric(found, "pick/acc").verdict) == ("promote", "equivalent")
    assert found.baseline is not None
    assert found.candidate is not None
    assert (found.baseline.label, found.candidate.label) == ("model_v1.0", "model_v1.1")
    assert read_results(pull.out / "baseline").evaluation.model.source == LIVE


def test_the_same_run_twice_gives_the_same_document_but_for_times(pull: Repository, other: Path) -> None:
    pull.replace(PROMPT, "A:", "The answer:")
    pull.add_version(NEW, other)
    pull.commit()
    pull.check()
    first = pull.written(), (pull.out / "candidate" / SAMPLES_FILE).read_bytes()
    pull.check()
    second = pull.written(), (pull.out / "candidate" / SAMPLES_FILE).read_bytes()
    assert without_times(first[0]) == without_times(second[0])
    assert first[1] == second[1]


def test_a_forged_record_at_the_head_changes_nothing(pull: Repository, other: Path) -> None:
    pull.add_version(NEW, other)
    pull.commit()
    honest = pull.check()
    pull.score(NEW)
    forge(pull, NEW, 1.0)
    forge(pull, LIVE, 0.0)
    pull.commit("Records to our taste")
    found = pull.check()
    assert found.metrics == honest.metrics
    assert found.decision == honest.decision
    assert any("changes or removes the record of model_v1.0:" in warning for warning in found.warnings)


def test_a_forged_record_alone_is_not_passed_over_in_silence(pull: Repository) -> None:
    """Once it is merged, later versions would be held against it."""
    forge(pull, LIVE, 0.0)
    pull.commit()
    found = pull.check()
    assert found.decision == "not-needed"
    assert [warning.partition(":")[0] for warning in found.warnings] == ["changes or removes the record of model_v1.0"]


def test_nothing_is_live_yet(tiny: TinyModels, tmp_path: Path) -> None:
    repository = create(tmp_path / "repository")
    repository.commit("No version yet")
    repository.branch()
    repository.add_version(LIVE, tiny.folder("llama"))
    repository.commit()
    found = repository.check()
    assert (found.decision, found.headline) == ("promote", "Promote: nothing is live yet; merge.")
    assert found.baseline is None
    assert {row.verdict for row in found.metrics} == {"no-baseline"}
    assert not (repository.out / "baseline").exists()


def test_a_target_branch_without_the_kit_is_judged_by_the_pull_request_s_own_policy(
    tiny: TinyModels, tmp_path: Path
) -> None:
    repository = create(tmp_path / "repository")
    for name in (CONFIG, SUITE):
        repository.root.joinpath(name).rename(tmp_path / Path(name).name)
    repository.add_version(LIVE, tiny.folder("llama"))
    repository.commit("Not here yet")
    repository.branch()
    for name in (CONFIG, SUITE):
        repository.write(name, (tmp_path / Path(name).name).read_text("utf-8"))
    repository.add_version(NEW, tiny.folder("llama"))
    repository.commit()
    found = repository.check()
    assert found.decision == "promote"
    assert any("has no modelrelease.yaml that can be read" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("name", "key", "warning"),
    [
        (CONFIG, "schema_version: 1", "the target branch has no modelrelease.yaml that can be read"),
        (SUITE, "schema_version: 1", "the target branch has no suite that can be read"),
    ],
)
def test_what_is_malformed_on_the_target_branch_can_be_mended(
    based: Base, other: Path, name: str, key: str, warning: str
) -> None:
    """Were it an error, the pull request that mends it could not be merged either."""
    pull = based(replacing(name, key, f"{key}\nnonsense: 1"))
    pull.replace(name, "\nnonsense: 1", "")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert found.resolution.rule == "new-version"
    assert any(line.startswith(warning) for line in found.warnings)


@pytest.mark.parametrize("lost", [CONFIG, SUITE, f"{LIVE}/{EVAL_FILE}"])
def test_what_the_target_branch_has_and_git_cannot_read_is_not_taken_for_missing(
    pull: Repository, other: Path, lost: str
) -> None:
    """As in a clone without blobs: a pull request would be judged by its own policy."""
    name = pull.git("rev-parse", f"main:{lost}")
    pull.add_version(NEW, other)
    pull.replace(CONFIG, "0.05", "0.9")
    pull.replace(SUITE, "zebra", "cat")
    pull.remove(f"{LIVE}/{EVAL_FILE}")
    pull.commit()
    (pull.root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(Unavailable, match=r"MR603 git cannot read what '[0-9a-f]{40}' has there; fetch all of it"):
        pull.check()


def test_a_checkpoint_changed_in_place_is_held_against_the_merge_base_s(pull: Repository, other: Path) -> None:
    """Both sides have one folder: the baseline's record covers what it was asked, so its weights are not needed."""
    pull.add_version(LIVE, other)
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.candidate) == ("changed-checkpoint", LIVE)
    assert found.baseline is not None
    assert found.candidate is not None
    assert found.baseline.model_digest != found.candidate.model_digest
    assert again(found) is None


def test_the_live_weights_are_the_merge_base_s_where_the_pull_request_changes_them(
    based: Base, other: Path, tiny: TinyModels
) -> None:
    """A pull request must not choose what it is held against: the live version is exported from git."""
    pull = based(replacing(CONFIG, "gate:\n", "gate:\n  rescore_baseline: always\n"))
    pull.add_version(NEW, tiny.folder("llama"))
    pull.add_version(LIVE, other)
    pull.commit()
    found = pull.check(candidate="model_v1.1")
    assert found.baseline is not None
    assert found.candidate is not None
    assert found.baseline.model_digest == found.candidate.model_digest
    assert metric(found, "pick/acc").verdict == "equivalent"
    assert pull.git("status", "--porcelain") == ""


@pytest.mark.parametrize("deleted", [False, True])
def test_attributes_of_the_pull_request_do_not_touch_the_live_checkpoint(
    pull: Repository, tmp_path: Path, deleted: bool
) -> None:
    """Without its Ġ no token of the live version begins with a space: it would lose against anything."""
    pull.add_version(NEW, pull.root / LIVE / "checkpoint")
    pull.write_rows(rows(9))
    if deleted:
        pull.remove(LIVE)
    pull.commit()
    pull.write(".gitattributes", f"{LIVE}/checkpoint/tokenizer.json working-tree-encoding=ASCII//TRANSLIT\n")
    pull.git("add", ".gitattributes")
    pull.git("commit", "--quiet", "--message=Attributes", ".gitattributes")
    pull.git("clone", "--quiet", "--no-local", ".", str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    spoilt = clone.root / LIVE / "checkpoint" / "tokenizer.json"
    assert deleted or "\u0120" not in spoilt.read_text("utf-8")
    found = clone.check(base="origin/main")
    assert again(found) == (2, 18, "test set changed")
    assert metric(found, "pick/acc").delta == 0


def test_a_deleted_live_version_is_exported_too(pull: Repository) -> None:
    pull.remove(LIVE)
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert found.resolution.rule == "changed-inputs"
    assert found.subject == ("prompt",)


def test_a_live_version_that_came_after_the_branch_is_named(pull: Repository, other: Path) -> None:
    """A branch of an old commit is compared with what was live then, which may be easier."""
    pull.git("checkout", "--quiet", "main")
    pull.add_version("models/model_v1.2", other)
    pull.score("models/model_v1.2")
    pull.commit("The next version")
    pull.git("checkout", "--quiet", "change")
    pull.add_version(NEW, pull.root / LIVE / "checkpoint")
    pull.commit()
    overtaken = [line for line in pull.check().warnings if line.startswith("model_v1.2 is live on the target branch")]
    assert len(overtaken) == 1
    pull.git("merge", "--quiet", "--no-edit", "main")
    found = pull.check()
    assert found.baseline is not None
    assert found.baseline.version == "model_v1.2"
    assert not any("is live on the target branch" in line for line in found.warnings)


def test_a_parent_that_is_not_live_gets_a_line(based: Base, tiny: TinyModels, other: Path) -> None:
    def older(repository: Repository) -> None:
        repository.add_version("models/model_v0.9", tiny.folder("llama"))
        repository.score("models/model_v0.9")

    pull = based(older)
    pull.add_version(NEW, other)
    write_papers(pull.root / NEW, other, parent="model_v0.9")
    pull.commit()
    found = pull.check()
    (note,) = found.notes
    assert note.startswith("Against its parent model_v0.9, as recorded: pick/acc −12.5 points (8 items)")
    assert [past.version for past in found.history] == ["model_v0.9", "model_v1.0"]


# Changed inputs


def test_a_prompt_is_held_against_the_target_branch_s_on_the_live_checkpoint(pull: Repository) -> None:
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.candidate, found.resolution.baseline) == (
        "changed-inputs",
        LIVE,
        LIVE,
    )
    assert found.subject == ("prompt",)
    assert again(found) is None
    recorded = read_results(pull.root / LIVE).tasks["pick"].scores["acc"]
    assert read_results(pull.out / "baseline").tasks["pick"].scores["acc"] == recorded
    assert metric(found, "say/regex").verdict == "equivalent"  # its prompt is the same
    assert [past.version for past in found.history] == ["model_v1.0"]


def test_a_change_record_alone_scores_nothing(pull: Repository) -> None:
    pull.write(PROMPT, "---\nauthor: Ada\nreason: A better wording\ndate: 2026-03-04\n---\nQ: {{question}}\nA:")
    pull.write("README.md", "# About\n")
    pull.write(f"{LIVE}/README.md", "# Card\n")
    pull.write(f"{LIVE}/checkpoint/README.md", "# Card\n")
    pull.commit()
    found = pull.check()
    assert (found.decision, found.metrics) == ("not-needed", ())
    assert (found.baseline, found.candidate) == (None, None)
    assert not (pull.out / "candidate").exists()


def test_a_repaired_row_is_asked_of_both_sides_and_blocks_nothing(pull: Repository) -> None:
    values = rows()
    values[2]["choices"] = ["the mat", "the sky", "the dog"]
    pull.write_rows(values)
    pull.commit()
    found = pull.check()
    assert again(found) == (2, 16, "test set changed")  # the row is in two tasks
    assert (found.decision, metric(found, "pick/acc").n) == ("promote", 8)
    assert {row.verdict for row in found.metrics} == {"equivalent"}
    assert found.resolution is not None
    assert [change.detail for change in found.resolution.changes] == ["1 row changed"]


def test_rows_that_come_and_go_are_the_same_on_both_sides(pull: Repository, other: Path) -> None:
    pull.write_rows([*rows()[1:], {**rows(9)[8], "id": "new"}])
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert again(found) == (2, 16, "test set changed")
    assert metric(found, "pick/acc").n == 8
    assert metric(found, "pick/acc").verdict != "incomparable"


def test_a_renamed_field_says_what_to_do(pull: Repository) -> None:
    pull.write_rows([{("query" if key == "question" else key): v for key, v in row.items()} for row in rows()])
    pull.replace(PROMPT, "question", "query")
    pull.replace("prompts/say.txt", "question", "query")
    pull.commit()
    with pytest.raises(InvalidInput, match=r"MR508 as on the target branch, names the field `question`.*keep the old"):
        pull.check()


def test_a_moved_prompt_and_a_moved_suite_are_followed(pull: Repository) -> None:
    pull.git("mv", "prompts", "texts")
    pull.git("mv", "evals", "suites")
    pull.replace(CONFIG, "evals/", "suites/")
    for name in ("qa.md", "say.txt"):
        pull.replace("suites/release.yaml", f"prompts/{name}", f"texts/{name}")
    pull.commit()
    assert pull.check().decision == "not-needed"
    pull.replace("texts/qa.md", "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.subject == ("prompt",)
    assert again(found) is None


# The policy


def test_a_changed_margin_gets_both_answers(pull: Repository, other: Path) -> None:
    pull.replace(CONFIG, "0.05", "0.9")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    base, own = found.policies
    assert base.digest != own.digest
    assert metric(found, "pick/acc").margin == 0.05
    assert base.source_ref.startswith(f"{CONFIG} at ")
    assert own.source_ref == f"{CONFIG} of this pull request"
    assert (base.decision, base.headline) == (found.decision, found.headline)


def test_a_pull_request_cannot_lower_the_floor_that_blocks_it(based: Base, other: Path) -> None:
    pull = based(FLOOR)
    pull.replace(CONFIG, ", min: 0.95", "")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert [answer.decision for answer in found.policies] == ["block", "promote"]
    assert found.decision == "block"


def test_a_policy_alone_scores_nothing_and_is_named(pull: Repository) -> None:
    pull.replace(CONFIG, "0.05", "0.9")
    pull.commit()
    found = pull.check()
    assert found.decision == "not-needed"
    assert found.resolution is not None
    assert [change.detail for change in found.resolution.changes] == ["pick/acc.margin 0.05 → 0.9"]
    assert found.warnings == (
        "the policy has changed (pick/acc.margin 0.05 → 0.9), and nothing was scored that it could be tried on",
    )


def test_a_loosened_pattern_is_judged_as_the_target_branch_scores(based: Base, other: Path) -> None:
    pull = based(BOTH_GATES)
    pull.replace(SUITE, "zebra", '"(?s)."')
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert [answer.decision for answer in found.policies] == ["block", "promote"]
    assert (found.decision, metric(found, "say/regex").candidate) == ("block", 0.0)
    assert read_results(pull.out / "candidate").evaluation.metrics[1].value == 1.0  # the record is of its own suite
    assert read_results(pull.out / "under-base-policy" / "candidate").evaluation.metrics[1].value == 0.0


def test_a_removed_task_is_still_asked(based: Base, other: Path) -> None:
    pull = based(BOTH_GATES)
    text = (pull.root / SUITE).read_text("utf-8")
    pull.write(SUITE, text[: text.index("  - {name: say")])
    pull.replace(CONFIG, "    say/regex: {margin: 0.05, min: 0.5}\n", "")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert (metric(found, "say/regex").n, found.decision) == (8, "block")
    assert [answer.decision for answer in found.policies] == ["block", "promote"]
    assert {row.task for row in read_results(pull.out / "candidate").evaluation.metrics} == {"pick"}


def test_a_renamed_task_is_asked_under_both_names(based: Base, other: Path) -> None:
    pull = based(BOTH_GATES)
    pull.replace(SUITE, "name: say", "name: tell")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert {row.task: row.role for row in found.metrics} == {"pick": "gate", "tell": "info", "say": "gate"}
    assert found.decision == "block"


def test_a_new_task_and_a_new_metric_are_information_and_asked_of_both_sides(pull: Repository, other: Path) -> None:
    pull.replace(SUITE, "metrics: [acc]", "metrics: [acc, acc_norm]")
    pull.write(
        SUITE,
        (pull.root / SUITE).read_text("utf-8")
        + "  - {name: read, kind: perplexity, dataset: datasets/qa.jsonl, target: question, metrics: [nll]}\n",
    )
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    news = [warning for warning in found.warnings if "is new" in warning]
    assert news == [
        f"{name} is new, and the policy does not list it: information only" for name in ("pick/acc_norm", "read/nll")
    ]
    assert (metric(found, "read/nll").role, metric(found, "read/nll").n) == ("info", 8)
    assert again(found) == (8, 24, "task read is new")
    assert metric(found, "pick/acc").verdict == "inconclusive"


def test_equally_specific_patterns_for_a_new_metric_are_no_defect(based: Base) -> None:
    pull = based(replacing(CONFIG, "pick/acc:", '"pick/*": {margin: 0.05}\n    "*_norm":'))
    pull.replace(SUITE, "metrics: [acc]", "metrics: [acc, acc_norm]")
    pull.replace(CONFIG, '"pick/*"', "pick/acc_norm: {margin: 0.05}\n    pick/acc")
    pull.commit()
    assert not any("is new" in warning for warning in pull.check().warnings)


def test_an_empty_config_of_the_pull_request_s_own_decides_nothing(based: Base, other: Path) -> None:
    """The comment's settings, the name and the rest are the target branch's as well."""
    pull = based(replacing(CONFIG, "gate:\n", "name: support\ncomment: {mode: failures, samples: none}\ngate:\n"))
    pull.replace(CONFIG, "name: support\ncomment: {mode: failures, samples: none}\n", "name: sales\n")
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert (found.name, found.comment.mode, found.comment.samples) == ("support", "failures", "none")


# The record is a cache entry


def broken_sample(repository: Repository) -> None:
    """Item q1 of `pick` could not be scored when the record was made."""
    place = repository.root / LIVE
    lines = (place / SAMPLES_FILE).read_text("utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    samples[1].update(scores={}, error="out of memory", loglikelihoods=[], greedy=[], prediction=None)
    data = "".join(json.dumps(sample, sort_keys=True) + "\n" for sample in samples).encode()
    document = json.loads((place / EVAL_FILE).read_text("utf-8"))
    document["samples"]["sha256"] = hashlib.sha256(data).hexdigest()
    aggregate_again(document, samples)
    (place / SAMPLES_FILE).write_bytes(data)
    (place / EVAL_FILE).write_text(json.dumps(document), "utf-8")


def change_record(path: str, value: Any) -> Edit:
    """Return an edit of the live record's eval.json."""

    def edit(repository: Repository) -> None:
        place = repository.root / LIVE / EVAL_FILE
        document = json.loads(place.read_text("utf-8"))
        *parents, last = path.split(".")
        part = document
        for key in parents:
            part = part[key]
        part[last] = value
        place.write_text(json.dumps(document), "utf-8")

    return edit


def cut_record(repository: Repository) -> None:
    path = repository.root / LIVE / SAMPLES_FILE
    path.write_bytes(path.read_bytes()[:-100])


def later_prompt(repository: Repository) -> None:
    repository.replace(PROMPT, "A:", "The answer:")


AGAIN: dict[str, tuple[Edit, tuple[int, int, str]]] = {
    "another library": (change_record("environment.torch", "1.0"), (16, 16, "other numerics (torch)")),
    "another machine": (change_record("environment.cpu", "a GPU's"), (16, 16, "other numerics (cpu)")),
    "another scorer": (change_record("scorer_version", 0), (16, 16, "other numerics (scorer)")),
    "another type": (change_record("engine.dtype", "bfloat16"), (16, 16, "other numerics (dtype)")),
    "items with errors": (broken_sample, (1, 16, "errors in its record")),
    "a prompt changed since": (later_prompt, (8, 16, "prompt changed since it was scored")),
    "a damaged record": (cut_record, (16, 16, "its record cannot be used (MR501)")),
    "an unknown key": (change_record("more", 1), (16, 16, "its record cannot be used (MR206)")),
    "the policy": (
        replacing(CONFIG, "gate:\n", "gate:\n  rescore_baseline: always\n"),
        (16, 16, "the policy says always"),
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_what_the_record_does_not_cover_is_scored_again_and_never_blocks(
    based: Base, template: Repository, other: Path, name: str
) -> None:
    edit, expected = AGAIN[name]
    pull = based(edit)
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert again(found) == expected
    assert (found.decision, metric(found, "pick/acc").verdict) == ("promote", "inconclusive")
    assert metric(found, "pick/acc").n == 8
    assert read_results(pull.out / "baseline").evaluation.flags.errors == 0
    if edit is not later_prompt:
        honest = read_results(template.root / LIVE).tasks["pick"].scores["acc"]
        assert read_results(pull.out / "baseline").tasks["pick"].scores["acc"] == honest


class Counter(NoProgress):
    """Counts the items that are really scored, run by run."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def start(self, items: int, already: int) -> None:
        self.runs.append(items)


def repaired_row(pull: Repository, other: Path) -> None:
    pull.write_rows(
        [{**row, "choices": ["the mat", "the sky"], "answer": 0} if row["id"] == "q2" else row for row in rows()]
    )


def with_version(pull: Repository, other: Path) -> None:
    repaired_row(pull, other)
    pull.add_version(NEW, other)


def with_version_and_pattern(pull: Repository, other: Path) -> None:
    with_version(pull, other)
    pull.replace(SUITE, "zebra", "lion")


def with_prompt(pull: Repository, other: Path) -> None:
    later_prompt(pull)


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        (repaired_row, [16]),  # the live checkpoint is both sides
        (with_version, [16, 2]),
        (with_prompt, [16]),
        # `say` under two patterns: candidate under its own and the base's; the baseline's record has one of them
        (with_version_and_pattern, [16, 8, 2, 8]),
    ],
)
def test_each_item_is_scored_once(
    pull: Repository, other: Path, change: Callable[[Repository, Path], None], runs: list[int]
) -> None:
    change(pull, other)
    pull.commit()
    counter = Counter()
    pull.check(counter)
    assert counter.runs == runs


def test_what_does_not_move_a_number_is_no_reason_to_score_again(based: Base, other: Path) -> None:
    pull = based(change_record("tool.version", "0.0.1"), change_record("engine.batch_plan_digest", "0" * 64))
    pull.add_version(NEW, other)
    pull.commit()
    assert again(pull.check()) is None


def test_a_record_of_another_checkpoint_is_no_record(based: Base, other: Path, tiny: TinyModels) -> None:
    """The live weights were changed in place and merged; their record is still the old one."""

    def stale(repository: Repository) -> None:
        repository.add_version(LIVE, other)

    pull = based(stale)
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert again(found) == (16, 16, "its record is of another checkpoint")
    assert metric(found, "pick/acc").verdict == "equivalent"


def test_live_weights_that_somebody_is_working_on_are_not_what_it_is_held_against(
    pull: Repository, other: Path
) -> None:
    repaired_row(pull, other)
    pull.add_version(NEW, other)
    pull.commit()
    pull.add_version(LIVE, other)  # not committed
    found = pull.check()
    assert again(found) == (2, 16, "test set changed")
    assert "and they are part of what was scored" in found.warnings[-1]


def test_never_takes_the_record_as_it_is(based: Base, other: Path) -> None:
    pull = based(replacing(CONFIG, "gate:\n", "gate:\n  rescore_baseline: never\n"))
    values = rows()
    values[2]["choices"] = ["the mat", "the sky", "the dog"]
    pull.write_rows(values)
    pull.add_version(NEW, other)
    pull.commit()
    found = pull.check()
    assert again(found) is None
    assert (metric(found, "pick/acc").verdict, found.decision) == ("incomparable", "block")
    assert "q2" in metric(found, "pick/acc").reason
    assert read_results(pull.out / "baseline").evaluation == read_results(pull.root / LIVE).evaluation


@pytest.mark.parametrize("edit", [cut_record, change_record("scorer_version", "one")])
def test_never_needs_a_record(based: Base, edit: Edit, other: Path) -> None:
    pull = based(replacing(CONFIG, "gate:\n", "gate:\n  rescore_baseline: never\n"), edit)
    pull.add_version(NEW, other)
    pull.commit()
    with pytest.raises(InvalidInput, match=r"MR508 its record cannot be used .* and the policy says `rescore_baseline"):
        pull.check()


def test_a_pull_request_cannot_keep_the_baseline_from_being_scored(based: Base, other: Path) -> None:
    pull = based(change_record("environment.torch", "1.0"))
    pull.replace(CONFIG, "gate:\n", "gate:\n  rescore_baseline: never\n")
    pull.add_version(NEW, other)
    pull.commit()
    assert again(pull.check()) == (16, 16, "other numerics (torch)")


# What a pull request may try


def test_a_renamed_folder_of_versions_hides_no_live_version(pull: Repository, other: Path) -> None:
    pull.git("mv", "models", "weights")
    pull.replace(CONFIG, "suite:", "models: weights\nsuite:")
    pull.add_version("weights/model_v1.1", other)
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.candidate, found.resolution.baseline) == ("weights/model_v1.1", LIVE)
    assert found.baseline is not None
    assert [past.version for past in found.history] == ["model_v1.0"]


def test_moved_weights_are_read_where_they_are_now(pull: Repository) -> None:
    pull.git("mv", "models", "weights")
    pull.replace(CONFIG, "suite:", "models: weights\nsuite:")
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    found = pull.check()
    assert found.resolution is not None
    assert (found.resolution.candidate, found.resolution.baseline) == ("weights/model_v1.0", LIVE)
    assert found.subject == ("prompt",)
    assert read_results(pull.out / "candidate").evaluation.model.source == LIVE


def test_another_folder_of_versions_is_no_way_to_have_nothing_live(pull: Repository, other: Path) -> None:
    pull.replace(CONFIG, "suite:", "models: weights\nsuite:")
    pull.add_version("weights/model_v9.0", other)
    pull.commit()
    found = pull.check()
    assert found.baseline is not None
    assert found.baseline.version == "model_v1.0"


def linked_version(pull: Repository, other: Path) -> None:
    pull.add_version("elsewhere", other)
    (pull.root / NEW).symlink_to("../elsewhere")


def linked_live(pull: Repository, other: Path) -> None:
    pull.add_version("elsewhere", other)
    pull.remove(LIVE)
    (pull.root / LIVE).symlink_to("../elsewhere")


def linked_checkpoint(pull: Repository, other: Path) -> None:
    pull.add_version("elsewhere", other)
    (pull.root / NEW).mkdir()
    (pull.root / NEW / "checkpoint").symlink_to("../../elsewhere/checkpoint")


def flat_version(pull: Repository, other: Path) -> None:
    pull.add_version(NEW, other)
    for path in list((pull.root / NEW / "checkpoint").iterdir()):
        path.rename(path.parent.parent / path.name)


def pointer(pull: Repository, other: Path) -> None:
    pull.add_version(NEW, other)
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1\n"
    pull.write(f"{NEW}/checkpoint/model.safetensors", text)


def no_checkpoint(pull: Repository, other: Path) -> None:
    pull.write(f"{NEW}/README.md", "# Soon\n")


ELSEWHERE = "MR401 keeps its checkpoint elsewhere"
REFUSED: dict[str, tuple[Callable[[Repository, Path], None], str]] = {
    "a version that is a link": (linked_version, ELSEWHERE),
    "the live version turned into a link": (linked_live, ELSEWHERE),
    "a checkpoint that is a link": (linked_checkpoint, ELSEWHERE),
    "weights beside the papers": (flat_version, ELSEWHERE),
    "a Git LFS pointer": (pointer, "MR403"),
    "a version without a checkpoint": (no_checkpoint, "MR401 holds neither"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_version_is_refused(pull: Repository, other: Path, name: str) -> None:
    spoil, message = REFUSED[name]
    spoil(pull, other)
    pull.commit()
    with pytest.raises(InvalidInput, match=message):
        pull.check()


def test_a_decision_that_the_pull_request_brings_is_removed(pull: Repository) -> None:
    pull.write(".modelrelease/pull-request/comparison.json", '{"decision": "promote"}')
    pull.write(f"{NEW}/README.md", "# Soon\n")
    pull.commit()
    with pytest.raises(InvalidInput):
        pull.check()
    assert not (pull.out / "comparison.json").exists()


def test_a_run_that_fails_leaves_no_older_decision(pull: Repository, other: Path) -> None:
    pull.add_version(NEW, other)
    pull.commit()
    pull.check()
    assert (pull.out / "comparison.json").exists()
    pull.add_version("models/model_v1.2", other)
    pull.commit()
    with pytest.raises(InvalidInput, match="MR508 adds or changes the checkpoints of 2 versions"):
        pull.check()
    assert not (pull.out / "comparison.json").exists()
    assert not (pull.out / "candidate" / EVAL_FILE).exists()
    assert pull.check(candidate=f"{NEW}/").decision == "promote"


@pytest.mark.parametrize("link", [".modelrelease", ".modelrelease/pull-request", ".modelrelease/pull-request/baseline"])
def test_nothing_is_written_through_a_link(pull: Repository, link: str) -> None:
    place = pull.root / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(pull.root / LIVE)
    with pytest.raises(InvalidInput, match="MR209 is a link, and runs are written there"):
        pull.check()
    assert (pull.root / LIVE / EVAL_FILE).exists()


def test_weights_and_rows_are_those_of_the_head(pull: Repository) -> None:
    pull.replace(PROMPT, "A:", "The answer:")
    pull.commit()
    pull.git("checkout", "--quiet", "main")
    with pytest.raises(InvalidInput, match=r"--head: MR508 .* is not what is checked out"):
        pull.check(head="change")
    assert pull.resolve(head="change").resolution.rule == "changed-inputs"


def test_what_is_not_committed_is_said(pull: Repository) -> None:
    pull.write(QUESTIONS, (pull.root / QUESTIONS).read_text("utf-8") + "\n")
    assert pull.check().warnings == (
        "the work tree has changes that are not committed, and only what is committed was looked at",
    )
    pull.replace(PROMPT, "A:", "The answer:")
    pull.git("commit", "--quiet", "-m", "Prompt", PROMPT)
    assert "and they are part of what was scored" in pull.check().warnings[-1]


def test_a_project_below_the_repository_s_root(template: Repository, tmp_path: Path, other: Path) -> None:
    whole = Repository(tmp_path / "mono")
    whole.root.mkdir()
    whole.git("init", "--quiet", "--initial-branch=main")
    whole.write("README.md", "# Several models\n")
    whole.commit()
    part = Repository(whole.root / " the model")
    for name in ("models", "prompts", "datasets", "evals", CONFIG):
        (part.root).mkdir(exist_ok=True)
        whole.git("--git-dir", str(template.root / ".git"), "--work-tree", str(part.root), "checkout", "main", name)
    whole.commit("The model")
    part.branch()
    part.add_version(LIVE, other)
    part.replace(PROMPT, "A:", "The answer:")
    part.commit()
    found = part.check()
    assert found.resolution is not None
    assert (found.resolution.rule, found.resolution.candidate) == ("changed-checkpoint", LIVE)
    assert found.subject == ("model", "prompt")
    part.remove(LIVE)
    part.commit()
    assert part.check().subject == ("prompt",)
