from __future__ import annotations

import re
from pathlib import Path

import pytest
from hostile import ATTACKS, compared, hostile
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from modelrelease.records.comparison import Comparison, Diff
from modelrelease.reports.markdown import comparison_markdown, diff_markdown, escape, fence

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What GitHub makes a mention, a reference, a link or an emoji of where it stands in plain text.
ACTIVE = re.compile(r"@\w|#\d|gh-\d|://|\bwww\.|:\w+:", re.IGNORECASE)
OURS = re.compile(r"<details><summary>[^<>]*</summary>\n|</details>\n")
BLOCKS = {"paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item"}


def as_diff(comparison: Comparison) -> Diff:
    return Diff.model_validate_json(comparison.model_dump_json(include=set(Diff.model_fields)))


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return compared(tmp_path_factory.mktemp("markdown"))


def plain_text(token: Token) -> str:
    """Return what an inline token shows as plain text, as GitHub's filters see it."""
    return "".join(child.content for child in token.children or [] if child.type in {"text", "text_special"})


def assert_inert(text: str) -> list[Token]:
    """Assert that ``text`` holds only our own tables, lists, fences and folds."""
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(f"(?:{OURS.pattern})+", token.content), token.content
            assert not ACTIVE.search(token.content)
        elif token.type == "inline":
            kinds = {child.type for child in token.children or []}
            assert kinds <= {"text", "text_special", "strong_open", "strong_close", "hardbreak", "softbreak"}, kinds
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


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_comparison_is_inert_whatever_it_holds(comparison: Comparison, attack: str) -> None:
    honest = assert_inert(comparison_markdown(comparison))
    tokens = assert_inert(comparison_markdown(hostile(comparison, attack)))
    for kind in ("table_open", "tr_open", "fence", "html_block", "list_item_open"):
        assert count(tokens, kind) == count(honest, kind), kind


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_diff_is_inert_whatever_it_holds(comparison: Comparison, attack: str) -> None:
    honest = assert_inert(diff_markdown(as_diff(comparison)))
    tokens = assert_inert(diff_markdown(hostile(as_diff(comparison), attack)))
    for kind in ("table_open", "tr_open", "fence", "html_block", "list_item_open"):
        assert count(tokens, kind) == count(honest, kind), kind


@given(st.text(max_size=60), st.booleans())
def test_no_text_does_anything(text: str, begins_line: bool) -> None:
    escaped = escape(text, begins_line=begins_line)
    assert_inert(f"- {escaped}\n" if begins_line else f"| a | b |\n| --- | --- |\n| {escaped} | {escaped} |\n")
    assert len(MARKDOWN.parse(f"- {escape(text, begins_line=True)}\n")) in {4, 7}  # an item, with a text or empty


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Blocked: qa/acc is regressed", "Blocked: qa/acc is regressed"),
        ("a\nb\tc", "a b c"),
        ("a_b*c", r"a\_b\*c"),
        ("a|b", r"a\|b"),
        ("<b> & `x`", r"&lt;b&gt; &amp; \`x\`"),
        ("@me #1", "@\u200bme \\#\u200b1"),
        ("http://x", "http:\u200b//x"),
        ("www.x GH-1", "www\u200b.x GH\u200b-1"),
        ("a\x1bb\u202ec", r"a\\x1bb\\u202ec"),
        ("12. + 0.5", "12. + 0.5"),
    ],
)
def test_what_escaping_gives(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("12. x", r"12\. x"), ("- x", r"\- x"), ("+ x", r"\+ x"), ("= x", r"\= x"), ("1 x", "1 x")]
)
def test_what_would_begin_a_list_is_escaped_where_a_line_begins(text: str, shown: str) -> None:
    assert escape(text, begins_line=True) == shown


@given(st.text(st.sampled_from("`~a\n \x1b"), max_size=40))
def test_a_fence_holds_what_is_in_it(text: str) -> None:
    (token,) = MARKDOWN.parse("\n".join(fence(text)) + "\n")
    assert token.type == "fence"
    assert token.content == text.replace("\x1b", r"\x1b") + "\n"


def test_the_decision_comes_first_and_the_facts_before_the_table(comparison: Comparison) -> None:
    lines = comparison_markdown(comparison).splitlines()
    assert lines[0] == f"**{comparison.headline}**"
    assert [line.partition(":")[0] for line in lines[2:6]] == ["baseline", "candidate", "policy", "differs"]
    assert lines[7].startswith("| metric | role | n | baseline | candidate | delta | 95% interval | margin | verdict |")
    assert lines[9].startswith("| qa/acc | gate | 50 | 60.0 | 70.0 | +10.0 | ")
    assert lines[9].endswith(" | 3.0 | 🟡 inconclusive |")


def test_what_was_not_compared_is_a_row_with_dashes_and_a_reason(comparison: Comparison) -> None:
    text = comparison_markdown(comparison)
    assert "| failed/f1 | gate | – | 100.0 | 100.0 | – | – | 3.0 | ⚪ error |" in text
    assert "- failed/f1 has errors: 1 item could not be scored: 50" in text
    assert "- failed: error: 1 item could not be scored: 50" in diff_markdown(as_diff(comparison))
    assert "- gone: missing: the candidate was not scored on task \\`gone\\`" in diff_markdown(as_diff(comparison))


def test_changes_and_slices_are_folded(comparison: Comparison) -> None:
    text = comparison_markdown(comparison)
    assert "<details><summary>qa/acc: 15 broken, 20 fixed</summary>\n\n**broken** 0\n\n```text\nbaseline: " in text
    (nll,) = [row.flips for row in comparison.metrics if row.metric == "nll"]
    assert nll is not None
    assert nll.broken + nll.fixed > 40
    assert f"<details><summary>lm/nll: {nll.broken} worse, {nll.fixed} better</summary>\n\n**worse** " in text
    assert "<details><summary>qa/acc by slice</summary>\n\n| slice | n | baseline | candidate | delta |" in text
    assert "| half = 0 | 25 | " in text
    assert "qa/acc_norm: " not in text  # nothing changed
    assert text.count("<details>") == text.count("</details>")
    assert text.endswith("</details>\n")


def test_what_arrows_and_points_mean_is_said_where_they_stand(comparison: Comparison, tmp_path: Path) -> None:
    assert "Shares are in points (hundredths). ↓: lower is better." in comparison_markdown(comparison)
    rows = [row for row in comparison.metrics if row.task == "lm"]
    only_nll = comparison.model_copy(update={"metrics": tuple(rows)})
    assert "\n↓: lower is better.\n" in comparison_markdown(only_nll)
    assert "points (hundredths)" not in comparison_markdown(only_nll)
