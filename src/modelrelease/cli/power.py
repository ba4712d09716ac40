"""How many items a margin needs, or what a number of items can prove: before anything is scored."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from modelrelease.cli.output import say
from modelrelease.codes import Code
from modelrelease.errors import invalid

if TYPE_CHECKING:
    from modelrelease.comparison.plan import ItemsPlan, MarginPlan

EXAMPLE = "modelrelease power --margin 0.02 --discordance 0.1\n  modelrelease power --items 817"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--margin", type=float, metavar="M", help="the margin as a share: 0.02 is two points")
    parser.add_argument("--discordance", type=float, metavar="D", help="the share of items that flips between versions")
    parser.add_argument("--items", type=int, metavar="N", help="how many items there are")
    parser.add_argument("--alpha", type=float, default=0.05, help="the gate's alpha (default: 0.05)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Answer one of the two questions; exit 0."""
    _check(arguments)
    from modelrelease.comparison.plan import plan_items, plan_margins
    from modelrelease.reports.power import items_text, margins_text

    if arguments.items is not None:
        margins = plan_margins(arguments.items, arguments.discordance, arguments.alpha)
        say(_json(margins) if arguments.json else margins_text(arguments.items, margins))
    else:
        items = plan_items(arguments.margin, arguments.discordance, arguments.alpha)
        say(_json(items) if arguments.json else items_text(arguments.margin, items))
    return 0


def _json(plans: Sequence[ItemsPlan | MarginPlan]) -> str:
    from dataclasses import asdict

    return json.dumps([asdict(plan) for plan in plans], indent=2, sort_keys=True) + "\n"


def _check(arguments: argparse.Namespace) -> None:
    if (arguments.items is None) == (arguments.margin is None):
        _refuse("asks one question at a time", "pass --margin M [--discordance D], or --items N [--discordance D]")
    for name in ("margin", "discordance", "alpha"):
        value = getattr(arguments, name)
        if value is not None and not (1e-9 if name == "alpha" else 0) < value < (0.5 if name == "alpha" else 1):
            _refuse(f"--{name} {value:g} is no share", "write 0.02 for two points")
    if arguments.items is not None and not 0 < arguments.items <= 10_000_000:
        _refuse(f"--items {arguments.items} is no number of items", "pass 1 to 10,000,000")


def _refuse(message: str, todo: str) -> NoReturn:
    raise invalid("modelrelease power", Code.USAGE, message, todo)
