"""What a released version's page on GitHub is to say and to hold: a value that flows make and github carries out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DIGESTS = "digests.txt"
"""The name of the asset that lists every published file's digest."""


@dataclass(frozen=True)
class Asset:
    """A file of the page. ``sha256`` (64 hex digits) and ``size`` in bytes are what it has to be.

    ``source`` is where its bytes are; what lies on disk is read in pieces.
    """

    name: str
    size: int
    sha256: str
    source: Path | bytes


@dataclass(frozen=True)
class Announcement:
    """The release of the git tag ``tag``, which is at ``commit``.

    ``model_digest`` is the checkpoint's sha256, ``ledger_head`` the commit that the ledger is at (None: no anchor),
    ``changelog`` Markdown that anybody may have written, "" for none.
    """

    tag: str
    commit: str
    title: str
    model_digest: str
    assets: tuple[Asset, ...]
    changelog: str = ""
    ledger_head: str | None = None


def digest_lines(files: Iterable[tuple[str, str]]) -> bytes:
    """Return ``digests.txt`` for pairs of path and sha256, in the form that ``sha256sum --check`` reads.

    A path with a line end or a backslash is escaped as sha256sum escapes it.
    Source: https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html
    """
    return "".join(_line(path, digest) for path, digest in sorted(files)).encode("utf-8")


def _line(path: str, digest: str) -> str:
    plain = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if plain == path else chr(92)}{digest}  {plain}\n"
