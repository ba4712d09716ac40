"""The only caller of git, and git the only reader of a repository.

``commands`` is what every other part of the package calls; its names are this package's. The rest is what the registry
reads on every commit, and stays unimported until then (and the other way round: a hook waits for neither).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.git.commands import *  # noqa: F403

_MODULES = frozenset({"append_only", "commands", "history", "objects", "process", "remotes", "trees", "versions"})


def __getattr__(name: str) -> object:
    import importlib

    if name.startswith("__") or name in _MODULES:
        raise AttributeError(name)
    commands = importlib.import_module("modelrelease.git.commands")
    return getattr(commands, name)
