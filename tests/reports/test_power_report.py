from __future__ import annotations

from modelrelease.comparison.plan import plan_items, plan_margins
from modelrelease.reports.power import items_text, margins_text


def test_how_many_items_a_margin_needs() -> None:
    assert items_text(0.02, plan_items(0.02, None, 0.05)) == (
        "To rule out a loss of 2.0 points with 80 % power when nothing changed:\n"
        "\n"
        "  items that flip    items needed\n"
        "-----------------  --------------\n"
        "               2%             310\n"
        "               5%             773\n"
        "              10%           1,546\n"
        "              20%           3,092\n"
        "              30%           4,637\n"
    )


def test_what_a_number_of_items_can_prove() -> None:
    assert margins_text(817, plan_margins(817, 0.1, 0.05)) == (
        "What 817 items can prove when nothing changed (margin in points):\n"
        "\n"
        "  items that flip    smallest margin    proven\n"
        "-----------------  -----------------  --------\n"
        "              10%                2.8       79%\n"
    )
    few = margins_text(1, plan_margins(1, None, 0.05)).splitlines()
    assert few[0] == "What 1 item can prove when nothing changed (margin in points):"
    assert [line.split()[1] for line in few[4:]] == ["95.0", "95.0", "95.0", "none", "none"]
    assert margins_text(50_000, plan_margins(50_000, 0.1, 0.05)).endswith("10%                0.4         –\n")
