"""How often each rule promotes, blocks or says nothing, computed exactly: see benchmarks/README.md."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy.special import bdtr, stdtr

from modelrelease.comparison import grids
from modelrelease.comparison.grids import Counts, Floats
from modelrelease.comparison.trinomial import probability
from modelrelease.stats import normal_quantile

ALPHA = 0.05
CONCORDANT_RIGHT = 0.7  # of the items that do not flip; only the unpaired test looks at it

SIZES = (30, 40, 52, 59, 75, 100, 150, 200, 219, 250, 300, 414, 500, 600, 700, 800, 1000)
MARGINS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1)
GAIN_RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
QUICK_SIZES, QUICK_MARGINS, QUICK_GAIN_RATES = (30, 52, 219), (0.02, 0.05, 0.075), (0.0, 0.02)

# items, margin, discordance: small to large test sets, from a repaired prompt to another model
SCENES = ((100, 0.05, 0.05), (300, 0.03, 0.05), (817, 0.02, 0.10), (817, 0.04, 0.10), (2000, 0.02, 0.10))
LARGE_SCENES = ((3000, 0.03, 0.10), (10000, 0.01, 0.10))

# How often a table of losses and gains among n items is promoted at a margin: 0, 1, or a share.
Promotes = Callable[[Counts, Counts, int, float], Floats]


def gate(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return 1 where this package promotes: not inferior."""
    return (grids.p_noninferior(losses, gains, n, margin) < ALPHA).astype(np.float64)


def gate_regressed(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return 1 where this package says ``regressed``: not proven the same, and a proven loss (mid-p)."""
    loss = (losses > gains) & (grids.mcnemar_mid_p(losses, gains) < ALPHA)
    regressed: Floats = np.where(loss, 1 - gate(losses, gains, n, margin), 0.0)
    return regressed


def any_drop(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return 1 where the candidate's share is no lower."""
    return (gains >= losses).astype(np.float64)


def fixed_tolerance(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return 1 where the candidate's share is at most the margin lower, without any statistics."""
    return (losses - gains <= n * margin + 1e-9).astype(np.float64)


def paired_t(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return 1 unless the candidate is significantly worse by a two-sided paired t test."""
    delta = (gains - losses) / n
    variance = ((gains + losses) / n - delta**2) / (n - 1)
    t = delta / np.sqrt(np.maximum(variance, 1e-300))
    p: Floats = 2 * stdtr(n - 1, -np.abs(t))
    return np.where((delta < 0) & (p < ALPHA), 0.0, 1.0)


def unpaired_z(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    """Return how often the pooled two-proportion z test does not find the candidate significantly worse.

    It needs the accuracies too. Of the rest = n - losses - gains items that did not flip, a binomial
    number x is right. Not significant is p(1 - p) > delta^2 n / (2 z^2) for the pooled accuracy
    p = (2x + losses + gains) / 2n, which is an interval of x.
    """
    flips, delta = losses + gains, (gains - losses) / n
    z = normal_quantile(1 - ALPHA / 2)
    room = 0.25 - delta**2 * n / (2 * z * z)
    half = np.sqrt(np.maximum(room, 0.0))
    lowest = np.ceil(n * (0.5 - half) - flips / 2 - 1e-9)
    highest = np.floor(n * (0.5 + half) - flips / 2 + 1e-9)
    between = _right_at_most(highest, n - flips) - _right_at_most(lowest - 1, n - flips)
    return np.where(delta >= 0, 1.0, np.where(room >= 0, between, 0.0))


def _right_at_most(count: Floats, rest: Counts) -> Floats:
    trials = np.maximum(rest, 0)
    cumulated: Floats = bdtr(np.clip(count, 0, trials), trials, CONCORDANT_RIGHT)
    return np.where(count < 0, 0.0, cumulated)


RULES: dict[str, Promotes] = {
    "modelrelease": gate,
    "any drop blocks": any_drop,
    "fixed tolerance = margin": fixed_tolerance,
    "not significant, unpaired z": unpaired_z,
    "not significant, paired t": paired_t,
}


@dataclass(frozen=True)
class Cell:
    """How often a rule promotes a true loss of the whole margin, at one place of the grid."""

    promoted: float
    n: int
    margin: float
    gain_rate: float


def chance(rule: Promotes, n: int, margin: float, loss_rate: float, gain_rate: float) -> float:
    """Return the exact probability of ``rule`` at these true rates."""
    return probability(n, loss_rate, gain_rate, lambda losses, gains: rule(losses, gains, n, margin))


def at_margin(rule: Promotes, sizes: Sequence[int], margins: Sequence[float], rates: Sequence[float]) -> list[Cell]:
    """Return every cell of the grid where the true loss is the whole margin."""
    return [Cell(chance(rule, n, m, m + g, g), n, m, g) for n in sizes for m in margins for g in rates]


def worst_table(cells: dict[str, list[Cell]]) -> Iterator[str]:
    """Yield a markdown table: per rule the worst and the median cell."""
    yield "| rule | promoted, worst | at | promoted, median |"
    yield "| --- | ---: | --- | ---: |"
    for name, row in cells.items():
        worst = max(row, key=lambda cell: cell.promoted)
        place = f"n = {worst.n}, margin {worst.margin:g}, gains {worst.gain_rate:g}"
        yield f"| {name} | {worst.promoted:.1%} | {place} | {median(cell.promoted for cell in row):.1%} |"


def scene_table(scenes: Sequence[tuple[int, float, float]], margins_lost: float) -> Iterator[str]:
    """Yield a markdown table: this package's three answers, then how often each other rule promotes."""
    others = [name for name in RULES if name != "modelrelease"]
    yield "| items | margin | flips | promoted | regressed | inconclusive | " + " | ".join(others) + " |"
    yield "|" + " ---: |" * (6 + len(others))
    for n, margin, flips in scenes:
        loss = margins_lost * margin
        rates = (flips + loss) / 2, (flips - loss) / 2
        if rates[1] < 0:  # more lost than flips: every flip is a loss
            rates = loss, 0.0
        promoted, regressed = (chance(rule, n, margin, *rates) for rule in (gate, gate_regressed))
        answers = [promoted, regressed, max(0.0, 1 - promoted - regressed)]
        answers += [chance(RULES[name], n, margin, *rates) for name in others]
        yield f"| {n} | {margin:g} | {sum(rates):g} | " + " | ".join(f"{answer:.1%}" for answer in answers) + " |"


def report(quick: bool) -> Iterator[str]:
    """Yield the report's lines, in markdown."""
    grid = (QUICK_SIZES, QUICK_MARGINS, QUICK_GAIN_RATES) if quick else (SIZES, MARGINS, GAIN_RATES)
    scenes = SCENES if quick else SCENES + LARGE_SCENES
    cells = {name: at_margin(rule, *grid) for name, rule in RULES.items()}
    yield f"## A true loss of the whole margin ({len(cells['modelrelease'])} cells, alpha {ALPHA:g})\n"
    yield from worst_table(cells)
    for title, margins_lost in (("Nothing has changed", 0.0), ("A true loss of twice the margin", 2.0)):
        yield f"\n## {title}\n"
        yield "Columns 4 to 6 are modelrelease's answers; the rest is how often the other rules promote.\n"
        yield from scene_table(scenes, margins_lost)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a coarse grid, in about a second")
    for line in report(parser.parse_args(argv).quick):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
