from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.datasets import Row
from modelrelease.records.suite import Task
from modelrelease.records.templates import compile_template
from modelrelease.scoring.encoding import Codec
from modelrelease.scoring.items import Item
from modelrelease.scoring.requests import MAX_SCORED, ItemRequests, Limits, Request, build_requests, windows
from modelrelease.scoring.suites import LoadedTask

BOS, EOS = 1, 2
VOCABULARY = 256 + 3


class Bytes:
    """A tokenizer whose tokens are bytes, <bos> in front; ids begin at 3."""

    bos_token_id: int | None = BOS
    eos_token_id: int | None = EOS

    def __call__(self, texts: str | list[str], add_special_tokens: bool, **_: object) -> dict[str, list[Any]]:
        if isinstance(texts, str):
            return {"input_ids": [*self.front(add_special_tokens), *ids(texts)]}
        return {"input_ids": [[*self.front(add_special_tokens), *ids(text)] for text in texts]}

    def front(self, special: bool) -> list[int]:
        return [BOS] if special and self.bos_token_id is not None else []


class Bare(Bytes):
    """The same without any special token."""

    bos_token_id = None
    eos_token_id = None


def ids(text: str) -> list[int]:
    return [byte + 3 for byte in text.encode("utf-8")]


def task(kind: str, *, roles: tuple[str, ...] | None = None, prompt: bool = True, **keys: object) -> LoadedTask:
    needed: dict[str, dict[str, object]] = {
        "multiple_choice": {"choices": "c", "target": "t", "metrics": ({"name": "acc"},)},
        "generate": {"max_new_tokens": 5, "metrics": ({"name": "json_valid"},)},
        "perplexity": {"target": "t", "metrics": ({"name": "nll"},)},
    }
    spec = Task.model_validate(
        {"name": "t", "kind": kind, "dataset": "data.jsonl", "prompt": "p.txt", **needed[kind], **keys}
    )
    templates = ((compile_template("x", "p.txt", 1), 1),) if prompt else ()
    return LoadedTask(spec, "suite.yaml", 4, (), "0" * 64, None, templates, roles)


def item(number: int, choices: tuple[str, ...] = (), text: str = "") -> Item:
    row = Row(f"id{number}", number + 1, {}, "0" * 64)
    return Item(0, row, "", choices, None, text, {})


def build(
    loaded: LoadedTask, items: list[Item], rendered: Sequence[str], limits: Limits, tokenizer: Bytes | None = None
) -> list[ItemRequests]:
    return build_requests(items, rendered, (loaded,), Codec(tokenizer or Bytes()), limits)


ROOMY = Limits(1000, VOCABULARY)


def test_each_choice_is_a_request_after_the_delimiter() -> None:
    (entry,) = build(task("multiple_choice"), [item(0, ("yes", "no"))], ["Q"], ROOMY)
    assert entry.requests == [
        Request(0, 0, (BOS, *ids("Q yes")), 2),
        Request(0, 1, (BOS, *ids("Q no")), 2),
    ]
    assert entry.prompt_tokens == 2
    assert entry.input_digest == digest_of([[BOS, *ids("Q yes")], [BOS, *ids("Q no")]])
    assert (entry.truncated, entry.mismatch, entry.error) == (False, False, None)


@pytest.mark.parametrize(
    ("loaded", "tokens"),
    [
        (task("multiple_choice", roles=("user",)), ids("Qyes")),
        (task("multiple_choice", roles=("user",), delimiter="\n"), ids("Q\nyes")),
        (task("multiple_choice", delimiter=""), [BOS, *ids("Qyes")]),
    ],
)
def test_a_chat_prompt_has_no_delimiter_and_no_second_bos(loaded: LoadedTask, tokens: list[int]) -> None:
    (entry,) = build(loaded, [item(0, ("yes", "no"))], ["Q"], ROOMY)
    assert list(entry.requests[0].tokens) == tokens


def test_a_prompt_to_continue_is_one_request_without_scored_tokens() -> None:
    (entry,) = build(task("generate"), [item(0)], ["Q "], ROOMY)
    assert entry.requests == [Request(0, 0, (BOS, *ids("Q ")), 3, 5)]
    assert entry.prompt_tokens == 3


def test_a_text_without_a_prompt_is_scored_from_its_first_token() -> None:
    (entry,) = build(task("perplexity", prompt=False), [item(0, text="abc")], [""], ROOMY)
    assert entry.requests == [Request(0, 0, (BOS, *ids("abc")), 1)]
    assert entry.scored_tokens == 3


def test_where_nothing_can_stand_in_front_the_item_has_an_error_and_no_request() -> None:
    bare = Bare()
    (text,) = build(task("perplexity", prompt=False), [item(0, text="abc")], [""], ROOMY, bare)
    assert text.requests == []
    assert text.error == "a text to score has no tokens of its own, or nothing stands before it"
    (prompt,) = build(task("generate"), [item(0)], [""], ROOMY, bare)
    assert (prompt.requests, prompt.error) == ([], "the prompt has no tokens")


def test_an_empty_prompt_to_continue_becomes_the_start_token() -> None:
    (entry,) = build(task("generate", roles=("user",)), [item(0)], [""], ROOMY)
    assert entry.requests == [Request(0, 0, (BOS,), 1, 5)]


@pytest.mark.parametrize(
    ("kind", "limit", "fits"),
    [
        ("multiple_choice", 5, True),  # <bos> Q _ y e s: the last token is never fed
        ("multiple_choice", 4, False),
        ("generate", 7, True),  # <bos> Q and five new ones
        ("generate", 6, False),
    ],
)
def test_what_does_not_fit_the_context_is_an_error_with_the_rows_line(kind: str, limit: int, fits: bool) -> None:
    items = [item(0, ("no", "no")), item(1, ("yes", "no"))] if kind == "multiple_choice" else [item(0)]
    if fits:
        assert not any(entry.truncated for entry in build(task(kind), items, ["Q"] * len(items), Limits(limit, 300)))
        return
    with pytest.raises(InvalidInput) as caught:
        build(task(kind), items, ["Q"] * len(items), Limits(limit, 300))
    needs = {
        "multiple_choice": ("id1", "5 tokens", 2),
        "generate": ("id0", "7 tokens, max_new_tokens of 5 included,", 1),
    }
    name, what, line = needs[kind]
    assert caught.value.lines() == [
        f"data.jsonl:{line}: MR407 item '{name}' of task `t` needs {what} and the model takes {limit}; "
        "shorten the prompt, or pass --allow-truncation to drop its beginning"
    ]


def test_every_row_that_is_too_long_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        build(task("generate"), [item(n) for n in range(3)], ["long" * 9, "ok", "long" * 9], Limits(12, 300))
    assert [finding.line for finding in caught.value.findings] == [1, 3]


def test_truncation_drops_the_beginning_only_of_what_is_too_long_and_is_flagged() -> None:
    limits = Limits(6, VOCABULARY, allow_truncation=True)
    items = [item(0, ("yes", "no")), item(1, ("a", "b"))]
    long, short = build(task("multiple_choice"), items, ["12345", "12"], limits)
    assert long.requests == [Request(0, 0, tuple(ids("345 yes")), 3), Request(0, 1, tuple(ids("2345 no")), 4)]
    assert long.truncated
    assert long.input_digest == digest_of([ids("345 yes"), ids("2345 no")])
    assert short.requests[0].tokens == (BOS, *ids("12 a"))
    assert not short.truncated


@pytest.mark.parametrize(("choice", "needs"), [("longer", 8), ("yes", 5), ("no", None)])
def test_truncation_leaves_at_least_one_token_before_a_choice(choice: str, needs: int | None) -> None:
    limits = Limits(3, VOCABULARY, allow_truncation=True)
    if needs is None:
        (entry,) = build(task("multiple_choice"), [item(0, (choice, "n"))], ["Q"], limits)
        assert entry.requests[0] == Request(0, 0, tuple(ids("Q no")), 1)
        return
    with pytest.raises(InvalidInput) as caught:
        build(task("multiple_choice"), [item(0, (choice, "n"))], ["Q"], limits)
    assert caught.value.lines() == [
        f"data.jsonl:1: MR407 item 'id0' of task `t` needs {needs} tokens and the model takes 3; shorten the prompt"
    ]


def test_ids_that_the_model_has_no_embedding_for_are_the_tokenizers_fault() -> None:
    assert build(task("generate"), [item(0)], ["z"], Limits(1000, 126))[0].error is None
    with pytest.raises(InvalidInput) as caught:
        build(task("generate"), [item(0)], ["z"], Limits(1000, 125))
    assert caught.value.lines() == [
        "tokenizer: MR402 the tokenizer gives id 125 and the model has 125 embeddings; "
        "use the tokenizer that the model was trained with"
    ]


@given(st.integers(2, 2500), st.integers(1, 3), st.one_of(st.none(), st.integers(1, 1500)))
@settings(deadline=None, max_examples=200)
def test_windows_score_every_token_exactly_once_within_the_context(length: int, first: int, limit: int | None) -> None:
    first = min(first, length - 1)
    cut = list(windows(Request(7, 0, tuple(range(length)), first), limit))
    scored = [token for window in cut for token in window.tokens[window.start :]]
    assert scored == list(range(first, length))
    assert [window.part for window in cut] == list(range(len(cut)))
    for window in cut:
        assert list(window.tokens) == list(range(window.tokens[0], window.tokens[-1] + 1))
        assert 1 <= window.start < len(window.tokens)
        assert len(window.tokens) - window.start <= MAX_SCORED
        assert limit is None or len(window.tokens) - 1 <= limit


@given(st.integers(2, 2500), st.integers(2, 1500))
@settings(deadline=None, max_examples=100)
def test_each_scored_token_sees_half_a_context_or_all_that_there_is(length: int, limit: int) -> None:
    for window in windows(Request(0, 0, tuple(range(length)), 1), limit):
        seen = window.start
        assert seen >= limit // 2 or window.tokens[0] == 0


@pytest.mark.parametrize("limit", [None, 128, 64])
def test_a_text_that_fits_is_one_window(limit: int | None) -> None:
    request = Request(0, 0, tuple(range(65)), 1)
    assert list(windows(request, limit)) == [request]


def test_a_longer_text_goes_on_by_half_contexts() -> None:
    cut = list(windows(Request(0, 0, tuple(range(10)), 1), 4))
    assert [window.tokens for window in cut] == [(0, 1, 2, 3, 4), (2, 3, 4, 5, 6), (4, 5, 6, 7, 8), (5, 6, 7, 8, 9)]
    assert [window.start for window in cut] == [1, 3, 3, 4]
