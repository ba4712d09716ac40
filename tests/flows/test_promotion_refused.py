"""Promotions, rollbacks and remarks that are refused, over both kinds of targets: what was there is all there is."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from releases import ONE, TEXTS, THREE, TWO
from survival import LEDGER, Runner, World, git, hours_later, in_a_child, killed_at

from modelrelease.errors import ModelreleaseError
from modelrelease.flows.ledger import append_event
from modelrelease.flows.release.contents import as_recorded
from modelrelease.flows.release.plan import plan_promotion
from modelrelease.flows.release.promote import promote
from modelrelease.flows.release.remarks import override, revoke
from modelrelease.flows.release.score import CANDIDATE
from modelrelease.flows.release.stages import plan_move, roll_back
from modelrelease.flows.release.subject import open_subject
from modelrelease.flows.weights import Weights
from modelrelease.records.ledger import Override
from modelrelease.release.targets.contents import planned_file

WHY = "Answers in German are cut off"
METRIC = "pick/acc"


def refused(world: World, run: Callable[[], object], expected: str, exit_code: int = 1) -> None:
    """Say that it is refused, and that nothing of it is anywhere: target, ledger, remote."""
    before = world.state()
    with pytest.raises(ModelreleaseError, match=expected) as caught:
        run()
    assert caught.value.exit_code == exit_code
    assert world.state() == before


def policy(runner: Runner, old: str, new: str) -> None:
    """Change the policy of the default branch, as a merge that comes after the tags does."""
    runner.repository.git("checkout", "--quiet", "main")
    runner.repository.replace("modelrelease.yaml", old, new)
    runner.repository.commit("Change the policy")
    runner.repository.git("push", "--quiet", "origin", "main")


def ask_for_more(runner: Runner) -> None:
    policy(runner, "{margin: 0.5}", "{margin: 0.001}")
    policy(runner, "release: warn", "release: block")


PAPERS = {
    "the card": f"models/{TWO}/README.md",
    "the record": f"models/{TWO}/model.json",
    "a reproduction that is not committed": f"models/{TWO}/reproduction.json",
    "the parent's evaluation": f"models/{ONE}/eval.json",
    "the policy": "modelrelease.yaml",
}


@pytest.mark.parametrize("path", PAPERS.values(), ids=PAPERS)
def test_what_is_not_committed_is_not_published(world: World, path: str) -> None:
    """All but the weights is read from the tag, but for what the card tells: that has to be as the tag has it."""
    runner = world.runner()
    subject = runner.subject(TWO)
    place = runner.root / path
    place.write_bytes((place.read_bytes() if place.exists() else b"{}") + b"\n")
    refused(world, lambda: promote(subject, runner.how(TWO)), f"{path}: MR708 is not as {TWO} has it")
    if path.endswith("README.md"):
        place.unlink()
        refused(world, lambda: promote(subject, runner.how(TWO)), f"{path}: MR708 is not as {TWO} has it")


def not_checked_out(runner: Runner) -> None:
    runner.repository.git("checkout", "--quiet", "main")


def not_merged(runner: Runner) -> None:
    runner.repository.git("checkout", "--quiet", "-b", "apart", TWO)
    runner.repository.write("note.txt", "not reviewed")
    runner.repository.commit("Apart")
    runner.repository.git("tag", "--force", TWO)


def merged_here_alone(runner: Runner) -> None:
    runner.repository.git("checkout", "--quiet", "main")
    runner.repository.write("note.txt", "reviewed")
    runner.repository.commit("Merged here alone")
    runner.repository.git("tag", "--force", TWO)


def not_tagged(runner: Runner) -> None:
    runner.repository.git("checkout", "--quiet", "--detach", TWO)
    runner.repository.git("tag", "--delete", TWO)


def not_pushed(runner: Runner) -> None:
    runner.repository.git("checkout", "--quiet", "--detach", TWO)
    runner.repository.git("push", "--quiet", "--delete", "origin", f"refs/tags/{TWO}")


def moved_on_origin(runner: Runner) -> None:
    """Somebody else moved it, to a commit that is merged too; this clone has not seen that."""
    runner.repository.git("checkout", "--quiet", "--detach", TWO)
    runner.repository.git("push", "--quiet", "--force", "origin", f"{ONE}^{{commit}}:refs/tags/{TWO}")


TAGS = {
    not_pushed: f"{TWO}: MR708 is not on origin; push it: `git push origin refs/tags/{TWO}`",
    moved_on_origin: f"{TWO}: MR708 is the tag of .* on origin, and of .* here; find out who moved it",
    not_checked_out: f"{TWO}: MR708 is the tag of .* is checked out",
    not_merged: f"{TWO}: MR708 .* is not on main",
    merged_here_alone: f"{TWO}: MR708 .* is not on origin/main, though main has it here; run `git push origin main`",
    not_tagged: f"{TWO}: MR708 is no tag here",
}


@pytest.mark.parametrize("change", TAGS, ids=lambda change: change.__name__)
def test_only_what_is_tagged_merged_and_checked_out_is_released(world: World, change: Callable[[Runner], None]) -> None:
    runner = world.runner()
    change(runner)
    refused(world, lambda: open_subject(runner.grounds(), TWO, Weights(remembers=False)), TAGS[change])


def test_a_policy_that_changes_under_a_promotion_stops_it(world: World) -> None:
    """Nothing is announced by a policy that is no longer the default branch's."""
    runner = world.runner()

    def merge(point: str) -> None:
        if point == "decided":
            ask_for_more(runner)

    before = world.state()
    with pytest.raises(ModelreleaseError, match=r"MR712 was decided by the policy of .*, and main has another by now"):
        runner.promote(TWO, reach=merge)
    assert world.state() == before
    with pytest.raises(ModelreleaseError, match="MR709 Blocked"):
        runner.promote(TWO)
    assert world.state() == before


def test_a_tag_does_not_choose_its_target(world: World) -> None:
    runner = world.runner()
    address = runner.grounds().config.release.target
    policy(runner, f"target: {address}", "target: file://elsewhere")
    runner.repository.git("tag", "--force", TWO)
    runner.repository.git("push", "--quiet", "--force", "origin", f"refs/tags/{TWO}")
    policy(runner, "target: file://elsewhere", f"target: {address}")
    runner.promote(TWO)
    assert not list(world.folder.rglob("elsewhere"))
    assert runner.target().stage("production").version == TWO
    assert {event.target for event in runner.grounds().ledger().events} == {address}


def test_a_committed_record_that_does_not_come_out_again_stops_a_release(world: World) -> None:
    """The answers are another version's; all that the record says of the model is right."""
    runner = world.runner()
    runner.repository.git("checkout", "--quiet", "main")
    own, other = (runner.root / ".modelrelease" / "releases" / version / "candidate" for version in (TWO, THREE))
    record = json.loads((other / "eval.json").read_bytes())
    record["model"] = json.loads((own / "eval.json").read_bytes())["model"]
    runner.repository.write(f"models/{TWO}/eval.json", json.dumps(record))
    runner.repository.write(f"models/{TWO}/samples.jsonl", (other / "samples.jsonl").read_bytes())
    runner.repository.commit("Add a record")
    runner.repository.git("tag", "--force", TWO)
    runner.repository.git("push", "--quiet", "--force", "origin", "main", f"refs/tags/{TWO}")
    runner.lose_results()
    refused(world, lambda: runner.promote(TWO), f"models/{TWO}/eval.json: MR714 does not come out again")


def test_a_rollback_goes_to_what_is_released_and_whole(world: World) -> None:
    runner = world.runner()
    runner.promote(TWO)
    for version in (THREE, "model_v9.9"):
        refused(world, lambda version=version: runner.roll_back(version), f"{version}: MR710 was never released")
    refused(world, lambda: revoke(runner.grounds(), TWO, WHY, runner.doer()), f"{TWO}: MR710 is what production names")
    revoke(runner.grounds(), ONE, WHY, runner.doer())
    refused(world, lambda: runner.roll_back(ONE), f"{ONE}: MR710 was revoked by Ada Lovelace: {WHY}")
    refused(world, lambda: runner.promote(ONE), f"{ONE}: MR710 was revoked by Ada Lovelace: {WHY}")


def test_what_is_revoked_while_a_rollback_verifies_it_is_not_rolled_back_to(world: World) -> None:
    runner = world.runner()
    runner.promote(TWO)
    grounds, doer = runner.grounds(), runner.doer()
    plan = plan_move(grounds, ONE, doer)
    revoke(grounds, ONE, WHY, doer)
    refused(world, lambda: roll_back(grounds, plan, doer, WHY), f"{ONE}: MR710 was revoked by Ada Lovelace: {WHY}")


def test_what_is_rolled_back_to_while_it_is_revoked_is_not_revoked(world: World) -> None:
    runner = world.runner()
    runner.promote(TWO)

    def now() -> str:  # asked for when the revocation has looked, and before it is written
        if runner.live() != ONE:
            runner.roll_back(ONE)
        return runner.clock[0]

    with pytest.raises(ModelreleaseError, match=f"{ONE}: MR710 is what production names"):
        revoke(runner.grounds(), ONE, WHY, replace(runner.doer(), now=now))
    assert runner.live() == ONE
    assert "revoked" not in " ".join(world.events())


@pytest.mark.parametrize("data", [b"{}", None], ids=["changed", "removed"])
def test_a_rollback_to_what_was_tampered_with_moves_nothing(world: World, data: bytes | None) -> None:
    runner = world.runner()
    runner.promote(TWO)
    world.lab.tamper(ONE, "config.json", data)
    refused(world, lambda: runner.roll_back(ONE), "MR703")


def test_an_override_is_for_one_digest_until_one_day_and_above_the_floor(world: World) -> None:
    runner = world.runner()
    ask_for_more(runner)
    refused(world, lambda: runner.promote(TWO), "MR709 Blocked")
    override(runner.grounds(), THREE, METRIC, "2026-03-09", WHY, runner.doer())
    refused(world, lambda: runner.promote(TWO), "MR709 Blocked")
    said = Override(metric=METRIC, until="2026-03-09")
    other = runner.doer().event(
        runner.grounds(), kind="override", version=TWO, model_digest="0" * 64, reason=WHY, override=said
    )
    append_event(runner.grounds().ledger(), lambda _: other)
    refused(world, lambda: runner.promote(TWO), "MR709 Blocked")
    override(runner.grounds(), TWO, METRIC, "2026-03-04", WHY, runner.doer())
    runner.clock = [hours_later(24)]
    refused(world, lambda: runner.promote(TWO), "MR709 Blocked")
    override(runner.grounds(), TWO, METRIC, "2026-03-09", WHY, runner.doer())
    policy(runner, "{margin: 0.001}", "{margin: 0.001, min: 0.999}")
    refused(world, lambda: runner.promote(TWO), "MR709 Blocked")
    policy(runner, "{margin: 0.001, min: 0.999}", "{margin: 0.001}")
    assert runner.promote(TWO).event is not None
    assert runner.live() == TWO


def test_one_promotion_at_a_time(world: World) -> None:
    """An announcement that nobody finished keeps others waiting for some hours, or until somebody takes over."""
    runner = world.runner()
    reach = killed_at("announced")
    assert in_a_child(lambda: world.runner(reach=reach).promote(TWO)) == -signal.SIGKILL
    refused(world, lambda: runner.promote(THREE), rf"{TWO}: MR711 is being promoted by .*pass --take-over")
    runner.clock = [hours_later(5)]
    refused(world, lambda: runner.promote(THREE), f"{TWO}: MR711")
    assert runner.promote(THREE, take_over=True).event is not None
    assert runner.live() == THREE
    late = world.runner()
    late.lose_results()
    assert late.promote(TWO).event is not None
    assert late.live() == TWO
    assert [event for event in world.events() if event.startswith("released")] == [
        f"released {version}" for version in (ONE, THREE, TWO)
    ]


@pytest.mark.parametrize(("baseline", "waits"), [(ONE, True), (None, False), ("model_v0.9", False)])
def test_nobody_waits_for_what_can_never_be_finished(world: World, baseline: str | None, waits: bool) -> None:
    """An announcement that was decided against what is no longer live is refused by its own run."""
    runner = world.runner()
    ledger = runner.grounds().ledger()
    facts = ledger.events[0].release
    assert facts is not None
    said = facts.model_copy(update={"tag": "model_v9.9", "baseline": baseline})
    begun = runner.doer().event(
        runner.grounds(), kind="intent", version="model_v9.9", model_digest="9" * 64, release=said
    )
    append_event(ledger, lambda _: begun)
    plan = plan_promotion(runner.subject(TWO), runner.doer(), TEXTS, runner.how(TWO).out)
    blocked = [(step.name, step.detail) for step in plan.steps if step.state == "blocked"]
    if waits:
        expected = (
            r"model_v9\.9: MR711 is being promoted by Ada Lovelace since .*, and keeps others waiting until .*T11:06"
            r".*`git checkout model_v9\.9` and `modelrelease promote model_v9\.9`"
        )
        refused(world, lambda: runner.promote(TWO), expected)
        ((name, detail),) = blocked
        assert name == "intent"
        assert re.match(expected, detail)
        return
    assert blocked == []
    assert runner.promote(TWO).event is not None


def test_what_was_published_and_overtaken_is_never_replaced(world: World) -> None:
    """It is released once what it was decided against is live again, and refused as long as it is not."""
    runner = world.runner()
    runner.promote(TWO)
    runner.lose_results()
    rival = world.runner("two")

    def overtake(point: str) -> None:
        if point == "published":
            rival.roll_back(ONE)

    with pytest.raises(ModelreleaseError, match=f"{THREE}: MR712 was decided against {TWO}, and production is {ONE}"):
        runner.promote(THREE, reach=overtake)
    assert THREE in runner.target().versions()
    before = world.state()
    runner.lose_results()  # those of the version that was live then
    with pytest.raises(ModelreleaseError, match=f"{THREE}: MR703 is published already, with other content"):
        runner.promote(THREE)
    assert world.state() == before
    runner.promote(TWO)
    runner.lose_results()
    assert runner.promote(THREE).event is not None
    assert (runner.live(), runner.target().stage("production").version) == (THREE, THREE)


def of_another_version(out: Path) -> None:
    place = out / CANDIDATE / "eval.json"
    record = json.loads(place.read_bytes())
    record["model"]["version"] = THREE
    place.write_text(json.dumps(record))


def with_a_link(out: Path) -> None:
    (out / "release").symlink_to(out.parent)


@pytest.mark.parametrize(
    ("change", "says", "exit_code"),
    [
        (of_another_version, f"MR709 is of {THREE}, not of {TWO}; score it again", 1),
        (with_a_link, "release: MR209 is a link, and runs are written there", 2),
    ],
)
def test_what_another_job_hands_over_is_of_this_release_and_stays_in_its_folder(
    world: World, change: Callable[[Path], None], says: str, exit_code: int
) -> None:
    runner = world.runner()
    out = runner.root / ".modelrelease" / "releases" / TWO
    change(out)
    there = sorted(out.parent.iterdir())
    refused(world, lambda: runner.promote(TWO), says, exit_code)
    assert sorted(out.parent.iterdir()) == there


def test_an_announcement_from_the_future_keeps_nobody_waiting(world: World) -> None:
    """Who can push the ledger's branch could else stop all releases for years."""
    runner = world.runner()
    reach = killed_at("announced")

    def announce(hours: int) -> int:
        late = world.runner(reach=reach)
        late.clock = [hours_later(hours)]
        return in_a_child(lambda: late.promote(TWO))

    assert announce(24 * 365) == -signal.SIGKILL
    assert runner.promote(THREE).event is not None


def test_an_announcement_is_not_gone_on_with_by_a_policy_that_was_given_up(world: World) -> None:
    runner = world.runner()
    assert in_a_child(lambda: world.runner(reach=killed_at("announced")).promote(TWO)) == -signal.SIGKILL
    ask_for_more(runner)
    refused(world, lambda: runner.promote(TWO), f"{TWO}: MR709 Blocked")


@pytest.mark.parametrize("records", ["none", "another version's"])
def test_a_forged_announcement_releases_nothing(world: World, records: str) -> None:
    """Whoever may only push the ledger's branch cannot spare a version its gate."""
    runner = world.runner()
    ask_for_more(runner)
    subject, ledger = runner.subject(TWO), runner.grounds().ledger()
    (announced,) = [event for event in ledger.events if event.kind == "intent"]
    assert announced.release is not None
    place = subject.checkpoint.folder
    weights = as_recorded([planned_file(one.path, place / one.path) for one in subject.checkpoint.files])
    own = {file.path for file in weights}
    others = [file for file in announced.release.files if file.path not in own] if records != "none" else []
    said = {
        "tag": TWO,
        "git_sha": subject.tree.commit,
        "baseline": ONE,
        "bootstrap": False,
        "files": (*weights, *others),
    }
    forged = announced.release.model_copy(update=said)
    event = runner.doer().event(
        subject.grounds, kind="intent", version=TWO, model_digest=subject.digest, release=forged
    )
    append_event(ledger, lambda _: event)
    refused(world, lambda: promote(subject, runner.how(TWO)), f"{TWO}: MR709 Blocked")


def test_a_ledger_that_was_tampered_with_moves_nothing(world: World) -> None:
    runner = world.runner()
    subject = runner.subject(TWO)
    git(world.remote, "update-ref", LEDGER, f"{LEDGER}~1")
    before = (world.lab.state(), git(world.remote, "for-each-ref"))
    grounds = subject.grounds
    for run in (
        lambda: promote(subject, runner.how(TWO)),
        lambda: runner.roll_back(ONE),
        lambda: revoke(grounds, ONE, WHY, runner.doer()),
        lambda: override(grounds, TWO, METRIC, "2026-03-09", WHY, runner.doer()),
    ):
        with pytest.raises(ModelreleaseError, match="MR721"):
            run()
    assert (world.lab.state(), git(world.remote, "for-each-ref")) == before


def test_a_ledger_that_was_written_anew_is_found_by_a_clone_that_never_saw_it(world: World) -> None:
    world.runner().promote(TWO)
    parents: list[str] = []
    for commit in git(world.remote, "rev-list", "--reverse", LEDGER).split():
        tree = git(world.remote, "rev-parse", f"{commit}^{{tree}}")
        person = ("-c", "user.name=Eve", "-c", "user.email=eve@example.org")
        parents = ["-p", git(world.remote, *person, "commit-tree", tree, *parents, "-m", "again")]
    git(world.remote, "update-ref", LEDGER, parents[1])
    runner = world.runner("new")
    before = world.lab.state()
    for run in (lambda: runner.roll_back(ONE), lambda: runner.promote(TWO)):
        git(runner.root, "update-ref", "-d", "refs/modelrelease/seen/modelrelease/ledger")
        with pytest.raises(ModelreleaseError, match=r"MR721 does not hold .* which model_v1"):
            run()
    assert world.lab.state() == before


def test_away_from_what_was_tampered_with_leads_a_rollback(world: World) -> None:
    runner = world.runner()
    runner.promote(TWO)
    if world.kind == "folder":
        world.lab.tamper(TWO, ".release.json", b"{")
    else:
        world.lab.tamper(TWO, "config.json", b"{}")
    runner.roll_back(ONE)
    assert runner.live() == ONE
