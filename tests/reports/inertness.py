"""What makes a Markdown text inert: read as GitHub reads it, it holds our own tables, lists, fences and folds only."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What GitHub makes a mention, a reference, a link, a commit or an emoji of where it stands in plain text.
ACTIVE = re.compile(r"@\w|#\d|gh-\d|://|www\.|:\w+:|\b[0-9a-f]{7,40}\b", re.IGNORECASE)
# Our own link and commit, the only ones that a report has.
RUN_URL = "https://github.com/acme/models/actions/runs/4711"
HEAD = "0123456789abcdef0123456789abcdef01234567"
OURS = re.compile(r"<details><summary>[^<>]*</summary>\n|</details>\n")
INLINE = {"text", "text_special", "code_inline", "strong_open", "strong_close", "hardbreak", "softbreak"}
BLOCKS = {"paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"}


def plain_text(token: Token) -> str:
    """Return what an inline token shows as plain text, as GitHub's filters see it."""
    return "".join(child.content for child in token.children or [] if child.type in {"text", "text_special"})


def assert_inert(text: str, links: int = 0) -> list[Token]:
    """Assert that ``text`` holds only our own tables, lists, fences, folds and ``links`` links to the run."""
    assert text.count(f"[run 4711]({RUN_URL})") == links
    tokens = MARKDOWN.parse(text.replace(f"[run 4711]({RUN_URL})", "run").replace(f"** Commit {HEAD[:7]}.\n", "**\n"))
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(f"(?:{OURS.pattern})+", token.content), token.content
            assert not ACTIVE.search(token.content)
        elif token.type == "inline":
            kinds = {child.type for child in token.children or []}
            assert kinds <= INLINE, kinds
            assert not ACTIVE.search(plain_text(token)), token.content
        elif token.type != "fence":
            assert token.type.removesuffix("_open").removesuffix("_close") in BLOCKS, token.type
    assert_tables_are_whole(tokens)
    assert not re.search(r"[^\n -~\u00a0-\U0010ffff]", text)
    return tokens


def assert_tables_are_whole(tokens: list[Token]) -> None:
    cells, rows = 0, []
    for token in tokens:
        cells = 0 if token.type == "tr_open" else cells + (token.type in {"th_open", "td_open"})
        if token.type == "tr_close":
            rows.append(cells)
        if token.type == "table_close":
            assert len(set(rows)) == 1
            rows = []


def count(tokens: list[Token], kind: str) -> int:
    return sum(token.type == kind for token in tokens)
