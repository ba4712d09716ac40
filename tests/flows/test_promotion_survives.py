"""Promotions, rollbacks and ways forward that are killed at every failpoint, and then run again.

Each run is a process that dies by SIGKILL: nothing of it is cleaned up. Run again, the end is that of an undisturbed
run: one commit, one tag, one receipt, and in between the stage never named anything that is not whole.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from releases import ONE, TWO
from survival import HOURS_LATER, KINDS, World, build, copy_world, in_a_child, killed_at, watched_ledger
from tiny_models import TinyModels

from modelrelease.flows.release.promote import STEPS
from modelrelease.release.targets.target import FAILPOINTS

LEDGER_POINTS = ("ledger: begun", "ledger: committed", "ledger: pushed")
STAGE_POINTS = tuple(point for point in FAILPOINTS if point.startswith("stage"))
ONLY_ON_THE_HUB = {"publish: checked", "publish: tagged"}
ACTIONS = {f"promote {TWO}": (), f"rollback {ONE}": (f"promote {TWO}",), f"forward {TWO}": (f"promote {TWO}", f"rollback {ONE}")}
POINTS = {
    **{(f"promote {TWO}", point): 0 for point in (*STEPS, *FAILPOINTS)},
    **{(f"promote {TWO}", point): nth for point in LEDGER_POINTS for nth in (0,)},
}
KILLS = [
    *((f"promote {TWO}", point, 1) for point in (*STEPS, *FAILPOINTS)),
    *((f"promote {TWO}", point, nth) for point in LEDGER_POINTS for nth in (1, 2)),
    *((action, point, 1) for action in (f"rollback {ONE}", f"forward {TWO}") for point in (*STAGE_POINTS, *LEDGER_POINTS)),
]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def template(kind: str, tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("survives") / kind, tiny.folder("llama"), kind)


@pytest.fixture
def world(template: Path, kind: str, tmp_path: Path) -> Iterator[World]:
    with copy_world(template, tmp_path / "world", kind) as world:
        yield world


@pytest.fixture(scope="module")
def undisturbed(template: Path, kind: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each action leaves that nothing disturbs."""
    states = {}
    for action, before in ACTIONS.items():
        with copy_world(template, tmp_path_factory.mktemp("undisturbed") / "world", kind) as world:
            for one in (*before, action):
                world.runner().do(one)
            states[action] = world.state()
    return states


def the(number: int, point: str) -> Any:
    """Return a reach that kills when a failpoint is reached for the ``number``-th time."""
    left = [number]

    def reach(name: str) -> None:
        if name == point:
            left[0] -= 1
            if left[0] == 0:
                killed_at(point)(point)

    return reach


@pytest.mark.parametrize(("action", "point", "nth"), KILLS)
def test_killed_and_run_again(world: World, undisturbed: dict[str, Any], action: str, point: str, nth: int) -> None:
    if world.kind == "folder" and point in ONLY_ON_THE_HUB:
        pytest.skip("a folder has no tags")
    for one in ACTIONS[action]:
        world.runner().do(one)
    reach = the(nth, point)
    with watched_ledger(reach):
        assert in_a_child(lambda: world.runner(reach=reach).do(action)) == -signal.SIGKILL
    world.assert_sound()
    world.runner().do(action)
    assert world.state() == undisturbed[action]
    world.assert_sound()
