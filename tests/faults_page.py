"""docs/faults.md as tests read it: its tables are what they hold the product to."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

PAGE = Path(__file__).resolve().parents[1] / "docs" / "faults.md"


def table(heading: str) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table below a heading, as the cells' texts."""
    section = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return found[0], found[2:]


def rows(heading: str) -> list[list[str]]:
    """Return the rows alone."""
    return table(heading)[1]


def cells(heading: str) -> list[ParameterSet]:
    """Return a matrix as (row, column, outcome), without the cells that say ``–``: there is no such case.

    `make test` runs one cell of each row, but none over the Hub; `make faults` runs all of them.
    """
    head, found = table(heading)
    return [one for number, row in enumerate(found) for one in _of_row(number, head[1:], row)]


def _of_row(number: int, columns: list[str], row: list[str]) -> list[ParameterSet]:
    real = [(row[0], column, cell) for column, cell in zip(columns, row[1:], strict=True) if cell != "–"]
    chosen = number % len(real)
    return [
        pytest.param(*one, id=", ".join(one), marks=() if place == chosen else pytest.mark.exhaustive)
        for place, one in enumerate(real)
    ]
