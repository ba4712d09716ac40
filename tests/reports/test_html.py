"""Pages that need nothing else, and do nothing whatever is in them."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from hostile import ATTACKS, CHANGES, compared, diffed, hostile, pull_request
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.comparison import Comparison, Diff
from modelrelease.records.config import CommentPolicy, Samples
from modelrelease.reports.html_comparison import comparison_html
from modelrelease.reports.html_diff import diff_html
from modelrelease.reports.html_style import STYLE
from modelrelease.reports.markup import el, page, render

TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "div", "span", "p", "a"}
TAGS |= {"h1", "h2", "h3", "ul", "li", "b", "small", "pre", "ins", "del", "details", "summary"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "svg", "line", "rect", "circle", "text", "polyline"}
VOID = {"meta"}
CLASSES = {"good", "bad", "unsure", "none", "soft", "lead", "scroll", "name", "value", "n", "word", "plot", "tag"}
CLASSES |= {"decision", "label", "sides", "axis", "band", "edge", "reach", "dot", "path", ""}


class Page(HTMLParser):
    """What a browser makes of a page: its elements and texts; asserts that every element is closed where it should."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()
        assert self._inside == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._inside and self._inside[-1] != "style":
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def assert_inert(text: str) -> Page:
    """Assert that a page holds our own elements only, loads nothing, runs nothing, and leads nowhere."""
    found = Page(text)
    for tag, attributes in found.elements:
        assert tag in TAGS
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset", "xmlns"}]
        if "href" in attributes:
            assert re.fullmatch(r"#[a-z-]+", attributes["href"] or "")
        assert set((attributes.get("class") or "").split(" ")) <= CLASSES
    assert text.count("<style>") == text.count("</style>") == 1
    assert not re.search(r"[^\n -~\u00a0-\U0010ffff]", text)
    assert all(character == "\n" or character.isprintable() for character in text)
    return found


@pytest.fixture(scope="module")
def diff(tmp_path_factory: pytest.TempPathFactory) -> Diff:
    return diffed(tmp_path_factory.mktemp("html"), after_changes={"environment.torch": "2.9.0"})


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    whole = pull_request(compared(tmp_path_factory.mktemp("html")), changes=CHANGES)
    return whole.model_copy(update={"comment": CommentPolicy(samples="text")})


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_page_is_inert_whatever_it_holds(diff: Diff, comparison: Comparison, attack: str) -> None:
    for honest, attacked in (
        (diff_html(hostile(diff, "a word")), diff_html(hostile(diff, attack))),
        (comparison_html(hostile(comparison, "a word")), comparison_html(hostile(comparison, attack))),
    ):
        one, other = assert_inert(honest), assert_inert(attacked)
        for tag in ("table", "tr", "svg", "section", "details", "style", "meta"):
            assert one.count(tag) == other.count(tag), tag


def test_the_page_allows_its_own_sheet_and_nothing_else(diff: Diff) -> None:
    text = diff_html(diff)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text
    assert f"<style>{STYLE}</style>" in text
    assert not re.search(r"url\(|@import|https?:|</", STYLE)
    assert text.index("charset") < text.index("Content-Security-Policy") < text.index("<style>")


def test_a_diff_s_page_has_what_a_reader_asks_for_in_that_order(diff: Diff) -> None:
    text = diff_html(diff)
    order = re.findall(r"<h2>([^<]*)</h2>", text)
    assert order == ["What differs", "Metrics", "Slices", "Broken items", "Fixed items", "Other items"]
    assert '<td class="name">libraries</td>' in text
    assert ">qa: 15 of 50 broken</h3>" in text
    assert ">lm: 28 of 50 better, 20 shown (--all shows all)</h3>" in text
    assert "here: <del>four</del> of model_v1.<del>0</del></pre>" in text
    assert "here: <ins>five</ins> of model_v1.<ins>1</ins></pre>" in text
    assert "right choice ahead by " in text
    assert "text: 41 of 50 with the same scores, 41 of them answered otherwise" in text
    assert Page(text).count("svg") == 5 + 2 * 4  # a metric each, and the two slices of those that were compared
    assert "gone: missing: the candidate was not scored on task `gone`" in text


def test_equal_evaluations_have_a_page_too(tmp_path: Path) -> None:
    def nothing(diff: Diff) -> Diff:
        return diff.model_copy(update={"metrics": (), "items": ()})

    bare = nothing(diffed(tmp_path))
    text = diff_html(bare)
    assert_inert(text)
    assert "Nothing compared. Items: none compared." in "".join(Page(text).texts)


@pytest.mark.parametrize(("metric", "places"), [("qa/acc", (True, False)), ("lm/nll ↓", (True, True))])
def test_better_is_to_the_right_whatever_the_direction(diff: Diff, metric: str, places: Any) -> None:
    """Both metrics got better: acc rose, nll, where lower is better, fell."""
    row = diff_html(diff).partition(f'<td class="name">{metric}</td>')[2].partition("</tr>")[0]
    dot = re.search(r'<circle class="dot" cx="([0-9.]+)"', row)
    assert dot is not None
    assert float(dot[1]) > 120


def test_a_comparison_s_page_begins_with_the_decision(comparison: Comparison) -> None:
    text = comparison_html(comparison)
    assert re.search(r'<body>\n<header class="decision bad"><h1 class="bad">Blocked: ', text)
    order = re.findall(r"<h2>([^<]*)</h2>", text)
    assert order[:2] == ["Metrics", "Why"]
    assert {"Items that changed", "What changed", "Slices", "Trend", "How and where it was scored"} <= set(order)
    assert 'class="band"' in text
    assert "2026-01-02 Ada: Ask for one word" in text
    assert '<p class="label">text</p><pre><del>Q:</del><ins>A:</ins> x</pre>' in text
    assert "<title>block: model_v1.1</title>" in text


def test_where_nothing_is_live_or_nothing_was_scored_there_is_a_page_too(comparison: Comparison) -> None:
    alone = comparison.model_copy(update={"baseline": None, "decision": "promote", "headline": "Nothing is live yet."})
    empty = dict.fromkeys(("metrics", "policies", "reasons", "warnings", "history", "notes"), ())
    told = {"baseline": None, "candidate": None, "changes": None, "decision": "not-needed", "headline": "Merge."}
    for one in (alone, comparison.model_copy(update={**empty, **told})):
        text = comparison_html(one)
        assert_inert(text)
        assert one.headline in text


@pytest.mark.parametrize("samples", get_args(Samples))
def test_a_comparison_s_page_shows_no_more_than_the_policy_allows(comparison: Comparison, samples: Samples) -> None:
    metrics = tuple(
        row.model_copy(
            update={
                "flips": row.flips.model_copy(
                    update={
                        "examples": tuple(
                            example.model_copy(
                                update={"item_id": "an-id", "input": "an-input", "baseline": "an answer to this"}
                            )
                            for example in row.flips.examples
                        )
                    }
                )
            }
        )
        if row.flips
        else row
        for row in comparison.metrics
    )
    text = comparison_html(
        comparison.model_copy(update={"metrics": metrics, "comment": CommentPolicy(samples=samples)})
    )
    assert ("an-input" in text, "an answer to this" in text) == ((samples == "text",) * 2)
    assert ("an-id" in text) is (samples != "none")
    assert "qa/acc: 15 broken, 20 fixed" in text
    assert_inert(text)


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("script", {}),
        ("img", {}),
        ("iframe", {}),
        ("p", {"onclick": "x"}),
        ("p", {"style": "x"}),
        ("a", {"href": "javascript:x"}),
        ("a", {"href": "https://example.org"}),
        ("p><script", {}),
    ],
)
def test_there_is_no_element_that_acts(tag: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no "):
        el(tag, **attributes)


@given(text=st.text(), value=st.text())
def test_a_text_is_what_is_shown(text: str, value: str) -> None:
    found = Page(render(el("p", text, el("b", text), class_=value)))
    assert [tag for tag, _ in found.elements] == ["p", "b"]
    assert "<" not in render(text)
    assert Page(page(text, STYLE, [text, None])).count("p") == 0
