"""Name the present state of a dataset: an annotated tag dataset/NAME@vN."""

from __future__ import annotations

import argparse
import os

from modelrelease.cli.output import say

EXAMPLE = "modelrelease snapshot support-questions datasets/support.jsonl --push"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="what to call it; the number is the next one")
    parser.add_argument("path", metavar="PATH", help="the dataset, as committed")
    parser.add_argument("--push", action="store_true", help="push the tag to origin")


def run(arguments: argparse.Namespace) -> int:
    """Tag; print the tag."""
    from modelrelease.flows.registry.scope import open_git
    from modelrelease.flows.registry.snapshot import snapshot
    from modelrelease.flows.registry.stamp import relative_paths

    git = open_git(os.curdir, {})
    (path,) = relative_paths(git, [arguments.path], os.curdir)
    say(f"{snapshot(git, arguments.name, path, push=arguments.push)}\n")
    return 0
