"""One issue in the end, and no note twice, through the real PyGithub, whatever happens on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes.github import BOT_ID, JOB_TOKEN, FakeGitHub, User, add_issue, add_pull
from fakes.github import faults as go_wrong

from modelrelease.errors import Unavailable
from modelrelease.github.client import Client
from modelrelease.github.comments import Run
from modelrelease.github.issues import Marker, Mine, Standing
from modelrelease.github.patience import Patience
from modelrelease.github.tracking import Issues, Tracked, track
from modelrelease.github.writing import BOT

ISSUES = "/repos/acme/bot/issues"
ONE = r"/repos/acme/bot/issues/\d+"
NOTES = r"/repos/acme/bot/issues/\d+/comments"


class Watcher:
    """A run's writer whose waits take no time and are kept, as is what it tells."""

    def __init__(self, github: FakeGitHub, token: str = JOB_TOKEN) -> None:
        self.slept: list[float] = []
        self.told: list[str] = []
        patience = Patience(self.slept.append, lambda: 1_800_000_000.0, self.told.append)
        self.client = Client(github.url, token, patience, pause=0)

    def found(self, run: int, outcome: Standing, **options: Any) -> Tracked:
        name, version = options.pop("name", None), options.pop("version", "model_v1.0")
        said = Marker(name, version, outcome, Run(run, 1))
        title = f"{version}: {outcome}"
        mine = Mine(said, title, f"report of {run}", f"note of {run}", options.pop("author", BOT_ID))
        issues = Issues(self.client, options.pop("repository", "acme/bot"), options.pop("creator", BOT.login))
        return track(issues, mine, options.pop("sleep", lambda _: None), self.told.append, **options)


@pytest.fixture
def watcher(github: FakeGitHub) -> Watcher:
    return Watcher(github)


def issues(github: FakeGitHub) -> list[tuple[str, str, str]]:
    """Return title, state and text of our issues, without their markers."""
    ours = [one for one in github.repository().issues.values() if "modelrelease:reproduction" in one["body"]]
    return [(one["title"], one["state"], one["body"].partition("-->\n")[2]) for one in ours]


def notes(github: FakeGitHub) -> list[str]:
    return [body.partition("-->\n")[2] for body in github.bodies()]


def test_an_issue_s_life(github: FakeGitHub, watcher: Watcher) -> None:
    assert watcher.found(1, "exact") == Tracked("absent", None)
    assert github.writes() == []
    first = watcher.found(2, "mismatch")
    assert first.outcome == "opened"
    assert first.issue is not None
    assert first.issue.url.endswith("/acme/bot/issues/1")
    assert watcher.found(3, "mismatch").outcome == "updated"
    assert (issues(github), notes(github)) == ([("model_v1.0: mismatch", "open", "report of 3")], [])
    assert watcher.found(2, "exact").outcome == "unchanged", "an older run that ends late"
    assert watcher.found(4, "refused").outcome == "told"
    assert (issues(github), notes(github)) == ([("model_v1.0: refused", "open", "report of 4")], ["note of 4"])
    assert watcher.found(5, "equivalent").outcome == "closed"
    assert issues(github) == [("model_v1.0: refused", "closed", "report of 5")]
    assert github.repository().issues["1"]["state_reason"] == "completed"
    before = len(github.writes())
    assert watcher.found(6, "exact").outcome == "unchanged"
    assert len(github.writes()) == before
    assert watcher.found(7, "mismatch", version="model_v1.1").outcome == "told"
    assert issues(github) == [("model_v1.1: mismatch", "open", "report of 7")]
    assert notes(github) == ["note of 4", "note of 5", "note of 7"]


def test_what_a_person_closed_stays_closed_until_the_outcome_is_another(github: FakeGitHub, watcher: Watcher) -> None:
    watcher.found(1, "mismatch")
    github.repository().issues["1"]["state"] = "closed"
    assert watcher.found(2, "mismatch").outcome == "updated"
    assert issues(github) == [("model_v1.0: mismatch", "closed", "report of 2")]
    watcher.found(3, "refused")
    assert issues(github) == [("model_v1.0: refused", "open", "report of 3")]


def test_a_title_that_a_person_gave_stays_as_long_as_the_outcome(github: FakeGitHub, watcher: Watcher) -> None:
    watcher.found(1, "mismatch")
    github.repository().issues["1"]["title"] = "The GPU in rack 4"
    watcher.found(2, "mismatch")
    assert issues(github) == [("The GPU in rack 4", "open", "report of 2")]


def test_models_of_one_repository_have_an_issue_each(github: FakeGitHub, watcher: Watcher) -> None:
    for run, name in enumerate(("support", "search", "support"), 1):
        watcher.found(run, "mismatch", name=name)
    assert [text for _, _, text in issues(github)] == ["report of 3", "report of 2"]


def test_it_is_found_through_all_pages_and_among_pull_requests(github: FakeGitHub, watcher: Watcher) -> None:
    watcher.found(1, "mismatch")
    for _ in range(250):
        add_issue(github.repository(), "coverage: 90 %")
    add_pull(github.repository(), 252, "a" * 40, author="github-actions[bot]")
    body = github.repository().issues["1"]["body"]
    github.repository().issues["252"]["body"] = body
    add_issue(github.repository(), body, "mallory")
    assert watcher.found(2, "mismatch").outcome == "updated"
    assert [text for _, _, text in issues(github)] == ["report of 2", "report of 1", "report of 1"]
    pages = [request.query for request in github.requests if (request.method, request.path) == ("GET", ISSUES)]
    assert {page["creator"] for page in pages} == {"github-actions[bot]"}
    assert {page["state"] for page in pages} == {"all"}
    assert {page["page"] for page in pages} == {"1", "2", "3"}


def test_doubles_become_one(github: FakeGitHub, watcher: Watcher) -> None:
    for run in (3, 4, 4, 2):
        add_issue(github.repository(), f"{Marker(None, 'model_v1.0', 'mismatch', Run(run, 1))}\nold")
    watcher.found(5, "mismatch")
    states = {number: (one["state"], one.get("state_reason")) for number, one in github.repository().issues.items()}
    closed = ("closed", "not_planned")
    assert states == {"1": closed, "2": ("open", None), "3": closed, "4": closed}
    assert github.bodies() == []
    assert issues(github)[0][2] == "Told in #2, which another run opened at the same time.\n"


def test_six_runs_at_once_end_with_one_open_issue_of_the_newest(github: FakeGitHub) -> None:
    """Every one of them sees that there is none before any of them opens one."""
    github.fault("GET", ISSUES, times=6, gather=threading.Barrier(6))
    runs = [4, 1, 6, 3, 2, 5]
    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(lambda run: Watcher(github).found(run, "mismatch", sleep=time.sleep, settle=1.0), runs))
    assert [text for _, state, text in issues(github) if state == "open"] == ["report of 6"]
    assert github.writes().count(("POST", ISSUES)) == 6
    assert github.bodies() == []


SERVER: dict[str, dict[str, Any]] = {
    "500 before it was applied": go_wrong.error(500),
    "500 after it was applied": {"applied": True, **go_wrong.error(500)},
    "reset before": {"reset": True},
    "reset after": {"reset": True, "applied": True},
    "a page for people after it was applied": {"applied": True, **go_wrong.html(502)},
    "a page for people after it was applied, 2xx": {"applied": True, **go_wrong.html(201)},
    "half an answer after it was applied": {"applied": True, "keep": 40},
    "asked to wait": go_wrong.retry_after(7),
}


@pytest.mark.parametrize("case", SERVER)
def test_one_issue_in_the_end(github: FakeGitHub, watcher: Watcher, case: str) -> None:
    github.fault("POST", ISSUES, **SERVER[case])
    assert watcher.found(5, "mismatch").outcome == "opened"
    assert issues(github) == [("model_v1.0: mismatch", "open", "report of 5")]
    assert github.faults.left() == 0
    assert len(watcher.slept) == len(watcher.told) == 1
    assert not any(method == "PATCH" for method, _ in github.writes())


@pytest.mark.parametrize("case", SERVER)
@pytest.mark.parametrize(("method", "path"), [("POST", NOTES), ("PATCH", ONE), ("GET", ONE), ("GET", NOTES)])
def test_one_note_and_a_closed_issue_in_the_end(
    github: FakeGitHub, watcher: Watcher, method: str, path: str, case: str
) -> None:
    watcher.found(4, "mismatch")
    github.fault(method, path, **SERVER[case])
    assert watcher.found(5, "exact").outcome == "closed"
    assert issues(github) == [("model_v1.0: mismatch", "closed", "report of 5")]
    assert notes(github) == ["note of 5"]
    assert github.faults.left() == 0


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_a_killed_run_left_undone_the_next_one_does(
    github: FakeGitHub, watcher: Watcher, method: str, applied: bool
) -> None:
    watcher.found(4, "mismatch")

    class Killed(BaseException):
        pass

    doomed = Watcher(github)
    write = doomed.client.write

    def kill(verb: str, *arguments: Any, **options: Any) -> Any:
        if verb != method:
            return write(verb, *arguments, **options)
        if applied:
            write(verb, *arguments, **options)
        raise Killed

    doomed.client.write = kill  # type: ignore[method-assign]
    with pytest.raises(Killed):
        doomed.found(5, "exact")
    watcher.found(6, "exact")
    assert [(title, state) for title, state, _ in issues(github)] == [("model_v1.0: mismatch", "closed")]
    assert len(notes(github)) == 1


def test_a_list_that_does_not_show_yet_what_was_opened_makes_no_second_issue(
    github: FakeGitHub, watcher: Watcher
) -> None:
    """What GitHub answers a POST with is there; its lists may lag behind."""
    github.fault("GET", ISSUES, times=3, status=200, body="[]")
    assert watcher.found(5, "mismatch").outcome == "opened"
    assert len(issues(github)) == 1
    github.faults.clear()
    github.fault("GET", NOTES, times=3, status=200, body="[]")
    watcher.found(6, "exact")
    assert notes(github) == ["note of 6"]


def test_a_newer_run_that_writes_between_our_look_and_our_write_stays(github: FakeGitHub, watcher: Watcher) -> None:
    watcher.found(4, "mismatch")
    stored = github.repository().issues["1"]
    newer = f"{Marker(None, 'model_v1.0', 'mismatch', Run(6, 1))}\nreport of 6"
    every = Issues.all

    def all_and_then_somebody_writes(self: Issues) -> Any:
        found = every(self)
        stored["body"] = newer
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Issues, "all", all_and_then_somebody_writes)
        assert watcher.found(5, "exact").outcome == "unchanged"
    assert (stored["state"], stored["body"], notes(github)) == ("open", newer, [])


def test_an_issue_that_is_deleted_meanwhile_is_opened_anew(github: FakeGitHub, watcher: Watcher) -> None:
    watcher.found(4, "mismatch")
    every: Callable[[Issues], Any] = Issues.all
    gone: list[Any] = []

    def all_and_then_it_is_gone(self: Issues) -> Any:
        found = every(self)
        if not gone:
            gone.append(github.repository().issues.pop("1"))
            add_issue(github.repository(), "another", number=1)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Issues, "all", all_and_then_it_is_gone)
        assert watcher.found(5, "mismatch").outcome == "opened"
    assert issues(github) == [("model_v1.0: mismatch", "open", "report of 5")]


def test_what_this_token_may_not_do_is_named(github: FakeGitHub) -> None:
    github.world.users["reader"] = User("github-actions[bot]", BOT_ID, "Bot", {"contents": "read"})
    with pytest.raises(Unavailable, match=r"403: Resource not accessible by integration; .*`issues: write`"):
        Watcher(github, "reader").found(5, "mismatch")


def test_issues_alone_is_all_that_it_takes(github: FakeGitHub) -> None:
    github.world.users["issues"] = User("github-actions[bot]", BOT_ID, "Bot", {"issues": "write"})
    for run, outcome in enumerate(("mismatch", "mismatch", "refused", "exact"), 1):
        Watcher(github, "issues").found(run, outcome)  # type: ignore[arg-type]
    assert issues(github) == [("model_v1.0: refused", "closed", "report of 4")]


def test_a_repository_without_issues_is_said(github: FakeGitHub, watcher: Watcher) -> None:
    github.repository().has_issues = False
    with pytest.raises(Unavailable, match=r"410: Issues has been disabled.* the repository has issues \(Settings"):
        watcher.found(5, "mismatch")


def test_a_token_that_writes_as_somebody_else_still_has_one_issue(github: FakeGitHub) -> None:
    github.world.users["app"] = User("acme-bot[bot]", 4242, "Bot")
    first = Watcher(github, "app")
    assert first.found(5, "mismatch").outcome == "opened"
    assert first.told == ["this token writes as user 4242: pass --author 4242 so that it is found next time"]
    assert Watcher(github, "app").found(6, "mismatch", author=4242, creator=None).outcome == "updated"
    assert len(issues(github)) == 1


def test_writers_that_never_agree_end(github: FakeGitHub, watcher: Watcher) -> None:
    def meanwhile(_: float) -> None:
        github.repository().issues["1"]["body"] = f"{Marker(None, 'model_v1.0', 'refused', Run(4, 1))}\nold"

    with pytest.raises(Unavailable, match="acme/bot: MR603 other runs keep on writing this issue"):
        watcher.found(5, "mismatch", sleep=meanwhile)
