"""The hooks that pre-commit runs: `modelrelease-hook ID`. What every commit waits for, so nothing is imported early."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from modelrelease.cli.guard import guarded
from modelrelease.cli.output import prepare_streams

IDS = ("modelrelease", "change-metadata", "dataset-rows", "model-layout", "release-config", "no-pickle-weights")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the hook that the first argument names; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    gc.disable()  # a process that ends in the blink of an eye has nothing to collect
    prepare_streams()
    return guarded(lambda: _main(arguments))


def _main(arguments: list[str]) -> int:
    name, leakage = _parse(arguments)
    from modelrelease.flows.registry.scope import nothing_governed, open_git, push_scope, staged_scope
    from modelrelease.settings import commit_environment, pushed_range

    git = open_git(os.curdir, commit_environment())
    pushed = pushed_range()
    scope = staged_scope(git) if pushed is None else push_scope(git, *pushed)
    try:
        if name == "change-metadata" and scope.deltas and nothing_governed(scope):
            return 0
        from modelrelease.flows.registry.run_hooks import run_hook

        notes = run_hook(name, scope, leakage)
    finally:
        scope.objects.close()
    if notes:
        from modelrelease.cli.output import say
        from modelrelease.errors import escape_controls

        say("".join(f"{escape_controls(note)}\n" for note in notes))
    return 0


def _parse(arguments: list[str]) -> tuple[str, str | None]:
    """Return the hook's id and the training set; without argparse, which costs as much as git does."""
    name = arguments[0] if arguments else ""
    rest = arguments[1:]
    if name in IDS and not rest:
        return name, None
    if name in ("dataset-rows", "modelrelease") and len(rest) == 2 and rest[0] == "--leakage-against":
        return name, rest[1]
    from modelrelease.codes import Code
    from modelrelease.errors import invalid

    todo = f"name one of {', '.join(IDS)}; dataset-rows also takes --leakage-against FILE"
    raise invalid("modelrelease-hook", Code.USAGE, "was called in a way it does not take", todo)


if __name__ == "__main__":
    sys.exit(main())
