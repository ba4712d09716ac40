"""One comment in the end, through the real PyGithub, whatever happens on the way."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes.github import BOT_ID, JOB_TOKEN, PERSON_TOKEN, FakeGitHub, User, add_comment, add_pull
from fakes.github import faults as go_wrong
from writer import write

from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.github.client import Client
from modelrelease.github.comments import Marker, Mine, Run
from modelrelease.github.patience import Patience
from modelrelease.github.sticky import Posted, Thread, post
from modelrelease.github.writing import BOT, Author, whoami

COMMENTS = "/repos/acme/bot/issues/7/comments"
ONE = r"/repos/acme/bot/issues/comments/\d+"
SHA = "a" * 40


class Writer:
    """A writer whose waits take no time and are kept, as is what it tells."""

    def __init__(self, url: str, token: str = JOB_TOKEN) -> None:
        self.slept: list[float] = []
        self.told: list[str] = []
        patience = Patience(self.slept.append, lambda: 1_800_000_000.0, self.told.append)
        self.client = Client(url, token, patience, pause=0)

    def post(self, run: int = 5, attempt: int = 1, text: str | None = None, **options: Any) -> Posted:
        marker = Marker(options.pop("name", None), Run(run, attempt), SHA)
        mine = Mine(marker, text or f"report of {run}", options.pop("author", BOT_ID))
        thread = Thread(self.client, options.pop("repository", "acme/bot"), 7)
        return post(thread, mine, lambda _: None, self.told.append, **options)


@pytest.fixture
def writer(github: FakeGitHub) -> Writer:
    add_pull(github.repository(), 7, SHA)
    return Writer(github.url)


def marked(run: int, text: str = "old", name: str | None = None) -> str:
    return f"{Marker(name, Run(run, 1), SHA)}\n{text}"


def said(github: FakeGitHub, author: str = "github-actions[bot]") -> list[str]:
    """Return what the reader sees of an author's comments: their texts without the marker."""
    own = [one for one in github.repository().comments.values() if one["author"] == author]
    return [comment["body"].partition("\n")[2] for comment in own]


def test_the_first_run_makes_a_comment_and_the_next_brings_it_up_to_date(github: FakeGitHub, writer: Writer) -> None:
    first, second = writer.post(5), writer.post(6)
    assert (first.outcome, second.outcome) == ("created", "updated")
    assert first.comment is not None
    assert second.comment is not None
    assert first.comment.id == second.comment.id
    assert first.comment.url.endswith(f"/acme/bot/issues/7#issuecomment-{first.comment.id}")
    assert said(github) == ["report of 6"]
    assert github.bodies()[0].startswith(f"<!-- modelrelease:comment name=- run=6.1 sha={SHA} -->\n")


def test_an_older_run_that_ends_last_changes_nothing(github: FakeGitHub, writer: Writer) -> None:
    writer.post(6)
    before = github.writes()
    assert writer.post(5, attempt=9).outcome == "unchanged"
    assert (said(github), github.writes()) == (["report of 6"], before)


def test_the_same_run_again_writes_nothing(github: FakeGitHub, writer: Writer) -> None:
    writer.post(5)
    before = github.writes()
    assert writer.post(5).outcome == "unchanged"
    assert github.writes() == before
    assert writer.post(5, text="another step of it").outcome == "updated"
    assert said(github) == ["another step of it"]


def test_a_comment_on_the_fourth_of_five_pages_is_found(github: FakeGitHub, writer: Writer) -> None:
    for number in range(450):
        body = marked(4) if number == 333 else f"comment {number}"
        add_comment(github.world, github.repository(), 7, body, "github-actions[bot]" if number == 333 else "ada")
    assert writer.post().outcome == "updated"
    assert said(github) == ["report of 5"]
    assert len(github.bodies()) == 450
    pages = {request.query["page"] for request in github.requests if request.path == COMMENTS}
    assert pages == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    ("author", "body"),
    [
        ("ada", marked(4)),
        ("ada", marked(99)),
        ("github-actions[bot]", f"> {marked(4)}"),
        ("github-actions[bot]", f"\n{marked(4)}"),
        ("github-actions[bot]", marked(4, name="another-model")),
        ("dependabot[bot]", marked(4)),
    ],
)
def test_what_is_not_ours_is_left_alone(github: FakeGitHub, writer: Writer, author: str, body: str) -> None:
    other = add_comment(github.world, github.repository(), 7, body, author)
    assert [writer.post(run).outcome for run in (5, 6)] == ["created", "updated"]
    assert github.repository().comments[str(other["id"])]["body"] == body
    assert len(github.bodies()) == 2


def test_models_of_one_repository_have_a_comment_each(github: FakeGitHub, writer: Writer) -> None:
    for name in ("support", "search", "support"):
        writer.post(5, name=name, text=f"of {name}")
    assert said(github) == ["of support", "of search"]


def test_duplicates_become_one(github: FakeGitHub, writer: Writer) -> None:
    for run in (3, 4, 4, 2):
        add_comment(github.world, github.repository(), 7, marked(run))
    kept = sorted(github.repository().comments)[1]
    assert writer.post().outcome == "updated"
    assert (list(github.repository().comments), said(github)) == ([kept], ["report of 5"])


def test_without_leave_to_create_nothing_is_made(github: FakeGitHub, writer: Writer) -> None:
    assert writer.post(create=False) == Posted("absent", None)
    assert github.writes() == []
    writer.post(4)
    assert writer.post(5, create=False).outcome == "updated"


SERVER = [500, 502, 503, 504]
TROUBLE: dict[str, list[dict[str, Any]]] = {
    "500 after it was applied": [{"method": "POST", "applied": True, **go_wrong.error(500)}],
    "500 before it was applied": [{"method": "POST", **go_wrong.error(500)}],
    "twice, once applied": [{"method": "POST", **go_wrong.error(502)}, {"method": "POST", "reset": True}],
    "reset before": [{"method": "POST", "reset": True}],
    "reset after": [{"method": "POST", "reset": True, "applied": True}],
    "a page for people instead of the list": [{"method": "GET", **go_wrong.html(502)}],
    "a page for people that says all is well": [{"method": "GET", **go_wrong.html(200)}],
    "a page for people after it was applied": [{"method": "POST", "applied": True, **go_wrong.html(502)}],
    "a page for people after it was applied, 201": [{"method": "POST", "applied": True, **go_wrong.html(201)}],
    "half a list": [{"method": "GET", "keep": 1}],
    "half a list, its length true": [{"method": "GET", "keep": 1, "honest": True}],
    "half an answer after it was applied": [{"method": "POST", "applied": True, "keep": 40}],
    "half an answer after it was applied, its length true": [
        {"method": "POST", "applied": True, "keep": 40, "honest": True}
    ],
    "not a list": [{"method": "GET", "status": 200, "body": '{"message": "hello"}'}],
    "an error that is no object": [{"method": "GET", "status": 500, "body": '["no"]'}],
    "an error without a body": [{"method": "GET", "status": 503, "body": ""}],
    "everything": [
        {"method": "GET", **go_wrong.html(502)},
        {"method": "GET", "reset": True},
        {"method": "POST", "applied": True, **go_wrong.error(500)},
        {"method": "GET", **go_wrong.retry_after(3)},
    ],
}


@pytest.mark.parametrize("case", TROUBLE)
def test_one_comment_in_the_end(github: FakeGitHub, writer: Writer, case: str) -> None:
    for parts in TROUBLE[case]:
        github.fault(path=COMMENTS, **parts)
    assert writer.post().outcome == "created"
    assert said(github) == ["report of 5"]
    assert github.faults.left() == 0
    assert len(writer.slept) == len(writer.told) == len(TROUBLE[case])
    # A second comment, taken away again, would have been mailed to everybody.
    assert "DELETE" not in {method for method, _ in github.writes()}


@pytest.mark.parametrize("case", [name for name, parts in TROUBLE.items() if parts[0]["method"] == "POST"])
def test_an_update_ends_well_too(github: FakeGitHub, writer: Writer, case: str) -> None:
    add_comment(github.world, github.repository(), 7, marked(4))
    for parts in TROUBLE[case]:
        github.fault(path=ONE, **{**parts, "method": "PATCH"})
    writer.post()
    assert said(github) == ["report of 5"]
    assert github.faults.left() == 0


@pytest.mark.parametrize(
    ("parts", "slept"),
    [
        (go_wrong.retry_after(7), [7]),
        (go_wrong.retry_after(7, 403), [7]),
        (go_wrong.secondary(), [60]),
        ({**go_wrong.secondary(), "times": 2}, [60, 120]),
        (
            {
                **go_wrong.error(403, "API rate limit exceeded for installation ID 1."),
                "headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000019"},
            },
            [20],
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_waits_as_long_as_it_is_told_to(
    github: FakeGitHub, writer: Writer, method: str, parts: dict[str, Any], slept: list[float]
) -> None:
    github.fault(method, COMMENTS, **parts)
    writer.post()
    assert (writer.slept, said(github)) == (slept, ["report of 5"])
    assert all(f"waiting {seconds:.0f} s" in line for seconds, line in zip(slept, writer.told, strict=True))


@pytest.mark.parametrize(
    ("method", "parts", "message"),
    [
        ("GET", {"times": 99, **go_wrong.error(500)}, "GitHub answered 500: Server Error (tried 5 times)"),
        ("GET", {"times": 99, **go_wrong.html(502)}, "GitHub answered 502: no reason that can be read (tried 5 times)"),
        ("GET", {"times": 99, "reset": True}, "the connection to GitHub failed (tried 5 times)"),
        ("GET", {"times": 99, "keep": 1}, "(tried 5 times)"),
        ("GET", {"times": 99, "status": 200, "body": "[1]"}, "is not what it should be (tried 5 times)"),
        ("POST", {"times": 99, **go_wrong.error(500)}, "GitHub answered 500: Server Error (tried 5 times)"),
        ("GET", go_wrong.retry_after(3600), "it asks to wait 3600 s, and 600 s are left of 600 s"),
        ("GET", {"times": 99, **go_wrong.secondary()}, "secondary rate limit"),
        ("POST", go_wrong.error(403, "Resource not accessible by integration"), "give the job `pull-requests: write`"),
        ("GET", go_wrong.error(401, "Bad credentials"), "pass a valid token in GITHUB_TOKEN that has `pull-requests: "),
        ("POST", go_wrong.error(403, "Unable to create comment because issue is locked."), "unlock the conversation"),
        ("GET", {"status": 301, "headers": {"Location": "https://elsewhere.example/x"}, "body": "{}"}, "another addre"),
    ],
)
def test_what_does_not_pass_ends_with_exit_3_and_what_to_do(
    github: FakeGitHub, writer: Writer, method: str, parts: dict[str, Any], message: str
) -> None:
    github.fault(method, COMMENTS, **parts)
    with pytest.raises(Unavailable) as raised:
        writer.post()
    assert raised.value.exit_code == 3
    assert message in str(raised.value)
    assert github.bodies() == []


def test_what_this_token_may_not_do_is_named(github: FakeGitHub, writer: Writer) -> None:
    github.world.users["reader"] = User("github-actions[bot]", BOT_ID, "Bot", {"contents": "read"})
    with pytest.raises(Unavailable, match=r"403: Resource not accessible by integration; .*`pull-requests: write`"):
        Writer(github.url, "reader").post()
    with pytest.raises(Unavailable, match=r"401: Bad credentials; .*`pull-requests: write`"):
        Writer(github.url, "expired").post()


@pytest.mark.parametrize("repository", ["acme/none", "nobody/bot"])
def test_a_repository_that_is_not_there_is_said(github: FakeGitHub, writer: Writer, repository: str) -> None:
    with pytest.raises(Unavailable, match=f"GET /repos/{repository}/issues/7/comments.* 404: Not Found; see that it"):
        writer.post(repository=repository)


def test_an_endless_list_ends(github: FakeGitHub, writer: Writer) -> None:
    endless = {"status": 200, "body": "[]", "headers": {"Link": f'<{github.url}{COMMENTS}?page=2>; rel="next"'}}
    github.fault("GET", COMMENTS, times=1000, **endless)
    with pytest.raises(Unavailable, match="does not end after 100 pages"):
        writer.post()


def test_nobody_is_there() -> None:
    with FakeGitHub() as gone:
        url = gone.url
    writer = Writer(url)
    with pytest.raises(Unavailable, match="the connection to GitHub failed"):
        writer.post()
    assert writer.slept == [1, 2, 4, 8]


@pytest.mark.parametrize("token", ["", "ghs_x\n", "ghs x", "ghs_é"])
def test_a_token_that_is_none_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InvalidInput, match="holds characters that no token has") as raised:
        Writer("http://127.0.0.1:1", token)
    assert not token.strip() or token.strip() not in str(raised.value)


@pytest.mark.parametrize("url", ["api.github.com", "file:///etc/passwd", "", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="is no address"):
        Writer(url)


def test_a_token_that_writes_as_somebody_else_still_has_one_comment(github: FakeGitHub, writer: Writer) -> None:
    """An app's token is neither the job's bot nor may it ask who it is: the first answer says so."""
    github.world.users["app"] = User("acme-bot[bot]", 4242, "Bot")
    for run in (5, 6, 7):
        last = Writer(github.url, "app")
        last.post(run)
    assert said(github, "acme-bot[bot]") == ["report of 7"]
    assert last.told == ["this token writes as user 4242: pass --author 4242 so that it is found next time"]
    before = len(github.writes())
    assert Writer(github.url, "app").post(8, author=4242).outcome == "updated"
    assert len(github.writes()) == before + 1


def test_a_personal_token_is_asked_whose_it_is_and_a_job_s_cannot_say(github: FakeGitHub, writer: Writer) -> None:
    assert whoami(Writer(github.url, PERSON_TOKEN).client) == Author(1815, "ada")
    assert whoami(writer.client) == BOT


def test_a_newer_run_that_writes_between_our_look_and_our_write_stays(github: FakeGitHub, writer: Writer) -> None:
    """The list is long; while it is read the comment becomes a newer run's."""
    old = add_comment(github.world, github.repository(), 7, marked(4))
    seen: list[Callable[[], Any]] = [lambda: old.update(body=marked(6, "report of 6"))]
    thread = Thread(writer.client, "acme/bot", 7)
    every = thread.all

    def all_and_then_somebody_writes() -> Any:
        found = every()
        while seen:
            seen.pop()()
        return found

    thread.all = all_and_then_somebody_writes  # type: ignore[method-assign]
    mine = Mine(Marker(None, Run(5, 1), SHA), "report of 5", BOT_ID)
    assert post(thread, mine, lambda _: None, lambda _: None).outcome == "unchanged"
    assert said(github) == ["report of 6"]


def look_together(github: FakeGitHub) -> None:
    """Let every one of ten writers see what was there before any of them wrote."""
    github.fault("GET", COMMENTS, times=10, gather=threading.Barrier(10))


def test_what_a_newer_run_wrote_while_we_waited_stays(github: FakeGitHub, writer: Writer) -> None:
    old = add_comment(github.world, github.repository(), 7, marked(4))
    patience = Patience(lambda _: old.update(body=marked(6, "report of 6")), lambda: 0.0, writer.told.append)
    writer.client = Client(github.url, JOB_TOKEN, patience, pause=0)
    github.fault("PATCH", ONE, **go_wrong.retry_after(60))
    writer.post(5)
    assert said(github) == ["report of 6"]


def test_an_older_run_that_writes_late_over_a_newer_one_s_is_put_right(github: FakeGitHub, writer: Writer) -> None:
    """It looked before we wrote and wrote after: that is what the look after the wait is for."""
    late = [marked(4)]

    def meanwhile(_: float) -> None:
        (comment,) = github.repository().comments.values()
        if late:
            comment["body"] = late.pop()

    thread = Thread(writer.client, "acme/bot", 7)
    mine = Mine(Marker(None, Run(5, 1), SHA), "report of 5", BOT_ID)
    assert post(thread, mine, meanwhile, lambda _: None).outcome == "created"
    assert said(github) == ["report of 5"]


def test_writers_that_never_agree_end(github: FakeGitHub, writer: Writer) -> None:
    def meanwhile(_: float) -> None:
        for comment in github.repository().comments.values():
            comment["body"] = marked(4)

    thread = Thread(writer.client, "acme/bot", 7)
    mine = Mine(Marker(None, Run(5, 1), SHA), "report of 5", BOT_ID)
    with pytest.raises(Unavailable, match="acme/bot#7: MR603 other runs keep on writing"):
        post(thread, mine, meanwhile, lambda _: None)


@pytest.mark.parametrize("there", [False, True], ids=["none there", "one there"])
def test_ten_threads_at_once_end_with_one_comment_of_the_newest_run(github: FakeGitHub, there: bool) -> None:
    add_pull(github.repository(), 7, SHA)
    if there:
        add_comment(github.world, github.repository(), 7, marked(0))
    look_together(github)
    runs = list(range(1, 11))
    random.Random(7).shuffle(runs)
    with ThreadPoolExecutor(len(runs)) as pool:
        outcomes = list(pool.map(lambda run: write(github.url, JOB_TOKEN, run, settle=1.0).outcome, runs))
    assert said(github) == ["report of 10"]
    assert outcomes[runs.index(10)] in {"created", "updated"}
    assert len(github.writes()) > 1


def test_ten_processes_at_once_end_with_one_comment_of_the_newest_run(github: FakeGitHub) -> None:
    add_pull(github.repository(), 7, SHA)
    look_together(github)
    script = str(Path(__file__).with_name("writer.py"))
    runs = [4, 9, 1, 10, 3, 7, 2, 8, 6, 5]
    commands = [[sys.executable, script, github.url, JOB_TOKEN, str(run), "2"] for run in runs]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, **pipes) for command in commands]  # type: ignore[call-overload]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * len(runs)
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate(timeout=120)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * len(runs)
    assert set(outcomes) <= {"created", "updated", "unchanged"}
    assert said(github) == ["report of 10"]
    assert github.writes().count(("POST", COMMENTS)) > 1
