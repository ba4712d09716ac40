"""Where in a README.md the front matter stands, and where our part: the rest is people's, byte for byte. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.text import decode

BEGIN = '<!-- modelrelease:begin (written by "modelrelease card"; what you write before the end marker is lost) -->'
END = "<!-- modelrelease:end -->"

# Source of the form: REGEX_YAML_BLOCK of huggingface_hub's repocard.py, which says it is the Hub's own. Blanks after
# the first `---` are ours: the Hub does not see such a block, and `lint` says so.
_FRONT = re.compile(r"(\s*---[ \t]*\r?\n)(.*?)(^---[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"\s*---[ \t]*(?:\r?\n|\Z)")
_ANY = re.compile(r"<!--\s*modelrelease\s*:\s*(?:begin|end)\b", re.IGNORECASE)
_MARKER = re.compile(r"^<!-- modelrelease:(begin|end)\b[^\n]*?-->[ \t]*(?=\r?\n|\Z)", re.MULTILINE)
_TODO = f"let `{END}` stand once, after one line that begins `<!-- modelrelease:begin`; or take out both"


@dataclass(frozen=True)
class Layout:
    """A README.md cut into its parts: all of them joined are the text.

    ``opening`` to ``closing`` are the front matter with its fences, empty where there is none. ``section`` is our part
    with its markers; None where there is none yet, and ``after`` is empty then. ``end`` is what lines end with.
    """

    bom: str
    opening: str
    front: str
    closing: str
    before: str
    section: str | None
    after: str
    end: str

    @property
    def text(self) -> str:
        """The whole text."""
        front = self.bom + self.opening + self.front + self.closing
        return front + self.before + (self.section or "") + self.after

    @property
    def front_line(self) -> int:
        """The line on which the front matter's first key stands, or would."""
        return self.opening.count("\n") + 1


def read_layout(data: bytes, path: str) -> Layout:
    """Return a README.md's parts.

    Raises InvalidInput: no UTF-8 (MR202), line ends that are a lone CR (MR114), front matter that is never closed
    (MR434), markers that do not stand once each, in order and outside of the front matter (MR432).
    """
    decode(data, path)
    text = data.decode("utf-8")
    bom, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    if "\r" in text.replace("\r\n", ""):
        line = len(re.split(r"\r\n|\n|\r", text[: re.search(r"\r(?!\n)", text).start()]))  # type: ignore[union-attr]
        raise invalid(path, Code.LINE_ENDS, "a line ends with a lone CR", "save the file with LF line ends", line)
    opening, front, closing = _front_matter(text, path)
    start = len(opening) + len(front) + len(closing)
    _refuse_markers_in_front(text, start, path)
    first, last = _section(text, start, path)
    section = None if first is None else text[first:last]
    place = len(text) if first is None else first
    end = "\r\n" if re.match(r"[^\n]*\r\n", text) else "\n"
    return Layout(bom, opening, front, closing, text[start:place], section, text[last:] if section else "", end)


def new_layout(title: str) -> Layout:
    """Return the parts of a card that is not written yet."""
    return Layout("", "---\n", "", "---\n", f"\n# {title}\n\n", None, "", "\n")


def _front_matter(text: str, path: str) -> tuple[str, str, str]:
    found = _FRONT.match(text)
    if found is not None:
        return found[1], found[2], found[3]
    opening = _OPENING.match(text)
    if opening is not None:
        line = opening.group().count("\n") or 1
        raise invalid(path, Code.CARD_METADATA, "the front matter is never closed", "close it with a line `---`", line)
    return "", "", ""


def _refuse_markers_in_front(text: str, start: int, path: str) -> None:
    found = _ANY.search(text, 0, start)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise invalid(path, Code.CARD_MARKERS, "a marker stands in the front matter", "take it out", line)


def _section(text: str, start: int, path: str) -> tuple[int | None, int]:
    """Return where our part begins and ends; None where there is none."""
    whole = {found.start(): found for found in _MARKER.finditer(text, start)}
    kinds = {found.start(): None for found in _ANY.finditer(text, start)} | {n: found[1] for n, found in whole.items()}
    findings = [
        Finding(path, Code.CARD_MARKERS, problem, _TODO, text.count("\n", 0, place) + 1)
        for place, problem in _problems(kinds)
    ]
    if findings:
        raise InvalidInput(findings)
    if not kinds:
        return None, len(text)
    first, last = kinds
    return first, whole[last].end()


def _problems(kinds: dict[int, str | None]) -> Iterator[tuple[int, str]]:
    """Yield where and how the markers, by their places, are not one begin and one end after it."""
    seen: dict[str, int] = {}
    for place, kind in kinds.items():
        if kind is None:
            yield place, "a marker of the generated part is damaged"
        elif kind in seen:
            yield place, f"a second {kind} marker"
        elif kind == "end" and "begin" not in seen:
            yield place, "an end marker without a begin marker before it"
        seen[kind or "damaged"] = place
    if "begin" in seen and "end" not in seen and "damaged" not in seen:
        yield seen["begin"], "a begin marker without an end marker after it"
