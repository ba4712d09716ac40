"""What a model card lacks before people can rely on it: keys, values that the Hub takes, text instead of gaps. Pure.

Source of the required keys: the design's page on releases; of the values: huggingface_hub's ModelCardData.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.faults import quoted
from modelrelease.records.located import Keys, Located
from modelrelease.records.shown import shown
from modelrelease.release.card.layout import Layout
from modelrelease.release.card.metadata import HUB_ID, LICENSE_ID, MODEL_INDEX
from modelrelease.release.card.placeholders import placeholders_in, placeholders_of

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*|code|multilingual")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TAG = re.compile(r"\S(?:.{0,94}\S)?")
_MAX_REPEATED = 20


class Rule:
    """What a required key holds: one text, or also several; ``example`` is the line to add."""

    __slots__ = ("example", "many", "may_be_empty", "pattern", "what")

    def __init__(self, what: str, pattern: re.Pattern[str], example: str, many: bool, may_be_empty: bool) -> None:
        self.what = what
        self.pattern = pattern
        self.example = example
        self.many = many
        self.may_be_empty = may_be_empty


RULES = {
    "license": Rule("the Hub's id of a license", LICENSE_ID, "`license: apache-2.0`, or whichever it is", False, False),
    "base_model": Rule(
        "the Hub's id of a model",
        HUB_ID,
        "`base_model: <org>/<name>`, or `base_model: []` where there is none",
        True,
        True,
    ),
    "datasets": Rule(
        "the Hub's id of a dataset",
        HUB_ID,
        "`datasets: [<org>/<name>]` with what it was trained on, or `datasets: []` where none of it is on the Hub",
        True,
        True,
    ),
    "language": Rule("a code of ISO 639", _LANGUAGE, "`language: en`, or whichever it speaks", True, False),
    "library_name": Rule("a library's name", _WORD, "`library_name: transformers`, or what loads it", False, False),
    "pipeline_tag": Rule("the Hub's id of a task", _WORD, "`pipeline_tag: text-generation`", False, False),
    "tags": Rule("a tag", _TAG, "`tags: [<word>]` with what it is to be found by", True, False),
}
"""The keys that every card has, in the order in which they are written."""


def lint(layout: Layout, located: Located, path: str) -> list[Finding]:
    """Return what is wrong with a card, in the order of its lines: MR430, MR431, MR434.

    ``located`` is its front matter. Our own part is not looked at: its texts are quoted from records.
    """
    findings = [*_invisible(layout, path), *_keys(located), *_read_otherwise(layout, located)]
    findings += placeholders_of(located)
    findings += placeholders_in(layout.before, path, _line_of_body(layout))
    after = _line_of_body(layout) + (layout.before + (layout.section or "")).count("\n")
    findings += placeholders_in(layout.after, path, after)
    return sorted(findings, key=lambda finding: finding.line or 0)


def _line_of_body(layout: Layout) -> int:
    return (layout.opening + layout.front + layout.closing).count("\n") + 1


def _invisible(layout: Layout, path: str) -> Iterator[Finding]:
    if re.search(r"---[ \t]+\r?\n", layout.opening):
        message = "blanks follow the first `---`, and the Hub does not see the metadata"
        yield Finding(path, Code.CARD_METADATA, message, "take them out", layout.front_line - 1)


def _keys(located: Located) -> Iterator[Finding]:
    for key, rule in RULES.items():
        value = located.value.get(key)
        if value is None or value == "" or (value == [] and not rule.may_be_empty):
            what = "is missing" if key not in located.value else "is empty"
            line = located.line_of((key,)) if key in located.value else located.line_of(())
            yield Finding(located.path, Code.CARD_KEY, f"`{key}` {what}", f"add {rule.example}", line)
        else:
            yield from _values(key, value, rule, located)
    if located.value.get("license") == "other" and not located.value.get("license_name"):
        todo = "add `license_name: <name>` and `license_link: <address>`"
        message, line = "`license_name` is missing beside `license: other`", located.line_of(("license",))
        yield Finding(located.path, Code.CARD_KEY, message, todo, line)


def _values(key: str, value: Any, rule: Rule, located: Located) -> Iterator[Finding]:
    many = isinstance(value, list) and rule.many
    for number, item in enumerate(value if many else [value]):
        keys: Keys = (key, number) if many else (key,)
        if not isinstance(item, str):
            kind = "one text" if not rule.many else "a text or a list of texts"
            yield _wrong(located, keys, f"`{key}` is {shown(item)}", f"it must be {kind}")
        elif not rule.pattern.fullmatch(item) and not placeholders_of(Located(item, located.path)):
            yield _wrong(located, keys, f"`{key}` is {shown(item)}", f"it must be {rule.what}")


def _wrong(located: Located, keys: Keys, message: str, todo: str) -> Finding:
    return Finding(located.path, Code.CARD_METADATA, message, todo, located.line_of(keys))


def _read_otherwise(layout: Layout, located: Located) -> Iterator[Finding]:
    """Yield what huggingface_hub reads as something else than YAML 1.2: `language: no` is false there."""
    try:
        value = yaml.safe_load(layout.front) or {}
    except (yaml.YAMLError, ValueError) as error:
        problem = str(error).partition("\n")[0]
        message = f"huggingface_hub cannot read the front matter: {problem}"
        yield _wrong(located, (), message, "put the value in quotes")
        return
    for key in (*RULES, MODEL_INDEX):
        ours, theirs = located.value.get(key), value.get(key)
        if ours != theirs or type(ours) is not type(theirs):
            message = f"`{key}` is {quoted(str(theirs))} to huggingface_hub, which reads YAML 1.1"
            yield _wrong(located, (key,), message, "put its texts in quotes")
