"""Is a ledger whole, and what do its events add up to? Without git."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from ledgers import TARGET, digest, event, intent, moved, override, released, revoked

from modelrelease.records.ledger import Event
from modelrelease.release.ledger.chain import Anchor, Chain, Changed, Link, event_path, missing_anchors, read_chain
from modelrelease.release.ledger.state import fold

ONE, TWO = "model_v1.0", "model_v1.1"
LIFE = [
    intent(ONE),
    released(ONE, 1, None),
    override(TWO, "pick/acc", "2026-04-01"),
    intent(TWO),
    released(TWO, 4, ONE),
    moved("rolled-back", ONE, TWO),
    moved("rolled-forward", TWO, ONE),
    revoked(ONE),
]


def chained(events: list[Event]) -> list[bytes]:
    """Return the files of events, each naming the one before it."""
    files: list[bytes] = []
    for number, one in enumerate(events, start=1):
        previous = hashlib.sha256(files[-1]).hexdigest() if files else None
        files.append(Event.model_validate({**dict(one), "sequence": number, "previous": previous}).to_bytes())
    return files


def links(files: list[bytes]) -> list[Link]:
    return [
        Link(f"{n:040d}", (f"{n - 1:040d}",) if n > 1 else (), (Changed(event_path(n), "A", True),), data)
        for n, data in enumerate(files, start=1)
    ]


def read(found: list[Link]) -> Chain:
    return read_chain("modelrelease/ledger", found)


def test_a_whole_life() -> None:
    chain = read(links(chained(LIFE)))
    assert chain.findings == ()
    state = chain.state
    assert state.live_version(TARGET, "production") == TWO
    assert state.live_version(TARGET, "staging") is None
    assert set(state.released) == {(TARGET, ONE), (TARGET, TWO)}
    assert set(state.revoked) == {(TARGET, ONE)}
    assert state.open == {}
    assert set(state.accepted(TWO, digest(TWO), "2026-04-01")) == {"pick/acc"}
    assert state.accepted(TWO, digest(TWO), "2026-04-02") == {}
    assert state.accepted(TWO, digest(ONE), "2026-04-01") == {}
    assert state.accepted(ONE, digest(TWO), "2026-04-01") == {}


def test_what_was_announced_and_has_no_receipt_is_open() -> None:
    state = fold(read(links(chained(LIFE[:4]))).events)
    assert set(state.open) == {(TARGET, TWO)}
    assert state.live_version(TARGET, "production") == ONE


def edited(number: int, key: str, value: object) -> Callable[[list[bytes]], list[bytes]]:
    def edit(files: list[bytes]) -> list[bytes]:
        data = json.loads(files[number - 1])
        data[key] = value
        text = json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
        return [*files[: number - 1], text.encode(), *files[number:]]

    return edit


def release_edited(key: str, value: object) -> Callable[[list[bytes]], list[bytes]]:
    return lambda files: edited(4, "release", {**json.loads(files[3])["release"], key: value})(files)


FILE: dict[str, object] = {"path": "config.json", "size": 1, "sha256": "1" * 64, "blob": None}

TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "an event edited": (edited(2, "at", "2026-03-04T05:06:08+00:00"), r":events/000003\.json: MR720 does not name"),
    "the last one edited": (edited(8, "version", ONE + ".9"), r":events/000008\.json: MR723 .* never released"),
    "a sequence twice": (edited(3, "sequence", 2), r":events/000003\.json: MR720 has the sequence 2"),
    "an event deleted": (lambda files: files[:2] + files[3:], r":events/000003\.json: MR720 has the sequence 4"),
    "events reordered": (
        lambda files: [*files[:2], files[3], files[2], *files[4:]],
        r":events/000003\.json: MR720 has the sequence 4",
    ),
    "the first one gone": (lambda files: files[1:], r":events/000001\.json: MR720 has the sequence 2"),
    "half an event": (lambda files: [*files[:7], files[7][:200]], r":events/000008\.json:\d+: MR722 .* not valid JSON"),
    "an empty event": (lambda files: [*files[:7], b""], r":events/000008\.json:\d*:? ?MR722"),
    "bytes that are no text": (lambda files: [*files[:7], b"\xff\xfe"], r":events/000008\.json:.*MR722"),
    "other spacing": (
        lambda files: [*files[:7], json.dumps(json.loads(files[7])).encode()],
        r":events/000008\.json: MR722 is not written as",
    ),
    "a key it does not have": (edited(8, "note", "hello"), r":events/000008\.json:\d+: MR722 unknown key"),
    "an escape in a name": (edited(8, "version", "\x1b[31m"), r":events/000008\.json:\d+: MR722 "),
    "a time that is none": (edited(8, "at", "9999-99-99T99:99:99+00:00"), r":events/000008\.json:\d+: MR722 .*`at`"),
    "the year 0": (edited(8, "at", "0000-01-01T00:00:00+00:00"), r":events/000008\.json:\d+: MR722 .*`at`"),
    "another script's digits": (
        edited(8, "at", "٢٠٢٦-01-01T00:00:00+00:00"),
        r":events/000008\.json:\d+: MR722 .*`at`",
    ),
    "a path out of the release": (
        release_edited("files", [{**FILE, "path": "../x"}]),
        r"MR722 .*`release\.files.*path`",
    ),
    "a path from the root": (release_edited("files", [{**FILE, "path": "/x"}]), r"MR722 .*`release\.files.*path`"),
    "a path that no disk takes": (release_edited("files", [{**FILE, "path": "x" * 600}]), r"MR722 .*`release\.files"),
    "a path with NUL": (release_edited("files", [{**FILE, "path": "x\0y"}]), r"MR722 .*`release\.files.*path`"),
    "a tag with NUL": (release_edited("tag", "x\0y"), r"MR722 .*`release\.tag`"),
    "a tag like an option": (release_edited("tag", "--output=x"), r"MR722 .*`release\.tag`"),
    "a policy like an option": (release_edited("policy_ref", "--all"), r"MR722 .*`release\.policy_ref`"),
    "overrides without end": (release_edited("overrides", [1] * 2000), r"MR722 .*`release\.overrides`"),
    "more values than an event has": (edited(8, "by", [0] * 400_000), r":events/000008\.json.*MR722 holds more than"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_tampered_with_is_found_and_located(case: str) -> None:
    tamper, expected = TAMPERED[case]
    chain = read(links(tamper(chained(LIFE))))
    lines = "\n".join(str(finding) for finding in chain.findings)
    assert re.search(expected, lines), lines
    assert lines.replace("\n", "").isprintable()
    assert len(chain.events) < len(LIFE)


def other(link: Link, *changed: Changed) -> Link:
    return replace(link, changed=changed)


SHAPES: dict[str, tuple[Callable[[list[Link]], list[Link]], str]] = {
    "an event edited in place": (
        lambda all_: [*all_[:3], other(all_[3], Changed("events/000002.json", "M", True), *all_[3].changed)],
        "MR720 edits events/000002.json, where event 4 was to be added",
    ),
    "an event removed": (
        lambda all_: [*all_[:3], other(all_[3], Changed("events/000001.json", "D", False))],
        "MR720 deletes events/000001.json",
    ),
    "something else": (
        lambda all_: [*all_, replace(all_[-1], commit="f" * 40, changed=(Changed("README.md", "A", True),))],
        "MR720 adds README.md, where event 9",
    ),
    "a commit of nothing": (
        lambda all_: [*all_, replace(all_[-1], commit="f" * 40, changed=())],
        "MR720 holds no event",
    ),
    "a link": (
        lambda all_: [*all_[:7], replace(all_[7], changed=(Changed(event_path(8), "A", False),), data=None)],
        "MR720 events/000008.json is not added as a plain file",
    ),
    "a merge": (
        lambda all_: [*all_[:7], replace(all_[7], parents=("a" * 40, "b" * 40))],
        "MR720 is a merge: the ledger has forked",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_commit_that_does_not_add_one_event_is_found(case: str) -> None:
    change, expected = SHAPES[case]
    (finding, *_) = read(change(links(chained(LIFE)))).findings
    assert expected in str(finding)


@pytest.mark.parametrize("kept", [7, 1])
def test_a_tail_that_was_cut_off_is_found_by_what_a_release_names(kept: int) -> None:
    whole = links(chained(LIFE))
    cut = read(whole[:kept])
    assert cut.findings == ()
    anchors = [
        Anchor("the release of model_v1.1", whole[-1].commit),
        Anchor("the release of model_v1.0", "0" * 39 + "1"),
    ]
    (finding,) = missing_anchors("modelrelease/ledger", cut, anchors)
    assert "MR721 does not hold" in str(finding)
    assert "the release of model_v1.1" in str(finding)


IMPOSSIBLE = {
    "a receipt without an intent": ([released(ONE, 1, None)], "has no intent"),
    "a receipt of another digest": ([intent(ONE), released(ONE, 1, None, model_digest="9" * 64)], "another checkpoint"),
    "two receipts": ([intent(ONE), released(ONE, 1, None), released(ONE, 1, ONE)], "has a receipt already"),
    "an intent after the receipt": ([intent(ONE), released(ONE, 1, None), intent(ONE)], "is released already"),
    "a rollback to what was never released": ([moved("rolled-back", ONE, None)], "was never released"),
    "a rollback to what was revoked": (
        [*LIFE, moved("rolled-back", ONE, TWO)],
        "was revoked",
    ),
    "the end of what is live": ([intent(ONE), released(ONE, 1, None), revoked(ONE)], "is what production names"),
    "a rollback from what was not live": (
        [intent(ONE), released(ONE, 1, None), moved("rolled-back", ONE, TWO)],
        "named model_v1.0 before it, not model_v1.1",
    ),
    "a rollback to another digest": (
        [intent(ONE), released(ONE, 1, None), moved("rolled-back", ONE, ONE, model_digest="9" * 64)],
        "another checkpoint digest",
    ),
    "the end of what was never released": ([revoked(ONE)], "was never released"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_have_happened_is_found(case: str) -> None:
    events, expected = IMPOSSIBLE[case]
    (finding,) = read(links(chained(events))).findings
    assert "MR723 cannot have happened" in str(finding)
    assert expected in str(finding)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("intent", {}),
        ("released", {}),
        ("rolled-back", {}),
        ("revoked", {}),
        ("override", {"reason": "x"}),
        ("revoked", {"reason": "x", "sequence": 2}),
    ],
)
def test_an_event_says_what_its_kind_has_to_say(kind: str, more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"an event of the kind|the first event"):
        event(kind, ONE, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("until", ["2026-02-30", "9999-99-99", "٢٠٢٦-01-01", "2026-01-01\n"])
def test_a_day_that_is_none_is_no_end(until: str) -> None:
    with pytest.raises(ValueError, match="until"):
        override(TWO, "pick/acc", until)


def test_what_events_add_up_to_is_added_up_once() -> None:
    chain = read(links(chained(LIFE)))
    assert chain.state is chain.state
