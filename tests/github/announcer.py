"""A version that is to be announced, and a run that announces it to a local GitHub."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fakes.github import JOB_TOKEN, FakeGitHub

from modelrelease.github.client import Client
from modelrelease.github.patience import Patience
from modelrelease.github.releases import announce
from modelrelease.records.announcement import DIGESTS, Announcement, Asset, digest_lines

TAG = "model_v1.1"
COMMIT = "c" * 40
HEAD = "d" * 40
MODEL = "ab" * 32
FILES = {
    "eval.json": b'{"a": 1}\n',
    "samples.jsonl": b'{"id": "1"}\n' * 50_000,
    "comparison.json": b"{}\n",
    "changelog.md": b"# model_v1.1\n",
}


def asset(name: str, data: bytes, folder: Path | None = None) -> Asset:
    """Return an asset of these bytes, from disk where there is a folder to put them into."""
    if folder is not None:
        (folder / name).write_bytes(data)
    return Asset(name, len(data), hashlib.sha256(data).hexdigest(), data if folder is None else folder / name)


def announcement(folder: Path | None = None, **changes: Any) -> Announcement:
    """Return what is to be announced: small files, and one that a connection takes in several pieces."""
    files = [asset(name, data, folder) for name, data in FILES.items()]
    digests = digest_lines((one.name, one.sha256) for one in files)
    plain = {
        "tag": TAG,
        "commit": COMMIT,
        "title": "model_v1.1",
        "model_digest": MODEL,
        "assets": (*files, asset(DIGESTS, digests, folder)),
        "changelog": "# model_v1.1\n\n**better**: qa/acc.\n",
        "ledger_head": HEAD,
    }
    return Announcement(**{**plain, **changes})


class Announcer:
    """A run whose waits take no time and are kept, as is what it tells."""

    def __init__(self, github: FakeGitHub, token: str = JOB_TOKEN) -> None:
        self.slept: list[float] = []
        self.told: list[str] = []
        patience = Patience(self.slept.append, lambda: 1_800_000_000.0, self.told.append)
        self.client = Client(github.url, token, patience, pause=0)

    def announce(self, what: Announcement | None = None, **options: Any) -> str:
        """Announce it; what is not said is as a job would have it."""
        sleep = options.pop("sleep", lambda _: None)
        return announce(self.client, "acme/bot", what or announcement(), sleep, self.told.append, **options)


def tagged(github: FakeGitHub, commit: str = COMMIT) -> None:
    """Put the git tag to where it belongs, and the default branch beyond it."""
    github.repository().refs.update({f"refs/tags/{TAG}": commit, "refs/heads/main": "e" * 40})


def outcome(github: FakeGitHub) -> dict[str, Any]:
    """Return everything that a reader of the repository's releases and tags sees, but for ids and times."""
    repository = github.repository()
    kept = ("tag_name", "name", "body", "draft", "prerelease", "author")
    releases = [{key: one[key] for key in kept} for one in repository.releases.values()]
    files = sorted((one["name"], one["state"], one["size"], one["sha256"]) for one in repository.assets.values())
    return {"releases": releases, "files": files, "refs": dict(repository.refs)}
