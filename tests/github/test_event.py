"""Events, as files that anybody's pull request has a part in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.github.event import MAX_BYTES, Event, base_ref_of, read_event

HEAD, BASE = "a" * 40, "b" * 40


def pull_request(**changes: Any) -> dict[str, Any]:
    repo = {"full_name": "acme/bot", "id": 1, "private": True}
    head = {"sha": HEAD, "ref": "topic", "repo": repo, "label": "acme:topic", **changes.pop("head", {})}
    base = {"sha": BASE, "ref": "main", "repo": repo, **changes.pop("base", {})}
    return {"action": "opened", "pull_request": {"number": 7, "title": "x", "head": head, "base": base, **changes}}


def read(folder: Path, event: Any) -> Event:
    path = folder / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event), "utf-8")
    return read_event(path)


def test_a_pull_request(tmp_path: Path) -> None:
    event = read(tmp_path, pull_request())
    assert event.pull_request is not None
    assert (event.pull_request.number, event.head_sha, event.pull_request.is_fork) == (7, HEAD, False)
    assert base_ref_of(event) == "origin/main"


@pytest.mark.parametrize("repo", [{"full_name": "eve/bot"}, None])
def test_a_fork_s(tmp_path: Path, repo: Any) -> None:
    event = read(tmp_path, pull_request(head={"repo": repo}))
    assert event.pull_request is not None
    assert event.pull_request.is_fork


def test_a_merge_group_has_no_pull_request(tmp_path: Path) -> None:
    group = {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}
    event = read(tmp_path, {"merge_group": {**group, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}"}})
    assert (event.pull_request, event.head_sha, base_ref_of(event)) == (None, HEAD, BASE)


@pytest.mark.parametrize("event", [{"ref": "refs/heads/main", "after": HEAD}, {"inputs": {"version": "1.1"}}, {}])
def test_other_events_ask_about_no_commit(tmp_path: Path, event: Any) -> None:
    found = read(tmp_path, event)
    assert (found.pull_request, found.head_sha, base_ref_of(found)) == (None, None, None)


BAD = ["-x", "a..b", "a b", "a~1", "main^", "x:y", "a@{1}", "a//b", "a\nb", "a\\b", "", "x" * 251, "[a]"]


@pytest.mark.parametrize("ref", BAD)
def test_a_base_branch_is_a_name_and_nothing_that_git_would_work_out(tmp_path: Path, ref: str) -> None:
    with pytest.raises(InvalidInput, match="pull_request"):
        read(tmp_path, pull_request(base={"ref": ref}))


@pytest.mark.parametrize("ref", ["main", "release/1.x", "größe", "a-b_c.d", "$(touch${IFS}x)"])
def test_branches_that_git_allows_are_taken(tmp_path: Path, ref: str) -> None:
    assert base_ref_of(read(tmp_path, pull_request(base={"ref": ref}))) == f"origin/{ref}"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", "MR201"),
        ("", "MR201"),
        ("[]", "MR208"),
        ('{"pull_request": {}, "pull_request": null}', "MR203"),
        (pull_request(number="7"), "MR208"),
        (pull_request(number=0), "MR208"),
        (pull_request(number=True), "MR208"),
        (pull_request(head={"sha": "main"}), "MR208"),
        (pull_request(head={"sha": HEAD + "\n"}), "MR208"),
        ({"pull_request": {"number": 7}}, "MR207"),
        ({"merge_group": {"head_sha": HEAD}}, "MR207"),
    ],
)
def test_what_is_no_event_is_said_with_its_line(tmp_path: Path, event: Any, code: str) -> None:
    with pytest.raises(InvalidInput, match=rf"event\.json:1(:\d+)?: {code} "):
        read(tmp_path, event)


def test_a_file_that_is_larger_than_any_event_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidInput, match="no event is as large"):
        read_event(path)
    with pytest.raises(InvalidInput, match="MR209 does not exist"):
        read_event(tmp_path / "none.json")
