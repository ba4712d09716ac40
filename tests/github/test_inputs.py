"""From an action's inputs to a command's arguments: a value is one argument, whatever is in it."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.github.inputs import ACTIONS, command_line, is_true


@pytest.mark.parametrize(
    ("name", "inputs", "expected"),
    [
        ("pull-request", {}, ["pull-request"]),
        ("pull-request", {"base": "", "allow-truncation": "false"}, ["pull-request"]),
        (
            "pull-request",
            {"base": "-x", "head": "$(touch x)", "allow-truncation": "TRUE", "nonsense": "1"},
            ["pull-request", "--base=-x", "--head=$(touch x)", "--allow-truncation"],
        ),
        ("check", {"base": "origin/a\n--head=b"}, ["resolve", "--base=origin/a\n--head=b"]),
        ("compare", {"baseline": "--out", "candidate": "--"}, ["compare", "--", "--out", "./--"]),
        ("score", {"model": " ", "suite": "a=b"}, ["score", "--suite=a=b", "--", " "]),
    ],
)
def test_inputs_become_arguments(name: str, inputs: dict[str, str], expected: list[str]) -> None:
    assert command_line(ACTIONS[name], inputs) == expected


@given(baseline=st.text(min_size=1), candidate=st.text(min_size=1), config=st.text(min_size=1))
def test_argparse_reads_every_value_as_it_was_given(baseline: str, candidate: str, config: str) -> None:
    values = {"baseline": baseline, "candidate": candidate, "config": config}
    parser = argparse.ArgumentParser(exit_on_error=False)
    command = parser.add_subparsers().add_parser("compare", allow_abbrev=False)
    importlib.import_module("modelrelease.cli.compare").add_arguments(command)
    read = parser.parse_args(command_line(ACTIONS["compare"], values))
    assert (read.baseline, read.candidate, read.config) == (Path(baseline), Path(candidate), Path(config))


@pytest.mark.parametrize("value", ["yes", "1", " true", "true\n", "$(true)"])
def test_a_switch_is_true_or_false(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"input gate: MR601 .* is no switch; write true or false"):
        is_true("gate", {"gate": value})


def test_what_a_command_needs_has_to_be_given() -> None:
    with pytest.raises(InvalidInput, match="input candidate: MR601 is missing; give it under `with:`"):
        command_line(ACTIONS["compare"], {"baseline": "a", "candidate": ""})
