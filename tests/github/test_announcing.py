"""What is still to be done until a tag's release is out, whole."""

from __future__ import annotations

import dataclasses

import pytest
from announcer import COMMIT, MODEL, TAG, announcement, asset

from modelrelease.errors import Refused
from modelrelease.github.announcing import Marker, Mine, Release, Step, Stored, plan, read_marker

WANTED = {"eval.json": b"1", "digests.txt": b"22"}
MARKER = Marker(TAG, COMMIT, MODEL)
MINE = Mine(announcement(assets=tuple(asset(name, data) for name, data in WANTED.items())), f"{MARKER}\nnew", 7)


def stored(number: int, name: str, data: bytes | None = None, *, whole: bool = True) -> Stored:
    kept = asset(name, WANTED[name] if data is None else data)
    return Stored(number, name, kept.size if whole else 0, kept.sha256 if whole else None, whole)


GOOD = (stored(1, "eval.json"), stored(2, "digests.txt"))


def draft(number: int, *files: Stored, author: int = 7, body: str = f"{MARKER}\nold", tag: str = TAG) -> Release:
    return Release(number, tag, author, True, body, "", "", files)


def published(*files: Stored, body: str = f"{MARKER}\nedited", author: int = 7) -> Release:
    return dataclasses.replace(draft(9, *files, body=body, author=author), draft=False)


EVAL, DIGESTS = Step("upload", 5, name="eval.json"), Step("upload", 5, name="digests.txt")
CASES: dict[str, tuple[Release | None, list[Release], list[Step]]] = {
    "nothing": (None, [], [Step("draft")]),
    "a draft": (None, [draft(5)], [EVAL, DIGESTS]),
    "a draft with a file": (None, [draft(5, GOOD[0])], [DIGESTS]),
    "a whole draft": (None, [draft(5, *GOOD)], [Step("publish", 5)]),
    "doubles": (None, [draft(8), draft(5, *GOOD), draft(6, *GOOD)], [
        Step("discard", 6), Step("discard", 8), Step("publish", 5)]),
    "another file": (None, [draft(5, stored(1, "eval.json", b"x"), GOOD[1])], [Step("remove", 5, 1, "eval.json")]),
    "half a file": (None, [draft(5, GOOD[0], stored(2, "digests.txt", whole=False))], [
        Step("remove", 5, 2, "digests.txt")]),
    "a file too many": (None, [draft(5, *GOOD, stored(3, "x.bin", b"x"))], [Step("remove", 5, 3, "x.bin")]),
    "of another tag": (None, [draft(5, body=f"{Marker('model_v1.0', COMMIT, MODEL)}\n")], [Step("draft")]),
    "of another author": (None, [draft(5, author=8)], [Step("draft")]),
    "of a gone author": (None, [dataclasses.replace(draft(5), author=None)], [Step("draft")]),
    "a quotation": (None, [draft(5, body=f"> {MARKER}")], [Step("draft")]),
    "of an older commit": (None, [draft(5, *GOOD, body=str(Marker(TAG, "a" * 40, MODEL)))], [Step("publish", 5)]),
    "untagged": (None, [draft(5, *GOOD, tag="untagged-0123")], [Step("publish", 5)]),
    "out": (published(*GOOD), [], []),
    "out, by another": (published(*GOOD, author=8), [], []),
    "out, with more": (published(*GOOD, stored(3, "notes.pdf", b"x")), [], []),
    "out, and a draft": (published(*GOOD), [draft(5)], [Step("discard", 5)]),
    "out, without a file": (published(GOOD[0]), [], [Step("upload", 9, name="digests.txt")]),
    "out, with half a file": (published(GOOD[0], stored(2, "digests.txt", whole=False)), [], [
        Step("remove", 9, 2, "digests.txt")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_to_be_done(case: str) -> None:
    out, drafts, steps = CASES[case]
    assert plan(out, drafts, MINE) == steps


@pytest.mark.parametrize(
    "out",
    [
        published(*GOOD, body="notes"),
        published(*GOOD, body=str(Marker(TAG, "a" * 40, MODEL))),
        published(*GOOD, body=str(Marker(TAG, COMMIT, "0" * 64))),
        published(stored(1, "eval.json", b"x"), GOOD[1]),
        published(dataclasses.replace(GOOD[0], sha256=None), GOOD[1]),
    ],
)
def test_what_is_out_and_another_is_refused(out: Release) -> None:
    with pytest.raises(Refused, match="MR741"):
        plan(out, [draft(5)], MINE)


def test_what_is_out_is_never_published_before_all_is_there() -> None:
    """Every way to leave files out or to spoil them gives no `publish`."""
    for kept in (GOOD[:1], GOOD[1:], (), (*GOOD[:1], stored(2, "digests.txt", b"x"))):
        assert not any(step.action == "publish" for step in plan(None, [draft(5, *kept)], MINE))


@pytest.mark.parametrize("body", ["", f" {MARKER}", str(MARKER).replace("commit=cc", "commit=c"), str(MARKER)[:-1]])
def test_a_marker_that_is_none(body: str) -> None:
    assert read_marker(body) is None
    assert read_marker(f"{MARKER}\r\ntext") == MARKER
