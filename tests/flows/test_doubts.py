"""An intent that a run left, and what somebody who may push could put in its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from releases import ONE, Releases, copy_releases, create_releases
from tiny_models import TinyModels

from modelrelease.flows.release.announced import kept_files
from modelrelease.flows.release.contents import as_recorded
from modelrelease.flows.release.doubts import doubt
from modelrelease.records.canonical import document_bytes
from modelrelease.records.comparison import COMPARISON_FILE
from modelrelease.records.evaluation import SAMPLES_FILE
from modelrelease.records.ledger import Event
from modelrelease.release.targets.contents import MAX_BLOB, planned_file

Facts = dict[str, Any]


class Killed(Exception):
    """A run that ends where it is told to."""


def die(step: str) -> None:
    if step == "announced":
        raise Killed


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    releases = create_releases(tmp_path_factory.mktemp("announced") / "repository", tiny.folder("llama"))
    with pytest.raises(Killed):
        releases.promote(ONE, reach=die)
    return releases


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


def doubted(
    releases: Releases, change: Callable[[Facts], object] = lambda _: None, comparison: bytes | None = None
) -> str | None:
    """Say what is thought of the intent with ``change`` made to its facts."""
    subject = releases.subject(ONE)
    ledger = subject.grounds.ledger()
    (intent,) = ledger.state.open.values()
    document = intent.plain()
    change(document["release"])
    kept = (releases.root / ".modelrelease" / "releases" / ONE / "release" / COMPARISON_FILE).read_bytes()
    told = Event.model_validate_json(json.dumps(document))
    return doubt(subject, ledger, told, comparison if comparison is not None else kept)


def test_what_a_run_announced_is_gone_on_with(releases: Releases) -> None:
    assert doubted(releases) is None


def test_what_is_kept_is_gone_on_with_however_large_it_is(releases: Releases) -> None:
    """Of large files no blob id is announced: git would not be asked for it."""
    subject, out = releases.subject(ONE), releases.root / ".modelrelease" / "releases" / ONE
    (out / "release" / SAMPLES_FILE).write_bytes(b"\n" * (MAX_BLOB + 1))
    (intent,) = subject.grounds.ledger().state.open.values()
    assert intent.release is not None
    planned = planned_file(SAMPLES_FILE, out / "release" / SAMPLES_FILE)
    assert planned.digest.blob is None
    (kept,) = kept_files(intent.release.model_copy(update={"files": as_recorded([planned])}), out, subject)
    assert isinstance(kept.source, bytes)


def keep_only(*endings: str) -> Callable[[Facts], object]:
    """Announce what is at hand: a checkpoint needs no gate and no approval to be there."""
    return lambda facts: facts.update(files=[file for file in facts["files"] if file["path"].endswith(endings)])


def of_file(path: str, **more: Any) -> Callable[[Facts], object]:
    return lambda facts: next(file for file in facts["files"] if file["path"] == path).update(more)


def more_files(*paths: str) -> Callable[[Facts], object]:
    return lambda facts: facts["files"].extend({**facts["files"][0], "path": path} for path in paths)


FORGED: dict[str, tuple[Callable[[Facts], object], str]] = {
    "nothing but the checkpoint": (keep_only("safetensors", "config.json", "tokenizer.json"), "or none"),
    "other weights": (of_file("model.safetensors", sha256="0" * 64), "another model.safetensors"),
    "weights of another size": (of_file("model.safetensors", size=7), "another model.safetensors"),
    "weights that git names otherwise": (of_file("config.json", blob="0" * 40), "another config.json"),
    "other papers": (of_file("model.json", sha256="0" * 64), "another model.json"),
    "another evaluation": (of_file("eval.json", sha256="0" * 64), "other records than it lists"),
    "a file of somebody's": (more_files("run.py"), "it lists run.py"),
    "a file twice": (more_files("model.json"), "a file twice"),
    "another commit": (lambda facts: facts.update(git_sha="0" * 40), "another commit"),
    "another tag": (lambda facts: facts.update(tag="model_v9.9"), "another commit"),
    "a policy that was never merged": (lambda facts: facts.update(policy_ref="0" * 40), "not one of main's"),
    "a policy by name": (lambda facts: facts.update(policy_ref="main"), "not one of main's"),
    "a policy by a search": (lambda facts: facts.update(policy_ref="HEAD^{/.*}"), "not one of main's"),
    "another policy": (lambda facts: facts.update(policy_digest="0" * 64), "policy is another one"),
    "praise": (lambda facts: facts.update(summary="pick/acc is far better"), "sums up something else"),
    "no first release": (lambda facts: facts.update(bootstrap=False), "sums up something else"),
    "overrides that are none": (lambda facts: facts.update(overrides=[1]), "event 1, which is no override"),
    "overrides that come later": (lambda facts: facts.update(overrides=[7]), "event 7, which is no override"),
}


@pytest.mark.parametrize("case", FORGED)
def test_what_no_promotion_would_have_announced_is_not(case: str, releases: Releases) -> None:
    change, expected = FORGED[case]
    assert expected in (doubted(releases, change) or "")


COMPARISONS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one that blocks": (lambda one: one.update(decision="block"), "does not decide"),
    "a policy that blocks": (lambda one: one["policies"][0].update(decision="block"), "does not decide"),
    "of a pull request": (lambda one: one.update(context="pull_request"), "does not decide"),
    "by another policy": (lambda one: one["policies"][0].update(digest="0" * 64), "does not decide"),
    "of another checkpoint": (lambda one: one["candidate"].update(model_digest="0" * 64), "another evaluation"),
    "of other samples": (lambda one: one["candidate"].update(samples_sha256="0" * 64), "another evaluation"),
    "against another version": (lambda one: one.update(baseline=one["candidate"]), "not hold it against what is live"),
    "of nothing": (lambda one: one.update(candidate=None), "another evaluation"),
    "no comparison": (lambda one: one.clear(), "cannot be read"),
}


@pytest.mark.parametrize("case", COMPARISONS)
def test_a_comparison_that_the_ledger_names_has_to_decide_it(case: str, releases: Releases) -> None:
    change, expected = COMPARISONS[case]
    kept = releases.root / ".modelrelease" / "releases" / ONE / "release" / COMPARISON_FILE
    document = json.loads(kept.read_bytes())
    change(document)
    data = document_bytes(document)
    digest = hashlib.sha256(data).hexdigest()

    def announce(facts: Facts) -> None:
        facts["comparison_sha256"] = digest
        of_file(COMPARISON_FILE, sha256=digest)(facts)

    assert expected in (doubted(releases, announce, data) or "")
    assert "is another one" in (doubted(releases, comparison=data) or "")
