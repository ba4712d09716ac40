"""`ledger verify` against real releases: whatever was changed behind the ledger's back is found and located."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import run
from releases import ONE, TWO, Releases, copy_releases, create_releases
from target_lab import NAME, hub_lab
from tiny_models import TinyModels

from modelrelease.codes import Code
from modelrelease.config import find_project
from modelrelease.errors import Finding, Unavailable
from modelrelease.flows.ledger import append_event, ledger_branch, open_ledger
from modelrelease.flows.release.audit import Audit, _tags_on_origin, audit_ledger
from modelrelease.flows.release.audit_git import audit_commits
from modelrelease.flows.release.grounds import released
from modelrelease.git.append_only import Branch
from modelrelease.records.ledger import Event
from modelrelease.release.ledger.chain import Anchor
from modelrelease.release.targets.target import Target

REF = "refs/heads/modelrelease/ledger"
DOWN = Unavailable(Finding("file://releases", Code.UNAVAILABLE, "does not answer", "wait"))


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("releases") / "repository", tiny.folder("llama"))


@pytest.fixture(scope="module")
def lived(template: Releases, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    made = copy_releases(template, tmp_path_factory.mktemp("lived") / "repository")
    made.lead_a_life()
    return made


@pytest.fixture
def releases(lived: Releases, tmp_path: Path) -> Releases:
    return copy_releases(lived, tmp_path / "repository")


def branch(releases: Releases) -> Branch:
    return ledger_branch(releases.root, None)


def audit(releases: Releases, **more: Any) -> Audit:
    options = {"open_target": releases.target, "elsewhere": None, **more}
    return audit_ledger(find_project(releases.root), branch(releases), **options)


def found(releases: Releases, **more: Any) -> str:
    return "\n".join(map(str, audit(releases, **more).findings))


def test_a_life_as_the_ledger_tells_it(
    releases: Releases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(releases.root)
    ran = run(capsys, "ledger", "verify")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "modelrelease/ledger: 6 events, whole",
        "checked: 2 heads written down elsewhere",
        "checked: 2 releases at file://releases: files, names and stages",
        "checked: their tags, commits and policies in this repository",
    ]
    told = json.loads(run(capsys, "ledger", "verify", "--json").out)
    assert (told["events"], told["findings"], told["not_checked"]) == (6, [], [])
    assert told["head"] == releases.repository.git("rev-parse", REF)


def version(releases: Releases, name: str) -> Path:
    return releases.root / "releases" / "versions" / name


def edit_record(releases: Releases) -> None:
    path = version(releases, TWO) / "eval.json"
    path.write_bytes(path.read_bytes().replace(b'"pick"', b'"kick"'))


def publish_by_hand(releases: Releases) -> None:
    shutil.copytree(version(releases, ONE), version(releases, "model_v9.0"))
    manifest = version(releases, "model_v9.0") / ".release.json"
    manifest.write_text(manifest.read_text().replace(ONE, "model_v9.0"))


def move_stage_by_hand(releases: Releases) -> None:
    target = releases.target()
    published = target.inspect(ONE)
    assert published is not None
    target.move_stage("production", published, target.stage("production"))


def rewrite(releases: Releases, ref: str) -> None:
    git = releases.repository.git
    git("update-ref", ref, git("commit-tree", f"{ref}^{{tree}}", "-m", "x"))


def cut(releases: Releases) -> None:
    releases.repository.git("update-ref", REF, f"{REF}~4")


TAMPERED: dict[str, tuple[Callable[[Releases], object], str]] = {
    "a published record": (edit_record, f"versions/{TWO}/eval.json: MR703 is not what was released (sha256"),
    "a published version removed": (
        lambda r: shutil.rmtree(version(r, ONE)),
        f"versions/{ONE}: MR702 is not published any more; its folder is not on this machine, or was removed",
    ),
    "a version from nowhere": (
        publish_by_hand,
        "file://releases model_v9.0: MR707 is published, and the ledger knows nothing of it",
    ),
    "the stage": (move_stage_by_hand, f"production: MR712 is at {ONE}, and the ledger says {TWO}"),
    "a tag moved": (
        lambda r: r.repository.git("tag", "--force", ONE, TWO),
        f"{ONE}: MR708 is the tag of ",
    ),
    "a tag removed": (
        lambda r: r.repository.git("tag", "--delete", ONE),
        f"{ONE}: MR708 is gone, and {ONE} was released from",
    ),
    "the default branch": (
        lambda r: rewrite(r, "refs/heads/main"),
        f"{TWO}: MR708 the commit that it was released from",
    ),
    "the ledger cut short": (cut, f"MR721 does not hold {{head}}, which {TWO} at file://releases names"),
    "the ledger removed": (
        lambda r: r.repository.git("update-ref", "-d", REF),
        f"MR721 does not hold {{head}}, which {TWO} at file://releases names",
    ),
    "the ledger begun anew": (lambda r: rewrite(r, REF), "MR720 adds events/000002.json, where event 1 was to be"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_changed_is_found(
    case: str, releases: Releases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change, expected = TAMPERED[case]
    head = releases.repository.git("rev-parse", f"{REF}~3")[:12]
    change(releases)
    monkeypatch.chdir(releases.root)
    ran = run(capsys, "ledger", "verify")
    assert (ran.code, ran.out) == (1, "")
    assert expected.format(head=head) in ran.err
    told = run(capsys, "ledger", "verify", "--json")
    assert told.code == 1
    assert json.loads(told.out)["findings"]


@pytest.mark.parametrize("step", ["published", "staged"])
def test_a_release_without_its_receipt_is_found_and_completed(step: str, template: Releases, tmp_path: Path) -> None:
    releases = copy_releases(template, tmp_path / "repository")
    releases.promote(ONE)

    def die(at: str) -> None:
        if at == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        releases.promote(TWO, reach=die)
    assert found(releases) == (
        f"modelrelease/ledger event 3: MR725 announces {TWO}, which is published at file://releases and has no "
        f"receipt; run `modelrelease promote {TWO}` again, which completes it"
    )
    releases.promote(TWO)
    assert audit(releases).findings == []


def test_a_run_that_died_before_it_published_left_nothing_wrong(template: Releases, tmp_path: Path) -> None:
    releases = copy_releases(template, tmp_path / "repository")
    releases.promote(ONE)

    def die(at: str) -> None:
        if at == "announced":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        releases.promote(TWO, reach=die)
    assert (audit(releases).findings, audit(releases).unreached) == ([], [])


def test_what_cannot_be_reached_is_said(
    releases: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (releases.root / "releases").rename(tmp_path / "elsewhere")
    monkeypatch.chdir(releases.root)
    said = "not checked: what is published at file://releases: it is not on this machine\n"
    ran = run(capsys, "ledger", "verify")
    assert (ran.code, ran.err) == (3, said)
    assert "file://releases" not in ran.out
    ran = run(capsys, "ledger", "verify", "--offline")
    assert (ran.code, ran.err) == (0, said)


def test_a_target_that_does_not_answer_is_no_target_that_is_fine(releases: Releases) -> None:
    def down(_: str) -> Target:
        raise DOWN

    told = audit(releases, open_target=down)
    assert (told.findings, told.unreached) == ([], [str(DOWN.findings[0])])
    assert not any("file://releases" in line for line in told.checked)
    told = audit(releases, open_target=lambda _: None)
    assert told.unreached == ["what is published at file://releases: it was not asked"]


def test_heads_from_elsewhere_count(releases: Releases) -> None:
    here = releases.repository.git("rev-parse", f"{REF}~2")
    assert audit(releases, elsewhere=lambda: [Anchor("the GitHub release", here)]).findings == []
    lost = Anchor("the GitHub release", "d" * 40)
    assert "MR721 does not hold dddddddddddd, which the GitHub release names" in found(
        releases, elsewhere=lambda: [lost]
    )

    def silent() -> list[Anchor]:
        raise DOWN

    assert audit(releases, elsewhere=silent).unreached == [f"heads in GitHub's releases: {DOWN.findings[0]}"]


@pytest.fixture
def clone(releases: Releases, tmp_path: Path) -> Releases:
    """A copy of all that was released, with a remote that has the same."""
    made = copy_releases(releases, tmp_path / "clone")
    releases.repository.git("config", "receive.denyCurrentBranch", "ignore")
    made.repository.git("remote", "add", "origin", str(releases.root))
    made.repository.git("fetch", "--quiet", "origin")
    return made


def test_a_clone_without_tags_asks_origin_and_says_so_where_it_must_not(clone: Releases) -> None:
    clone.repository.git("tag", "--delete", ONE)
    told = audit(clone)
    assert (told.findings, told.unreached) == ([], [])
    assert told.checked[-1] == "their tags, commits and policies in this repository, and their tags on origin"
    open_ledger(branch(clone))
    told = audit_ledger(find_project(clone.root), ledger_branch(clone.root, None, offline=True), clone.target, None)
    assert told.findings == []
    (line,) = told.unreached
    assert line.startswith(f"the tag {ONE}: it is not in this clone; `git fetch --tags`")


@pytest.mark.parametrize(
    ("push", "message"),
    [
        pytest.param([f"{TWO}^{{commit}}:refs/tags/{ONE}"], "is the tag of [0-9a-f]{10} on origin", id="moved"),
        pytest.param(["--delete", f"refs/tags/{ONE}"], "is gone on origin", id="removed"),
    ],
)
def test_a_tag_that_is_another_on_origin(
    clone: Releases, push: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This clone's own tag is as it was."""
    monkeypatch.chdir(clone.root)
    assert run(capsys, "verify", ONE).code == 0
    clone.repository.git("push", "--quiet", "--force", "origin", *push)
    commit = clone.repository.git("rev-parse", f"{ONE}^{{commit}}")[:10]
    mend = f"git push{'' if '--delete' in push else ' --force'} origin {commit}:refs/tags/{ONE}"
    expected = rf"{ONE}: MR708 {message}, and {ONE} was released from {commit}; put it back: `{mend}`\n"
    for command in (["verify", ONE], ["ledger", "verify"]):
        ran = run(capsys, *command)
        assert ran.code == 1
        assert re.fullmatch(expected, ran.err)
    assert run(capsys, "verify", TWO).code == 0
    clone.repository.git(*mend.split()[1:])
    assert run(capsys, "verify", ONE).code == 0


def test_tags_that_origin_does_not_tell_are_not_checked(clone: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(branch(clone))
    clone.repository.git("remote", "set-url", "origin", "/nowhere")
    told = Audit(ledger)
    known = released(ledger, "file://releases", ONE)
    assert known is not None
    assert _tags_on_origin(told, [known]) is None
    (line,) = told.unreached
    assert line.startswith("tags on origin: remote origin: MR603 does not tell its tags: ")


def test_another_policy_than_the_one_that_decided(releases: Releases) -> None:
    ledger = open_ledger(branch(releases))
    known = released(ledger, "file://releases", TWO)
    assert known is not None
    facts = known.facts.model_copy(update={"policy_digest": "0" * 64})
    edited = type(known)(known.receipt, known.intent.model_copy(update={"release": facts}))
    (finding,), unknown = audit_commits(find_project(releases.root), branch(releases), edited)
    assert unknown == []
    assert f"MR723 is {known.facts.policy_digest[:12]} at " in str(finding)
    assert f"and {TWO} was decided by 000000000000" in str(finding)


def rebuild(releases: Releases, number: int, **facts: Any) -> None:
    """Write the ledger anew with other facts in an event, for a target that is not on this machine."""
    events = open_ledger(branch(releases)).events
    releases.repository.git("update-ref", "-d", REF)
    shutil.rmtree(releases.root / "releases")
    ledger = open_ledger(branch(releases))
    for event in events:
        edited = event.release.model_copy(update=facts) if event.release and event.sequence == number else event.release
        made = Event.model_validate({**dict(event), "release": edited})
        ledger = append_event(ledger, lambda _, made=made: made)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"eval_sha256": "0" * 64}, "event 3: MR723 names another eval.json than it lists"),
        ({"comparison_sha256": "0" * 64}, "event 3: MR723 names another comparison.json than it lists"),
        ({"baseline": None}, f"event 3: MR723 was decided against nothing, and replaced {ONE}"),
        ({"overrides": (2,)}, "event 3: MR723 rests on event 2, which is no override of it"),
        ({"overrides": (9,)}, "event 3: MR723 rests on event 9, which is no override of it"),
    ],
)
def test_what_a_release_says_of_itself_agrees(facts: dict[str, Any], expected: str, releases: Releases) -> None:
    rebuild(releases, 3, **facts)
    assert expected in found(releases)


def test_a_revoked_version_may_be_taken_away(releases: Releases) -> None:
    from modelrelease.flows.release.remarks import revoke

    revoke(releases.grounds(), ONE, "It repeats what it was trained on", releases.doer())
    shutil.rmtree(version(releases, ONE))
    assert audit(releases).findings == []


def test_releases_on_the_hub(tiny: TinyModels, tmp_path: Path) -> None:
    with hub_lab(tmp_path) as lab:
        releases = create_releases(tmp_path / "repository", tiny.folder("llama"), lab.address)
        releases.outside = {"endpoint": lab.hub.url, "token": lab.token, "sleep": lab.waits.append}
        releases.lead_a_life()
        told = audit(releases)
        assert (told.findings, told.unreached) == ([], [])
        assert told.checked[:2] == [
            "2 heads written down elsewhere",
            f"2 releases at hf://{NAME}: files, names and stages",
        ]
        lab.tamper(TWO, "eval.json", b"{}")
        assert f"hf://{NAME}@{TWO}/eval.json: MR703" in found(releases)
