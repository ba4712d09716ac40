"""Both kinds of targets for tests, and what is there in the end, in one form that can be compared."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fakes.hub import WRITE_TOKEN, FakeHub

from modelrelease.release.targets.address import Surroundings, open_target
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedFile, PlannedRelease, Reach, StageState, Target, go_on

NAME = "acme/bot"
WEIGHTS = 200_000
CARD = "---\nlicense: apache-2.0\n---\n# The bot\n"


def weights(seed: int, size: int = WEIGHTS) -> bytes:
    """Return bytes that are weights to a target."""
    return random.Random(seed).randbytes(size)


def release(folder: Path, version: str = "model_v1.0", seed: int | None = None, **other: bytes) -> PlannedRelease:
    """Return a version with weights on disk, a card, records and prompts; ``other`` files have `__` for a slash."""
    place = folder / f"sources-{version}"
    place.mkdir(exist_ok=True)
    (place / "model.safetensors").write_bytes(weights(seed if seed is not None else len(version) + ord(version[-1])))
    small = {
        "config.json": b'{"model_type": "llama"}\n',
        "README.md": (CARD + version + "\n").encode(),
        "model.json": f'{{"version": "{version}"}}\n'.encode(),
        "prompts/support.prompt.yml": f"# {version}\nmessages: []\n".encode(),
        **{name.replace("__", "/"): data for name, data in other.items()},
    }
    files = [planned_file("model.safetensors", place / "model.safetensors")]
    files += [planned_file(path, data) for path, data in small.items()]
    return PlannedRelease(version, tuple(files), ledger_head="1" * 40)


def without_source(planned: PlannedRelease, path: str = "model.safetensors") -> PlannedRelease:
    """Return a release of which one file is nowhere but at the target."""
    files = tuple(PlannedFile(one.digest, None if one.path == path else one.source) for one in planned.files)
    return PlannedRelease(planned.version, files, planned.ledger_head)


State = dict[str, Any]


class Lab(Protocol):
    """A target of one kind, and a look behind it."""

    def open(self, reach: Reach = go_on) -> Target:
        """Return the target, opened anew as another process would."""

    def state(self) -> State:
        """Return everything that is there, without what differs from run to run."""

    def tamper(self, version: str, path: str, data: bytes | None) -> None:
        """Change a published file behind the target's back, or remove it."""


@dataclass
class FolderLab:
    """A target in a folder."""

    root: Path
    address: str = "file://releases"

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / "releases"

    def open(self, reach: Reach = go_on) -> Target:
        """Return the target."""
        return open_target(self.address, Surroundings(self.root, reach=reach))

    def state(self) -> State:
        """Return the digest of every file, but for the lock's."""
        found = sorted(path for path in self.folder.rglob("*") if not path.is_dir() or path.is_symlink())
        named = {path.relative_to(self.folder).as_posix(): path for path in found if path.name != ".lock"}
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items()}

    def tamper(self, version: str, path: str, data: bytes | None) -> None:
        """Change a file of a version."""
        place = self.folder / "versions" / version / path
        place.unlink(missing_ok=True)
        if data is not None:
            place.write_bytes(data)


@dataclass
class HubLab:
    """A target on a local Hub. ``waits`` are the seconds that it would have waited."""

    root: Path
    hub: FakeHub
    token: str | None = WRITE_TOKEN
    timeout: float = 30.0
    waits: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    address: str = f"hf://{NAME}"
    identity: str | None = None

    def open(self, reach: Reach = go_on) -> Target:
        """Return the target."""
        outside = Surroundings(
            self.root,
            endpoint=self.hub.url,
            token=self.token,
            timeout=self.timeout,
            identity=self.identity,
            sleep=self.waits.append,
            jitter=lambda: 0.5,
            tell=self.told.append,
            reach=reach,
        )
        return open_target(self.address, outside)

    def state(self) -> State:
        """Return each ref's history of titles, and the files at its head."""
        repository = self.hub.repository(NAME)
        refs = repository.refs()
        found = {}
        for ref, commit in refs.items():
            titles = [
                (one.title, one.message if one.title.startswith("Release") else "") for one in repository.log(commit)
            ]
            found[ref] = (titles, {one.path: one.oid for one in repository.tree(commit) if not one.folder})
        return found

    def tamper(self, version: str, path: str, data: bytes | None) -> None:
        """Move the version's tag to a commit with another file."""
        repository = self.hub.repository(NAME)
        files = {path: data} if data is not None else {}
        gone = [path] if data is None else []
        repository.git("update-ref", "refs/heads/tampered", f"refs/tags/{version}")
        commit = repository.commit("tampered", None, f"Release {version}", files, gone)
        repository.git("update-ref", f"refs/tags/{version}", commit)
        repository.git("update-ref", "-d", "refs/heads/tampered")


@contextmanager
def hub_lab(root: Path, name: str = "hub", **options: Any) -> Iterator[HubLab]:
    """Start a local Hub with an empty repository; defects of it fail the test."""
    with FakeHub(root / name) as hub:
        hub.repository(NAME)
        yield HubLab(root, hub, **options)
        assert hub.problems == []


def publish_and_stage(lab: Lab, planned: PlannedRelease, stage: str = "production") -> None:
    """Do what a promotion does at a target."""
    target = lab.open()
    move(target, planned, stage)


def move(target: Target, planned: PlannedRelease, stage: str = "production") -> StageState:
    """Publish a version and let the stage mirror it."""
    before = target.stage(stage)
    return target.move_stage(stage, target.publish(planned), before)


class Killed(BaseException):
    """What a run dies of: nothing catches it."""


def dies_at(point: str) -> Callable[[str], None]:
    """Return a reach that dies at one failpoint."""

    def reach(name: str) -> None:
        if name == point:
            raise Killed(point)

    return reach
