from __future__ import annotations

import re

import pytest
from hostile import ATTACKS, compared, pull_request

from modelrelease.records.comparison import Comparison, PastVersion
from modelrelease.reports.trend import trend_charts

# The grammar of a chart as mermaid has it, as far as it is used: checked against mermaid's own parser when written.
NUMBER = r"-?\d+(\.\d+)?"
LABEL = r'"[A-Za-z0-9 _./…-]+"'
CHART = re.compile(
    "```mermaid\n---\nconfig:\n  xyChart:\n    width: 700\n    height: 240\n---\nxychart-beta\n"
    rf"    title {LABEL}\n    x-axis \[{LABEL}(, {LABEL})*\]\n    y-axis {LABEL} {NUMBER} --> {NUMBER}\n"
    rf"    line \[{NUMBER}(, {NUMBER})*\]\n```"
)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return pull_request(compared(tmp_path_factory.mktemp("trend")))


def past(version: str, value: float) -> PastVersion:
    return PastVersion(version=version, values={"qa/acc": value})


def test_a_gate_metric_goes_from_the_oldest_version_to_the_candidate(comparison: Comparison) -> None:
    first, second = trend_charts(comparison)
    assert first.splitlines()[8:] == [
        '    title "qa/acc"',
        '    x-axis ["v0.0", "v0.1", "v0.2", "v1.1"]',
        '    y-axis "points" 45 --> 75',
        "    line [50, 50, 50, 70]",
        "```",
    ]
    assert '    y-axis "nll" 1.4 --> 1.52' in second
    assert CHART.fullmatch(first)
    assert CHART.fullmatch(second)


def test_there_is_none_without_a_history_or_for_information(comparison: Comparison) -> None:
    assert list(trend_charts(comparison.model_copy(update={"history": ()}))) == []
    info = tuple(row.model_copy(update={"role": "info"}) for row in comparison.metrics)
    assert list(trend_charts(comparison.model_copy(update={"metrics": info}))) == []
    other = (PastVersion(version="model_v0.1", values={"other/acc": 0.5}),)
    assert list(trend_charts(comparison.model_copy(update={"history": other}))) == []


def test_at_most_four_charts_are_drawn(comparison: Comparison) -> None:
    metrics = tuple(comparison.metrics[:1]) * 9
    assert len(list(trend_charts(comparison.model_copy(update={"metrics": metrics})))) == 4


@pytest.mark.parametrize("attack", [*ATTACKS.values(), 'x"]\n y-axis 1 --> 2', "%%{init: {}}%%", "```", "日本語"])
def test_a_label_is_data(comparison: Comparison, attack: str) -> None:
    row = comparison.metrics[0].model_copy(update={"metric": attack})
    history = (PastVersion(version=attack, values={f"qa/{attack}": 0.5}),)
    (chart,) = trend_charts(comparison.model_copy(update={"metrics": (row,), "history": history}))
    assert CHART.fullmatch(chart)


@pytest.mark.parametrize(
    ("values", "axis"),
    [
        ([0.0, 0.0], '"points" 0 --> 1'),
        ([1.0, 1.0], '"points" 90 --> 100'),
        ([0.1, 0.9], '"points" 0 --> 100'),
        ([0.5, 0.505], '"points" 49.88 --> 50.62'),
    ],
)
def test_the_axis_leaves_room_around_the_values(comparison: Comparison, values: list[float], axis: str) -> None:
    row = comparison.metrics[0].model_copy(update={"candidate": values[-1]})
    changed = {"metrics": (row,), "history": tuple(past("a", value) for value in values[:-1])}
    (chart,) = trend_charts(comparison.model_copy(update=changed))
    assert f"    y-axis {axis}\n" in chart


@pytest.mark.parametrize("value", [1e13, -1e300, 1e-12, 3e5])
def test_numbers_have_no_exponent_and_absurd_ones_are_left_out(comparison: Comparison, value: float) -> None:
    row = comparison.metrics[0].model_copy(update={"range": (0.0, None)})
    history = (past("a", value), past("b", 2.0))
    (chart,) = trend_charts(comparison.model_copy(update={"metrics": (row,), "history": history}))
    assert CHART.fullmatch(chart)
    assert ('"a"' in chart) == (abs(value) < 1e12)
