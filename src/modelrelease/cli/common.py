"""What several commands share: the project they are called in, and the bar that people watch."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelrelease.cli.output import complain

if TYPE_CHECKING:
    from modelrelease.config import Project


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="modelrelease.yaml (default: here or above)")


def open_project(config: Path | None) -> Project:
    """Return the project named by ``--config``, or the one around the working directory."""
    from modelrelease.config import find_project

    return find_project(Path.cwd(), config)


class Bar:
    """A progress bar with items per second and time left, on a terminal; a line now and then elsewhere is noise."""

    def __init__(self, what: str = "scoring", unit: str = "item") -> None:
        self._what, self._unit = what, unit
        self._bar: Any = None

    def start(self, items: int, already: int) -> None:
        """Show the bar; say how much an interrupted run has left us."""
        from tqdm import tqdm

        if already:
            complain(f"going on after {already} of {items} items that an interrupted run has scored\n")
        self._bar = tqdm(
            total=items,
            initial=already,
            unit=self._unit,
            unit_scale=self._unit == "B",
            desc=self._what,
            disable=None,
            smoothing=0.1,
        )

    def advance(self, items: int) -> None:
        """Move the bar."""
        self._bar.update(items)

    def finish(self) -> None:
        """Take the bar away."""
        self._bar.close()
