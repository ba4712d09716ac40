"""One whole release of a tag in the end, through the real PyGithub, whatever happens on the way."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from announcer import COMMIT, FILES, HEAD, MODEL, TAG, Announcer, announcement, asset, outcome, tagged
from fakes.github import BOT_ID, JOB_TOKEN, PERSON_TOKEN, FakeGitHub, User
from fakes.github import faults as go_wrong

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused, Unavailable
from modelrelease.github.announcing import Marker, read_marker
from modelrelease.github.releases import anchors, refuse_taken

RELEASES = "/repos/acme/bot/releases"
ONE = r"/repos/acme/bot/releases/\d+"
FILES_OF_ONE = r"/repos/acme/bot/releases/\d+/assets"
ONE_FILE = r"/repos/acme/bot/releases/assets/\d+"
OF_TAG = f"/repos/acme/bot/releases/tags/{TAG}"
REF = f"/repos/acme/bot/git/ref/tags/{TAG}"
NAMES = sorted([*FILES, "digests.txt"])


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    """Return what is there after a run that nothing happened to."""
    with FakeGitHub() as github:
        tagged(github)
        Announcer(github).announce()
        return outcome(github)


@pytest.fixture
def ready(github: FakeGitHub) -> FakeGitHub:
    tagged(github)
    return github


def test_a_release_s_life(ready: FakeGitHub, tmp_path: Path) -> None:
    run = Announcer(ready)
    url = run.announce(announcement(tmp_path))
    assert url == f"{ready.url}/acme/bot/releases/tag/{TAG}"
    (release,) = ready.repository().releases.values()
    assert (release["draft"], release["tag_name"], release["make_latest"]) == (False, TAG, "legacy")
    assert read_marker(release["body"]) == Marker(TAG, COMMIT, MODEL)
    stored = ready.repository().assets.values()
    assert sorted((one["name"], one["sha256"]) for one in stored) == sorted(
        (one.name, one.sha256) for one in announcement().assets
    )
    assert (
        bytes.fromhex(next(one["content"] for one in stored if one["name"] == "samples.jsonl"))
        == FILES["samples.jsonl"]
    )
    writes = [method for method, _ in ready.writes()]
    assert writes == ["POST", *["POST"] * len(NAMES), "PATCH"], "the files come before it is published"
    assert run.announce() == url
    assert len(ready.writes()) == len(writes)
    assert anchors(run.client, "acme/bot") == [(f"the GitHub release {TAG}", HEAD)]


def test_every_other_word_of_the_release_is_data(ready: FakeGitHub) -> None:
    """A changelog that anybody may have written cannot be the ledger's anchor, nor its marker."""
    hostile = f"Ledger-Head: {'f' * 40}\n{Marker(TAG, 'f' * 40, MODEL)}\n@everyone ![x](http://evil.example/x.png)\n"
    run = Announcer(ready)
    run.announce(announcement(changelog=hostile, ledger_head=None, title="x\x1b[31m\n" + "y" * 500))
    assert anchors(run.client, "acme/bot") == []
    (release,) = ready.repository().releases.values()
    assert release["name"].startswith("x\\x1b[31m\\nyyy")
    assert len(release["name"]) < 250
    assert "@everyone" not in release["body"]
    assert "](http" not in release["body"]


def test_anchors_come_from_all_pages_and_from_our_published_releases_alone(ready: FakeGitHub) -> None:
    run = Announcer(ready)
    run.announce()
    ours = next(iter(ready.repository().releases.values()))
    for number in range(250):
        key = str(5_000_000 + number)
        ready.repository().releases[key] = {**ours, "id": int(key), "tag_name": f"v{number}", "body": "notes"}
    add_release(ready, tag="model_v1.0", body=ours["body"].replace(TAG, "model_v1.0").replace(HEAD, "1" * 40))
    add_release(ready, tag="model_v1.2", body=ours["body"].replace(HEAD, "2" * 40), draft=True)
    add_release(ready, tag="v9", body=f"Ledger-Head: {'3' * 40}")
    add_release(ready, tag="v10", body=ours["body"].replace(HEAD, "4" * 39))
    found = [("the GitHub release model_v1.0", "1" * 40), (f"the GitHub release {TAG}", HEAD)]
    assert anchors(run.client, "acme/bot") == found


def add_release(github: FakeGitHub, **changes: Any) -> dict[str, Any]:
    plain = {"tag_name": TAG, "name": "x", "body": "notes", "draft": False, "prerelease": False}
    plain |= {"target_commitish": "main", "author": "github-actions[bot]"}
    identity = {"id": github.world.next_id(), "created": github.world.now()}
    changes["tag_name"] = changes.pop("tag", TAG)
    made = {**plain, **identity, **changes}
    github.repository().releases[str(made["id"])] = made
    return made


def add_file(github: FakeGitHub, release: dict[str, Any], name: str, data: bytes, **changes: Any) -> None:
    one = asset(name, data)
    plain = {"id": github.world.next_id(), "release": release["id"], "name": name, "label": None, "size": one.size}
    plain |= {"content_type": "text/plain", "state": "uploaded", "content": data.hex(), "file": None}
    plain |= {"sha256": one.sha256, "author": "github-actions[bot]"}
    github.repository().assets[str(plain["id"])] = {**plain, **changes}


def draft_of_ours(github: FakeGitHub, **changes: Any) -> dict[str, Any]:
    return add_release(github, **{"draft": True, "body": f"{Marker(TAG, COMMIT, MODEL)}\nold", **changes})


SERVER: dict[str, dict[str, Any]] = {
    "500 before it was applied": go_wrong.error(500),
    "500 after it was applied": {"applied": True, **go_wrong.error(500)},
    "reset before": {"reset": True},
    "reset after": {"reset": True, "applied": True},
    "a page for people after it was applied": {"applied": True, **go_wrong.html(502)},
    "a page for people after it was applied, 2xx": {"applied": True, **go_wrong.html(201)},
    "half an answer after it was applied": {"applied": True, "keep": 1},
    "asked to wait": go_wrong.retry_after(7),
    "too many writes": go_wrong.secondary(),
}
PLACES = {
    "tag": ("GET", REF),
    "list": ("GET", RELEASES),
    "look": ("GET", OF_TAG),
    "draft": ("POST", RELEASES),
    "files": ("GET", FILES_OF_ONE),
    "upload": ("POST", FILES_OF_ONE),
    "publish": ("PATCH", ONE),
}


@pytest.mark.parametrize("case", SERVER)
@pytest.mark.parametrize("place", PLACES)
def test_it_ends_as_undisturbed(ready: FakeGitHub, undisturbed: dict[str, Any], place: str, case: str) -> None:
    ready.fault(*PLACES[place], **SERVER[case])
    run = Announcer(ready)
    run.announce()
    assert ready.faults.left() == 0
    assert outcome(ready) == undisturbed
    assert len(run.told) == 1
    assert "canary" not in "".join(run.told)


REFUSALS = {
    401: "Bad credentials",
    403: "Resource not accessible by integration",
    404: "Not Found",
    422: "Validation Failed",
}
# What is not found, or rejected, may be so because it was done: it is looked at again.
UNSURE = {
    ("draft", 404),
    ("tag", 404),
    ("look", 404),
    ("publish", 404),
    ("files", 404),
    ("upload", 404),
    ("draft", 422),
    ("upload", 422),
    ("publish", 422),
}


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_refused_and_run_again_it_ends_as_undisturbed(
    ready: FakeGitHub, undisturbed: dict[str, Any], place: str, applied: bool, status: int
) -> None:
    """As by a token that expires in the middle, and by a proxy that answers for a server that has done its work."""
    ready.fault(*PLACES[place], applied=applied, **go_wrong.error(status, f"{REFUSALS[status]} {JOB_TOKEN}"))
    run = Announcer(ready)
    said = ""
    try:
        run.announce()
    except (Refused, Unavailable) as error:
        said = f"{error} {error.__cause__} {error.__context__}"
    assert said or (place, status) in UNSURE, "it must not have passed"
    assert "canary" not in said
    assert applied or not said or all(one["draft"] for one in ready.repository().releases.values())
    assert ready.faults.left() == 0
    Announcer(ready).announce()
    assert outcome(ready) == undisturbed


@pytest.mark.parametrize("place", ["draft", "upload", "publish"])
@pytest.mark.parametrize("times", [1, 9])
def test_what_github_rejects_for_good_is_told(ready: FakeGitHub, place: str, times: int) -> None:
    ready.fault(*PLACES[place], times=times, **go_wrong.error(422, "Validation Failed"))
    if times == 1:
        Announcer(ready).announce()
        return
    with pytest.raises(Unavailable, match="422: Validation Failed"):
        Announcer(ready).announce()
    assert all(one["draft"] for one in ready.repository().releases.values())


class Killed(BaseException):
    """The end of a run, as a signal makes it: nothing of it is cleaned up."""


def dying(run: Announcer, fatal: int, after: bool) -> None:
    """Let a run die before or after its request number ``fatal``, counted from 0."""
    made = 0

    def deadly(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal made
            number, made = made, made + 1
            if number == fatal and not after:
                raise Killed
            try:
                return method(*arguments, **options)
            finally:
                if number == fatal:
                    raise Killed

        return call

    for name in ("get", "write", "upload"):
        setattr(run.client, name, deadly(getattr(run.client, name)))


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_request_and_run_again_it_ends_as_undisturbed(undisturbed: dict[str, Any], after: bool) -> None:
    for fatal in range(100):
        with FakeGitHub() as github:
            tagged(github)
            run = Announcer(github)
            dying(run, fatal, after)
            try:
                run.announce()
            except Killed:
                stopped = True
            else:
                stopped = False
            published = [one for one in github.repository().releases.values() if not one["draft"]]
            assert not published or outcome(github)["files"] == undisturbed["files"], "never published without a file"
            Announcer(github).announce()
            assert outcome(github) == undisturbed
            assert github.problems == []
        if not stopped:
            assert fatal > 12
            return
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("reset", [True, False])
def test_an_upload_that_broke_off_is_sent_again(ready: FakeGitHub, undisturbed: dict[str, Any], reset: bool) -> None:
    """GitHub leaves an empty file in the state `starter`, and refuses another of its name until that is gone."""
    ready.fault("POST", FILES_OF_ONE, times=2, take=3, reset=reset, applied=True)
    Announcer(ready).announce()
    assert outcome(ready) == undisturbed
    removed = [path for method, path in ready.writes() if method == "DELETE"]
    assert len(removed) == 2


def test_a_run_that_is_killed_in_the_middle_of_an_upload_leaves_nothing_that_stays(
    ready: FakeGitHub, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * (64 << 20))
    ready.fault("POST", FILES_OF_ONE, delay=0.0, take=1 << 16, applied=True, gather=(gate := threading.Barrier(2)))
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from announcer import *
from types import SimpleNamespace
files = announcement().assets
big = Asset("eval.json", {64 << 20}, "0" * 64, Path({str(large)!r}))
import modelrelease.github.releases as releases
releases.refuse_changed = lambda _: None
Announcer(SimpleNamespace(url={ready.url!r})).announce(announcement(assets=(big, *files[1:])))
"""
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        while not any(method == "POST" and path.endswith("assets") for method, path in ready.writes()):
            time.sleep(0.01)
        process.kill()
        process.wait()
        gate.wait(timeout=30)
    Announcer(ready).announce()
    assert outcome(ready) == undisturbed


def test_two_at_once_make_one_release(github: FakeGitHub, undisturbed: dict[str, Any]) -> None:
    """Both see that there is none before either makes a draft."""
    tagged(github)
    github.fault("GET", RELEASES, times=2, gather=threading.Barrier(2))
    with ThreadPoolExecutor(2) as pool:
        urls = list(pool.map(lambda _: Announcer(github).announce(sleep=time.sleep, settle=0.5), range(2)))
    assert len(set(urls)) == 1
    assert outcome(github) == undisturbed
    assert github.writes().count(("POST", RELEASES)) == 2


def test_lists_that_lag_behind_make_no_second_draft(ready: FakeGitHub, undisturbed: dict[str, Any]) -> None:
    ready.fault("GET", RELEASES, times=3, status=200, body="[]")
    ready.fault("GET", FILES_OF_ONE, times=2, status=200, body="[]")
    Announcer(ready).announce()
    assert outcome(ready) == undisturbed
    assert ready.writes().count(("POST", RELEASES)) == 1


DRAFTS: dict[str, Callable[[FakeGitHub], object]] = {
    "with another text": draft_of_ours,
    "of an older commit": lambda github: draft_of_ours(github, body=f"{Marker(TAG, 'a' * 40, MODEL)}\nold"),
    "whose tag was not there": lambda github: draft_of_ours(github, tag="untagged-0123456789abcdef"),
    "doubles": lambda github: [draft_of_ours(github) for _ in range(3)],
    "with another file": lambda github: add_file(github, draft_of_ours(github), "eval.json", b"other"),
    "with a file too many": lambda github: add_file(github, draft_of_ours(github), "weights.bin", b"other"),
    "with a file of one size": lambda github: add_file(github, draft_of_ours(github), "eval.json", b'{"a": 2}\n'),
    "with a good file": lambda github: add_file(github, draft_of_ours(github), "eval.json", FILES["eval.json"]),
}


@pytest.mark.parametrize("case", DRAFTS)
def test_a_draft_that_is_there_is_gone_on_with(ready: FakeGitHub, undisturbed: dict[str, Any], case: str) -> None:
    DRAFTS[case](ready)
    Announcer(ready).announce()
    assert outcome(ready) == undisturbed
    assert ("POST", RELEASES) not in ready.writes()


def test_somebody_s_own_draft_of_the_tag_is_left_alone(ready: FakeGitHub) -> None:
    theirs = [add_release(ready, draft=True, author="ada"), draft_of_ours(ready, author="mallory")]
    theirs.append(add_release(ready, draft=True, body=f"> {Marker(TAG, COMMIT, MODEL)}"))
    before = [dict(one) for one in theirs]
    Announcer(ready).announce()
    assert theirs == before
    assert len(ready.repository().releases) == 4


def test_files_that_never_reached_a_published_release_are_added(ready: FakeGitHub, undisturbed: dict[str, Any]) -> None:
    """As when a person publishes our draft in the browser, or removes a file."""
    run = Announcer(ready)
    run.announce()
    files = ready.repository().assets
    removed, part = list(files)[:2]
    del files[removed]
    files[part] |= {"state": "starter", "size": 0, "content": "", "sha256": None}
    run.announce()
    assert outcome(ready)["files"] == undisturbed["files"]


PUBLISHED: dict[str, tuple[str, Callable[[FakeGitHub, dict[str, Any]], object]]] = {
    "somebody's": ("was not written by modelrelease", lambda _, one: one.update(body="notes")),
    "quoting ours": ("was not written by modelrelease", lambda _, one: one.update(body=f"> {one['body']}")),
    "of another commit": ("is of commit aaaaaaaaaaaa", lambda _, one: one.update(
        body=str(Marker(TAG, "a" * 40, MODEL)))),
    "of another checkpoint": ("with the checkpoint 000000000000", lambda _, one: one.update(
        body=str(Marker(TAG, COMMIT, "0" * 64)))),
    "with another file": ("holds another eval.json", lambda github, _: next(
        file for file in github.repository().assets.values() if file["name"] == "eval.json").update(sha256="0" * 64)),
}  # fmt: skip


@pytest.mark.parametrize("case", PUBLISHED)
def test_a_published_release_that_is_another_is_refused_and_left_alone(ready: FakeGitHub, case: str) -> None:
    run = Announcer(ready)
    run.announce()
    message, change = PUBLISHED[case]
    change(ready, next(iter(ready.repository().releases.values())))
    before, writes = outcome(ready), len(ready.writes())
    with pytest.raises(Refused, match=f"MR741 .*{message}"):
        run.announce()
    assert (outcome(ready), len(ready.writes())) == (before, writes)
    if case != "with another file":
        with pytest.raises(Refused, match=f"MR741 .*{message}"):
            refuse_taken(run.client, "acme/bot", announcement())


def test_a_plan_says_early_what_would_be_refused(ready: FakeGitHub) -> None:
    run = Announcer(ready)
    refuse_taken(run.client, "acme/bot", announcement())
    run.announce()
    refuse_taken(run.client, "acme/bot", announcement())
    del ready.repository().refs[f"refs/tags/{TAG}"]
    with pytest.raises(Refused, match="MR742"):
        refuse_taken(run.client, "acme/bot", announcement())


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({}, "is not on GitHub; it has to be at cccccccccccc"),
        ({f"refs/tags/{TAG}.1": COMMIT}, "is not on GitHub"),
        ({f"refs/heads/{TAG}": COMMIT}, "is not on GitHub"),
        ({f"refs/tags/{TAG}": "a" * 40}, "is at aaaaaaaaaaaa on GitHub, and was released from cccccccccccc"),
        ({f"refs/tags/{TAG}": "1" * 40}, "is at bbbbbbbbbbbb on GitHub"),
        ({f"refs/tags/{TAG}": "2" * 40}, "is not on GitHub"),
    ],
)
def test_a_tag_that_is_not_at_its_commit_is_refused_and_never_made(
    github: FakeGitHub, tags: dict[str, str], message: str
) -> None:
    github.repository().refs = dict(tags)
    github.repository().tags = {
        "1" * 40: {"type": "commit", "sha": "b" * 40},
        "2" * 40: {"type": "tree", "sha": COMMIT},
    }
    with pytest.raises(Refused, match=f"MR742 {message}"):
        Announcer(github).announce()
    assert github.writes() == []
    assert github.repository().refs == tags


def test_an_annotated_tag_is_followed_to_its_commit(ready: FakeGitHub) -> None:
    ready.repository().refs[f"refs/tags/{TAG}"] = "1" * 40
    ready.repository().tags = {"1" * 40: {"type": "tag", "sha": "2" * 40}, "2" * 40: {"type": "commit", "sha": COMMIT}}
    assert Announcer(ready).announce().endswith(TAG)


def test_a_tag_that_is_removed_meanwhile_is_seen_before_and_after_publishing(ready: FakeGitHub) -> None:
    refs = ready.repository().refs
    run = Announcer(ready)
    upload, write = run.client.upload, run.client.write

    def upload_and_it_is_gone(*arguments: Any, **options: Any) -> Any:
        refs.pop(f"refs/tags/{TAG}", None)
        return upload(*arguments, **options)

    run.client.upload = upload_and_it_is_gone  # type: ignore[method-assign]
    with pytest.raises(Refused, match="MR742 is not on GitHub"):
        run.announce()
    assert all(one["draft"] for one in ready.repository().releases.values())
    assert f"refs/tags/{TAG}" not in refs
    run.client.upload = upload  # type: ignore[method-assign]
    tagged(ready)

    def gone_and_published(verb: str, *arguments: Any, **options: Any) -> Any:
        if verb == "PATCH":
            del refs[f"refs/tags/{TAG}"]
        return write(verb, *arguments, **options)

    run.client.write = gone_and_published  # type: ignore[method-assign]
    with pytest.raises(Refused, match="MR742 is at eeeeeeeeeeee on GitHub"):
        run.announce()


def test_without_digests_files_are_read_back(github: FakeGitHub, undisturbed: dict[str, Any]) -> None:
    github.world.keeps_digests = False
    tagged(github)
    add_file(github, draft_of_ours(github), "eval.json", b'{"a": 2}\n', sha256=None)
    run = Announcer(github)
    github.fault("GET", ONE_FILE, reset=True)
    run.announce()
    assert {one[0] for one in outcome(github)["files"]} == {one[0] for one in undisturbed["files"]}
    stored = next(one for one in github.repository().assets.values() if one["name"] == "eval.json")
    assert bytes.fromhex(stored["content"]) == FILES["eval.json"]
    stored["content"] = b'{"a": 3}\n'.hex()
    with pytest.raises(Refused, match=r"holds another eval\.json"):
        run.announce()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/repos/acme/bot/releases/1/assets{?name}",
        "https://uploads.github.com/repos/acme/bot/releases/1/assets{?name}",
        "http://evil.example/repos/acme/bot/releases/1/assets",
        "http://x@{host}/repos/acme/bot/releases/1/assets",
        "https://{host}/repos/acme/bot/releases/1/assets",
        "/repos/acme/bot/releases/1/assets",
        "",
        "http://[::1",
    ],
)
def test_files_and_token_go_to_no_other_host(ready: FakeGitHub, address: str) -> None:
    import json

    draft = draft_of_ours(ready)
    told = {"id": draft["id"], "tag_name": TAG, "author": {"id": BOT_ID}, "draft": True, "body": draft["body"]}
    told["upload_url"] = address.replace("{host}", ready.url.removeprefix("http://"))
    ready.fault("GET", RELEASES, status=200, body=json.dumps([told]))
    with pytest.raises(Unavailable, match="which is not of") as caught:
        Announcer(ready).announce()
    assert "canary" not in str(caught.value)
    assert ready.writes() == []


def test_a_file_that_changed_is_not_sent(ready: FakeGitHub, tmp_path: Path) -> None:
    what = announcement(tmp_path)
    (tmp_path / "eval.json").write_bytes(b'{"a": 2}\n')
    with pytest.raises(Refused, match=r"eval\.json: MR744 changed since it was released"):
        Announcer(ready).announce(what)
    (tmp_path / "eval.json").unlink()
    with pytest.raises(InvalidInput, match="MR209 No such file"):
        Announcer(ready).announce(what)
    (tmp_path / "eval.json").write_bytes(FILES["eval.json"])
    Announcer(ready).announce(what)


def unfit() -> Iterator[tuple[str, Any]]:
    files = announcement().assets
    yield "GitHub would change this name", {"assets": (asset("a b.json", b"x"),)}
    yield "GitHub would change this name", {"assets": (asset(".json", b"x"),)}
    yield "stands twice", {"assets": (files[0], files[0])}
    yield "has 0 bytes", {"assets": (asset("a.json", b""),)}
    yield "below 2 GiB", {"assets": (dataclasses.replace(files[0], size=2 << 30),)}
    yield "is no tag", {"tag": "model v1"}
    yield "is no tag", {"tag": "x -->"}
    yield "commit or a digest that is none", {"commit": "c" * 12}
    yield "commit or a digest that is none", {"model_digest": "--> @x"}


@pytest.mark.parametrize(("message", "changes"), list(unfit()))
def test_what_no_release_can_have_is_malformed(ready: FakeGitHub, message: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"MR744 .*{message}"):
        Announcer(ready).announce(announcement(**changes))
    assert ready.requests == []


def test_what_this_token_may_not_do_is_named(ready: FakeGitHub) -> None:
    ready.world.users["reader"] = User("github-actions[bot]", BOT_ID, "Bot", {"contents": "read"})
    with pytest.raises(Unavailable, match=r"403: Resource not accessible by integration; .*`contents: write`"):
        Announcer(ready, "reader").announce()


def test_a_repository_that_is_not_there_is_no_missing_tag(github: FakeGitHub) -> None:
    del github.world.repositories["acme/bot"]
    with pytest.raises(Unavailable, match=r"GET /repos/acme/bot: MR603 GitHub answered 404"):
        Announcer(github).announce()


def test_a_person_s_token_finds_its_own_draft_again(ready: FakeGitHub) -> None:
    run = Announcer(ready, PERSON_TOKEN)
    ready.fault("PATCH", ONE, **go_wrong.error(401, "Bad credentials"))
    with pytest.raises(Unavailable, match="401"):
        run.announce()
    assert run.told == ["this token writes as user 1815: pass --author 1815 so that it is found next time"]
    Announcer(ready, PERSON_TOKEN).announce(author=1815)
    assert len(ready.repository().releases) == 1


def test_a_release_that_a_person_finishes_is_done_for_the_job(ready: FakeGitHub) -> None:
    Announcer(ready, PERSON_TOKEN).announce(author=1815)
    writes = len(ready.writes())
    assert Announcer(ready).announce().endswith(TAG)
    assert len(ready.writes()) == writes


def test_writers_that_never_agree_end(ready: FakeGitHub) -> None:
    def meanwhile(_: float) -> None:
        ready.repository().assets.clear()

    with pytest.raises(ModelreleaseError, match="MR603 other runs keep on writing this release"):
        Announcer(ready).announce(sleep=meanwhile)
    assert all(one["draft"] for one in ready.repository().releases.values())
