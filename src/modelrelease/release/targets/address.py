"""A target's address: ``file://folder`` or ``hf://org/name``."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid
from modelrelease.records.faults import quoted
from modelrelease.release.targets.target import Reach, Target, go_on

_HUB = re.compile(r"hf://([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})", re.ASCII)
FILE, HUB = "file://", "hf://"
_WRITE = "write file://FOLDER, relative to the repository, or hf://ORGANISATION/NAME"


@dataclass(frozen=True)
class Surroundings:
    """What a target takes from outside. ``root`` is the repository's folder, to which ``file://folder`` is relative.

    ``endpoint`` and ``token`` are for the Hub; without a token its client finds one itself: by trusted publishing
    where HF_OIDC_RESOURCE is set, with what the server ``identity`` says of the job, else the one a person has logged
    in with. ``timeout``: seconds without a byte.
    """

    root: Path
    endpoint: str | None = None
    token: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    sleep: Callable[[float], object] = time.sleep
    jitter: Callable[[], float] = random.random
    tell: Callable[[str], object] = lambda _: None
    reach: Reach = go_on
    identity: str | None = None


def open_target(address: str, outside: Surroundings) -> Target:
    """Return the target at ``address``; InvalidInput (MR701) where that is none. Nothing is asked or written yet."""
    if address.startswith(FILE):
        from modelrelease.release.targets.folder import FolderTarget

        return FolderTarget(address, folder_of(address, outside.root), reach=outside.reach)
    if address.startswith(HUB):
        from modelrelease.release.targets.hub import HubTarget
        from modelrelease.release.targets.hub_client import HubClient
        from modelrelease.release.targets.patience import Patience

        patience = Patience(outside.sleep, outside.jitter, outside.tell)
        name, identity = repository_of(address), outside.identity
        client = HubClient(name, outside.endpoint, outside.token, patience, outside.timeout, identity)
        return HubTarget(client, reach=outside.reach)
    raise _no_address(address, "starts with neither `file://` nor `hf://`")


def is_here(address: str, root: Path) -> bool:
    """Say whether a target can be looked at from this machine: a folder has to be there, the Hub is everywhere."""
    return not address.startswith(FILE) or folder_of(address, root).is_dir()


def check_address(address: str, root: Path) -> None:
    """Raise InvalidInput (MR701) where ``address`` is no target's; nothing is opened."""
    if address.startswith(FILE):
        folder_of(address, root)
    elif address.startswith(HUB):
        repository_of(address)
    else:
        raise _no_address(address, "starts with neither `file://` nor `hf://`")


def repository_of(address: str) -> str:
    """Return the Hub repository that an address names: ``org/name``."""
    match = _HUB.fullmatch(address)
    if match is None or any(bad in address for bad in ("..", "--")) or address.endswith((".git", ".", "-")):
        raise _no_address(address, "names no repository of the Hub")
    return match[1]


def folder_of(address: str, root: Path) -> Path:
    """Return the folder that an address names: below ``root``, and not by a link out of it, unless it is absolute."""
    name = address.removeprefix(FILE)
    plain = name.rstrip("/")
    if not plain or "\0" in plain or "\\" in plain or "%" in plain:
        raise _no_address(address, "names no folder")
    tidy = ("/" if plain.startswith("/") else "") + "/".join(part for part in plain.split("/") if part not in {"", "."})
    if tidy != name:  # the ledger knows a target by its address: two for one folder would be two targets
        raise _no_address(address, "can be written more shortly", f"write `{FILE}{tidy}`")
    if plain.startswith("/"):
        return Path(plain)
    folder = root / plain
    try:
        inside = folder.resolve().is_relative_to(root.resolve()) and folder.resolve() != root.resolve()
    except (OSError, RuntimeError):
        inside = False
    if ".." in plain.split("/") or not inside:
        raise _no_address(address, "leads out of the repository")
    return folder


def relative_folder(address: str) -> str | None:
    """Return the folder below the repository's that an address names; None for any other address, or for none."""
    name = address.removeprefix(FILE).rstrip("/")
    below = name and name.isprintable() and not name.startswith("/") and ".." not in name.split("/")
    return name if address.startswith(FILE) and below else None


def ends_with(address: str, root: Path, workspace: Path) -> bool:
    """Say whether an address names a folder that goes when ``workspace`` goes, or when the repository at ``root`` does.

    Raises InvalidInput (MR701) where it leads out of the repository.
    """
    if not address.startswith(FILE):
        return False
    return relative_folder(address) is not None or folder_of(address, root).resolve().is_relative_to(
        workspace.resolve()
    )


def _no_address(address: str, problem: str, todo: str = _WRITE) -> InvalidInput:
    return invalid(quoted(address), Code.TARGET_ADDRESS, problem, todo)
