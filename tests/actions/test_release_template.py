"""workflows-templates/release.yml and rollback.yml, run whole: a tag is pushed, and a local Hub has the release."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from acting import Act, Ran, git
from consumers import REPOSITORY, adopt
from fakes.github import JOB_TOKEN, FakeGitHub, add_commit, add_review
from fakes.hub import JOB_IDENTITY, READ_TOKEN, WRITE_TOKEN, FakeHub
from releases import CONFIG, ONE, TWO, add_version
from repositories import LIVE, NEW, Repository, create, other_weights, rows
from tiny_models import TinyModels

from modelrelease.config import find_project
from modelrelease.flows.release.grounds import open_grounds
from modelrelease.records.ledger import Event

RELEASED = {"score": "succeeded", "publish": "succeeded"}
BACK = {"plan": "succeeded", "rollback": "succeeded"}
BAD = "model_v1.2"
REASON = "Someone's prices are wrong; $(touch oops) `touch oops` ${{ secrets.HF_TOKEN }}"


@dataclass
class Shop:
    """A clone in which a person works, its bare origin, and a Hub that trusts its workflows and shows nobody else."""

    act: Act
    work: Repository
    origin: Path
    hub: FakeHub

    def push(self, *refs: str) -> None:
        self.work.git("push", "--quiet", "--force", str(self.origin), *refs)

    def release(self, github: FakeGitHub, version: str, run: int, by: str = "grace", token: str = "") -> Ran:
        """Push a version's tag, whose commit is ada's; the run waits until ``by`` approves."""
        self.push(f"refs/tags/{version}")
        commit, there = self.work.git("rev-parse", version), github.repository(REPOSITORY)
        there.refs[f"refs/tags/{version}"] = commit
        add_commit(there, commit, "ada")
        add_review(there, run, by)
        self.work.git("checkout", "--quiet", "--detach", version)
        payload = {"ref": f"refs/tags/{version}", "repository": {"default_branch": "main"}}
        return self._run(github, "push", payload, run, secrets={"HF_TOKEN": token} if token else {})

    def release_again(self, github: FakeGitHub, version: str, run: int) -> Ran:
        """Start the release's workflow by hand, on the default branch."""
        self.work.git("checkout", "--quiet", "main")
        payload = {"inputs": {"version": version}, "ref": "refs/heads/main", "repository": {"default_branch": "main"}}
        return self._run(github, "workflow_dispatch", payload, run)

    def roll_back(
        self, github: FakeGitHub, version: str, run: int, reason: str, secrets: Mapping[str, str] | None = None
    ) -> Ran:
        """Start the rollback's workflow, as a person does."""
        self.work.git("checkout", "--quiet", "main")
        payload = {"inputs": {"to": version, "reason": reason}, "repository": {"default_branch": "main"}}
        return self._run(github, "workflow_dispatch", payload, run, secrets, workflow="rollback")

    def _run(
        self,
        github: FakeGitHub,
        event: str,
        payload: dict[str, object],
        run: int,
        secrets: Mapping[str, str] | None = None,
        workflow: str = "release",
    ) -> Ran:
        shutil.rmtree(self.act.artifacts, ignore_errors=True)
        self.hub.requests.clear()
        job = {"GITHUB_API_URL": github.url, "GITHUB_RUN_ID": str(run), "HF_ENDPOINT": self.hub.url}
        job |= {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.hub.url}/_github/identity?v=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request",
            **{f"HF_HUB_DISABLE_{name}": "1" for name in ("XET", "TELEMETRY", "UPDATE_CHECK")},
        }
        variables = {"MODELRELEASE_RELEASE_RUNNER": "self-hosted"}
        if "HF_TOKEN" not in (secrets or {}):
            variables["HF_OIDC_RESOURCE"] = REPOSITORY
        ran = self.act.run(
            self.work.root,
            event,
            payload,
            environ={"CHECKOUT_FROM": str(self.origin)},
            variables=variables,
            job=job,
            token=JOB_TOKEN,
            secrets=secrets,
            workflow=self.work.root / ".github" / "workflows" / f"{workflow}.yml",
        )
        for secret in (JOB_TOKEN, JOB_IDENTITY, READ_TOKEN, WRITE_TOKEN, "hf_jwt_"):
            assert secret not in ran.text
        return ran

    def events(self) -> tuple[Event, ...]:
        """Return the events of the ledger that origin has."""
        clone = self.act.folder / "reader"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.act.folder, "clone", "--quiet", str(self.origin), str(clone))
        return open_grounds(find_project(clone)).ledger().events

    def kinds(self) -> list[str]:
        return [f"{event.kind} {event.version}" for event in self.events()]

    def decision(self) -> str:
        """Return what the uploaded comparison says first."""
        found = json.loads((self.act.artifacts / "modelrelease-release" / "comparison.json").read_text("utf-8"))
        return str(found["headline"])

    def writers(self) -> set[str | None]:
        """Return whose tokens the last run has committed with."""
        return {one.who for one in self.hub.requests if "/commit/" in one.path and one.method == "POST"}

    def readers(self) -> set[str | None]:
        """Return whose tokens the last run has asked the Hub with, about the repository."""
        return {one.who for one in self.hub.requests if REPOSITORY in one.path}

    def stage(self) -> str:
        """Return the digest of the weights that the stage serves."""
        (weights,) = [
            entry.lfs[0]
            for entry in self.hub.repository(REPOSITORY).tree(self.hub.repository(REPOSITORY).resolve("production"))
            if entry.path == "model.safetensors" and entry.lfs
        ]
        return weights


def answered_by(repository: Repository, checkpoint: Path, count: int) -> list[dict[str, object]]:
    """Return rows whose right answers are those that this checkpoint gives: it knows all of them."""
    repository.add_version(LIVE, checkpoint)
    repository.write_rows(rows(count))
    repository.score(LIVE)
    samples = [json.loads(line) for line in (repository.root / LIVE / "samples.jsonl").read_text("utf-8").splitlines()]
    given = {sample["item_id"]: sample["prediction"] for sample in samples if sample["task"] == "pick"}
    repository.remove(LIVE)
    return [{**row, "answer": given[row["id"]]} for row in rows(count)]


def touched(checkpoint: Path, into: Path) -> Path:
    """Return a copy with other weights that answer the same: training that changed next to nothing."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(checkpoint, into)
    path = into / "model.safetensors"
    save_file({name: value * 1.0001 for name, value in load_file(path).items()}, path, metadata={"format": "pt"})
    return into


@pytest.fixture(scope="module")
def shop(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Three versions are tagged: one that knows everything, one that still does, one that does no more."""
    folder = tmp_path_factory.mktemp("shop")
    first = tiny.folder("llama")
    work = create(folder / "support")
    config = (
        CONFIG.replace("TARGET", f"hf://{REPOSITORY}").replace("margin: 0.5", "margin: 0.1") + "  approval: other\n"
    )
    work.write("modelrelease.yaml", config)
    work.write(".gitignore", "/.modelrelease/\n")
    work.write_rows(answered_by(work, first, 40))
    adopt(work.root, "release", "rollback")
    work.commit("Begin")
    add_version(work, LIVE, first)
    add_version(work, NEW, touched(first, folder / "touched"), parent=ONE)
    add_version(work, f"models/{BAD}", other_weights(first, folder / "other"), parent=TWO)
    origin = folder / "origin.git"
    git(folder, "init", "--quiet", "--bare", str(origin))
    with FakeHub(folder / "hub") as hub:
        hub.repository(REPOSITORY, private=True)
        made = Shop(Act(folder / "machine", tmp_path_factory), work, origin, hub)
        made.push("main")
        yield made
        assert hub.problems == []


def releases_of(github: FakeGitHub) -> list[str]:
    """Return the tags whose releases on GitHub are published."""
    return [one["tag_name"] for one in github.repository(REPOSITORY).releases.values() if not one["draft"]]


def test_refused_released_blocked_by_a_regression_rolled_back_and_forward(shop: Shop, github: FakeGitHub) -> None:
    ran = shop.release(github, ONE, 1, by="ada", token=WRITE_TOKEN)
    assert ran.jobs() == {"score": "succeeded", "publish": "failed"}, ran.text
    assert "MR743" in ran.log
    assert (shop.kinds(), shop.writers(), releases_of(github)) == ([], set(), [])

    ran = shop.release(github, ONE, 2, token=WRITE_TOKEN)
    assert ran.jobs() == RELEASED, ran.text
    assert shop.kinds() == [f"intent {ONE}", f"released {ONE}"]
    assert shop.decision() == "Promote: the first release, as the policy names it; release it."
    assert shop.writers() == {"writer"}
    (approval,) = [one for one in shop.events()[0].release.approvals if one.counts]  # type: ignore[union-attr]
    assert (approval.login, approval.environment) == ("grace", "production")
    first = shop.stage()

    shop.hub.publishers.identity[REPOSITORY] = JOB_IDENTITY
    ran = shop.release(github, TWO, 3)
    assert ran.jobs() == RELEASED, ran.text
    assert shop.kinds()[2:] == [f"intent {TWO}", f"released {TWO}"]
    assert shop.writers() == {"job"}
    assert f"{TWO} is released: production names it" in ran.log
    second = shop.stage()
    assert second != first

    ran = shop.release(github, BAD, 4)
    assert ran.jobs() == {"score": "failed"}, ran.text
    assert f"{BAD}: MR709 Blocked: pick/acc " in ran.log
    assert shop.decision().startswith("Blocked: pick/acc ")
    assert (shop.stage(), len(shop.kinds()), shop.writers()) == (second, 4, set())

    ran = shop.roll_back(github, ONE, 5, REASON)
    assert ran.jobs() == {"plan": "failed"}, ran.text
    assert f"hf://{REPOSITORY}: MR603 the Hub answered 404" in ran.log
    assert (shop.stage(), len(shop.kinds()), shop.readers()) == (second, 4, {None})

    ran = shop.roll_back(github, ONE, 5, REASON, {"HF_READ_TOKEN": READ_TOKEN})
    assert ran.jobs() == BACK, ran.text
    assert shop.readers() == {"reader", "job"}
    assert shop.kinds()[4:] == [f"rolled-back {ONE}"]
    assert shop.events()[-1].reason == REASON
    assert (shop.stage(), shop.writers()) == (first, {"job"})
    assert f"production: {TWO} → {ONE}, verified at hf://{REPOSITORY}" in ran.log

    ran = shop.release_again(github, TWO, 6)
    assert ran.jobs() == RELEASED, ran.text
    assert shop.kinds()[5:] == [f"rolled-forward {TWO}"]
    assert f"{TWO} is released to production of hf://{REPOSITORY}: nothing has to be decided" in ran.log
    assert f"{TWO} is back at production of hf://{REPOSITORY}" in ran.log
    assert f"production names {TWO} again" in ran.log
    assert not shop.act.artifacts.exists()
    assert shop.stage() == second
    assert releases_of(github) == [ONE, TWO]
