"""Releases over both kinds of targets that are disturbed: killed, refused, raced; and what is there in the end.

Everything is real but the Hub: git with a remote that keeps the ledger, results that were scored once, SIGKILL.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.hub import FakeHub
from releases import NOW, ONE, THREE, TWO, Releases, add_version, create_releases
from repositories import Repository, options, other_weights
from target_lab import FolderLab, HubLab, Lab, hub_lab

from modelrelease.flows.release.grounds import Released, digests_of, live
from modelrelease.flows.release.promote import Promotion
from modelrelease.flows.release.score import CANDIDATE, Sides, read_sides, score_release
from modelrelease.flows.release.subject import Subject
from modelrelease.git import append_only
from modelrelease.release.targets.address import Surroundings as Outside
from modelrelease.release.targets.address import open_target
from modelrelease.release.targets.target import Reach, Target, go_on
from modelrelease.scoring.run import Surroundings

KINDS = ("folder", pytest.param("hub", marks=pytest.mark.exhaustive))
"""Over the Hub each takes several times as long: `make faults` runs both."""
ADDRESS = {"folder": "file://releases", "hub": "hf://acme/bot"}
STAGE = "production"
LEDGER = "refs/heads/modelrelease/ledger"


def hours_later(hours: int) -> str:
    """Return the time that many hours after everything else happened."""
    return (datetime.fromisoformat(NOW) + timedelta(hours=hours)).isoformat()


@dataclass
class Runner(Releases):
    """A clone in which versions are released; ``reach`` is called at each failpoint of flow, target and ledger.

    ``place`` is what a folder's address is relative to: several clones release into one.
    """

    reach: Reach = go_on
    place: Path = Path()

    def target(self, address: str | None = None) -> Target:
        """Return the target, opened anew as another process would."""
        chosen = address or self.grounds().config.release.target
        return open_target(chosen, Outside(self.place, reach=self.reach, **self.outside))

    def how(self, version: str, **more: Any) -> Promotion:
        """Return how a version is released: by results that are kept, or by scoring where they are lost."""
        out = self.root / ".modelrelease" / "releases" / version

        def sides(subject: Subject, before: Released | None) -> Sides:
            if (out / CANDIDATE).is_dir():
                return read_sides(subject, before, out)
            return score_release(subject, before, options(), Surroundings(now=lambda: self.clock[0]), out)

        return super().how(version, **{"sides": sides, "reach": self.reach, **more})

    def do(self, action: str, **more: Any) -> object:
        """Promote, roll back to, or roll forward to: ``promote model_v1.1``."""
        kind, version = action.split(" ")
        return self.roll_back(version) if kind == "rollback" else self.promote(version, **more)

    def lose_results(self) -> None:
        """Be a fresh runner: nothing of an earlier run is here."""
        shutil.rmtree(self.root / ".modelrelease", ignore_errors=True)


@dataclass
class World:
    """A remote repository, a target, and clones."""

    folder: Path
    kind: str
    lab: Lab

    @property
    def hub(self) -> FakeHub:
        """The local Hub."""
        assert isinstance(self.lab, HubLab)
        return self.lab.hub

    @property
    def remote(self) -> Path:
        """The repository that the clones push to."""
        return self.folder / "remote.git"

    def runner(self, name: str = "one", **more: Any) -> Runner:
        """Return a clone: the first that was made, or a further copy of it."""
        root = self.folder / name
        if not root.exists():
            shutil.copytree(self.folder / "one", root, symlinks=True)
            shutil.rmtree(root / "releases", ignore_errors=True)
        outside: dict[str, Any] = {}
        if isinstance(self.lab, HubLab):
            lab = self.lab
            outside = {"endpoint": lab.hub.url, "token": lab.token, "timeout": lab.timeout, "sleep": lab.waits.append}
            outside |= {"jitter": lambda: 0.5, "tell": lab.told.append}
        return Runner(Repository(root), outside=outside, place=self.folder / "one", **more)

    def events(self) -> list[str]:
        """Return the ledger's events as the remote has them."""
        shown = git(self.remote, "log", "--reverse", "--format=%s", LEDGER)
        return [line.partition(" ")[2] for line in shown.splitlines()]

    def state(self) -> dict[str, Any]:
        """Return all that has to be the same however often a run died: the target's files and refs, the ledger."""
        target = self.lab.state()
        if self.kind == "folder":
            target = {path: digest for path, digest in target.items() if not path.endswith("/.release.json")}
            target = {path: digest for path, digest in target.items() if not path.startswith("stages/")}
        else:
            target = {ref: ([self._titled(*one) for one in titles], files) for ref, (titles, files) in target.items()}
        stage = self.runner().target().stage(STAGE)
        return {
            "target": target,
            "stage": (stage.version, stage.claimed),
            "live": self.runner().live(),
            "events": self.events(),
            "refs": [
                line.split()[1] for line in git(self.remote, "for-each-ref", "--format=x %(refname)").splitlines()
            ],
        }

    def _titled(self, title: str, message: str) -> str:
        """Return a title and, in place of the anchor (ledger commits have times), whether the ledger has it."""
        anchor = message.partition("Ledger-Head: ")[2].strip()
        known = anchor and anchor in git(self.remote, "rev-list", LEDGER).split()
        return f"{title}, {'anchored' if known else message or 'no anchor'}"

    def assert_sound(self) -> None:
        """The stage is on content that was verified, or there is none; nothing of a version is half there."""
        runner = self.runner()
        target = runner.target()
        ledger = runner.grounds().ledger()
        stage = target.stage(STAGE)
        assert stage.commit is None or stage.version is not None, stage
        for version in target.versions():
            announced = [one for one in ledger.events if one.kind == "intent" and one.version == version]
            facts = [one.release for one in announced if one.release is not None]
            assert any(not target.verify(version, digests_of(one)) for one in facts), version


def git(folder: Path, *arguments: str, given: str = "") -> str:
    """Run git as a person does."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True, text=True, input=given
    )
    return done.stdout.strip()


def build(root: Path, checkpoint: Path, kind: str) -> Path:
    """Make a world's folder: three versions, the first released, the others scored against it; all is kept."""
    root.mkdir()
    made = create_releases(root / "one", checkpoint, ADDRESS[kind])
    other = root / "other"
    other_weights(checkpoint, other, seed=9)
    add_version(made.repository, "models/model_v1.2", other, parent=ONE)
    shutil.rmtree(other)
    git(root, "clone", "--quiet", "--bare", str(made.root), "remote.git")
    made.repository.git("remote", "add", "origin", "../remote.git")
    made.repository.git("fetch", "--quiet", "origin")
    made.repository.git("remote", "set-head", "origin", "main")
    with open_world(root, kind) as world:
        runner = world.runner()
        runner.promote(ONE)
        before = live(runner.grounds().ledger(), runner.grounds())
        for version in (TWO, THREE):
            out = runner.root / ".modelrelease" / "releases" / version
            score_release(runner.subject(version), before, options(), Surroundings(now=lambda: NOW), out)
    return root


_BUILT: dict[str, Path] = {}


def template_of(kind: str, checkpoint: Path, factory: pytest.TempPathFactory) -> Path:
    """Return a world's folder to copy, made once for all tests."""
    if kind not in _BUILT:
        _BUILT[kind] = build(factory.mktemp("template") / kind, checkpoint, kind)
    return _BUILT[kind]


@contextmanager
def open_world(folder: Path, kind: str) -> Iterator[World]:
    """Open a world's folder; defects of the local Hub fail the test."""
    if kind == "folder":
        yield World(folder, kind, FolderLab(folder / "one"))
        return
    with hub_lab(folder) as lab:
        yield World(folder, kind, lab)


@contextmanager
def copy_world(template: Path, folder: Path, kind: str) -> Iterator[World]:
    """Open a copy to change."""
    shutil.copytree(template, folder, symlinks=True)
    with open_world(folder, kind) as world:
        yield world


def killed_at(point: str, times: int = 1) -> Reach:
    """Return a reach that kills this process at one failpoint, as a machine that goes away does."""
    left = [times]

    def reach(name: str) -> None:
        if name == point:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    return reach


def in_a_child(run: Callable[[], object]) -> int:
    """Run it in a process of its own; return how that ended: 0, an exit code, or minus the signal."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(getattr(error, "exit_code", 70))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextmanager
def watched_ledger(reach: Reach) -> Iterator[None]:
    """Let the ledger's own steps be failpoints: before its commit is made, before its push, and after."""
    commit, publish = append_only._commit, append_only._publish

    def committing(*arguments: Any) -> str:
        reach("ledger: begun")
        made = commit(*arguments)
        reach("ledger: committed")
        return made

    def publishing(*arguments: Any) -> None:
        publish(*arguments)
        reach("ledger: pushed")

    append_only._commit, append_only._publish = committing, publishing  # type: ignore[assignment]
    try:
        yield
    finally:
        append_only._commit, append_only._publish = commit, publish
