from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import Tasks, decide, read_pair, table
from hostile import ATTACKS, RESOLUTION, compared, diffed, hostile, pull_request

from modelrelease.comparison.compare import diff
from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.measure import Measure
from modelrelease.records.comparison import Comparison, Diff
from modelrelease.reports.terminal import WIDTH, comparison_table, diff_table

MARGIN = {"margin": 0.03}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("terminal"))


@pytest.fixture(scope="module")
def diff_of_all(tmp_path_factory: pytest.TempPathFactory) -> Diff:
    return diffed(tmp_path_factory.mktemp("diff"), after_changes={"environment.torch": "2.9.0"})


def as_diff(comparison: Comparison) -> Diff:
    return Diff.model_validate_json(comparison.model_dump_json(include=set(Diff.model_fields)))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_nothing_can_move_the_cursor_or_turn_the_reading_direction(
    comparison: Comparison, diff_of_all: Diff, attack: str
) -> None:
    both = pull_request(comparison)
    for text in (comparison_table(hostile(both, attack)), diff_table(hostile(diff_of_all, attack))):
        assert all(character == "\n" or character.isprintable() for character in text)


@pytest.mark.parametrize("attack", ["one\ntwo\r\nthree", "\x1b[2J", "a\u2028b", "x" * 3000])
def test_no_text_makes_a_line_of_its_own(comparison: Comparison, attack: str) -> None:
    honest, attacked = (comparison_table(c).splitlines() for c in (comparison, hostile(comparison, attack)))
    # Sentences are wrapped, so only what stands before and after them has to stay.
    assert len([line for line in attacked if line.startswith("  broken ")]) == len(
        [line for line in honest if line.startswith("  broken ")]
    )
    assert attacked.index("why:") == honest.index("why:")
    assert [line for line in attacked if line and not line.startswith(" ")][-1] == honest[-1]


def test_a_comparison_on_a_terminal(tmp_path: Path) -> None:
    before, after = table(both=60, lost=1, gained=2, neither=37)
    both: tuple[Tasks, Tasks] = {"qa": {"acc": before, "acc_norm": before}}, {"qa": {"acc": after, "acc_norm": after}}
    found = decide(tmp_path, *both, {"qa/acc": MARGIN, "qz/*": {"role": "info"}}, context="pull_request")
    candidate = found.candidate.model_digest[:12]
    assert (
        comparison_table(found)
        == f"""\
Promote, with a warning: qa/acc is not proven to be as good; not blocked here, but a release would block.

baseline   model_v1.0 (checkpoint c449007021b9, commit 0123456789)
candidate  model_v1.1 (checkpoint {candidate}, commit 0123456789)
policy     modelrelease.yaml, for a pull request
differs    model

metric       role      n    baseline    candidate    delta    95% interval    margin  verdict
-----------  ------  ---  ----------  -----------  -------  --------------  --------  ------------
qa/acc       gate    100        61.0         62.0     +1.0    [−3.7, +6.1]       3.0  inconclusive
qa/acc_norm  info    100        61.0         62.0     +1.0    [−3.7, +6.1]         –  inconclusive
Shares are in points (hundredths).

warnings:
  - qa/acc is inconclusive: a change of +1.0 points; a loss of 3.0 points or more is not ruled out: 100 items
    can rule out 4.3 points at best, and 99 to 590 items would be needed (not proven, not blocked here; a
    release would block)

qa/acc: 1 broken, 2 fixed, for example
  broken 60
    baseline  0
    candidate 0
  fixed 61
    baseline  0
    candidate 0
  fixed 62
    baseline  0
    candidate 0

`modelrelease diff` shows more changed items, both answers word by word, and the slices.
"""
    )


def test_where_nothing_changed_there_is_nothing_more_to_see(tmp_path: Path) -> None:
    same: Tasks = {"qa": {"acc": [1.0] * 100}}
    text = comparison_table(decide(tmp_path, same, same, {"qa/acc": MARGIN}, after_model="model_v1.0"))
    assert text.endswith("why:\n  - qa/acc is equivalent: inputs and outputs are identical on all items\n")
    assert "differs    nothing" in text


def test_at_most_three_changes_of_a_kind_are_shown(tmp_path: Path) -> None:
    before, after = table(both=60, lost=14, gained=5, neither=21)
    found = decide(tmp_path, {"qa": {"acc": before}}, {"qa": {"acc": after}}, {"qa/acc": MARGIN})
    text = comparison_table(found)
    assert "qa/acc: 14 broken, 5 fixed, for example" in text
    assert (text.count("  broken "), text.count("  fixed ")) == (3, 3)


def test_lines_are_no_wider_than_a_terminal(comparison: Comparison) -> None:
    reasons = comparison_table(comparison).partition("why:")[2]
    assert max(len(line) for line in reasons.splitlines()) <= WIDTH


def test_a_diff_shows_slices_and_what_was_not_compared(comparison: Comparison) -> None:
    text = diff_table(as_diff(comparison))
    assert text.startswith("baseline   model_v1.0 (checkpoint ")
    assert "metric         n    baseline    candidate    delta       95% interval\n" in text
    assert "failed/f1      –       100.0        100.0        –                  –\n" in text
    assert (
        "not compared:\n"
        "  - failed: error: 1 item could not be scored: 50\n"
        "  - gone: missing: the candidate was not scored on task `gone`\n"
    ) in text
    assert "Shares are in points (hundredths).\n↓: lower is better.\n" in text
    assert re.search(r"qa/acc by slice:\nslice       n    baseline .* broken    fixed\n", text)
    assert re.search(r"lm/nll by slice:\nslice       n    baseline .* worse    better\n", text)


def test_an_item_is_shown_with_both_answers_on_one_line_each(tmp_path: Path) -> None:
    def look_up(measured: Measure, place: int) -> SampleTexts:
        sample = {"item_id": "a\tb", "output": None, "prediction": None, "target": ["4", "four"], "scores": {"f1": 0.5}}
        return SampleTexts("  Two\nand two?\n", {**sample, "output": "x" * 200}, {**sample, "output": "\x1b[1mfour"})

    found = diff(*read_pair(tmp_path, {"t": {"f1": [0.0]}}, {"t": {"f1": [0.5]}}), look_up)
    assert (
        "t: 0 worse, 1 better\n"
        "  better a\\tb  (f1 0 → 0.5)\n"
        "    input     Two ⏎ and two?\n"
        "    target    4 | four\n"
        f"    baseline  {'x' * 159}…\n"
        "    candidate \\x1b[1mfour\n"
    ) in diff_table(found)


def test_evaluations_without_metrics_have_an_empty_table(comparison: Comparison) -> None:
    bare = as_diff(comparison).model_copy(update={"metrics": ()})
    assert "metric    n    baseline    candidate    delta    95% interval\n" in diff_table(bare)


def test_a_pull_request_s_comparison_says_who_chose_what_and_what_the_other_policy_says(comparison: Comparison) -> None:
    text = comparison_table(pull_request(comparison))
    assert (
        "differs    model, suite\n"
        "chosen     candidate: models/model_v1.1 is new\n"
        "chosen     baseline: the highest scored version of the merge-base, scored 12 days ago\n"
        "again      baseline scored again: 3 of 2,000 items, test set changed\n"
        "\n"
        "metric "
    ) in text
    assert (
        "this pull request's own policy decides nothing, and would say:\n  - own.yaml: Promote: by its own.\n\nwhy:\n"
    ) in text
    assert (
        "changed:\n"
        "  - prompt prompts/qa.txt\n"
        "  - dataset datasets/qa.jsonl: 1 row changed, 2 added\n"
        "\n"
        "notes:\n"
        "  - Its parent model_v0.9 had the same.\n"
    ) in text


def test_where_nothing_had_to_be_scored_there_is_no_table(comparison: Comparison) -> None:
    empty = dict.fromkeys(("metrics", "policies", "reasons", "warnings"), ())
    told = {"baseline": None, "candidate": None, "decision": "not-needed", "headline": "Nothing to score; merge."}
    nothing = comparison.model_copy(update={**empty, **told, "resolution": RESOLUTION})
    changed = "changed:\n  - prompt prompts/qa.txt\n  - dataset datasets/qa.jsonl: 1 row changed, 2 added\n"
    assert comparison_table(nothing) == f"Nothing to score; merge.\n\n{changed}"


def test_where_nothing_is_live_it_says_so(comparison: Comparison) -> None:
    resolution = RESOLUTION.model_copy(update={"baseline": None, "baseline_rule": "none"})
    text = comparison_table(comparison.model_copy(update={"baseline": None, "resolution": resolution}))
    assert "chosen     baseline: nothing is live yet\n" in text
    assert "\nbaseline  " not in text


def test_a_diff_says_first_what_it_is_of_then_deltas_then_slices_then_items(diff_of_all: Diff) -> None:
    text = diff_table(diff_of_all)
    order = [
        "baseline   model",
        "differs  ",
        "libraries",
        "metric  ",
        "not compared:",
        "qa/acc by slice:",
        "qa: 15 broken",
    ]
    places = [text.index(f"\n{begin}") if text.index(begin) else 0 for begin in order]
    assert places == sorted(places)
    assert "\nlibraries  torch 2.8.0, transformers 5.0.0, tokenizers 0.22.0  torch 2.9.0, transformers" in text


def test_items_show_both_answers_word_by_word_and_what_is_not_shown(diff_of_all: Diff) -> None:
    text = diff_table(diff_of_all)
    assert (
        "text: 2 broken, 7 fixed, 41 answered otherwise with the same score\n"
        "  broken 1  (exact_match 1 → 0)\n"
        "    input     What is 0?\n"
        "    target    the answer\n"
        "    answer    The answer is below the line here: [-four-]{+five+} of model_v1.[-0-]{+1+}\n"
        "    taken     four → five\n"
    ) in text
    assert "qa: 15 broken, 20 fixed\n  broken 1  (acc 1 → 0, acc_norm 1 → 0)\n" in text
    assert "    gap       right choice ahead by −" in text
    assert "  not shown: 1 worse and 8 better; --all shows all\n" in text
