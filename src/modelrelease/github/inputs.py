"""Which command each composite action runs, and how its inputs become that command's arguments.

A value stays one argument whatever is in it: an option's as ``--name=value``, a positional one after ``--``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import invalid

_RUN = ("device", "dtype", "attention", "threads", "batch-tokens")
_SIDES = ("base", "head", "candidate", "baseline", "config")


@dataclass(frozen=True)
class Action:
    """An action's command, and its inputs by what they become. ``own`` are read by ``modelrelease action`` itself.

    ``may_lack``: the command's positional arguments come from the action itself where the input is empty.
    ``needed``: the options without which the command does nothing.
    """

    command: str
    positionals: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    may_lack: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """All inputs that reach ``modelrelease action``."""
        return (*self.positionals, *self.options, *self.flags, *self.own)


ACTIONS: dict[str, Action] = {
    "pull-request": Action("pull-request", options=(*_SIDES, "out", *_RUN), flags=("allow-truncation",)),
    "check": Action("resolve", options=_SIDES),
    "score": Action("score", ("model",), ("suite", "config", "out", *_RUN), ("allow-truncation",)),
    "compare": Action(
        "compare", ("baseline", "candidate"), ("config", "policy-ref", "context", "out", "on-changed-items")
    ),
    "comment": Action(
        "comment",
        ("comparison",),
        ("repository", "pull-request", "mode", "samples", "unless-scored", "name", "author", "config"),
        own=("gate",),
    ),
    "reproduce": Action(
        "reproduce",
        ("model",),
        ("suite", "config", "out", *_RUN, "permute-batches", "tolerance", "environment"),
        may_lack=("model",),
    ),
    "issue": Action("issue", ("reproduction",), ("repository", "model", "name", "unless-run", "author", "config")),
    "promote": Action(
        "promote",
        ("version",),
        ("config", "out", "decided", "digest", "environment", *_RUN),
        ("decide", "take-over", "allow-truncation"),
        own=("default-branch",),
    ),
    "rollback": Action(
        "rollback", (), ("to", "reason", "config"), ("plan",), own=("default-branch",), needed=("to", "reason")
    ),
}


def command_line(action: Action, inputs: Mapping[str, str]) -> list[str]:
    """Return the arguments of ``action``'s command; an empty input is one that was not given.

    InvalidInput (exit 2) where a required input is missing, or a switch is neither true nor false.
    """
    for name in action.needed:
        _required(name, inputs)
    options = [f"--{name}={inputs[name]}" for name in action.options if inputs.get(name)]
    flags = [f"--{name}" for name in action.flags if is_true(name, inputs)]
    positionals = [_required(name, inputs) for name in action.positionals]
    return [action.command, *options, *flags, *(["--", *positionals] if positionals else [])]


def is_true(name: str, inputs: Mapping[str, str]) -> bool:
    """Return whether the input ``name`` is switched on; InvalidInput (exit 2) where it is neither true nor false."""
    value = inputs.get(name, "")
    if value.lower() not in ("", "true", "false"):
        raise invalid(f"input {name}", Code.USAGE, f"{value!r} is no switch", "write true or false")
    return value.lower() == "true"


def _required(name: str, inputs: Mapping[str, str]) -> str:
    value = inputs.get(name, "")
    if not value:
        raise invalid(f"input {name}", Code.USAGE, "is missing", "give it under `with:`")
    # argparse takes a second `--` away too; as a path it is the same as this.
    return "./--" if value == "--" else value
