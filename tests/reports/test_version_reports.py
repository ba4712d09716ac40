"""Card and changelog with every text that can come from a model or a pull request turned into an attack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hostile import ATTACKS, CHANGES, compared, hostile
from inertness import assert_inert, count
from markdown_it.token import Token
from papered_versions import CHILD, PARENT, papers

from modelrelease.records.comparison import Diff
from modelrelease.records.evaluation import Provenance, Tool
from modelrelease.records.model import ModelRecord, Training
from modelrelease.records.reproduction import Explanation, Reproduction
from modelrelease.records.results import read_results
from modelrelease.records.version_story import Judged, Override, Parent, Reproduced, VersionStory
from modelrelease.reports.version_card import MORE, card_section
from modelrelease.reports.version_changelog import changelog
from modelrelease.reports.version_parts import MAX_BULLETS, MAX_METRICS

REPORTS = {"card": card_section, "changelog": changelog}
# What a model or a person wrote; names of versions, digests and kinds are checked where they are read.
_FREE = {"command", "path", "branch", "cpu", "os", "name", "seed", "reason", "author", "what", "recorded", "found"}
_FREE |= {"packages", "python", "dataset", "metric", "task", "started", "date", "expires", "label", "item_id", "input"}
_FREE |= {"target", "baseline", "candidate", "field", "value", "text", "id", "problem", "old_path", "changes_unknown"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> VersionStory:
    """Return a version with everything that can be told."""
    folder = tmp_path_factory.mktemp("story")
    comparison = compared(folder)
    names = {name: getattr(comparison, name) for name in Diff.model_fields if name != "items"}
    evaluation = read_results(folder / "candidate").evaluation
    run = Provenance.model_validate(evaluation.provenance.model_dump())
    record = Reproduction(
        scorer_version=1,
        tool=Tool(version="0.1.0"),
        eval_sha256="a" * 64,
        model_digest="b" * 64,
        suite_digest="c" * 64,
        commit=None,
        outcome="variance-documented",
        identity_differences=(),
        explanations=(Explanation(what="dtype", recorded="float32", found="bfloat16"),),
        tolerance=0.1,
        max_abs_difference=0.05,
        items=100,
        flip_count=3,
        flips=(),
        mismatch_count=1,
        mismatches=(),
        metrics=(),
        noise=None,
        provenance=run,
    )
    return VersionStory(
        folder=f"models/{CHILD}",
        version=CHILD,
        model=model(CHILD, PARENT),
        evaluation=evaluation,
        parent=Parent(version=PARENT, state="scored", model=model(PARENT, None, training={"seed": 1, "datasets": []})),
        judged=Judged(diff=Diff(**names), by_policy=True),
        changes=CHANGES,
        changes_unknown=None,
        reproduced=Reproduced(record=record, current=False),
        overrides=(Override(metric="qa/acc", author="Ada", reason="For now", date="2026-01-02", expires="2026-02-02"),),
        samples="text",
    )


def model(version: str, parent: str | None, **changes: Any) -> ModelRecord:
    return ModelRecord.model_validate_json(json.dumps(papers(version, parent, **changes)))


def attacked(story: VersionStory, attack: str) -> VersionStory:
    """Return the story with ``attack`` in the place of every free text."""
    plain = _replaced(json.loads(story.model_dump_json(by_alias=True)), attack)
    plain["judged"]["diff"] = json.loads(hostile(story.judged.diff, attack).to_bytes()) if story.judged else None
    return VersionStory.model_validate_json(json.dumps(plain))


def _replaced(value: Any, attack: str) -> Any:
    if isinstance(value, list):
        return [_replaced(item, attack) for item in value]
    if not isinstance(value, dict):
        return value
    closed = {"tool", "samples"}  # of closed sets, or held to a pattern
    return {key: item if key in closed else _field(key, item, attack) for key, item in value.items()}


def _field(key: str, item: Any, attack: str) -> Any:
    if key in _FREE and isinstance(item, str):
        return attack
    if key == "packages":
        return dict.fromkeys(item, attack)
    return _replaced(item, attack)


HEADING = re.compile(r"^#{1,3} (?=[A-Z]|model_v)(.*)$", re.MULTILINE)


def inert(text: str) -> list[Token]:
    """Assert that a report is inert but for our own headings and our link; return its tokens."""
    headings = HEADING.findall(text)
    assert headings
    assert set(headings) <= {
        CHILD,
        "Evaluation",
        "Known regressions",
        f"What changed since {PARENT}",
        "Overrides",
        "How it was trained",
        "Reproduction",
    }
    plain = HEADING.sub(r"\1", text).replace(MORE, "").replace("*Written by", "Written by")
    return assert_inert(plain.replace("are overwritten.*", "are overwritten."))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_report_is_inert_whatever_it_holds(story: VersionStory, report: Any, attack: str) -> None:
    honest, tokens = inert(report(story)), inert(report(attacked(story, attack)))
    for kind in ("table_open", "fence", "html_block"):
        assert count(tokens, kind) == count(honest, kind), kind


@pytest.mark.parametrize(("report", "least"), [(card_section, 25), (changelog, 50)], ids=REPORTS)
def test_attacks_do_reach_the_report(story: VersionStory, report: Any, least: int) -> None:
    assert report(attacked(story, ATTACKS["a mention"])).count("everyone") >= least


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_a_report_is_bounded(story: VersionStory, report: Any) -> None:
    assert story.judged is not None
    assert story.evaluation is not None
    many = {"metrics": story.judged.diff.metrics * 1000}
    huge = story.model_copy(
        update={
            "judged": Judged(diff=story.judged.diff.model_copy(update=many), by_policy=True),
            "evaluation": story.evaluation.model_copy(update={"metrics": story.evaluation.metrics * 1000}),
            "changes": CHANGES.model_copy(update={"files": CHANGES.files * 1000}),
            "samples": "ids",
        }
    )
    lines = report(huge).splitlines()
    assert sum(line.startswith("| ") for line in lines) <= 2 * (MAX_METRICS + 2)
    assert sum(line.startswith("- ") for line in lines) < 10 * MAX_BULLETS
    assert any("… and " in line and "more metrics" in line for line in lines)


def test_the_parts_stand_in_the_order_in_which_they_are_asked_for(story: VersionStory) -> None:
    order = ["What changed", "Known regressions", "Overrides", "How it was trained", "Reproduction"]
    text = changelog(story)
    places = [text.index(f"## {title}") for title in order]
    assert places == sorted(places)
    assert text.index("**Against") < text.index("| metric |") < places[0]


def test_what_differs_in_scoring_and_training_is_told(story: VersionStory) -> None:
    text = changelog(story)
    assert "- seed: `1` → `7`\n" in text
    assert "- training data `datasets/train.jsonl`: new\n" in text
    assert "- `prompts/gone.md`: deleted (is a link)\n" in text
    assert "- … and 2 more governed files\n" in text
    assert "🔴" not in text.partition("\n\n")[0]


def test_a_parent_whose_training_nobody_recorded_is_said_once(story: VersionStory) -> None:
    parent = story.parent.model
    assert parent is not None
    silent = parent.model_copy(update={"training": Training(), "environment": None})
    text = changelog(story.model_copy(update={"parent": story.parent.model_copy(update={"model": silent})}))
    said = f"- {PARENT} has no record of its training, so what differs in that is not known\n"
    assert text.count(said) == 1
    assert "none → " not in text
    seed = story.model.model_copy(update={"training": story.model.training.model_copy(update={"seed": 2**40})})
    assert f"seed: {2**40}, " in changelog(story.model_copy(update={"model": seed}))


def test_a_machine_s_first_gpu_and_packages_are_named(story: VersionStory) -> None:
    machine = story.model.environment
    assert machine is not None
    with_gpu = json.loads(machine.model_dump_json())
    with_gpu["gpus"] = [{"name": "H100", "memory": None}]
    text = changelog(story.model_copy(update={"model": model(CHILD, PARENT, environment=with_gpu)}))
    assert (
        "- machine: Python 3.11.7, torch 2.8.0, transformers 5.0.0, tokenizers 0.22.0, H100, a processor, Linux" in text
    )


def test_look_at_it(story: VersionStory, tmp_path: Path) -> None:
    """Both render as one document: headings, tables, lists and folds, and not a tag more."""
    from markdown_it import MarkdownIt

    page = MarkdownIt("commonmark").enable("table").render(changelog(story))
    assert page.count("<h2>") == 5
    assert page.count("<table>") == page.count("</table>") == 1
    assert page.count("<details>") == page.count("</details>") >= 2
    assert (tmp_path / "page.html").write_text(page, "utf-8")
