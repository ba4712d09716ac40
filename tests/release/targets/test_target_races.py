"""Several promotions and rollbacks at once: one wins, the others say so, and nothing is mixed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fakes.hub import error
from target_lab import NAME, HubLab, Lab, move, publish_and_stage, release

from modelrelease.errors import ModelreleaseError, Refused
from modelrelease.release.targets.target import Published, Raced, StageState

STAGE = "production"


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Return what each call returns or raises, all begun together."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], object]) -> object:
        barrier.wait(timeout=60)
        try:
            return call()
        except ModelreleaseError as failed:
            return failed

    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result(timeout=120) for one in [pool.submit(begin, call) for call in calls]]


def test_the_same_version_from_several_at_once_is_one_release(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    targets = [lab.open() for _ in range(4)]
    found = at_once(*[lambda one=one: one.publish(planned) for one in targets])
    assert isinstance(found[0], Published)
    assert found == [found[0]] * 4
    if isinstance(lab, HubLab):
        titles = [title for title, _ in lab.state()["refs/heads/main"][0]]
        assert titles == ["Release model_v1.0", "initial commit"]
    assert lab.open().verify("model_v1.0", planned.digests, download=True) == ()


def test_one_name_for_different_content_goes_to_one(lab: Lab, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    plans = [release(tmp_path / name, seed=ord(name)) for name in "abc"]
    targets = [lab.open() for _ in plans]
    calls = [lambda one=one, plan=plan: one.publish(plan) for one, plan in zip(targets, plans, strict=True)]
    found = at_once(*calls)
    assert sorted(isinstance(one, Published) for one in found) == [False, False, True]
    assert all(isinstance(one, Published | Refused) for one in found)
    winner = plans[[isinstance(one, Published) for one in found].index(True)]
    assert lab.open().verify("model_v1.0", winner.digests, download=True) == ()


def test_different_versions_at_once_leave_whole_versions(lab: Lab, tmp_path: Path) -> None:
    plans = {version: release(tmp_path, version) for version in ("model_v1.0", "model_v1.1", "model_v1.2")}
    targets = [lab.open() for _ in plans]
    calls = [lambda one=one, plan=plan: one.publish(plan) for one, plan in zip(targets, plans.values(), strict=True)]
    found = at_once(*calls)
    assert any(isinstance(one, Published) for one in found)
    for version, one in zip(plans, found, strict=True):
        if isinstance(one, Published):
            assert lab.open().verify(version, plans[version].digests) == ()
        else:
            assert isinstance(one, Raced)
            assert lab.open().inspect(version) is None
    for plan in plans.values():
        lab.open().publish(plan)
    assert lab.open().versions() == tuple(plans)


@pytest.mark.parametrize("movers", [2, 6])
def test_of_several_who_move_a_stage_at_once_one_wins(lab: Lab, tmp_path: Path, movers: int) -> None:
    target = lab.open()
    releases = [target.publish(release(tmp_path, f"model_v1.{n}")) for n in range(movers)]
    first = target.publish(release(tmp_path, "model_v9.0"))
    expected = target.move_stage(STAGE, first, target.stage(STAGE))
    targets = [lab.open() for _ in releases]
    found = at_once(
        *[lambda one=one, to=to: one.move_stage(STAGE, to, expected) for one, to in zip(targets, releases, strict=True)]
    )
    winners = [one for one in found if isinstance(one, StageState)]
    assert len(winners) == 1
    assert all(isinstance(one, Raced) for one in found if one is not winners[0])
    assert lab.open().stage(STAGE) == winners[0]


def test_of_several_who_make_a_stage_at_once_one_wins(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    releases = [target.publish(release(tmp_path, f"model_v1.{n}")) for n in range(3)]
    targets = [lab.open() for _ in releases]
    none = StageState(STAGE)
    found = at_once(
        *[lambda one=one, to=to: one.move_stage(STAGE, to, none) for one, to in zip(targets, releases, strict=True)]
    )
    assert sorted(type(one).__name__ for one in found) == ["Raced", "Raced", "StageState"]
    assert lab.open().stage(STAGE) in found


def test_a_promotion_against_a_rollback(lab: Lab, tmp_path: Path) -> None:
    publish_and_stage(lab, release(tmp_path, "model_v1.0"))
    publish_and_stage(lab, release(tmp_path, "model_v1.1"))
    promoter, roller = lab.open(), lab.open()
    now, old = lab.open().stage(STAGE), lab.open().inspect("model_v1.0")
    assert old is not None
    planned = release(tmp_path, "model_v1.2")
    found = at_once(
        lambda: promoter.move_stage(STAGE, promoter.publish(planned), now), lambda: roller.move_stage(STAGE, old, now)
    )
    assert sorted(type(one).__name__ for one in found) == ["Raced", "StageState"]
    assert lab.open().stage(STAGE) in found
    assert lab.open().verify("model_v1.2", planned.digests) == ()


def test_two_writers_who_have_both_read_before_either_writes(hub: HubLab, tmp_path: Path) -> None:
    publish_and_stage(hub, release(tmp_path, "model_v1.0"))
    together = threading.Barrier(2)
    hub.hub.fault("POST", f"/api/models/{NAME}/commit/main", times=2, meet=together)
    plans = [release(tmp_path, "model_v1.1"), release(tmp_path, "model_v1.2")]
    targets = [hub.open() for _ in plans]
    found = at_once(*[lambda one=one, plan=plan: move(one, plan) for one, plan in zip(targets, plans, strict=True)])
    assert sorted(type(one).__name__ for one in found) == ["Raced", "StageState"]
    assert len(hub.open().versions()) == 2
    assert hub.hub.faults.left() == 0


def test_a_winner_whose_answer_is_lost_and_a_loser_who_tries_again(hub: HubLab, tmp_path: Path) -> None:
    publish_and_stage(hub, release(tmp_path, "model_v1.0"))
    target = hub.open()
    now = target.stage(STAGE)
    one, two = (target.publish(release(tmp_path, version)) for version in ("model_v1.1", "model_v1.2"))
    hub.hub.fault("POST", f"/api/models/{NAME}/commit/{STAGE}", applied=True, **error(502))
    assert target.move_stage(STAGE, one, now).version == "model_v1.1"
    with pytest.raises(Raced):
        hub.open().move_stage(STAGE, two, now)
    titles = [title for title, _ in hub.state()[f"refs/heads/{STAGE}"][0]]
    assert titles[0] == "Move production to model_v1.1"
    assert sum(title.startswith("Move") for title in titles) == 1
