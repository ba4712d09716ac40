"""What kind of task a dataset's rows make, told from the names and values of their fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelrelease.numbers import show_few
from modelrelease.records.metric_types import Kind

TARGET_WORDS = (
    "answer", "target", "label", "gold", "reference", "expected", "ideal", "output", "completion", "response",
    "solution", "correct",
)  # fmt: skip
CHOICE_WORDS = ("choices", "options", "endings", "candidates", "alternatives")
TEXT_WORDS = ("text", "content", "passage", "document", "body")
SLICE_WORDS = ("category", "topic", "subject", "domain", "language")
"""Names that datasets in public use give their fields, the most telling first."""

MAX_SLICES = 20
_TODO = "write its task into the suite yourself; docs/score.md says what each kind needs"


@dataclass(frozen=True)
class Shape:
    """One kind of task, and the fields it would use; ``fields`` are those that every row has.

    ``longest`` is the longest target in bytes of UTF-8, ``gap`` the widest line break in one: "", "\\n" or "\\n\\n".
    """

    kind: Kind
    fields: tuple[str, ...]
    target: str
    reason: str
    choices: str | None = None
    slices: tuple[str, ...] = ()
    longest: int = 0
    gap: str = ""


@dataclass(frozen=True)
class Unclear:
    """Why no kind of task could be told, and what a person can do about it."""

    reason: str
    todo: str = _TODO


Columns = Mapping[str, Sequence[Any]]


def shape_of(rows: Sequence[Mapping[str, Any]]) -> Shape | Unclear:
    """Return the kind of task that all of ``rows`` make, of which there is at least one."""
    columns = {
        name: [row[name] for row in rows]
        for name in rows[0]
        if name != "id" and all(row.get(name) is not None for row in rows)
    }
    if (choices := _choices(columns)) is not None:
        return _multiple_choice(columns, choices)
    target = _named(TARGET_WORDS, [name for name, values in columns.items() if all(map(_is_reference, values))])
    asked = [name for name, values in columns.items() if name != target and all(map(_is_text, values))]
    if target is not None and asked:
        return _generate(columns, target)
    return _perplexity(columns)


def _multiple_choice(columns: Columns, choices: str) -> Shape | Unclear:
    target = _right_choice(columns, choices)
    if target is None:
        reason = f"`{choices}` is a list of texts, and no one field is an index into it, from 0, or one of its texts"
        return Unclear(reason, "name the right choice in each row, as `answer`")
    pairs = zip(columns[target], columns[choices], strict=True)
    by_text = any(isinstance(value, str) and value in own for value, own in pairs)
    what = "one of them" if by_text else "the index of one, from 0"
    reason = f"`{choices}` is a list of texts and `{target}` {what}"
    return Shape("multiple_choice", tuple(columns), target, reason, choices, _slices(columns, {target, choices}))


def _generate(columns: Columns, target: str) -> Shape:
    texts = [text for value in columns[target] for text in _references(value)]
    gap = next((gap for gap in ("\n\n", "\n") if any(gap in text.strip() for text in texts)), "")
    longest = max(len(text.encode("utf-8")) for text in texts)
    reason = f"`{target}` is the reference to each row's question"
    return Shape("generate", tuple(columns), target, reason, None, _slices(columns, {target}), longest, gap)


def _perplexity(columns: Columns) -> Shape | Unclear:
    texts = [name for name, values in columns.items() if all(map(_is_text, values))]
    named = _named(TEXT_WORDS, texts)
    target = named or (texts[0] if len(texts) == 1 else None)
    if target is None:
        have = f"the fields {show_few([f'`{field}`' for field in columns], 8)}" if columns else "no field but `id`"
        return Unclear(f"its rows share {have}, none of which is a known name for the answer or for a text")
    reason = f"`{target}` is a text, and there is no answer"
    return Shape("perplexity", tuple(columns), target, reason, None, _slices(columns, {target}))


def _choices(columns: Columns) -> str | None:
    """The field that lists choices: by its name, else because another field picks from it in every row."""
    lists = [name for name, values in columns.items() if all(map(_is_choices, values))]
    if (named := _named(CHOICE_WORDS, lists)) is not None:
        return named
    unnamed = [name for name in lists if _rank(TARGET_WORDS, name) is None]
    return next((name for name in unnamed if _right_choice(columns, name) is not None), None)


def _right_choice(columns: Columns, choices: str) -> str | None:
    """The field that says which choice is right: by its name, else the only one that could."""

    def fits(name: str, picks: Callable[[Any, Any], bool]) -> bool:
        pairs = zip(columns[name], columns[choices], strict=True)
        return name != choices and all(picks(value, own) for value, own in pairs)

    fitting = [name for name in columns if fits(name, _picks)]
    if (named := _named(TARGET_WORDS, fitting)) is not None:
        return named
    texts = [name for name in fitting if fits(name, lambda value, own: value in own)]
    return texts[0] if len(texts) == 1 else None


def _picks(value: Any, choices: Sequence[str]) -> bool:
    if isinstance(value, str):
        digits = value.isascii() and value.isdigit() and len(value) < 10
        return value in choices or (digits and int(value) < len(choices))
    return type(value) is int and 0 <= value < len(choices)


def _slices(columns: Columns, used: set[str]) -> tuple[str, ...]:
    """Fields by which reviewers want to see a metric apart: known by name, with a few values, in every row."""
    found = []
    for name, values in columns.items():
        plain = name not in used and all(isinstance(value, str | int | bool) for value in values)
        if plain and name.lower() in SLICE_WORDS and 2 <= len({str(value) for value in values}) <= MAX_SLICES:
            found.append(name)
    return tuple(found)


def _named(words: Sequence[str], names: Sequence[str]) -> str | None:
    """The name that says one of ``words`` best: the earliest word, the name that is nothing but the word."""
    ranked = [(rank, place, name) for place, name in enumerate(names) if (rank := _rank(words, name)) is not None]
    return min(ranked)[2] if ranked else None


def _rank(words: Sequence[str], name: str) -> tuple[bool, int] | None:
    lower = name.lower()
    for place, word in enumerate(words):
        if lower in {word, f"{word}s"}:
            return False, place
    for place, word in enumerate(words):
        if lower.startswith(word) or lower.endswith(f"_{word}"):
            return True, place
    return None


def _references(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _is_reference(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return bool(values) and all(_is_text(one) or type(one) in {int, float} for one in values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_choices(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 2 and all(isinstance(one, str) and one for one in value)
