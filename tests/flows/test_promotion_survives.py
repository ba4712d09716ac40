"""Promotions, rollbacks and ways forward that are killed at every failpoint, and then run again.

Each run is a process that dies by SIGKILL: nothing of it is cleaned up. Run again, the end is that of an undisturbed
run: one commit, one tag, one receipt, and in between the stage never named anything that is not whole.
"""

from __future__ import annotations

import signal
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from releases import ONE, TWO
from survival import World, copy_world, hours_later, in_a_child, killed_at, watched_ledger

from modelrelease.flows.release.promote import STEPS
from modelrelease.release.targets.target import FAILPOINTS

LEDGER = ("ledger: begun", "ledger: committed", "ledger: pushed")
PUBLISH = tuple(point for point in FAILPOINTS if point.startswith("publish"))
STAGE = tuple(point for point in FAILPOINTS if point.startswith("stage"))
PROMOTE, BACK = f"promote {TWO}", f"rollback {ONE}"
VERIFIED, DECIDED, ANNOUNCED, PUBLISHED, STAGED, TOLD, RECORDED = STEPS
BEGUN, COMMITTED, PUSHED = LEDGER
IN_ORDER = (
    *(VERIFIED, DECIDED, BEGUN, COMMITTED, ANNOUNCED, *PUBLISH, PUBLISHED, *STAGE, STAGED, TOLD),
    *(BEGUN, COMMITTED, RECORDED),
)
MOVES = (*STAGE, *LEDGER)
SCORED = {"eval.json", "comparison.json", "README.md"}
ONLY_ON_THE_HUB = {"publish: checked", "publish: tagged"}
BEFORE = {PROMOTE: (), BACK: (PROMOTE,), "forward": (PROMOTE, BACK)}
SINGLE = [
    *((PUSHED, 1), ("publish: uploaded", 1), ("publish: committed", 1), (PUBLISHED, 1), ("stage: moved", 1)),
    (PUSHED, 2),
]


@pytest.fixture(scope="module")
def undisturbed(template: Path, kind: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each action leaves that nothing disturbs."""
    states = {}
    with copy_world(template, tmp_path_factory.mktemp("undisturbed") / "world", kind) as world:
        for name, action in ((PROMOTE, PROMOTE), (BACK, BACK), ("forward", PROMOTE)):
            world.runner().do(action)
            states[name] = world.state()
    return states


def die(world: World, action: str, point: str, times: int = 1) -> None:
    """Run an action in a process that dies when it comes to a point; what is there then is whole."""
    reach = killed_at(point, times)
    with watched_ledger(reach):
        assert in_a_child(lambda: world.runner(reach=reach).do(action)) == -signal.SIGKILL, point
    world.assert_sound()


def scored_again(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without what another scoring of the same may change: how often it was announced, and times.

    Those are in eval.json and what is made of it. Which files there are stays, and so does all else in them.
    """

    def of_files(files: dict[str, str]) -> dict[str, str]:
        return {path: "scored" if path.rpartition("/")[2] in SCORED else digest for path, digest in files.items()}

    target = state["target"]
    if all(isinstance(one, str) for one in target.values()):
        target = of_files(target)
    else:
        target = {ref: (titles, of_files(files)) for ref, (titles, files) in target.items()}
    return {**state, "target": target, "events": [event for event, _ in groupby(state["events"])]}


@pytest.mark.parametrize(("point", "times"), SINGLE)
def test_killed_once_and_run_again_hours_later(
    world: World, undisturbed: dict[str, Any], point: str, times: int
) -> None:
    die(world, PROMOTE, point, times)
    later = world.runner()
    later.clock = [hours_later(9)]
    later.do(PROMOTE)
    assert world.state() == undisturbed[PROMOTE]


@pytest.mark.parametrize("results", ["kept", "lost"])
def test_killed_at_every_point_one_after_the_other(world: World, undisturbed: dict[str, Any], results: str) -> None:
    """Each run comes further than the one before, as far as the next point, and dies there."""
    points = [point for point in IN_ORDER if world.kind == "hub" or point not in ONLY_ON_THE_HUB]
    for point in points if results == "kept" else points[points.index(ANNOUNCED) :]:
        die(world, PROMOTE, point)
        if results == "lost":
            world.runner().lose_results()
    world.runner().do(PROMOTE)
    found, expected = world.state(), undisturbed[PROMOTE]
    assert scored_again(found) == scored_again(expected)
    assert results == "lost" or found == expected


def test_no_failpoint_is_left_out() -> None:
    assert {*IN_ORDER, PUSHED} == {*STEPS, *LEDGER, *FAILPOINTS}


@pytest.mark.parametrize("name", [BACK, "forward"])
def test_the_stage_is_moved_by_runs_that_die(world: World, undisturbed: dict[str, Any], name: str) -> None:
    """Between the stage's move and the event that tells of it too."""
    for action in BEFORE[name]:
        world.runner().do(action)
    action = BACK if name == BACK else PROMOTE
    for point in MOVES:
        die(world, action, point)
    world.runner().do(action)
    assert world.state() == undisturbed[name]
