from __future__ import annotations

import pytest
from hostile import ATTACKS, compared, diffed, hostile
from inertness import assert_inert, count

from modelrelease.records.comparison import Comparison, Diff
from modelrelease.reports.markdown import diff_markdown


def as_diff(comparison: Comparison) -> Diff:
    return Diff.model_validate_json(comparison.model_dump_json(include=set(Diff.model_fields)))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("markdown"))


@pytest.fixture(scope="module")
def diff(tmp_path_factory: pytest.TempPathFactory) -> Diff:
    return diffed(tmp_path_factory.mktemp("diff"))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_diff_is_inert_whatever_it_holds(diff: Diff, attack: str) -> None:
    honest = assert_inert(diff_markdown(diff))
    tokens = assert_inert(diff_markdown(hostile(diff, attack)))
    for kind in ("table_open", "tr_open", "fence", "html_block", "list_item_open"):
        assert count(tokens, kind) == count(honest, kind), kind


def test_the_facts_come_before_the_table(comparison: Comparison) -> None:
    lines = diff_markdown(as_diff(comparison)).splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["baseline", "candidate"]
    assert lines[3] == "| differs | baseline | candidate |"
    assert lines[5].startswith("| model | `c449007021b9` | `")
    assert lines[8] == "| metric | n | baseline | candidate | delta | 95% interval |"
    assert lines[10] == "| qa/acc | 50 | 60.0 | 70.0 | +10.0 | \\[−13.1, +32.0\\] |"


def test_what_was_not_compared_is_a_row_with_dashes_and_a_reason(comparison: Comparison) -> None:
    text = diff_markdown(as_diff(comparison))
    assert "| failed/f1 | – | 100.0 | 100.0 | – | – |" in text
    assert "- failed: error: 1 item could not be scored: 50" in text
    assert "- gone: missing: the candidate was not scored on task \\`gone\\`" in text


def test_changes_and_slices_are_folded(diff: Diff) -> None:
    text = diff_markdown(diff)
    assert (
        "<details><summary>qa: 15 broken, 20 fixed</summary>\n\n**broken** 1 (acc 1 → 0, acc\\_norm 1 → 0)\n\n" in text
    )
    assert "answer: The answer is below the line here: [-four-]{+five+} of model_v1.[-0-]{+1+}\n" in text
    (lm,) = [task for task in diff.items if task.task == "lm"]
    assert f"<details><summary>lm: {lm.broken} worse, {lm.fixed} better</summary>\n\n**worse** " in text
    assert "not shown: 1 worse and 8 better; --all shows all" in text
    assert "<details><summary>qa/acc by slice</summary>\n\n| slice | n | baseline | candidate | delta |" in text
    assert "| half = 0 | 25 | " in text
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("</details>\n")


def test_what_arrows_and_points_mean_is_said_where_they_stand(comparison: Comparison) -> None:
    diff = as_diff(comparison)
    assert "Shares are in points (hundredths). ↓: lower is better." in diff_markdown(diff)
    only_nll = diff.model_copy(update={"metrics": tuple(row for row in diff.metrics if row.task == "lm")})
    assert "\n↓: lower is better.\n" in diff_markdown(only_nll)
    assert "points (hundredths)" not in diff_markdown(only_nll)
