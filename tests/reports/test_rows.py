from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import decide

from modelrelease.records.comparison import Flips, MetricComparison, Side, SliceComparison
from modelrelease.reports import rows
from modelrelease.reports.comment import About, comment_markdown
from modelrelease.reports.terminal import comparison_table


def row(**changes: Any) -> MetricComparison:
    given: dict[str, Any] = {
        "task": "qa",
        "metric": "acc",
        "role": "gate",
        "higher_is_better": True,
        "binary": True,
        "range": (0.0, 1.0),
        "n": 1100,
        "baseline": 0.32,
        "candidate": 0.3204,
        "delta": 0.0004,
        "ci_low": -0.0004,
        "ci_high": 0.0012,
        "margin": 0.03,
        "verdict": "equivalent",
        "reason": "",
        **changes,
    }
    return MetricComparison(**given)


@pytest.mark.parametrize(
    ("changes", "cells"),
    [
        ({}, ("qa/acc", "gate", "1,100", "32.0", "32.0", "+0.040", "[−0.040, +0.1]", "3.0", "equivalent")),
        (
            {"loss_within_margin": True, "delta": -0.00001},
            (
                "qa/acc",
                "gate",
                "1,100",
                "32.0",
                "32.0",
                "−0.0010",
                "[−0.040, +0.1]",
                "3.0",
                "equivalent (real loss inside the margin)",
            ),
        ),
        (
            {
                "metric": "nll",
                "higher_is_better": False,
                "range": (0.0, None),
                "baseline": 2.5,
                "candidate": 2.25,
                "delta": -0.25,
                "ci_low": None,
                "ci_high": None,
                "margin": None,
                "role": "info",
            },
            ("qa/nll ↓", "info", "1,100", "2.500", "2.250", "−0.250", "–", "–", "equivalent"),
        ),
        (
            {"n": 0, "baseline": None, "delta": None, "ci_low": None, "verdict": "missing"},
            ("qa/acc", "gate", "–", "–", "32.0", "–", "–", "3.0", "missing"),
        ),
    ],
)
def test_a_metric_is_a_row_of_cells(changes: dict[str, Any], cells: tuple[str, ...]) -> None:
    assert rows.metric_row(row(**changes)) == cells
    assert len(cells) == len(rows.METRIC_HEADER) == len(rows.METRIC_ALIGN)


def test_a_difference_that_decides_never_shows_as_zero() -> None:
    for delta in (1e-9, -1e-9, 0.00049, 1e-300):
        cells = rows.metric_row(row(delta=delta, ci_low=delta / 2, ci_high=delta * 2))
        assert float(cells[5].replace("−", "-")) != 0


def test_the_header_says_how_sure_the_interval_is() -> None:
    assert rows.metric_header(0.95)[6] == "95% interval"
    assert rows.slice_header(row(), 0.9)[5:] == ("90% interval", "broken", "fixed")
    assert rows.slice_header(row(binary=False), 0.9)[5:] == ("90% interval", "worse", "better")


def test_a_slice_is_a_row_of_cells() -> None:
    part = SliceComparison(
        field="kind",
        value="long",
        n=12,
        baseline=0.5,
        candidate=0.25,
        delta=-0.25,
        ci_low=-0.5,
        ci_high=0.1,
        fixed=1,
        broken=1234,
    )
    (cells,) = rows.slice_rows(row(slices=(part,)))
    assert cells == ("kind = long", "12", "50.0", "25.0", "−25.0", "[−50.0, +10.0]", "1,234", "1")
    assert len(cells) == len(rows.slice_header(row(), 0.95)) == len(rows.SLICE_ALIGN)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, None),
        ({"flips": Flips(fixed=0, broken=0)}, None),
        ({"flips": Flips(fixed=1, broken=2000)}, "2,000 broken, 1 fixed"),
        ({"flips": Flips(fixed=1, broken=2000), "binary": False}, "2,000 worse, 1 better"),
    ],
)
def test_how_many_items_changed(changes: dict[str, Any], text: str | None) -> None:
    assert rows.changed(row(**changes)) == text


def test_names_and_labels_are_cut_to_what_a_line_bears() -> None:
    assert len(rows.metric_name(row(task="t" * 5000))) == 100
    side = Side(
        label="l" * 5000,
        version=None,
        model_digest="0123456789ab" + "0" * 52,
        suite_digest="0" * 64,
        samples_sha256="0" * 64,
        started=None,
        git_sha=None,
        resolved_by="argument",
        engine="transformers float32 sdpa on cpu",
        environment="torch 2.8.0",
    )
    assert rows.side_line(side) == f"{'l' * 79}… (checkpoint 0123456789ab)"


def test_a_commit_that_is_not_all_that_was_scored_says_so(tmp_path: Path) -> None:
    found = decide(tmp_path, {"qa": {"acc": [1.0] * 40}}, {"qa": {"acc": [1.0] * 40}}, {"qa/acc": {"margin": 0.05}})
    assert found.baseline is not None
    side = found.baseline.model_copy(update={"git_sha": "a" * 40, "dirty": True})
    dirty = found.model_copy(update={"baseline": side})
    for text in (comparison_table(dirty), comment_markdown(dirty, About())):
        assert "aaaaaaaaaa with local changes" in text
    clean = found.model_copy(update={"baseline": side.model_copy(update={"dirty": False})})
    assert "with local changes" not in comparison_table(clean)
