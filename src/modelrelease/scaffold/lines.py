"""Lines that .gitignore and .gitattributes need, added at their end. Pure."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\*?\[ ]")
IGNORED = ".modelrelease/"
UNION = "*.changes.jsonl merge=union"


def with_ignored(data: bytes) -> bytes | None:
    """Return a .gitignore that leaves out what commands write for themselves; None where it does already."""
    present = {line.strip() for line in _lines(data)}
    if present & {".modelrelease", "/.modelrelease", ".modelrelease/", "/.modelrelease/"}:
        return None
    return with_line(data, IGNORED)


def with_folder_ignored(data: bytes, folder: str) -> bytes | None:
    """Return a .gitignore that leaves out ``folder``, relative to it; None where a line says so already."""
    line = ignored_folder(folder)
    same = {line, line.rstrip("/"), line.lstrip("/"), line.strip("/")}
    return None if {found.strip() for found in _lines(data)} & same else with_line(data, line)


def ignored_folder(folder: str) -> str:
    """Return the line of a .gitignore beside ``folder`` that leaves out that one folder, whatever its name holds."""
    return "/" + _SPECIAL.sub(r"\\\g<0>", folder.strip("/")) + "/"


def with_union(data: bytes) -> bytes | None:
    """Return a .gitattributes under which two branches' change logs merge; None where they do already.

    A line for them that says something else is a decision, and is left alone.
    """
    for line in _lines(data):
        words = line.split()
        if len(words) > 1 and words[0] == "*.changes.jsonl" and any("merge" in word for word in words[1:]):
            return None
    return with_line(data, UNION)


def with_line(data: bytes, line: str) -> bytes:
    """Return ``data`` with ``line`` as its last, ended as the lines before it are."""
    end = line_end(data)
    before = data if not data or data.endswith(b"\n") else data + end
    return before + line.encode("utf-8") + end


def line_end(data: bytes) -> bytes:
    """Return how a file ends its first line: CRLF, or LF also where it has none."""
    return b"\r\n" if data.partition(b"\n")[0].endswith(b"\r") else b"\n"


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
