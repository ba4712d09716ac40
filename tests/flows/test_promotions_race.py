"""Promotions and rollbacks that meet, at every step, over both kinds of targets: one wins, the other says so.

The rival runs, whole, at the moment at which the first comes to a step: nothing depends on how fast a machine is. What
comes of it is the table in docs/faults.md, which these tests keep true.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults_page import rows
from releases import ONE, TWO
from survival import KINDS, World, copy_world, template_of, watched_ledger
from tiny_models import TinyModels

from modelrelease.errors import ModelreleaseError
from modelrelease.flows.release.promote import STEPS
from modelrelease.release.targets.target import FAILPOINTS, Reach, go_on


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def world(kind: str, tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[World]:
    with copy_world(template_of(kind, tiny.folder("llama"), tmp_path_factory), tmp_path / "world", kind) as world:
        yield world


def said(world: World, action: str, rival: str, step: str) -> tuple[str, str]:
    """Return how an action ends and how its rival does, which runs when the first comes to ``step``."""
    outcomes: dict[str, str] = {}

    def meet(point: str) -> None:
        if point == step and "rival" not in outcomes:
            outcomes["rival"] = "begun"
            outcomes["rival"] = attempt(world, "two", rival)

    with watched_ledger(meet):
        outcomes["own"] = attempt(world, "one", action, meet)
    return outcomes["own"], outcomes["rival"]


def attempt(world: World, name: str, action: str, reach: Reach = go_on) -> str:
    """Return ``done``, or the code with which it is refused."""
    try:
        world.runner(name, reach=reach).do(action)
    except ModelreleaseError as error:
        return error.findings[0].code.value if error.exit_code == 1 else str(error)
    return "done"


def test_the_page_has_every_step() -> None:
    ledger = {"ledger: begun", "ledger: committed", "ledger: pushed"}
    assert {step for step, *_ in rows("A run that is killed")} == {*STEPS, *FAILPOINTS, *ledger}


@pytest.mark.parametrize("row", rows("Two runs that meet"), ids=lambda row: ", ".join(row[:3]))
def test_of_two_that_meet_one_wins(world: World, row: list[str]) -> None:
    action, rival, step, own, other, live, published = row
    if "rollback" in action + rival:
        world.runner().do(f"promote {TWO}")
        world.runner().lose_results()
    assert said(world, action, rival, step) == (own, other)
    runner = world.runner()
    assert (runner.live(), runner.target().stage("production").version) == (live, live)
    assert runner.target().versions() == tuple(published.split(" "))
    world.assert_sound()
    receipts = [event for event in world.events() if event.startswith("released")]
    assert len(receipts) == len(set(receipts))


def test_no_weights_travel_when_the_stage_moves(world: World) -> None:
    runner = world.runner()
    runner.promote(TWO)
    if world.kind == "folder":
        place = runner.root / "releases" / "versions"
        before = {path: path.stat().st_ino for path in place.rglob("model.safetensors")}
        runner.roll_back(ONE)
        runner.promote(TWO)
        assert {path: path.stat().st_ino for path in place.rglob("model.safetensors")} == before
        return
    seen = len(world.hub.requests)
    assert runner.roll_back(ONE) is not None
    assert runner.promote(TWO).event is not None
    moved = world.hub.requests[seen:]
    assert [one.path for one in moved if one.method == "POST" and "/commit/" in one.path]
    assert [one.path for one in moved if "safetensors" in one.path or "lfs" in one.path or "_storage" in one.path] == []
    weights = (runner.root / "models" / TWO / "checkpoint" / "model.safetensors").stat().st_size
    assert max(one.received for one in moved) < weights  # small files go inline, as the Hub copies none of those
    assert max(one.sent for one in moved) < weights
