"""Card and changelog of real version folders in real repositories."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from builders import row, sha, table, write
from governed_repository import EARLIER, NAME, Repository, governed, jsonl
from papered_versions import BETTER, CHILD, PARENT, PEOPLE, POLICY, WHY, add_version, papers, two_versions

from modelrelease.config import find_project
from modelrelease.errors import InvalidInput, ModelreleaseError, Unavailable
from modelrelease.flows import card
from modelrelease.flows.card import CardPlan, Written, plan_card, write_card
from modelrelease.records.canonical import document_bytes
from modelrelease.records.files import sha256_of, write_atomic
from modelrelease.records.version_story import Override
from modelrelease.reports.version_card import card_section
from modelrelease.reports.version_changelog import changelog

TEXTS = Written(card_section, changelog)

UNTOLD: dict[str, Any] = {"command": None, "seed": None, "steps": None, "final_loss": None, "datasets": [], "logs": []}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return two_versions(tmp_path_factory.mktemp("two") / "repository")


@pytest.fixture
def repository(template: Repository, tmp_path: Path) -> Repository:
    """Return a repository with two versions, all of it committed."""
    shutil.copytree(template.folder, tmp_path / "repository", symlinks=True)
    copy = object.__new__(Repository)
    copy.folder = tmp_path / "repository"
    return copy


def plan(repository: Repository, version: str = CHILD, overrides: tuple[Override, ...] = ()) -> CardPlan:
    return plan_card(find_project(repository.folder), repository.folder / "models" / version, TEXTS, overrides)


def texts(repository: Repository, version: str = CHILD) -> tuple[str, str]:
    readme, log = plan(repository, version).files
    return readme.after.decode("utf-8"), log.after.decode("utf-8")


def edit_papers(repository: Repository, **changes: Any) -> None:
    path = repository.folder / "models" / CHILD / "model.json"
    path.write_bytes(document_bytes(papers(CHILD, **{"parent": PARENT, **changes})))


def section(text: str, title: str) -> str:
    """Return what stands under a heading that begins so."""
    found = text.partition(f"\n## {title}")[2]
    assert found, title
    return found.partition("\n")[2].partition("\n## ")[0].strip()


def test_twenty_lines_say_whether_it_is_better_what_changed_what_broke_and_who_says_so(repository: Repository) -> None:
    readme, log = texts(repository)
    for text in (readme, log):
        assert f"**Against {PARENT}: 🟢 better in qa/acc.**" in text
        assert "| qa/acc | 100 | 42.0 | 70.0 | +28.0 | \\[+18.6, +38.0\\] | 5.0 | 🟢 better |" in text
        assert section(text, "What changed since model_v1.0").splitlines()[1:] == [
            "- seed: `7` → `8`",
            "- `prompts/qa.prompt.yml`: changed",
            f"  - {EARLIER} {NAME}: {WHY}",
        ]
        assert "- qa/acc: 2 of 100 items broken, 30 fixed: `41`, `42`" in text
        assert "python train.py --steps 200" in section(text, "How it was trained")
    assert "messages[0].content: [-Q-]{+With its unit+}: {{question}}" in log
    top = log.splitlines()[:26]
    for needed in ("Against", "42.0", "new weights", WHY, "broken", "Scored 2026-01-02"):
        assert any(needed in line for line in top), needed


def test_what_is_written_is_current_and_stays_so(repository: Repository) -> None:
    first = plan(repository)
    assert [file.state for file in first.files] == ["absent", "absent"]
    assert [finding.code.value for finding in first.stale()] == ["MR433", "MR433"]
    write_card(first)
    repository.commit("Write the card")
    second = plan(repository)
    assert [file.state for file in second.files] == ["current", "current"]
    assert second.stale() == []
    # What came after the version is none of its changes.
    repository.edit("prompts/qa.prompt.yml", WHY, "Put the question last, which shortens the answers")
    repository.edit("prompts/qa.prompt.yml", "With its unit: ", "Unit: ")
    repository.commit("Go on")
    assert plan(repository).stale() == []


def test_before_the_commit_it_says_what_it_will_say_after_it(tmp_path: Path) -> None:
    repository = governed(tmp_path / "repository")
    before, after = BETTER
    add_version(repository.folder / "models", PARENT, None, before)
    repository.commit("The first version")
    repository.edit("prompts/qa.prompt.yml", "Q: ", "With its unit: ")
    repository.edit("prompts/qa.prompt.yml", "Ask one question at a time", WHY)
    add_version(repository.folder / "models", CHILD, PARENT, after)
    unstaged = plan(repository)
    assert unstaged.notes == (
        "prompts/qa.prompt.yml: what is not staged is not told of in the changelog; `git add` it, and run this again",
    )
    repository.stage("prompts")
    staged = plan(repository)
    assert staged.notes == ()
    assert WHY in staged.files[1].after.decode("utf-8")
    write_card(staged)
    repository.commit("Prompt and version at once")
    assert plan(repository).stale() == []


def test_people_s_text_and_keys_stay(repository: Repository) -> None:
    path = repository.write(f"models/{CHILD}/README.md", f"---\n{PEOPLE}---\n# Ours\n\nAnswers questions.\n")
    made = plan(repository)
    assert made.findings == ()
    write_card(made)
    text = path.read_text("utf-8")
    assert text.startswith(f"---\n{PEOPLE}library_name: transformers\n")
    assert "---\n# Ours\n\nAnswers questions.\n\n<!-- modelrelease:begin" in text
    path.write_text(text + "\n## How to use it\n\nAsk.\n", "utf-8")
    assert plan(repository).stale() == []


STATES = {
    "no parent": ({"parent": None}, "**model.json names no parent: there is nothing to compare it with.**"),
    "a parent that is not here": (
        {"parent": "model_v0.9"},
        "**Its parent model_v0.9 is not in this repository: nothing is compared.**",
    ),
}


@pytest.mark.parametrize(("changes", "said"), STATES.values(), ids=STATES)
def test_a_version_without_a_parent_here_says_so(repository: Repository, changes: dict[str, Any], said: str) -> None:
    edit_papers(repository, **changes)
    readme, log = texts(repository)
    assert said in readme
    assert said in log
    assert "| qa/acc | 100 | 70.0 | 60.4 – 78.1 |" in log
    assert "\nShares are in points (hundredths). Scored 2026-01-02: 100 items of the suite release; " in log
    assert section(log, "Known regressions") == "Not known: nothing was compared."
    assert "| delta |" not in readme + log


def test_a_parent_that_was_not_scored_still_has_changes(repository: Repository) -> None:
    (repository.folder / "models" / PARENT / "eval.json").unlink()
    _, log = texts(repository)
    assert f"**{PARENT} has not been scored: nothing is compared.**" in log
    assert WHY in section(log, "What changed since")


def test_a_version_that_is_not_scored_claims_nothing(repository: Repository) -> None:
    (repository.folder / "models" / CHILD / "eval.json").unlink()
    readme, log = texts(repository)
    assert "model-index" not in readme
    assert "**Not scored yet: nothing is known of how good it is.**" in readme
    assert "| metric |" not in readme + log


def test_without_a_policy_nothing_is_judged(tmp_path: Path) -> None:
    repository = two_versions(tmp_path / "repository", policy="schema_version: 1\n")
    _, log = texts(repository)
    assert "no policy says which metrics decide; the intervals below say what is known" in log
    assert "| metric | n | model\\_v1.0 | model\\_v1.1 | delta | 95% interval |" in log
    assert "(info)" not in log
    assert "better" not in log


def test_other_items_are_left_out_and_counted(repository: Repository) -> None:
    def other(sample: dict[str, Any]) -> None:
        if int(sample["item_id"]) > 90:
            sample["item_digest"] = sha(f"another row {sample['item_id']}")

    write(repository.folder / "models" / CHILD, BETTER[1], model=CHILD, edit=other)
    _, log = texts(repository)
    assert "| qa/acc | 90 | 46.7 | " in log
    assert "- qa/acc is compared on the 90 items, of 100, that both versions were asked alike" in log


def test_another_question_is_not_comparable(repository: Repository) -> None:
    write(repository.folder / "models" / CHILD, {"other": {"acc": table(40)[0]}}, model=CHILD)
    _, log = texts(repository)
    assert f"**Against {PARENT}: ⚪ not comparable in qa/acc.**" in log
    assert "- qa/acc is missing: model\\_v1.1 was not scored on task \\`qa\\`" in log
    assert section(log, "Known regressions") == "Not known: nothing was compared."


def test_a_prompt_only_version_says_that_the_weights_are_the_parent_s(repository: Repository) -> None:
    same = {"digest": sha(PARENT), "same_as": PARENT}
    edit_papers(repository, checkpoint=same, training={"seed": 7})
    evaluation = repository.folder / "models" / CHILD / "eval.json"
    document = json.loads(evaluation.read_text("utf-8"))
    document["model"]["digest"] = sha(PARENT)
    evaluation.write_bytes(document_bytes(document))
    repository.commit("Only the prompt")
    _, log = texts(repository)
    assert section(log, "What changed since").splitlines() == [
        f"- the checkpoint is that of {PARENT}: only what it is asked with is new",
        "- `prompts/qa.prompt.yml`: changed",
        f"  - {EARLIER} {NAME}: {WHY}",
    ]
    edit_papers(repository, checkpoint=same, training=UNTOLD, environment=None)
    _, log = texts(repository)
    changed = section(log, "What changed since")
    assert "training" not in changed, "the same weights came from the same training"
    assert section(log, "How it was trained") == (
        f"Its checkpoint is that of {PARENT}, whose papers say how it was trained."
    )


@pytest.mark.parametrize("samples", ["none", "ids", "text"])
def test_items_are_shown_as_far_as_the_policy_lets_them(tmp_path: Path, samples: str) -> None:
    repository = two_versions(tmp_path / "repository", policy=f"{POLICY}comment: {{samples: {samples}}}\n")
    rows = [row(str(number)) for number in range(1, 101)]
    repository.write("datasets/qa.jsonl", jsonl(rows))
    readme, log = texts(repository)
    assert "2 of 100 items broken" in readme
    assert ("`41`" in readme, "`41`" in log) == ((samples != "none"),) * 2
    answers = "input: What is number 41?\ntarget: 1: a dog\nmodel_v1.0: 1: a dog\nmodel_v1.1: 0: a cat\n"
    assert (answers in log) == ("What is number" in log) == (samples == "text")
    assert "What is number" not in readme


def test_rows_of_test_sets_are_named_without_their_texts(tmp_path: Path) -> None:
    repository = governed(tmp_path / "repository")
    add_version(repository.folder / "models", PARENT, None, BETTER[0])
    repository.commit("The first version")
    repository.edit("datasets/qa.jsonl", "It is 3.", "It is secret.")
    add_version(repository.folder / "models", CHILD, PARENT, BETTER[1])
    repository.commit("Another answer")
    _, log = texts(repository)
    assert "- `datasets/qa.jsonl`: changed (rows: 1 changed)\n  - without a change record" in log
    assert "changed 3" in log
    assert "secret" not in log


def test_training_that_nobody_recorded_is_not_made_up(repository: Repository) -> None:
    edit_papers(repository, training=UNTOLD, git=None, environment=None, tokenizer=None)
    _, log = texts(repository)
    assert section(log, "How it was trained") == "Nothing is recorded of how it was trained."


def reproduction(repository: Repository, **changes: Any) -> None:
    path = repository.folder / "models" / CHILD
    evaluation = json.loads((path / "eval.json").read_text("utf-8"))
    document = {
        "schema_version": 1,
        "scorer_version": 1,
        "tool": evaluation["tool"],
        "eval_sha256": sha256_of(path / "eval.json"),
        "model_digest": sha(CHILD),
        "suite_digest": evaluation["suite"]["digest"],
        "commit": None,
        "outcome": "exact",
        "identity_differences": [],
        "explanations": [],
        "tolerance": 0.001,
        "max_abs_difference": 0.0,
        "items": 100,
        "flip_count": 0,
        "flips": [],
        "mismatch_count": 0,
        "mismatches": [],
        "metrics": [],
        "noise": None,
        "provenance": {**evaluation["provenance"], "started": "2026-02-03T04:05:06+00:00"},
    }
    (path / "reproduction.json").write_bytes(document_bytes({**document, **changes}))


REPRODUCTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "exact": ({}, "exact: every sample came out bit for bit as recorded (100 items; 2026-02-03)."),
    "variance": (
        {
            "outcome": "variance-documented",
            "flip_count": 2,
            "max_abs_difference": 0.00123,
            "explanations": [{"what": "dtype", "recorded": "float32", "found": "bfloat16"}],
        },
        "flipped (100 items; 2 flipped; differences up to 0.0012 nats; other dtype; 2026-02-03).",
    ),
    "mismatch": (
        {"outcome": "mismatch", "mismatch_count": 1234},
        "mismatch: items differ, and nothing explains it (100 items; 1,234 not explained; 2026-02-03).",
    ),
    "refused": (
        {
            "outcome": "refused",
            "items": 0,
            "max_abs_difference": None,
            "identity_differences": [{"what": "row", "where": "q7", "recorded": None, "found": None}] * 2,
        },
        "refused: what was there was not the recorded experiment (0 items; not the same: row; 2026-02-03).",
    ),
    "an earlier record's": ({"eval_sha256": sha("another")}, "It is of an earlier eval.json: run"),
}


@pytest.mark.parametrize(("changes", "said"), REPRODUCTIONS.values(), ids=REPRODUCTIONS)
def test_the_last_reproduction_is_told(repository: Repository, changes: dict[str, Any], said: str) -> None:
    assert "Not reproduced yet" in texts(repository)[1]
    reproduction(repository, **changes)
    readme, log = texts(repository)
    assert said in section(readme, "Reproduction")
    assert said in section(log, "Reproduction")


def test_overrides_are_told_where_there_are_any(repository: Repository) -> None:
    assert "## Overrides" not in texts(repository)[1]
    found = Override(metric="qa/acc", author="Ada", reason="The old items were wrong", date="2026-01-02", expires=None)
    for file in plan(repository, overrides=(found, found.model_copy(update={"expires": "2026-03-01"}))).files:
        assert section(file.after.decode("utf-8"), "Overrides").splitlines() == [
            "- qa/acc: accepted 2026-01-02 by Ada: The old items were wrong",
            "- qa/acc: accepted 2026-01-02 by Ada, until 2026-03-01: The old items were wrong",
        ]


def test_other_prompts_and_machines_are_told_where_no_file_tells_it(repository: Repository) -> None:
    other = {"suite.tasks.0.prompt_digest": sha("other"), "environment.torch": "2.9.0"}
    write(repository.folder / "models" / CHILD, BETTER[1], model=CHILD, changes=other)
    edit_papers(repository, environment={"gpus": [{"name": "H100", "memory": None}], "python": "3.12.1"})
    libraries = "- scored differently, libraries: `torch 2.8.0, transformers"
    changed = section(texts(repository)[1], "What changed since")
    assert "- training machine: `a processor` → `H100`\n- trained with Python: `3.11.7` → `3.12.1`\n" in changed
    assert libraries in changed
    assert "scored differently, prompt" not in changed  # the file says it better
    shutil.rmtree(repository.folder / ".git")
    assert "- scored differently, prompt of qa: " in section(texts(repository)[1], "What changed since")


def test_the_parent_s_papers_may_be_missing(repository: Repository) -> None:
    (repository.folder / "models" / PARENT / "model.json").unlink()
    _, log = texts(repository)
    assert "🟢 better in qa/acc" in log
    assert "new weights" not in log


def test_where_git_cannot_tell_it_is_said(repository: Repository, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(shallow))
    with pytest.raises(Unavailable) as raised:
        plan_card(find_project(shallow), shallow / "models" / CHILD, TEXTS)
    assert raised.value.lines()[0].startswith(f"models/{CHILD}: MR111 when models/{PARENT} was added is not known")
    shutil.rmtree(repository.folder / ".git")
    assert "prompts and test sets: not known, since this is no git repository" in texts(repository)[1]


def test_a_parent_that_came_later_or_not_yet_is_said(repository: Repository, tmp_path: Path) -> None:
    add_version(repository.folder / "models", "model_v1.2", None, BETTER[0])
    edit_papers(repository, parent="model_v1.2")
    assert "not known, since model\\_v1.2 is not committed" in texts(repository)[1]
    repository.git("add", "models/model_v1.1")
    repository.git("commit", "--quiet", "--message=Name the parent")
    repository.commit("The parent")
    assert "not known, since model\\_v1.2 was committed later" in texts(repository)[1]


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no papers": ("model.json", {"remove": True}, "models/model_v1.1/model.json: MR209 does not exist, and a card"),
    "another version's": ("model.json", {"version": "model_v3.0"}, "MR507 is the record of `model_v3.0`"),
    "another checkpoint's": (
        "model.json",
        {"checkpoint": {"digest": sha("x")}},
        "eval.json: MR507 is of another checkp",
    ),
    "a parent elsewhere": ("model.json", {"parent": "../../etc"}, "MR208 `parent` is `../../etc`, which no version is"),
    "its own parent": ("model.json", {"parent": CHILD}, "MR208 `parent` is the version itself"),
    "weights elsewhere": ("model.json", {"checkpoint": {"same_as": "x\ny"}}, "MR208 `same_as` is"),
    "a broken eval.json": ("eval.json", {"text": "{"}, "eval.json:1:2: MR201"),
    "a broken reproduction": ("reproduction.json", {"text": "{}"}, "reproduction.json:1: MR207"),
    "a broken parent": (f"../{PARENT}/eval.json", {"text": "{}"}, f"{PARENT}/eval.json:1: MR207"),
    "a damaged card": (
        "README.md",
        {"text": "<!-- modelrelease:end -->\n"},
        "README.md:1: MR432 an end marker without",
    ),
    "a card as a link": ("README.md", {"link": "/etc/passwd"}, "README.md: MR209 is a link"),
    "a changelog as a link": ("changelog.md", {"link": "nowhere"}, "changelog.md: MR209 is a link"),
    "a changelog as a folder": ("changelog.md", {"folder": True}, "changelog.md: MR209 is a folder"),
    "a card beyond measure": ("README.md", {"text": "x" * (1 << 20) + "y"}, "README.md: MR209 has more than 1 MB"),
}


@pytest.mark.parametrize(("name", "how", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_malformed_is_named_and_nothing_is_written(
    repository: Repository, name: str, how: dict[str, Any], said: str
) -> None:
    path = repository.folder / "models" / CHILD / name
    if "remove" in how:
        path.unlink()
    elif "link" in how:
        path.symlink_to(how["link"])
    elif "folder" in how:
        path.mkdir()
    elif "text" in how:
        path.write_text(how["text"], "utf-8")
    else:
        edit_papers(repository, **how)
    before = sorted(path.parent.iterdir())
    with pytest.raises(InvalidInput) as raised:
        plan(repository)
    assert said in raised.value.lines()[0]
    assert sorted(path.parent.iterdir()) == before


@pytest.mark.parametrize("version", ["model_v9.9", "checkpoint"])
def test_what_is_no_version_folder_is_refused(repository: Repository, version: str) -> None:
    (repository.folder / "models" / "checkpoint").mkdir()
    with pytest.raises(InvalidInput):
        plan(repository, version)


@pytest.mark.parametrize("existing", [None, f"---\n{PEOPLE}---\n# Ours\n"])
def test_where_the_second_file_cannot_be_written_the_first_is_put_back(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, existing: str | None
) -> None:
    folder = repository.folder / "models" / CHILD
    if existing is not None:
        repository.write(f"models/{CHILD}/README.md", existing)
    made = plan(repository)

    def fails_for_the_changelog(path: Path, data: bytes) -> None:
        write_atomic(folder / "no-folder" / "\0" if path.name == "changelog.md" else path, data)

    monkeypatch.setattr(card, "write_atomic", fails_for_the_changelog)
    with pytest.raises((ModelreleaseError, ValueError)):
        write_card(made)
    assert not (folder / "changelog.md").exists()
    assert (folder / "README.md").exists() == (existing is not None)
    assert existing is None or (folder / "README.md").read_text("utf-8") == existing


@pytest.mark.parametrize("name", ["README.md", "changelog.md"])
def test_what_somebody_wrote_meanwhile_is_not_lost(repository: Repository, name: str) -> None:
    made = plan(repository)
    path = repository.write(f"models/{CHILD}/{name}", "# By hand, a moment ago\n")
    with pytest.raises(Unavailable) as raised:
        write_card(made)
    assert raised.value.lines() == [f"models/{CHILD}/{name}: MR603 has changed while this was at work; run it again"]
    assert path.read_text("utf-8") == "# By hand, a moment ago\n"
    assert len({"README.md", "changelog.md"} & {found.name for found in path.parent.iterdir()}) == 1


def test_real_records_of_a_real_model_are_told(tmp_path: Path, tiny: Any) -> None:
    from huggingface_hub import ModelCard
    from repositories import LIVE, NEW, create_scored, other_weights, replacing

    from modelrelease.records.results import read_results

    made = create_scored(tmp_path / "real", tiny.folder("llama"))
    replacing("prompts/qa.md", "Q: ", "Question: ")(made)
    made.add_version(NEW, other_weights(tiny.folder("llama"), tmp_path / "other"))
    made.score(NEW)
    for folder, parent in ((LIVE, None), (NEW, PARENT)):
        model = read_results(made.root / folder).evaluation.model
        files = [file.model_dump(mode="json") for file in model.files]
        document = papers(Path(folder).name, parent, checkpoint={"digest": model.digest, "files": files})
        (made.root / folder / "model.json").write_bytes(document_bytes(document))
    made.commit("Both versions")
    write_card(plan_card(find_project(made.root), made.root / NEW, TEXTS))
    metrics = read_results(made.root / NEW).evaluation.metrics
    results = ModelCard.load(made.root / NEW / "README.md").data.eval_results
    assert results is not None
    assert [(r.metric_name, r.metric_value) for r in results] == [(f"{m.task}/{m.metric}", m.value) for m in metrics]
    log = (made.root / NEW / "changelog.md").read_text("utf-8")
    assert "pick/acc is inconclusive: only 8 items" in log
    assert "`prompts/qa.md`: changed" in log
