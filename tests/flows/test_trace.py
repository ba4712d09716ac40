"""`ledger trace`: the chain of a version as far as it goes, as a document and as one screen of text."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import run
from papers import write_papers
from releases import CARD, ONE, THREE, TWO, Releases, copy_releases, create_releases
from repositories import Repository
from target_lab import hub_lab
from tiny_models import TinyModels

from modelrelease.config import find_project
from modelrelease.errors import InvalidInput
from modelrelease.flows.ledger import ledger_branch, open_ledger
from modelrelease.flows.release.remarks import override, revoke
from modelrelease.flows.release.trace import trace_version
from modelrelease.records.trace import Trace
from modelrelease.reports.trace import trace_text

HOSTILE = "\x1b[2J\u202e evil\nnote: forged"


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Two tagged versions; between them a prompt has changed, with its reason."""
    made = create_releases(tmp_path_factory.mktemp("releases") / "repository", tiny.folder("llama"))
    repository = made.repository
    repository.git("checkout", "--quiet", "--detach", ONE)
    change_prompt(repository, "Asked as customers ask")
    repository.git("checkout", "--quiet", ONE, "--", "models")
    repository.git("checkout", "--quiet", TWO, "--", f"models/{TWO}")
    repository.commit(f"Add {TWO}")
    repository.git("tag", "--force", TWO)
    repository.git("branch", "--force", "main", "HEAD")
    repository.git("checkout", "--quiet", "main")
    return made


def change_prompt(repository: Repository, reason: str) -> None:
    record = f'author: Ada Lovelace\nreason: {reason}\ndate: "2026-03-01"\n'
    repository.write("prompts/qa.md", f"---\n{record}---\nQuestion: {{{{question}}}}\nA:")
    repository.commit("Change the prompt")


@pytest.fixture(scope="module")
def lived(template: Releases, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    made = copy_releases(template, tmp_path_factory.mktemp("lived") / "repository")
    made.lead_a_life()
    return made


@pytest.fixture
def releases(lived: Releases, tmp_path: Path) -> Releases:
    return copy_releases(lived, tmp_path / "repository")


def trace(releases: Releases, version: str, **more: Any) -> Trace:
    ledger = open_ledger(ledger_branch(releases.root, None))
    return trace_version(find_project(releases.root), ledger, version, more.get("open_target", releases.target))


def whats(text: str) -> list[str]:
    """Return what stands in the second column, in order."""
    rest = text.partition("\n\n")[2]
    lines = rest.partition("\n\n")[0].splitlines()
    return [found for line in lines if (found := line[18:33].split("  ")[0].strip())]


def test_the_whole_chain(
    releases: Releases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(releases.root)
    ran = run(capsys, "ledger", "trace", TWO)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"{TWO} is live: production of file://releases names it"
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120
    assert whats(ran.out) == [
        *["in force"] * 4, "changed", "trained", "scored", "decided", "approved", "released", "rolled back",
        "rolled forward", "committed",
    ]  # fmt: skip
    assert "2026-03-01        changed         prompts/qa.md (changed) by Ada Lovelace: Asked as customers ask" in lines
    flat = " ".join(ran.out.split())
    for expected in (
        "for the release, 80 items, cpu float32, eval.json ",
        f"against {ONE}, policy ",
        "by nobody: no approval is recorded",
        f"production: {ONE} → {TWO}, event 4 by Ada Lovelace",
        f"production: {TWO} → {ONE}, event 5 by Ada Lovelace",
        "Answers in German are cut off",
        f", tag {TWO} by ",
    ):
        assert expected in flat
    assert "note:" not in ran.out


def test_the_document(releases: Releases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(releases.root)
    found = Trace.model_validate_json(run(capsys, "ledger", "trace", TWO, "--json").out)
    assert found == trace(releases, f"models/{TWO}")
    ledger = open_ledger(ledger_branch(releases.root, None))
    assert [event.sequence for event in found.events] == [3, 4, 5, 6]
    assert found.decision is not None
    facts = ledger.events[2].release
    assert facts is not None
    assert (found.decision.summary, found.decision.baseline) == (facts.summary, ONE)
    assert found.decision.policy_digest == facts.policy_digest
    assert [row.metric for row in found.decision.verdicts] == ["pick/acc", "say/regex"]
    assert [(one.record, one.sha256) for one in found.scores] == [("release", facts.eval_sha256)]
    assert [metric.n for metric in found.scores[0].metrics] == [40, 40]
    assert found.commit is not None
    assert (found.commit.sha, found.commit.tag) == (facts.git_sha, TWO)
    assert [(one.path, one.reason) for one in found.changes.entries] == [("prompts/qa.md", "Asked as customers ask")]
    assert [one.path for one in found.changes.in_force] == [
        "datasets/qa.jsonl", "evals/release.yaml", "modelrelease.yaml", "prompts/say.txt",
    ]  # fmt: skip
    assert found.model is not None
    assert found.model_digest == found.model.checkpoint.digest


def test_the_first_version_has_all_changes_and_what_replaced_it(releases: Releases) -> None:
    found = trace(releases, ONE)
    assert found.standing == "released"
    assert {one.path for one in found.changes.entries} == {
        "datasets/qa.jsonl", "evals/release.yaml", "modelrelease.yaml", "prompts/qa.md", "prompts/say.txt",
    }  # fmt: skip
    text = trace_text(found)
    assert f"{ONE} is released, and not live" in text
    assert whats(text)[-5:] == ["released", "replaced", "rolled back", "rolled forward", "committed"]
    assert "against nothing" in text


def test_a_version_that_was_never_released(template: Releases) -> None:
    found = trace(template, TWO)
    assert (found.standing, found.decision, found.events, found.notes) == ("not-released", None, (), ())
    assert found.commit is not None
    assert found.commit.tag == TWO
    assert trace_text(found).startswith(f"{TWO} was never released\n")


def test_a_version_that_is_not_committed(template: Releases, tmp_path: Path) -> None:
    releases = copy_releases(template, tmp_path / "repository")
    folder = f"models/{THREE}"
    source = releases.root / f"models/{TWO}" / "checkpoint"
    releases.repository.add_version(folder, source)
    write_papers(releases.root / folder, source, parent=TWO)
    releases.repository.write(f"{folder}/README.md", CARD)
    found = trace(releases, THREE)
    assert (found.commit, found.changes.unknown) == (None, "the version is in no commit yet")
    assert "changed  not known: the version is in no commit yet" in trace_text(found)
    releases.repository.commit("Add it")
    found = trace(releases, THREE)
    assert found.commit is not None
    assert (found.commit.tag, found.changes.since, found.changes.entries) == (None, TWO, ())
    assert f"nothing governed since {TWO}" in trace_text(found)


def test_a_version_that_nobody_knows(releases: Releases) -> None:
    with pytest.raises(InvalidInput, match=r"model_v9\.9: MR411 is known neither here nor in the ledger"):
        trace(releases, "model_v9.9")
    with pytest.raises(InvalidInput, match="latest: MR411 is no version"):
        trace(releases, "latest")


def test_a_version_whose_papers_are_gone_still_has_its_events(releases: Releases) -> None:
    git = releases.repository.git
    git("checkout", "--quiet", "--orphan", "anew")
    shutil.rmtree(releases.root / "models")
    releases.repository.commit("Begin anew")
    for name in (ONE, TWO):
        git("tag", "--delete", name)
    git("branch", "--force", "main", "anew")
    git("reflog", "expire", "--expire=now", "--all")
    git("gc", "--quiet", "--prune=now")
    found = trace(releases, TWO)
    assert (found.model, found.standing, len(found.events)) == (None, "live", 4)
    assert found.notes == (f"models/{TWO}/model.json is not here: how it was trained is not known",)
    assert [one.record for one in found.scores] == ["release"]


def test_a_published_record_that_was_changed_is_not_believed(releases: Releases) -> None:
    path = releases.root / "releases" / "versions" / TWO / "eval.json"
    path.write_bytes(path.read_bytes().replace(b"0.", b"1."))
    found = trace(releases, TWO)
    assert found.scores == ()
    assert found.notes == (f"eval.json at file://releases is not what was released: run `modelrelease verify {TWO}`",)


def test_a_shallow_clone_says_what_it_cannot_tell(releases: Releases, tmp_path: Path) -> None:
    releases.repository.git("checkout", "--quiet", "main")
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "--depth=1", f"file://{releases.root}", str(clone)]
    subprocess.run(command, check=True)
    found = trace(Releases(Repository(clone)), TWO)
    assert found.changes.unknown is not None
    assert found.changes.unknown.startswith("this clone is shallow")
    assert found.standing == "live"
    assert [event.sequence for event in found.events] == [3, 4, 5, 6]


def release_elsewhere(releases: Releases, *versions: str) -> None:
    """Let the default branch name another target, and release there."""
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.replace("modelrelease.yaml", "file://releases", "file://elsewhere")
    releases.repository.commit("Release elsewhere")
    for version in versions:
        releases.promote(version)


def test_releases_to_two_targets_each_have_what_decided_on_them(releases: Releases) -> None:
    release_elsewhere(releases, ONE, TWO)
    found = trace(releases, TWO)
    assert found.decision is not None
    decisions = [(one.sequence, one.target, len(one.verdicts)) for one in (found.decision, *found.other_decisions)]
    assert decisions == [(9, "file://elsewhere", 2), (3, "file://releases", 2)]
    assert [(one.record, one.target) for one in found.scores] == [
        ("release", "file://releases"),
        ("release", "file://elsewhere"),
    ]
    assert found.notes == ()
    text = trace_text(found)
    assert "came to nothing" not in text
    ended = ["decided", "approved", "released"]
    assert whats(text)[6:] == ["scored"] * 2 + ended + ["rolled back", "rolled forward", *ended, "committed"]
    flat = " ".join(text.split())
    for target in ("file://releases", "file://elsewhere"):
        assert f"decided for {target}: " in flat
    shutil.rmtree(releases.root / "releases")
    assert trace(releases, TWO).notes == (
        "eval.json at file://releases is missing",
        "comparison.json at file://releases is missing",
    )


def test_an_earlier_target_is_told_of(releases: Releases) -> None:
    release_elsewhere(releases)
    found = trace(releases, TWO)
    assert found.standing == "released"
    assert found.target == "file://elsewhere"
    assert " decided for file://releases: " in " ".join(trace_text(found).split())


def test_an_announcement_that_another_has_replaced_came_to_nothing(template: Releases, tmp_path: Path) -> None:
    fresh = copy_releases(template, tmp_path / "fresh")
    fresh.promote(ONE)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            fresh.promote(TWO, reach=stop_at_announced)
        shutil.rmtree(fresh.root / ".modelrelease")
    found = trace(fresh, TWO)
    assert found.standing == "announced"
    assert found.decision is not None
    assert found.decision.sequence == 4
    assert "event 3, by Ada Lovelace; it came to nothing" in trace_text(found)
    fresh.promote(TWO)
    assert "it came to nothing" in trace_text(trace(fresh, TWO))


def stop_at_announced(point: str) -> None:
    if point == "announced":
        raise KeyboardInterrupt


def test_overrides_and_the_end(releases: Releases) -> None:
    tiny = releases.root / f"models/{TWO}" / "checkpoint"
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.add_version(f"models/{THREE}", tiny)
    write_papers(releases.root / f"models/{THREE}", tiny, parent=TWO)
    releases.repository.commit("Add it")
    override(releases.grounds(), THREE, "pick/acc", "2026-04-01", "The old items were wrong", releases.doer())
    text = trace_text(trace(releases, THREE))
    assert "override   a loss in pick/acc is accepted until 2026-04-01, event 7 by Ada Lovelace" in text
    assert "The old items were wrong" in text
    revoke(releases.grounds(), ONE, "It repeats what it was trained on", releases.doer())
    text = trace_text(trace(releases, ONE))
    assert text.startswith(f"{ONE} was revoked\n")
    assert "It repeats what it was trained on" in text


def test_what_others_wrote_is_shown_and_does_nothing(releases: Releases) -> None:
    found = trace(releases, TWO)
    document = found.plain()
    for part, names in (
        ("changes", ("since",)), ("commit", ("author", "subject", "tag", "at")),
        ("decision", ("summary", "baseline", "policy_ref")),
    ):  # fmt: skip
        for name in names:
            document[part][name] = HOSTILE
    for entry in document["changes"]["entries"]:
        entry.update(dict.fromkeys(entry, HOSTILE))
    for event in document["events"]:
        event.update(reason=HOSTILE, run_url=HOSTILE, stage=HOSTILE, at=HOSTILE)
        event["by"] = {"name": HOSTILE, "email": None, "login": None}
    document["model"]["training"].update(command=HOSTILE, seed=1)
    document["model"]["training"]["datasets"] = [{"path": HOSTILE, "digest": "0" * 64, "git_sha": None}]
    document.update(version=HOSTILE, target=HOSTILE, stage=HOSTILE, folder=HOSTILE, notes=[HOSTILE])
    for scores in document["scores"]:
        scores.update(device=HOSTILE, dtype=HOSTILE, started=HOSTILE)
    text = trace_text(Trace.model_validate_json(json.dumps(document)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "evil" in text
    assert not any(line.startswith("note: forged") for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 420


def test_long_histories_keep_to_one_screen(template: Releases, tmp_path: Path) -> None:
    releases = copy_releases(template, tmp_path / "repository")
    for number in range(20):
        change_prompt(releases.repository, f"The wording number {number} of them")
    source = releases.root / f"models/{TWO}" / "checkpoint"
    releases.repository.add_version(f"models/{THREE}", source)
    write_papers(releases.root / f"models/{THREE}", source, parent=TWO)
    releases.repository.commit("Add it")
    found = trace(releases, THREE)
    assert [one.reason for one in found.changes.entries] == [f"The wording number {n} of them" for n in range(20)]
    text = trace_text(found)
    assert "… 8 earlier changes: `modelrelease log`" in text
    assert "number 7" not in text
    assert "number 8" in text


def test_a_target_that_was_not_asked_is_named(tiny: TinyModels, tmp_path: Path) -> None:
    with hub_lab(tmp_path) as lab:
        releases = create_releases(tmp_path / "repository", tiny.folder("llama"), lab.address)
        releases.outside = {"endpoint": lab.hub.url, "token": lab.token, "sleep": lab.waits.append}
        releases.promote(ONE)
        found = trace(releases, ONE)
        assert [one.record for one in found.scores] == ["release"]
        assert found.notes == ()
        found = trace(releases, ONE, open_target=lambda _: None)
    assert found.scores == ()
    assert found.notes == (f"not asked: {lab.address}, which has the scores and verdicts of the release",)
    releases.outside["endpoint"] = "http://127.0.0.1:9"
    found = trace(releases, ONE)
    assert found.standing == "live"
    (note,) = found.notes
    assert note.startswith(f"the scores and verdicts of the release could not be read: {lab.address}: MR603")
