"""A README.md as it is to be: people's text as it was, metadata and our part from the records. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from modelrelease.errors import Finding
from modelrelease.records.version_story import VersionStory
from modelrelease.release.card.front_matter import read_front, with_keys
from modelrelease.release.card.layout import BEGIN, END, Layout, new_layout, read_layout
from modelrelease.release.card.lint import lint
from modelrelease.release.card.metadata import MODEL_INDEX, known_keys, model_index, refuse_other_results

_OUR_MARKER = re.compile(r"modelrelease(?=\s*:\s*(?:begin|end))", re.IGNORECASE)
_ZERO_WIDTH_SPACE = "\u200b"


@dataclass(frozen=True)
class Card:
    """A README.md to be written, and what is still to be done to it."""

    data: bytes
    findings: list[Finding]


def make_card(existing: bytes | None, story: VersionStory, section: str, path: str) -> Card:
    """Return the README.md at ``path`` with ``section`` (Markdown, lines end in LF) as our part.

    ``existing`` is what stands there now. Raises InvalidInput and Refused as :func:`read_layout`, :func:`with_keys`
    and :func:`refuse_other_results` do; nothing of what people wrote is ever dropped.
    """
    layout = read_layout(existing, path) if existing and existing.strip() else new_layout(story.version)
    located = read_front(layout.front, path, layout.front_line)
    refuse_other_results(located)
    known = {key: value for key, value in known_keys(story).items() if key not in located.value}
    wanted = {**known, MODEL_INDEX: model_index(story.version, story.evaluation)}
    front = with_keys(layout.front, wanted, path, layout.front_line, layout.end)
    made = _with_front(_with_section(layout, section), front)
    data = made.text.encode("utf-8")
    again = read_layout(data, path)
    return Card(data, lint(again, read_front(again.front, path, again.front_line), path))


def _with_front(layout: Layout, front: str) -> Layout:
    if layout.opening or not front:
        return replace(layout, front=front)
    fence = "---" + layout.end
    gap = "" if layout.before.startswith(("\n", "\r")) else layout.end
    return replace(layout, opening=fence, front=front, closing=fence, before=gap + layout.before)


def _with_section(layout: Layout, section: str) -> Layout:
    # What a model put out may be one of our markers, inside a code block even at a line's beginning.
    harmless = _OUR_MARKER.sub(lambda found: found.group() + _ZERO_WIDTH_SPACE, section)
    text = f"{BEGIN}\n\n{harmless.strip()}\n\n{END}".replace("\n", layout.end)
    if layout.section is not None:
        return replace(layout, section=text)
    lines, end = layout.before, layout.end
    gap = "" if not lines or lines.endswith(end * 2) else end if lines.endswith("\n") else end * 2
    return replace(layout, before=lines + gap, section=text, after=end)
