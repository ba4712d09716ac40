"""Repositories with versions that can be released, and the steps of a person who releases them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from papers import write_papers
from repositories import LIVE, NEW, Repository, create, options, other_weights, rows

from modelrelease.config import find_project
from modelrelease.flows.card import Written
from modelrelease.flows.release.grounds import Doer, Grounds, Released, open_grounds
from modelrelease.flows.release.promote import Promoted, Promotion, promote
from modelrelease.flows.release.score import Sides, score_release
from modelrelease.flows.release.stages import plan_move, roll_back
from modelrelease.flows.release.subject import Subject, open_subject
from modelrelease.flows.weights import Weights
from modelrelease.records.ledger import Event, Person
from modelrelease.release.targets.address import Surroundings as Outside
from modelrelease.release.targets.address import open_target
from modelrelease.release.targets.target import Target
from modelrelease.reports.version_card import card_section
from modelrelease.reports.version_changelog import changelog
from modelrelease.scoring.run import Surroundings

NOW = "2026-03-04T05:06:07+00:00"
ONE, TWO, THREE = "model_v1.0", "model_v1.1", "model_v1.2"
CONFIG = """schema_version: 1
suite: evals/release.yaml
gate:
  on_inconclusive: {release: warn}
  metrics:
    pick/acc: {margin: 0.5}
release:
  target: TARGET
  bootstrap: model_v1.0
"""
CARD = """---
license: mit
base_model: []
datasets: []
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [test]
---
# A small model
"""
TEXTS = Written(card_section, changelog)
ADA = Person(name="Ada Lovelace", email="ada@example.org", login=None)


@dataclass
class Releases:
    """A repository whose main has versions, each tagged; ``repository.root`` is where a person works."""

    repository: Repository
    clock: list[str] = field(default_factory=lambda: [NOW])
    outside: dict[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The work tree."""
        return self.repository.root

    def grounds(self) -> Grounds:
        """Return what a release stands on."""
        return open_grounds(find_project(self.root))

    def doer(self) -> Doer:
        """Return who releases."""
        return Doer(by=ADA, now=lambda: self.clock[0], run_url=None, open_target=self.target)

    def target(self, address: str | None = None) -> Target:
        """Return the target, as the policy names it."""
        chosen = address or self.grounds().config.release.target
        return open_target(chosen, Outside(self.root, **self.outside))

    def subject(self, version: str) -> Subject:
        """Return a version as it is tagged, which is checked out."""
        self.repository.git("checkout", "--quiet", "--detach", f"refs/tags/{version}")
        return open_subject(self.grounds(), version, Weights(remembers=False))

    def promote(self, version: str, **more: Any) -> Promoted:
        """Release a version."""
        return promote(self.subject(version), self.how(version, **more))

    def how(self, version: str, **more: Any) -> Promotion:
        """Return how a version is released here."""
        out = self.root / ".modelrelease" / "releases" / version

        def sides(subject: Subject, before: Released | None) -> Sides:
            return score_release(subject, before, options(), Surroundings(now=lambda: NOW), out)

        known = {"doer": self.doer(), "out": out, "sides": sides, "texts": TEXTS}
        return Promotion(**{**known, **more})

    def roll_back(self, version: str, reason: str = "Answers in German are cut off") -> Event | None:
        """Roll back to a version."""
        grounds = self.grounds()
        return roll_back(grounds, plan_move(grounds, version, self.doer()), self.doer(), reason)

    def lead_a_life(self) -> None:
        """Release two versions, roll back, and forward again."""
        self.promote(ONE)
        self.promote(TWO)
        self.roll_back(ONE)
        self.promote(TWO)

    def live(self) -> str | None:
        """Return what the ledger names as live."""
        grounds = self.grounds()
        return grounds.ledger().state.live_version(*grounds.stage)

    def kinds(self) -> list[str]:
        """Return the ledger's events."""
        return [f"{event.kind} {event.version}" for event in self.grounds().ledger().events]

    def state(self) -> dict[str, Any]:
        """Return all that has to be the same however often a run died: versions, stage, events, files."""
        target, grounds = self.target(), self.grounds()
        stage = target.stage(grounds.config.release.stage)
        found = {version: target.inspect(version) for version in target.versions()}
        return {
            "versions": {name: sorted(file.path for file in one.files) for name, one in found.items() if one},
            "stage": (stage.version, stage.claimed),
            "live": self.live(),
            "receipts": [kind for kind in self.kinds() if kind.startswith("released")],
        }


def tag(repository: Repository, version: str) -> None:
    """Tag what is committed."""
    repository.git("tag", version)


def add_version(repository: Repository, folder: str, checkpoint: Path, parent: str | None = None) -> None:
    """Add a version with its papers and its card, commit it and tag it."""
    repository.add_version(folder, checkpoint)
    write_papers(repository.root / folder, checkpoint, parent=parent)
    repository.write(f"{folder}/README.md", CARD)
    repository.commit(f"Add {Path(folder).name}")
    tag(repository, Path(folder).name)


def create_releases(root: Path, checkpoint: Path, target: str = "file://releases") -> Releases:
    """Return a repository with two versions, of which the second has other weights; nothing is released."""
    repository = create(root)
    repository.write("modelrelease.yaml", CONFIG.replace("TARGET", target))
    repository.write(".gitignore", "/releases/\n/.modelrelease/\n")
    repository.write_rows(rows(40))
    repository.commit("Begin")
    add_version(repository, LIVE, checkpoint)
    other = root.parent / f"{root.name}-other"
    other_weights(checkpoint, other)
    add_version(repository, NEW, other, parent="model_v1.0")
    shutil.rmtree(other)
    return Releases(repository)


def copy_releases(template: Releases, root: Path, **outside: Any) -> Releases:
    """Return a copy to change."""
    shutil.copytree(template.root, root, symlinks=True)
    return Releases(Repository(root), outside=outside)
