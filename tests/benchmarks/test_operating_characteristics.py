from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, norm

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "operating_characteristics.py"


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines}


def test_the_quick_report_shows_the_gate_near_alpha_and_the_other_rules_far_above(
    benchmark: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark["main"](["--quick"]) == 0
    printed = capsys.readouterr().out
    worst = {name: float(cells[0].rstrip("%")) for name, cells in rows(printed).items() if name in benchmark["RULES"]}
    assert worst == {
        "modelrelease": 4.7,
        "any drop blocks": 54.5,
        "fixed tolerance = margin": 72.1,
        "not significant, unpaired z": 100.0,
        "not significant, paired t": 99.7,
    }
    nothing_changed = printed.split("## ")[2]
    assert "| 817 | 0.02 | 0.1 | 55.6% | 2.4% | 42.0% |" in nothing_changed


def test_the_unpaired_rule_is_the_sum_over_every_number_of_right_items(benchmark: dict[str, Any]) -> None:
    n = 40
    for losses, gains in [(0, 0), (6, 1), (9, 0), (12, 3), (20, 2), (39, 0), (3, 9)]:
        right = np.arange(n - losses - gains + 1)
        pooled = (2 * right + losses + gains) / (2 * n)
        spread = np.sqrt(2 * pooled * (1 - pooled) / n)
        with np.errstate(divide="ignore"):
            significant = (gains - losses) / n / spread < norm.ppf(0.025) if losses > gains else pooled < 0
        weights = binom.pmf(right, n - losses - gains, benchmark["CONCORDANT_RIGHT"])
        got = benchmark["unpaired_z"](np.array([[losses]]), np.array([[gains]]), n, 0.05)
        assert got.item() == pytest.approx(weights[~significant].sum(), abs=1e-12)


@pytest.mark.parametrize(("losses", "gains", "promotes"), [(5, 0, 1), (6, 0, 0), (16, 11, 1), (17, 11, 0), (0, 3, 1)])
def test_a_tolerance_counts_items_as_decimals(
    benchmark: dict[str, Any], losses: int, gains: int, promotes: float
) -> None:
    assert benchmark["fixed_tolerance"](np.array([[losses]]), np.array([[gains]]), 100, 0.05).item() == promotes
