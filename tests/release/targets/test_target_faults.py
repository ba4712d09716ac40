"""Every request of a promotion to the Hub, and everything that can go wrong with it.

A run that is disturbed either ends as an undisturbed one, or says no and leaves nothing half-done; run again, it ends
as an undisturbed one: one commit, one tag, one move of the stage.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import EXPIRED_TOKEN, JOB_IDENTITY, READ_TOKEN, WRITE_TOKEN, FakeHub, Token, error
from huggingface_hub import HfApi
from target_lab import NAME, HubLab, State, hub_lab, move, publish_and_stage, release, without_source

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, ModelreleaseError, Refused, Unavailable
from modelrelease.release.targets import hub_session
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedRelease, Raced

STAGE, OLD, NEW = "production", "model_v1.0", "model_v1.1"
API = f"/api/models/{NAME}"
READS = {
    "refs": ("GET", f"{API}/refs"),
    "tree": ("GET", f"{API}/tree/.*"),
    "history": ("GET", f"{API}/commits/.*"),
    "card": ("POST", "/api/validate-yaml"),
    "preupload": ("POST", f"{API}/preupload/main"),
    "batch": ("POST", rf"/{NAME}\.git/info/lfs/objects/batch"),
    "arrived": ("POST", "/_verify/.*"),
    "paths": ("POST", f"{API}/paths-info/.*"),
    "small files": ("GET", f"/{NAME}/resolve/.*"),
}
WRITES = {
    "upload": ("PUT", "/_storage/.*"),
    "commit": ("POST", f"{API}/commit/main"),
    "tag": ("POST", f"{API}/tag/.*"),
    "stage": ("POST", f"{API}/commit/{STAGE}"),
}
RESET: dict[str, Any] = {"reset": True}
NOT_READABLE: dict[str, Any] = {"keep": 3, "honest": True}  # the work is done, and its answer cut off
READ_FAULTS: dict[str, dict[str, Any]] = {
    "401": error(401, "Invalid credentials"),
    "403": error(403, "Forbidden"),
    "404": error(404, "Repository not found"),
    "429": error(429, "Too many requests", Retry_After="7"),
    "500": error(500),
    "reset": RESET,
    "cut JSON": NOT_READABLE,
}
WRITE_FAULTS: dict[str, dict[str, Any]] = {
    **READ_FAULTS,
    "409": error(409, "Conflict"),
    "412": error(412, "A commit has happened since"),
    "500 applied": {"applied": True, **error(500)},
    "reset applied": {"applied": True, **RESET},
    "disk full": error(507, "Insufficient storage"),
    "reset in the body": {"after": 10},
}
PASSING = ("429", "500", "reset", "cut JSON")
LASTING = ("401", "403", "404")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Hub's folder with one version published and staged."""
    root = tmp_path_factory.mktemp("begun")
    with hub_lab(root) as lab:
        publish_and_stage(lab, release(root, OLD))
    return root / "hub"


@pytest.fixture(scope="module")
def undisturbed(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> State:
    """Return what is there after a second version was published and staged without any fault."""
    root = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(begun, root / "hub")
    with hub_lab(root) as lab:
        publish_and_stage(lab, release(root, NEW))
        return lab.state()


@pytest.fixture
def lab(begun: Path, tmp_path: Path) -> Iterator[HubLab]:
    """Return a Hub with one version published and staged."""
    shutil.copytree(begun, tmp_path / "hub")
    with hub_lab(tmp_path) as lab:
        yield lab
        assert not any(secret in line for line in lab.told for secret in lab.hub.tokens)


def files(state: State, ref: str) -> dict[str, str] | None:
    return state[ref][1] if ref in state else None


def assert_nothing_half_done(state: State, undisturbed: State) -> None:
    """The stage holds all of one version or all of the other, and a tag is there for finished work only."""
    old, new = files(undisturbed, f"refs/tags/{OLD}"), files(undisturbed, f"refs/tags/{NEW}")
    assert files(state, f"refs/heads/{STAGE}") in (old, new)
    assert files(state, f"refs/tags/{NEW}") in (None, new)
    assert files(state, "refs/heads/main") in (old, new)


def disturbed(lab: HubLab, folder: Path, undisturbed: State) -> str:
    """Promote, and once more if that failed; return how the first run ended."""
    failed = failure_of(lambda: move(lab.open(), release(folder, NEW)))
    if failed is not None:
        assert not any(secret in str(failed) for secret in lab.hub.tokens)
        assert failed.exit_code in {1, 3}
        assert_nothing_half_done(lab.state(), undisturbed)
        lab.hub.faults.clear()
        move(lab.open(), release(folder, NEW))
    assert lab.hub.faults.left() == 0
    assert lab.state() == undisturbed
    assert lab.open().verify(NEW, release(folder, NEW).digests, download=True) == ()
    return "done" if failed is None else f"exit {failed.exit_code}"


def failure_of(call: Callable[[], object]) -> ModelreleaseError | None:
    try:
        call()
    except ModelreleaseError as failed:
        return failed
    return None


@pytest.mark.parametrize("step", READS)
def test_reading_outlasts_what_passes(lab: HubLab, tmp_path: Path, undisturbed: State, step: str) -> None:
    for fault in PASSING:
        if not (step == "small files" and fault == "cut JSON"):  # their content is no JSON
            lab.hub.fault(*READS[step], **READ_FAULTS[fault])
    assert disturbed(lab, tmp_path, undisturbed) == "done"
    assert sum(lab.waits) < 30


@pytest.mark.parametrize("step", READS)
def test_reading_gives_up_where_nothing_will_change(lab: HubLab, tmp_path: Path, undisturbed: State, step: str) -> None:
    for fault in LASTING:
        lab.hub.fault(*READS[step], **READ_FAULTS[fault])
        if step == "arrived":  # is asked for after an upload only
            lab.hub.storage.path(str(release(tmp_path, NEW).files[0].digest.sha256)).unlink(missing_ok=True)
        with pytest.raises(Unavailable) as failed:
            move(lab.open(), release(tmp_path, NEW))
        assert f"the Hub answered {fault}: " in str(failed.value)
        assert_nothing_half_done(lab.state(), undisturbed)
    assert lab.waits == []
    assert disturbed(lab, tmp_path, undisturbed) == "done"


@pytest.mark.parametrize("fault", WRITE_FAULTS)
@pytest.mark.parametrize("step", WRITES)
def test_one_fault_of_a_write(lab: HubLab, tmp_path: Path, undisturbed: State, step: str, fault: str) -> None:
    if step == "upload" and fault == "cut JSON":
        pytest.skip("the whole answer of an upload is its status")
    lab.hub.fault(*WRITES[step], **WRITE_FAULTS[fault])
    assert disturbed(lab, tmp_path, undisturbed) == ("exit 3" if fault in (*LASTING, "disk full") else "done")
    assert lab.waits == ([7.5] if fault == "429" and step != "upload" else lab.waits)
    assert sum(lab.waits) < 10


@pytest.mark.parametrize("step", ["refs", "tree", "commit", "tag", "stage", "upload"])
def test_one_answer_that_does_not_come(
    lab: HubLab, tmp_path: Path, undisturbed: State, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_session, "TRANSFER_TIMEOUT", 1.0)
    lab.timeout = 1.0
    lab.hub.fault(*{**READS, **WRITES}[step], delay=1.6)
    assert disturbed(lab, tmp_path, undisturbed) == "done"


@pytest.mark.parametrize(
    ("step", "fault"),
    [("refs", "500"), ("refs", "cut JSON"), ("commit", "429"), ("commit", "reset"), ("tag", "500"), ("stage", "500")],
)
def test_a_fault_that_stays_ends_in_bounded_time(
    lab: HubLab, tmp_path: Path, undisturbed: State, step: str, fault: str
) -> None:
    lab.hub.fault(*{**READS, **WRITES}[step], times=50, **READ_FAULTS[fault])
    with pytest.raises(Unavailable, match="tried 5 times"):
        move(lab.open(), release(tmp_path, NEW))
    assert sum(lab.waits) < 60
    assert_nothing_half_done(lab.state(), undisturbed)
    lab.hub.faults.clear()
    assert disturbed(lab, tmp_path, undisturbed) == "done"


@pytest.mark.parametrize("fault", ["500 applied", "reset applied", "cut JSON"])
def test_every_write_is_done_once_though_no_answer_arrives(
    lab: HubLab, tmp_path: Path, undisturbed: State, fault: str
) -> None:
    for step in ("commit", "tag", "stage"):
        lab.hub.fault(*WRITES[step], times=1, **WRITE_FAULTS[fault])
    assert disturbed(lab, tmp_path, undisturbed) == "done"
    asked = [one.path for one in lab.hub.requests if one.method == "POST" and re.search("/(commit|tag)/", one.path)]
    assert len(asked) == 3


def test_a_wait_without_end_is_not_waited(lab: HubLab, tmp_path: Path, undisturbed: State) -> None:
    for path in (f"{API}/preupload/main", rf"/{NAME}\.git/info/lfs/objects/batch"):
        lab.hub.fault("POST", path, **error(429, Retry_After="86400"))
        with pytest.raises(Unavailable, match="asks to wait 86400 s, and 300 s are left"):
            move(lab.open(), release(tmp_path, NEW))
        assert lab.waits == []
    assert disturbed(lab, tmp_path, undisturbed) == "done"


@pytest.mark.parametrize("requests", range(1, 19, 4))
def test_a_token_that_expires_in_the_middle(lab: HubLab, tmp_path: Path, undisturbed: State, requests: int) -> None:
    lab.hub.tokens["hf_short0123456789"] = Token("short", left=requests)
    lab.token = "hf_short0123456789"
    with pytest.raises(Unavailable, match='the Hub answered 401: User Access Token "short" is expired; pass a valid'):
        move(lab.open(), release(tmp_path, NEW))
    assert_nothing_half_done(lab.state(), undisturbed)
    lab.token = WRITE_TOKEN
    assert disturbed(lab, tmp_path, undisturbed) == "done"


def test_a_tag_that_is_gone_is_put_back_as_the_finding_says(lab: HubLab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    published = lab.open().publish(planned)
    lab.hub.repository(NAME).git("update-ref", "-d", f"refs/tags/{planned.version}")
    (finding,) = lab.open().verify(planned.version, planned.digests, commit=published.commit)
    assert finding.code == Code.NOT_PUBLISHED
    call = re.search(r'`huggingface_hub\.create_tag\("([^"]*)", tag="([^"]*)", revision="([^"]*)"\)`', str(finding))
    assert call is not None
    name, tag, revision = call.groups()
    HfApi(lab.hub.url, WRITE_TOKEN).create_tag(name, tag=tag, revision=revision)
    assert lab.open().verify(planned.version, planned.digests, commit=published.commit) == ()


@pytest.mark.parametrize("token", [WRITE_TOKEN, READ_TOKEN, EXPIRED_TOKEN])
def test_one_request_tells_whether_it_may_write(lab: HubLab, token: str) -> None:
    before, lab.token = lab.state(), token
    seen = len(lab.hub.requests)
    if token == WRITE_TOKEN:
        lab.open().check_writable()
    else:
        with pytest.raises(
            Unavailable, match=r"the Hub answered 40[13]: .*(give the token write access|a valid token)"
        ):
            lab.open().check_writable()
    asked = [(one.method, one.path) for one in lab.hub.requests[seen:]]
    assert asked == [("POST", f"{API}/preupload/main")]
    assert lab.state() == before


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (EXPIRED_TOKEN, "401: User Access Token"),
        (READ_TOKEN, f"403: Forbidden: you must use a write token.*give the token write access to {NAME}"),
        ("hf_nobody0123456789", "401: Invalid credentials.*HF_TOKEN, or set up trusted publishing"),
    ],
)
def test_a_token_that_may_not(lab: HubLab, tmp_path: Path, token: str, says: str) -> None:
    before = lab.state()
    lab.token = token
    with pytest.raises(Unavailable, match=says) as failed:
        move(lab.open(), release(tmp_path, NEW))
    assert token not in repr(failed.value) + str(failed.value)
    assert (failed.value.__cause__, failed.value.__suppress_context__) == (None, True)
    assert lab.state() == before


def test_what_the_server_says_is_shown_short_and_without_tokens(lab: HubLab) -> None:
    said = f"no {WRITE_TOKEN} and hf_another0123456789 " + "x" * 5000 + "\\u001b[2J"
    lab.hub.fault("GET", f"{API}/refs", status=403, body=f'{{"error": "{said}"}}', headers={"X-Error-Message": said})
    with pytest.raises(Unavailable) as failed:
        lab.open().versions()
    assert "403: no *** and *** xxx" in str(failed.value)
    assert len(str(failed.value)) < 700


@pytest.mark.parametrize("fault", READ_FAULTS)
@pytest.mark.parametrize("step", ["refs", "tree"])
def test_what_cannot_be_seen_is_not_verified(lab: HubLab, tmp_path: Path, step: str, fault: str) -> None:
    digests = release(tmp_path, OLD).digests
    lab.hub.fault(*READS[step], times=50, **READ_FAULTS[fault])
    with pytest.raises(Unavailable):
        lab.open().verify(OLD, digests)
    lab.hub.faults.clear()
    assert lab.open().verify(OLD, digests) == ()


@pytest.mark.parametrize("fault", [{"keep": 50_000}, RESET, error(500), error(429, Retry_After="1")])
def test_bytes_that_come_broken_are_fetched_again(lab: HubLab, tmp_path: Path, fault: dict[str, Any]) -> None:
    digests = release(tmp_path, OLD).digests
    lab.hub.fault("GET", "/_storage/.*", times=2, **fault)
    assert lab.open().verify(OLD, digests, download=True) == ()
    assert lab.hub.faults.left() == 0
    lab.hub.fault("GET", "/_storage/.*", times=500, **fault)
    with pytest.raises(Unavailable):
        lab.open().verify(OLD, digests, download=True)


def test_bytes_that_are_not_what_the_hub_s_digests_say(lab: HubLab, tmp_path: Path) -> None:
    planned = release(tmp_path, OLD)
    lab.hub.storage.path(str(planned.files[0].digest.sha256)).write_bytes(b"x" * planned.files[0].digest.size)
    assert lab.open().verify(OLD, planned.digests) == ()
    findings = lab.open().verify(OLD, planned.digests, download=True)
    assert [str(one).split(" (sha256")[0] for one in findings] == [
        f"hf://{NAME}@{OLD}/model.safetensors: MR703 is not what was released"
    ]


@pytest.mark.parametrize(
    "title", [f"Move {STAGE} to {NEW}", f"Move {STAGE} to \x1b[2J", "Mend by hand", f"Move x to {OLD}"]
)
def test_a_stage_that_somebody_moved_by_hand_is_no_version(lab: HubLab, tmp_path: Path, title: str) -> None:
    published = lab.open().publish(release(tmp_path, NEW))
    lab.hub.repository(NAME).commit(STAGE, None, title, {"config.json": b"{}"}, ())
    state = lab.open().stage(STAGE)
    assert (state.version, state.release) == (None, None)
    assert state.claimed == (NEW if title.endswith(NEW) else None)
    assert lab.open().move_stage(STAGE, published, state).version == NEW
    assert lab.open().stage(STAGE).version == NEW


def test_a_branch_that_hides_a_version_s_tag(lab: HubLab, tmp_path: Path) -> None:
    published = lab.open().inspect(OLD)
    assert published is not None
    lab.hub.repository(NAME).git("branch", OLD, "main")
    says = f"MR707 a branch named {OLD} hides the tag"
    assert says in str(lab.open().verify(OLD, release(tmp_path, OLD).digests)[0])
    for call in (
        lambda: lab.open().publish(release(tmp_path, OLD)),
        lambda: lab.open().move_stage("other", published, lab.open().stage("other")),
    ):
        with pytest.raises(Refused, match=says):
            call()


def test_the_history_is_read_no_further_than_it_is_needed(lab: HubLab, tmp_path: Path) -> None:
    repository = lab.hub.repository(NAME)
    for number in range(6):
        repository.commit("main", None, f"Note {number}", {"NOTES.md": b"%d" % number}, ())
    lab.hub.commits_per_page = 2
    before = len(lab.hub.requests)
    assert lab.open().inspect(OLD) is not None
    assert len([one for one in lab.hub.requests[before:] if "/commits/" in one.path]) == 1
    lab.hub.repository(NAME).git("update-ref", "-d", f"refs/tags/{OLD}")
    lab.open().publish(release(tmp_path, OLD))
    assert [title for title, _ in lab.state()["refs/heads/main"][0]].count(f"Release {OLD}") == 1


def test_scoring_s_offline_mode_does_not_hold_for_publishing(
    lab: HubLab, tmp_path: Path, undisturbed: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert disturbed(lab, tmp_path, undisturbed) == "done"


@contextmanager
def somebody_else() -> Iterator[tuple[str, list[str | None]]]:
    """Run a server that is not the Hub; yield its address, and what credentials it was shown."""
    shown: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/models", shown
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("what", ["tree", "commits", "refs"])
@pytest.mark.parametrize("status", [200, 302])
def test_no_other_server_is_shown_the_token(lab: HubLab, tmp_path: Path, what: str, status: int) -> None:
    release_of = release(tmp_path, NEW)
    lab.open().publish(release_of)
    with somebody_else() as (address, shown):
        headers = {"Link": f'<{address}>; rel="next"'} if status == 200 else {"Location": address}
        lab.hub.fault("GET", f"{API}/{what}.*", status=status, body="[]", headers=headers, times=100)
        with contextlib.suppress(ModelreleaseError):
            lab.open().verify(NEW, release_of.digests)
        with contextlib.suppress(ModelreleaseError):
            lab.open().inspect(NEW)
    assert [one for one in shown if one] == []


@pytest.mark.parametrize("what", ["tree", "commits"])
def test_a_list_in_pages_without_end_ends(
    lab: HubLab, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_session, "MAX_REQUESTS", 20)
    lab.open().publish(release(tmp_path, NEW))
    path = f"{API}/{what}/main"
    headers = {"Link": f'<{lab.hub.url}{path}?p=1>; rel="next"'}
    lab.hub.fault("GET", f"{API}/{what}.*", status=200, body="[]", headers=headers, times=1_000_000)
    with pytest.raises(Unavailable, match="not what it should be"):
        lab.open().inspect(NEW)


# Well-formed JSON that is not what was asked for.
STRANGE = ("[]", "{}", "null", "7", '"x"', "[[]]", "[{}]", '[{"id": 7}]', "[null]", "true")


@pytest.mark.parametrize("body", STRANGE)
@pytest.mark.parametrize("what", ["refs", "commits/.*", "tree/.*"])
def test_answers_of_another_kind_are_told(lab: HubLab, tmp_path: Path, what: str, body: str) -> None:
    planned = release(tmp_path, NEW)
    lab.open().publish(planned)
    lab.hub.fault("GET", f"{API}/{what}", status=200, body=body, times=1_000)
    with contextlib.suppress(Refused, Unavailable):
        assert lab.open().inspect(NEW) is None or lab.open().verify(NEW, planned.digests) != ()


def test_an_answer_without_end_is_not_read(lab: HubLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_session, "MAX_ANSWER", 1 << 20)
    lab.open().publish(release(tmp_path, NEW))
    body = '{"branches": [], "tags": [], "converts": []}' + " " * (8 << 20)
    lab.hub.fault("GET", f"{API}/refs", status=200, body=body, times=1_000)
    with pytest.raises(Unavailable, match="not what it should be"):
        lab.open().versions()


def test_no_token_is_written_or_shown_anywhere(lab: HubLab, tmp_path: Path) -> None:
    """A run with a token in its environment, and another with one that fails: outputs, arguments and files."""
    program = """
import os, sys
from pathlib import Path
from target_lab import move, release
from modelrelease import settings
from modelrelease.errors import ModelreleaseError
from modelrelease.release.targets.address import Surroundings, open_target
hub, root = settings.hub_environment(), Path(sys.argv[1])
tell = lambda text: print(text, file=sys.stderr)
target = open_target("hf://acme/bot", Surroundings(root, hub.endpoint, hub.token, tell=tell, sleep=lambda _: None))
try:
    move(target, release(root, sys.argv[2]))
    print(Path("/proc/self/cmdline").read_bytes(), target, vars(target))
except ModelreleaseError as failed:
    print("failed", failed, repr(failed), failed.__dict__)
"""
    for token, version in ((WRITE_TOKEN, NEW), (READ_TOKEN, "model_v1.2")):
        lab.hub.fault("POST", f"{API}/tag/.*", **error(500, f"what about {token}"))
        lab.hub.fault("PUT", ".*", **error(500, f"what about {token}"))
        quiet = {f"HF_HUB_DISABLE_{name}": "1" for name in ("XET", "TELEMETRY", "UPDATE_CHECK")}
        own = {
            "HF_TOKEN": token,
            "HF_ENDPOINT": lab.hub.url,
            "HF_HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), version],
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, **quiet, **own},
            capture_output=True,
            check=True,
        )
        assert done.stdout.startswith(b"failed") is (token == READ_TOKEN)
        assert token.encode() not in done.stdout + done.stderr
        holding = [path for path in tmp_path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
        assert holding == []
    assert lab.open().stage(STAGE).version == NEW


def test_no_repository(lab: HubLab, tmp_path: Path) -> None:
    lab.address = "hf://acme/none"
    with pytest.raises(Unavailable, match="404: Repository not found; create the repository acme/none, or give the"):
        lab.open().publish(release(tmp_path, NEW))


def test_a_card_that_the_hub_does_not_take(lab: HubLab, tmp_path: Path) -> None:
    before = lab.state()
    card = planned_file("README.md", b"---\nlicense: Not A Licence\n---\n")
    others = (file for file in release(tmp_path, NEW).files if file.path != "README.md")
    with pytest.raises(InvalidInput, match="MR705 has a head that the Hub does not take"):
        lab.open().publish(PlannedRelease(NEW, (*others, card)))
    assert lab.state() == before


def test_someone_writes_an_unrelated_file_meanwhile(lab: HubLab, tmp_path: Path, undisturbed: State) -> None:
    planned = release(tmp_path, NEW)
    written = []

    def reach(point: str) -> None:
        if point == "publish: uploaded" and not written:
            written.append(lab.hub.repository(NAME).commit("main", None, "Say something", {"NOTES.md": b"x"}, ()))

    move(lab.open(reach), planned)
    state = lab.state()
    assert [title for title, _ in state["refs/heads/main"][0]][:3] == [
        f"Release {NEW}",
        "Say something",
        f"Release {OLD}",
    ]
    assert files(state, f"refs/tags/{NEW}") == files(undisturbed, f"refs/tags/{NEW}")


def test_someone_writes_a_file_of_the_release_meanwhile(lab: HubLab, tmp_path: Path) -> None:
    written = []

    def reach(point: str) -> None:
        if point == "publish: uploaded" and not written:
            written.append(lab.hub.repository(NAME).commit("main", None, "Mend", {"README.md": b"x"}, ()))

    with pytest.raises(Raced, match=r"MR704 README\.md was changed meanwhile"):
        move(lab.open(reach), release(tmp_path, NEW))
    state = lab.state()
    assert f"refs/tags/{NEW}" not in state
    assert state["refs/heads/main"][0][0][0] == "Mend"


def test_stale_weights_on_the_hub_go_and_no_ignore_file_keeps_ours_out(lab: HubLab, tmp_path: Path) -> None:
    stale = {"pytorch_model.bin": b"old", "onnx/model.onnx": b"old", ".gitignore": b"*.safetensors\nprompts/\n*.json\n"}
    lab.hub.repository(NAME).commit("main", None, "Leave things", stale, ())
    planned = release(tmp_path, NEW)
    publish_and_stage(lab, planned)
    assert lab.open().verify(NEW, planned.digests, download=True) == ()
    for ref in ("main", STAGE):
        assert set(lab.state()[f"refs/heads/{ref}"][1]) == {".gitattributes", *(file.path for file in planned.files)}


def test_what_the_hub_drops_is_noticed_before_the_tag(
    lab: HubLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes.hub.repository import Repository

    real = Repository.commit

    def forgetful(self: Repository, branch: str, parent: Any, message: str, content: Any, deleted: Any) -> str:
        kept = {path: data for path, data in content.items() if not path.startswith("prompts/")}
        return real(self, branch, parent, message, kept, deleted)

    monkeypatch.setattr(Repository, "commit", forgetful)
    with pytest.raises(Refused, match=r"support\.prompt\.yml: MR703 is not what was released"):
        move(lab.open(), release(tmp_path, NEW))
    assert f"refs/tags/{NEW}" not in lab.state()
    assert lab.open().stage(STAGE).version == OLD


def test_a_tag_somebody_else_made(lab: HubLab, tmp_path: Path, undisturbed: State) -> None:
    repository = lab.hub.repository(NAME)
    repository.git("update-ref", f"refs/tags/{NEW}", "refs/heads/main")
    before = lab.state()
    with pytest.raises(Refused, match="MR703 is published already, with other content; publish the next patch"):
        move(lab.open(), release(tmp_path, NEW))
    assert lab.state() == before
    repository.git("update-ref", "-d", f"refs/tags/{NEW}")
    assert disturbed(lab, tmp_path, undisturbed) == "done"


def test_no_weights_travel_when_a_stage_moves(lab: HubLab, tmp_path: Path) -> None:
    target = lab.open()
    published = target.publish(release(tmp_path, NEW))
    before = len(lab.hub.requests)
    old = target.inspect(OLD)
    assert old is not None
    state = target.stage(STAGE)
    for one in (published, old, published):
        state = target.move_stage(STAGE, one, state)
    asked = lab.hub.requests[before:]
    assert not [one for one in asked if one.path.startswith("/_storage") or "lfs" in one.path]
    assert sum(one.received + one.sent for one in asked) < 60_000  # the weights alone are 200,000 each


@pytest.mark.parametrize("revision", [STAGE, NEW, "main"])
def test_a_consumer_loads_the_whole_version_by_stage_and_by_name(lab: HubLab, tmp_path: Path, revision: str) -> None:
    from huggingface_hub import snapshot_download

    planned = release(tmp_path, NEW)
    publish_and_stage(lab, planned)
    place = Path(
        snapshot_download(NAME, revision=revision, endpoint=lab.hub.url, token=READ_TOKEN, local_dir=tmp_path / "got")
    )
    found = {path: planned_file(path, place / path).digest for path in (file.path for file in planned.files)}
    assert tuple(found.values()) == planned.digests


def test_weights_that_are_there_are_not_sent_again(lab: HubLab, tmp_path: Path) -> None:
    weights = release(tmp_path, OLD).files[0]
    planned = release(tmp_path, NEW)
    same = type(planned)(NEW, (weights, *planned.files[1:]))
    lab.open().publish(same)
    lab.open().publish(
        without_source(type(planned)("model_v1.2", (weights, *release(tmp_path, "model_v1.2").files[1:])))
    )
    assert len([one for one in lab.hub.requests if one.method == "PUT"]) == 0


def test_readers_see_all_of_one_version_or_all_of_the_other(lab: HubLab, tmp_path: Path) -> None:
    """A reader who looks after every single request of a promotion."""
    seen = []
    planned = release(tmp_path, NEW)

    class Watching(list[Any]):
        def append(self, item: Any) -> None:
            seen.append(files(lab.state(), f"refs/heads/{STAGE}"))
            super().append(item)

    lab.hub.requests = Watching()
    publish_and_stage(lab, planned)
    state = lab.state()
    known = [files(state, f"refs/tags/{version}") for version in (OLD, NEW)]
    assert len(seen) > 15
    assert all(one in known for one in seen)


def test_trusted_publishing(lab: HubLab, tmp_path: Path, undisturbed: State, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.token = None
    lab.identity = as_a_job(lab.hub, monkeypatch)
    with pytest.raises(Unavailable) as refused:
        move(lab.open(), release(tmp_path, NEW))
    assert "trusted publishing failed" in str(refused.value)
    assert f"let {NAME} trust this repository, workflow and branch" in str(refused.value)
    assert JOB_IDENTITY not in str(refused.value)
    lab.hub.publishers.identity[NAME] = JOB_IDENTITY
    assert disturbed(lab, tmp_path, undisturbed) == "done"
    assert {one.who for one in lab.hub.requests if "/commit/" in one.path} == {"job"}


def as_a_job(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set up what a GitHub job has that may ask for its identity; return whom it asks, which is not the Hub."""
    identity = f"{hub.url.replace('127.0.0.1', 'localhost')}/_github/identity?v=1"
    said = {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": identity,
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request",
        "HF_OIDC_RESOURCE": NAME,
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    # What HF_ENDPOINT sets when huggingface_hub is imported.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.utils._auth._OIDC_TOKEN_CACHE", None)
    return identity
