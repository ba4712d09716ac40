"""Print the JSON Schema of a document."""

from __future__ import annotations

import argparse

from modelrelease.cli.output import say_json

EXAMPLE = "modelrelease schema suite > suite.schema.json"
NAMES = ("comparison", "config", "diff", "eval", "resolution", "setup", "suite")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))


def run(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    from modelrelease.records.schemas import schema_bytes

    say_json(schema_bytes(arguments.name))
    return 0
