"""Where files and the token may go, how much memory a file takes, and what is read back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from announcer import Announcer, asset
from fakes.github import JOB_TOKEN, FakeGitHub, User
from pydantic import BaseModel

from modelrelease.errors import Unavailable
from modelrelease.github.transfer import Upload, digest_of, refuse_strange_address

REST = "/repos/acme/bot/releases/1/assets"
CLOUD, ENTERPRISE, SERVER = "https://api.github.com", "https://api.acme.ghe.com", "https://github.acme.com/api/v3"


class Asset(BaseModel):
    id: int


TESTS = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("api", "address"),
    [
        (CLOUD, f"https://uploads.github.com{REST}"),
        (CLOUD, f"https://api.github.com{REST}"),
        (ENTERPRISE, f"https://uploads.acme.ghe.com{REST}"),
        (SERVER, f"https://github.acme.com/api/uploads{REST}"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:8080{REST}"),
    ],
)
def test_github_s_own_addresses(api: str, address: str) -> None:
    refuse_strange_address(api, address)


@pytest.mark.parametrize(
    ("api", "address"),
    [
        (CLOUD, f"http://uploads.github.com{REST}"),
        (CLOUD, f"https://uploads.github.com:8443{REST}"),
        (CLOUD, f"https://uploads.github.com.evil.example{REST}"),
        (CLOUD, f"https://github.com@evil.example{REST}"),
        (CLOUD, f"https://evil.example{REST}#uploads.github.com"),
        (CLOUD, f"https://x:y@uploads.github.com{REST}"),
        (CLOUD, f"https://raw.githubusercontent.com{REST}"),
        (CLOUD, f"https://uploads.acme.ghe.com{REST}"),
        (SERVER, f"https://uploads.github.acme.com{REST}"),
        (SERVER, f"https://uploads.github.com{REST}"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:8081{REST}"),
        ("http://127.0.0.1:8080", f"https://127.0.0.1:8080{REST}"),
        (CLOUD, "https://uploads.github.com:x/"),
        (CLOUD, ""),
    ],
)
def test_addresses_that_are_not(api: str, address: str) -> None:
    with pytest.raises(Unavailable, match=r"GITHUB_API_URL: MR603 GitHub's answer sends files to .*nothing was sent"):
        refuse_strange_address(api, address)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("status", [301, 302, 307])
def test_nothing_reaches_another_server(github: FakeGitHub, name: str, status: int) -> None:
    run = Announcer(github)
    small = Upload("a", 1, b"x")
    with FakeGitHub() as other:
        elsewhere = other.url.replace("127.0.0.1", name) + REST
        with pytest.raises(Unavailable, match="which is not of"):
            run.client.upload(elsewhere, small, Asset.model_validate, needs="x")
        github.fault(times=50, status=status, headers={"Location": elsewhere}, body="{}")
        with pytest.raises(Unavailable):
            run.client.upload(github.url + REST, small, Asset.model_validate, needs="x")
        with pytest.raises(Unavailable):
            run.client.sha256("/repos/acme/bot/releases/assets/1", 1, needs="x")
        assert other.requests == []
    assert "canary" not in "".join(run.told)


@pytest.mark.parametrize(("pieces", "size"), [((b"ab", b"c"), 3), ((b"abc",), 3), ((b"", b"abc", b""), 3)])
def test_a_digest_of_pieces(pieces: tuple[bytes, ...], size: int) -> None:
    assert digest_of(pieces, size) == asset("x", b"abc").sha256


@pytest.mark.parametrize(("pieces", "size"), [((b"ab",), 3), ((b"abcd",), 3), ((), 1)])
def test_what_has_another_length_has_no_digest(pieces: tuple[bytes, ...], size: int) -> None:
    with pytest.raises(ValueError, match="were to come"):
        digest_of(pieces, size)


def test_what_does_not_end_is_not_read_to_its_end() -> None:
    read: list[int] = []

    def endless() -> object:
        while True:
            read.append(1)
            yield b"x"

    with pytest.raises(ValueError, match="were to come"):
        digest_of(endless(), 3)  # type: ignore[arg-type]
    assert len(read) == 4


PROGRAM = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
from announcer import Announcer
from modelrelease.github.transfer import Upload
file = Path(sys.argv[3])
run = Announcer(SimpleNamespace(url=sys.argv[1]))
run.client.upload(sys.argv[2], Upload(file.name, file.stat().st_size, file), lambda _: None, needs="contents: write")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_a_large_file_takes_no_more_memory_than_a_small_one(github: FakeGitHub, tmp_path: Path) -> None:
    release = Announcer(github).client.write(
        "POST", "/repos/acme/bot/releases", {"tag_name": "v1", "draft": True}, dict, needs="contents: write"
    )
    peaks = []
    for size in (1 << 20, 256 << 20):
        file = tmp_path / f"{size}.bin"
        with file.open("wb") as stream:
            stream.truncate(size)
        arguments = [github.url, release["upload_url"].partition("{")[0], str(file)]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments], cwd=TESTS / "github", env={"PYTHONPATH": str(TESTS)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
        file.unlink()
    assert sorted(one["size"] for one in github.repository().assets.values()) == [1 << 20, 256 << 20]
    assert peaks[1] < peaks[0] + 16, f"MiB at the most: {peaks}"


def test_a_reader_s_token_sees_no_drafts(github: FakeGitHub) -> None:
    github.world.users["reader"] = User("eve", 3, permissions={"contents": "read"})
    run = Announcer(github)
    run.client.write("POST", "/repos/acme/bot/releases", {"tag_name": "v1", "draft": True}, dict, needs="x")
    for token, seen in ((JOB_TOKEN, 1), ("reader", 0)):
        found = list(Announcer(github, token).client.pages("/repos/acme/bot/releases", list, needs="x"))
        assert len(found) == seen
