"""Promotions and rollbacks whose Hub, ledger, disk or GitHub fails at a step: the tables in docs/faults.md, by cells.

A fault is ordered when the run comes to the step that the column names. The run ends as an undisturbed one (``done``),
or says what failed and leaves nothing half-done; run again without the fault, it ends as an undisturbed one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes.github import JOB_TOKEN, PERSON_TOKEN, FakeGitHub, add_commit, add_review
from fakes.github import faults as at_github
from fakes.hub import JOB_IDENTITY, READ_TOKEN, WRITE_TOKEN, Token, error
from faults_page import cells
from releases import ONE, TWO
from survival import KINDS, World, copy_world, git, template_of, watched_ledger
from target_lab import NAME
from tiny_models import TinyModels

from modelrelease.cli import consent, on_github
from modelrelease.errors import ModelreleaseError
from modelrelease.git import remotes
from modelrelease.release.targets import hub_session
from modelrelease.release.targets.target import Reach

PROMOTE, BACK = f"promote {TWO}", f"rollback {ONE}"
HUB = pytest.param("hub", marks=pytest.mark.exhaustive)
SHORT = "hf_short0123456789"
API = f"/api/models/{NAME}"
LOOK = ("GET", f"{API}/refs")
# The step of the flow after which the fault is there, and the request that it is of.
AT_THE_HUB: dict[str, tuple[str, str, tuple[str, str]]] = {
    "look": (PROMOTE, "", LOOK),
    "may write": (PROMOTE, "decided", ("POST", f"{API}/preupload/main")),
    "upload": (PROMOTE, "announced", ("PUT", "/_storage/.*")),
    "commit": (PROMOTE, "announced", ("POST", f"{API}/commit/main")),
    "tag": (PROMOTE, "announced", ("POST", f"{API}/tag/.*")),
    "verify": (PROMOTE, "publish: tagged", ("GET", f"{API}/tree/.*")),
    "stage": (PROMOTE, "published", ("POST", f"{API}/commit/production")),
    "rollback: verify": (BACK, "", ("GET", f"{API}/tree/.*")),
    "rollback: stage": (BACK, "", ("POST", f"{API}/commit/production")),
}
BEFORE = {"look", "may write"}
"""The steps that come before anything is announced."""
HUB_FAULTS: dict[str, dict[str, Any]] = {
    "401": error(401, "Invalid credentials"),
    "403": error(403, "Forbidden"),
    "404": error(404, "Repository not found"),
    "409": error(409, "Conflict"),
    "412": error(412, "A commit has happened since"),
    "429, to wait 7 s": error(429, "Too many requests", Retry_After="7"),
    "500": error(500),
    "500, but applied": {"applied": True, **error(500)},
    "507, its disk is full": error(507, "Insufficient storage"),
    "no answer in time": {"delay": 1.6},
    "connection reset": {"reset": True},
    "reset while sending": {"after": 10},
    "reset, but applied": {"applied": True, "reset": True},
    "answer cut off": {"keep": 3, "honest": True},
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def world(kind: str, tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[World]:
    template = template_of(kind, tiny.folder("llama"), tmp_path_factory)
    with copy_world(template, tmp_path / "world", kind) as world:
        yield world


_ENDS: dict[tuple[str, str], dict[str, Any]] = {}


@pytest.fixture
def ends(kind: str, tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Return what an undisturbed action leaves."""

    def end(action: str) -> dict[str, Any]:
        if (kind, PROMOTE) not in _ENDS:
            template = template_of(kind, tiny.folder("llama"), tmp_path_factory)
            with copy_world(template, tmp_path_factory.mktemp("undisturbed") / "world", kind) as world:
                for one in (PROMOTE, BACK):
                    world.runner().do(one)
                    _ENDS[kind, one] = world.state()
        return _ENDS[kind, action]

    return end


def ready(world: World, action: str) -> None:
    """Bring the world to where the action begins."""
    if action == BACK:
        world.runner().do(PROMOTE)


def once_at(step: str, break_it: Callable[[], object]) -> Reach:
    """Return a reach that breaks something when a run comes to a step for the first time; at once for no step."""
    broken: list[str] = []

    def reach(point: str) -> None:
        if point == step and not broken:
            broken.append(point)
            break_it()

    if not step:
        break_it()
    return reach


def attempt(world: World, action: str, reach: Reach, **more: Any) -> str:
    """Run it; return ``done``, ``exit 3``, or the code of the refusal. What is there then is whole."""
    try:
        with watched_ledger(reach):
            world.runner(reach=reach).do(action, **more)
    except ModelreleaseError as failed:
        said = str(failed)
        assert not any(secret in said for secret in (WRITE_TOKEN, SHORT, JOB_IDENTITY, JOB_TOKEN))
        assert "Traceback" not in said
        return f"exit {failed.exit_code}" if failed.exit_code == 3 else failed.findings[0].code.value
    return "done"


def mend(world: World) -> None:
    """Take back what a test has ordered of the Hub."""
    world.hub.faults.clear()


@pytest.mark.parametrize("kind", [HUB], indirect=True)
@pytest.mark.parametrize(("fault", "step", "outcome"), cells("The Hub fails"))
def test_the_hub_fails(
    world: World,
    ends: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    step: str,
    outcome: str,
) -> None:
    action, point, request = AT_THE_HUB[step]
    ready(world, action)
    if fault == "no answer in time":
        monkeypatch.setattr(hub_session, "TRANSFER_TIMEOUT", 1.0)
        world.lab.timeout = 1.0  # type: ignore[attr-defined]
    reach = once_at(point, lambda: world.hub.fault(*request, **HUB_FAULTS[fault]))
    found = attempt(world, action, reach)
    assert world.hub.faults.left() == 0
    assert found == outcome
    world.assert_sound()
    if found != "done":
        assert step not in BEFORE or not [event for event in world.events() if event.endswith(TWO)]
        world.runner().do(action)
    assert world.state() == ends(action)


@pytest.mark.parametrize("kind", [HUB], indirect=True)
@pytest.mark.parametrize("action", [PROMOTE, BACK])
@pytest.mark.parametrize("requests", [0, 2, 8, 16, 24])
def test_a_token_expires(world: World, ends: Callable[[str], dict[str, Any]], action: str, requests: int) -> None:
    """After that many requests; what the run has done by then is whole."""
    ready(world, action)
    world.hub.tokens[SHORT] = Token("short", left=requests)
    world.lab.token = SHORT  # type: ignore[attr-defined]
    found = attempt(world, action, lambda _: None)
    refused = any(one.status == 401 for one in world.hub.requests)  # the last request may be just what it was good for
    world.lab.token = WRITE_TOKEN  # type: ignore[attr-defined]
    assert found == ("exit 3" if refused else "done")
    world.assert_sound()
    world.runner().do(action)
    assert world.state() == ends(action)


@pytest.mark.parametrize("kind", [HUB], indirect=True)
def test_a_token_that_may_only_read_announces_nothing(world: World, ends: Callable[[str], dict[str, Any]]) -> None:
    before = world.state()
    world.lab.token = READ_TOKEN  # type: ignore[attr-defined]
    assert attempt(world, PROMOTE, lambda _: None) == "exit 3"
    world.lab.token = WRITE_TOKEN  # type: ignore[attr-defined]
    assert world.state() == before
    world.runner().do(PROMOTE)
    assert world.state() == ends(PROMOTE)


@pytest.mark.parametrize("kind", [HUB], indirect=True)
@pytest.mark.parametrize("action", [PROMOTE, BACK])
def test_trusted_publishing_is_refused(
    world: World, ends: Callable[[str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """The Hub does not trust this workflow: nothing of the run is anywhere, until it does."""
    ready(world, action)
    before = world.state()
    with monkeypatch.context() as job_of_its_own:
        as_a_job(world, job_of_its_own)
        world.lab.token = None  # type: ignore[attr-defined]
        assert attempt(world, action, lambda _: None) == "exit 3"
        world.lab.token = WRITE_TOKEN  # type: ignore[attr-defined]
        assert world.state() == before
        world.lab.token = None  # type: ignore[attr-defined]
        world.hub.publishers.identity[NAME] = JOB_IDENTITY
        assert attempt(world, action, lambda _: None) == "done"
    world.lab.token = WRITE_TOKEN  # type: ignore[attr-defined]
    assert world.state() == ends(action)


def as_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up what a GitHub job has that may ask for its identity, and where huggingface_hub finds the Hub."""
    said = {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{world.hub.url}/_github/identity?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request",
        "HF_OIDC_RESOURCE": NAME,
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", world.hub.url)
    template = f"{world.hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.utils._auth._OIDC_TOKEN_CACHE", None)


def write(branch: str, path: str) -> Callable[[World], None]:
    """Return what somebody else does: a commit of theirs on a branch at the Hub."""
    return lambda world: world.hub.repository(NAME).commit(branch, None, "Mend by hand", {path: b"{}"}, ())


OTHERS: dict[str, Callable[[World], None]] = {
    "main: another file": write("main", "NOTES.md"),
    "main: a file of the release": write("main", "config.json"),
    "production: any file": write("production", "NOTES.md"),
}
ROUNDS: dict[str, tuple[str, str]] = {
    "before the commit": (PROMOTE, "publish: uploaded"),
    "before the tag": (PROMOTE, "publish: committed"),
    "before the stage": (PROMOTE, "stage: planned"),
    "rollback: before the stage": (BACK, "stage: planned"),
}


@pytest.mark.parametrize("kind", [HUB], indirect=True)
@pytest.mark.parametrize(("what", "when", "outcome"), cells("Somebody else writes at the Hub"))
def test_somebody_else_writes_at_the_hub(
    world: World, ends: Callable[[str], dict[str, Any]], what: str, when: str, outcome: str
) -> None:
    action, point = ROUNDS[when]
    ready(world, action)
    assert attempt(world, action, once_at(point, lambda: OTHERS[what](world))) == outcome
    if what.startswith("main"):
        world.assert_sound()
        world.runner().do(action)
    else:
        assert world.runner().target().stage("production").version is None
        live = world.runner().live()
        world.runner().do(f"rollback {live}")  # which puts it back
        world.runner().do(action)
    found, expected = world.state(), ends(action)
    assert without_foreign(found) == without_foreign(expected)


def without_foreign(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without how the branches came to where they are; main may hold more than the release."""
    target = {ref: files for ref, (_, files) in state["target"].items() if ref != "refs/heads/main"}
    return {**state, "target": target}


def decline(world: World) -> Callable[[], object]:
    """Let the ledger's remote take no pushes, as a protected branch does."""
    return hook(world, "pre-receive", "echo protected branch >&2; exit 1")


def lose_the_answer(world: World) -> Callable[[], object]:
    """Let the remote take a push, and the connection end before it says so."""
    return hook(world, "reference-transaction", '[ "$1" = committed ] && kill -9 $PPID; exit 0')


def never_answer(world: World) -> Callable[[], object]:
    """Let the remote take longer than anybody waits."""
    (world.remote / "answered").unlink(missing_ok=True)
    return hook(world, "pre-receive", "sleep 2; touch answered")


def hook(world: World, name: str, script: str) -> Callable[[], object]:
    place = world.remote / "hooks" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return place.unlink


def wait_for(path: Path) -> None:
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.1)
    time.sleep(0.2)


def go_away(world: World) -> Callable[[], object]:
    """Let the remote be gone."""
    away = world.remote.with_name("away.git")
    world.remote.rename(away)
    return lambda: away.rename(world.remote)


REMOTES: dict[str, Callable[[World], Callable[[], object]]] = {
    "push refused": decline,
    "answer lost": lose_the_answer,
    "no answer in time": never_answer,
    "gone": go_away,
}
EVENTS: dict[str, tuple[str, str]] = {
    "intent": (PROMOTE, "decided"),
    "after the intent": (PROMOTE, "announced"),
    "receipt": (PROMOTE, "told"),
    "rollback: begin": (BACK, ""),
    "rollback: event": (BACK, "stage: moved"),
}


@pytest.mark.parametrize(("fault", "event", "outcome"), cells("The ledger's remote fails"))
def test_the_ledger_s_remote_fails(
    world: World,
    ends: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    event: str,
    outcome: str,
) -> None:
    action, point = EVENTS[event]
    ready(world, action)
    undo: list[Callable[[], object]] = []
    with monkeypatch.context() as short_of_time:
        if fault == "no answer in time":
            short_of_time.setattr(remotes, "TIMEOUT", 1)
        found = attempt(world, action, once_at(point, lambda: undo.append(REMOTES[fault](world))))
    assert found == outcome
    undo[0]()
    world.assert_sound()
    if fault == "no answer in time":
        wait_for(world.remote / "answered")  # what hangs goes on, and may be taken after all
    if found != "done":
        world.runner().do(action)
    assert world.state() == ends(action)


@pytest.fixture
def on_a_disk(world: World) -> Iterator[Path]:
    """Put the clone, and the folder that it releases into, on a disk of its own; only root may mount one."""
    clone, beside = world.folder / "one", world.folder / "beside"
    clone.rename(beside)
    clone.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(clone)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root")
    try:
        shutil.copytree(beside, clone, symlinks=True, dirs_exist_ok=True)
        yield clone
    finally:
        subprocess.run(["umount", str(clone)], check=True)


def fill(disk: Path) -> Callable[[], object]:
    """Leave no room on the disk."""
    filler = disk / ".git" / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"x" * 4096)
    return filler.unlink


def make_read_only(disk: Path) -> Callable[[], object]:
    """Let nothing be written to the disk."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    return lambda: subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


DISKS = {"full": fill, "read-only": make_read_only}
WRITES = {
    "results": (PROMOTE, "verified"),
    "intent": (PROMOTE, "decided"),
    "publish": (PROMOTE, "publish: planned"),
    "stage": (PROMOTE, "published"),
    "receipt": (PROMOTE, "told"),
    "rollback: stage": (BACK, ""),
    "rollback: event": (BACK, "ledger: begun"),
}


@pytest.mark.parametrize(("fault", "step", "outcome"), cells("The disk is full or read-only"))
def test_the_disk_fails(
    world: World, on_a_disk: Path, ends: Callable[[str], dict[str, Any]], fault: str, step: str, outcome: str
) -> None:
    action, point = WRITES[step]
    ready(world, action)
    undo: list[Callable[[], object]] = []
    found = attempt(world, action, once_at(point, lambda: undo.append(DISKS[fault](on_a_disk))))
    undo[0]()
    world.assert_sound()
    assert found == outcome
    if found != "done":
        world.runner().do(action)
    assert world.state() == ends(action)


RUN = 4711
REPOSITORY = f"/repos/{NAME}"
AT_GITHUB: dict[str, tuple[str, tuple[str, str]]] = {
    "approvals": ("", ("GET", f"{REPOSITORY}/actions/runs/{RUN}/approvals")),
    "tag": ("", ("GET", f"{REPOSITORY}/git/ref/tags/{TWO}")),
    "draft": ("staged", ("POST", f"{REPOSITORY}/releases")),
    "files": ("staged", ("POST", rf"{REPOSITORY}/releases/\d+/assets")),
    "publish": ("staged", ("PATCH", rf"{REPOSITORY}/releases/\d+")),
}
GITHUB_FAULTS: dict[str, dict[str, Any]] = {
    "401": at_github.error(401, "Bad credentials"),
    "403": at_github.error(403, "Resource not accessible by integration"),
    "404": at_github.error(404, "Not Found"),
    "422": at_github.error(422, "Validation Failed"),
    "429, to wait 7 s": at_github.retry_after(7),
    "500": at_github.error(500),
    "500, but applied": {"applied": True, **at_github.error(500)},
    "a page for people": at_github.html(502),
    "connection reset": {"reset": True},
    "reset, but applied": {"applied": True, "reset": True},
}


@pytest.fixture
def github(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """Return a GitHub that has the version's tag, and whose run was approved; this is its job."""
    root = world.folder / "one"
    commit = git(root, "rev-parse", TWO)
    with FakeGitHub() as github:
        there = github.repository(NAME)
        there.refs[f"refs/tags/{TWO}"] = commit
        add_commit(there, commit, "ada")
        add_review(there, RUN, "grace")
        said = {"API_URL": github.url, "REPOSITORY": NAME, "RUN_ID": str(RUN), "TOKEN": JOB_TOKEN}
        for name, value in said.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        monkeypatch.setattr(on_github, "PAUSE", 0)
        monkeypatch.setattr(on_github, "sleep", lambda _: None)
        yield github
        assert github.problems == []


def on_github_too() -> dict[str, Any]:
    """Return how a promotion asks GitHub, as the command does."""
    return {
        "approve": partial(consent.approvals_of, environment="production"),
        "may_announce": consent.refuse_taken_on_github,
        "announce": consent.announce_on_github,
    }


def releases_of(github: FakeGitHub) -> list[tuple[str, bool, list[str]]]:
    """Return each release at GitHub: its tag, whether it is a draft, and the digests of its files."""
    there = github.repository(NAME)
    files = sorted(one["name"] for one in there.assets.values())
    return [(one["tag_name"], one["draft"], files) for one in there.releases.values()]


@pytest.mark.parametrize("kind", ["folder"], indirect=True)
@pytest.mark.parametrize(("fault", "step", "outcome"), cells("GitHub fails"))
def test_github_fails(
    world: World, github: FakeGitHub, ends: Callable[[str], dict[str, Any]], fault: str, step: str, outcome: str
) -> None:
    point, request = AT_GITHUB[step]
    reach = once_at(point, lambda: github.fault(*request, **GITHUB_FAULTS[fault]))
    found = attempt(world, PROMOTE, reach, **on_github_too())
    assert github.faults.left() == 0
    assert found == outcome
    world.assert_sound()
    told = [event for event in world.events() if event.endswith(TWO)]
    if not point and found != "done":
        assert told == []  # GitHub is asked before anything is announced
    if found != "done":
        world.runner().do(PROMOTE, **on_github_too())
    assert world.state() == ends(PROMOTE)
    names = ["changelog.md", "comparison.json", "digests.txt", "eval.json", "samples.jsonl"]
    assert releases_of(github) == [(TWO, False, names)]


def move_tag(github: FakeGitHub) -> None:
    github.repository(NAME).refs[f"refs/tags/{TWO}"] = "e" * 40


def release_by_hand(github: FakeGitHub) -> None:
    body = json.dumps({"tag_name": TWO, "name": "By hand"}).encode()
    headers = {"Authorization": f"Bearer {PERSON_TOKEN}", "Accept": "application/vnd.github+json"}
    asked = urllib.request.Request(f"{github.url}{REPOSITORY}/releases", body, headers)
    urllib.request.urlopen(asked).close()
    github.requests.clear()


@pytest.mark.parametrize(("change", "code"), [(move_tag, "MR742"), (release_by_hand, "MR741")])
@pytest.mark.parametrize("kind", ["folder"], indirect=True)
def test_what_github_has_is_looked_at_before_anything_is_announced(
    world: World, github: FakeGitHub, change: Callable[[FakeGitHub], None], code: str
) -> None:
    change(github)
    before = world.state()
    assert attempt(world, PROMOTE, lambda _: None, **on_github_too()) == code
    assert world.state() == before
    assert github.writes() == []
