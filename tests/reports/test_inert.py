from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inertness import MARKDOWN, assert_inert

from modelrelease.reports.inert import bullet, code, escape, fence, fold_head, table_row


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
        ("_www.x _gh-1", r"\_www" "\u200b" r".x \_gh" "\u200b-1"),
        ("at 0123abc", "at 0123ab\u200bc"),
        ("at 0123ab", "at 0123ab"),
        ("a\u3164\ufe0f", r"a\\u3164\\ufe0f"),
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


@given(st.text(max_size=60))
def test_a_code_span_shows_its_text_and_does_nothing(text: str) -> None:
    tokens = assert_inert(f"a {code(text)} b\n")
    (inline,) = [token for token in tokens if token.type == "inline"]
    kinds = [child.type for child in inline.children or []]
    assert kinds == (["text", "code_inline", "text"] if text.split() else ["text"])


@given(st.text(st.sampled_from("` a~\\"), max_size=12))
def test_a_code_span_holds_what_is_in_it(text: str) -> None:
    (inline,) = [token for token in MARKDOWN.parse(f"{code(text)}\n") if token.type == "inline"]
    assert "".join(child.content for child in inline.children or []) == (" ".join(text.split()) or "–")


@given(st.text(max_size=60))
def test_a_fold_and_a_table_stay_whole_around_any_text(text: str) -> None:
    assert_inert(f"{fold_head(text)}\n\n{bullet(text)}\n\n</details>\n")
    assert_inert(f"| a | b |\n| --- | --- |\n{table_row([text, text])}\n")


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\u2066", "\ufe0f", "\U000e0041", "\U000e0101", "\u115f", "\u2800"]
)
def test_what_shows_nothing_is_shown_as_an_escape(hidden: str) -> None:
    shown = hidden.encode("unicode_escape").decode()
    assert fence(f"a{hidden}b")[1] == code(f"a{hidden}b").strip("`") == f"a{shown}b"
    assert fold_head(hidden) == f"<details><summary>{shown}</summary>"
