from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, multinomial

from modelrelease.comparison import trinomial
from modelrelease.comparison.grids import Counts, Floats
from modelrelease.comparison.trinomial import probability


def always(losses: Counts, gains: Counts) -> Floats:
    return np.ones(np.broadcast_shapes(losses.shape, gains.shape))


@pytest.mark.parametrize("n", [1, 12, 30, 1000, 20_000])
@pytest.mark.parametrize(
    "rates", [(0.0, 0.0), (0.01, 0.0), (0.0, 0.3), (0.06, 0.05), (0.5, 0.5), (0.7, 0.3), (1.0, 0.0)]
)
def test_all_tables_together_are_certain(n: int, rates: tuple[float, float]) -> None:
    assert probability(n, *rates, always) == pytest.approx(1, abs=2e-11 * max(1, n / 1000))


@pytest.mark.parametrize(("losses", "gains"), [(b, c) for b in range(13) for c in range(13 - b)])
def test_every_cell_has_the_multinomials_probability(losses: int, gains: int) -> None:
    def here(b: Counts, c: Counts) -> Floats:
        return np.where((b == losses) & (c == gains), 1.0, 0.0)

    expected = multinomial.pmf([losses, gains, 12 - losses - gains], 12, [0.2, 0.3, 0.5])
    assert probability(12, 0.2, 0.3, here) == pytest.approx(expected, rel=1e-11)


def test_what_is_cut_off_is_less_than_a_millionth_of_a_millionth() -> None:
    for n, rate in ((30, 0.01), (1000, 0.1), (10**6, 0.3)):
        kept = trinomial._likely(n, rate)
        assert binom.cdf(kept[0] - 1, n, rate) + binom.sf(kept[-1], n, rate) < 5.1e-13
        assert len(kept) < 16 * math.sqrt(n * rate * (1 - rate)) + 16


def test_a_rule_may_answer_with_shares_and_with_anything_where_no_table_is() -> None:
    def share(losses: Counts, gains: Counts) -> Floats:
        return np.where(losses + gains > 5, np.nan, losses / 5)

    assert probability(5, 0.4, 0.5, share) == pytest.approx(0.4, rel=1e-12)


def test_blocks_give_what_one_piece_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(losses: Counts, gains: Counts) -> Floats:
        return (losses <= gains).astype(np.float64)

    whole = probability(200, 0.1, 0.1, rule)
    monkeypatch.setattr(trinomial, "_CELLS", 100)
    assert probability(200, 0.1, 0.1, rule) == pytest.approx(whole, rel=1e-14)


@pytest.mark.parametrize("case", [(0, 0.1, 0.1), (10, -0.1, 0.1), (10, 0.1, -0.1), (10, 0.6, 0.5)])
def test_rates_that_are_no_shares_are_refused(case: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="items with rates"):
        probability(*case, always)
