"""Where a README's parts are, and what is said where the markers are damaged."""

from __future__ import annotations

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.release.card.layout import BEGIN, END, read_layout

SECTION = f"{BEGIN}\nours\n{END}"
PARTS = {
    "nothing": ("", "", "", ""),
    "text": ("", "# Title\n\ntext", "", ""),
    "front matter": ("---\nlicense: mit\n---\n", "text\n", "", ""),
    "a section": ("", "before\n\n", SECTION, "\n\nafter"),
    "all of it": ("---\na: 1\n---\n", "before\n", SECTION, "\nafter\n"),
    "carriage returns": ("---\r\na: 1\r\n---\r\n", "before\r\n", SECTION.replace("\n", "\r\n"), "\r\nafter\r\n"),
    "a BOM": ("\ufeff---\na: 1\n---\n", "text\n", "", ""),
    "blank lines first": ("\n\n---\na: 1\n---  \n", "text\n", "", ""),
    "empty front matter": ("---\n---\n", "text\n", "", ""),
    "a rule in the text": ("---\na: 1\n---\n", "text\n\n---\n\nmore\n---\n", "", ""),
    "another comment of ours": ("", "<!-- modelrelease:comment -->\n", "", ""),
    "a short begin marker": ("", "", f"<!-- modelrelease:begin -->\nours\n{END}", "\n"),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_parts_joined_are_the_text(parts: tuple[str, str, str, str]) -> None:
    text = "".join(parts)
    layout = read_layout(text.encode("utf-8"), "README.md")
    front = layout.bom + layout.opening + layout.front + layout.closing
    assert (front, layout.before, layout.section or "", layout.after) == parts
    assert layout.text == text
    assert layout.end == ("\r\n" if "\r\n" in text else "\n")


DAMAGED = {
    "no end": (f"a\n{BEGIN}\nb\n", 2, "a begin marker without an end marker after it"),
    "no begin": (f"a\nb\n{END}\n", 3, "an end marker without a begin marker before it"),
    "turned around": (f"{END}\n{BEGIN}\n", 1, "an end marker without a begin marker before it"),
    "twice": (f"{SECTION}\n{SECTION}\n", 4, "a second begin marker"),
    "nested": (f"{BEGIN}\n{SECTION}\n{END}\n", 2, "a second begin marker"),
    "two ends": (f"{SECTION}\n{END}\n", 4, "a second end marker"),
    "indented": (f"{BEGIN}\nours\n  {END}\n", 3, "a marker of the generated part is damaged"),
    "text beside it": (f"{BEGIN}\nours\n{END} more\n", 3, "a marker of the generated part is damaged"),
    "never closed": (f"{BEGIN}\nours\n<!-- modelrelease:end\n", 3, "a marker of the generated part is damaged"),
    "other blanks": (f"{BEGIN}\nours\n<!--modelrelease : end-->\n", 3, "a marker of the generated part is damaged"),
    "in front matter": (f"---\n# {BEGIN}\na: 1\n---\n", 2, "a marker stands in the front matter"),
}


@pytest.mark.parametrize(("text", "line", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_markers_are_named_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_layout(text.encode("utf-8"), "README.md")
    first = raised.value.findings[0]
    assert (first.line, first.code.value, first.message) == (line, "MR432", message)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\nb\xff\n", "README.md:2: MR202"),
        (b"a\r\nb\rc\n", "README.md:2: MR114"),
        (b"---\nlicense: mit\n\ntext\n", "README.md:1: MR434 the front matter is never closed"),
        (b"---", "README.md:1: MR434 the front matter is never closed"),
    ],
)
def test_what_is_no_readme_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_layout(data, "README.md")
    assert raised.value.lines()[0].startswith(said)
