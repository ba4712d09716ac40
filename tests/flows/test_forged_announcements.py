"""Announcements that somebody pushes who may push to the ledger alone: none needs less than a release does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from releases import ONE, TEXTS, THREE, TWO
from survival import KINDS, Runner, World, copy_world, template_of
from tiny_models import TinyModels

from modelrelease.errors import Refused
from modelrelease.flows.ledger import append_event
from modelrelease.flows.release.plan import plan_promotion
from modelrelease.records.ledger import Event

Facts = dict[str, Any]


class Killed(Exception):
    """A run that ends where it is told to."""


class DecidedAnew(Exception):
    """A run that asks for scores, as one does that goes on with nothing."""


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def world(kind: str, tiny: TinyModels, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    template = template_of(kind, tiny.folder("llama"), tmp_path_factory)
    with copy_world(template, tmp_path / "world", kind) as world:
        yield world


def announce_only(runner: Runner, version: str) -> Event:
    """Leave what a run leaves that dies once it has announced; return that."""

    def die(step: str) -> None:
        if step == "announced":
            raise Killed

    with pytest.raises(Killed):
        runner.promote(version, reach=die)
    return announced(runner, version)


def announced(runner: Runner, version: str) -> Event:
    grounds = runner.grounds()
    return grounds.ledger().state.open[grounds.config.release.target, version]


def push_forged(runner: Runner, event: Event, change: Callable[[Facts], object]) -> None:
    document = event.plain()
    change(document["release"])
    forged = Event.model_validate_json(json.dumps(document))
    append_event(runner.grounds().ledger(), lambda _: forged)


def decide_anew(*_: object) -> Any:
    raise DecidedAnew


def test_a_decision_against_an_earlier_version_is_none_against_the_live_one(world: World) -> None:
    """An overtaken run leaves a comparison that was good; the ledger alone says against what."""
    runner = world.runner()
    old = announce_only(runner, THREE)
    runner.promote(TWO, take_over=True)
    push_forged(runner, old, lambda facts: facts.update(baseline=TWO))
    plan = plan_promotion(runner.subject(THREE), runner.doer(), TEXTS, runner.how(THREE).out)
    assert {"decide to do", "intent to do"} <= {f"{step.name} {step.state}" for step in plan.steps}
    with pytest.raises(DecidedAnew):
        runner.promote(THREE, sides=decide_anew)
    assert runner.live() == TWO


def a_long_name(facts: Facts) -> None:
    facts["files"].append({**facts["files"][0], "path": "a" * 400})


def another_size(facts: Facts) -> None:
    for file in facts["files"]:
        file["size"] += 1


def other_blobs(facts: Facts) -> None:
    for file in facts["files"]:
        file["blob"] = "0" * 40


def other_blobs_of_records(facts: Facts) -> None:
    for file in facts["files"]:
        if file["path"] in {"eval.json", "changelog.md"}:
            file["blob"] = "0" * 40


@pytest.mark.parametrize(
    "change", [a_long_name, another_size, other_blobs, other_blobs_of_records], ids=lambda one: one.__name__
)
def test_a_forged_announcement_does_not_keep_a_version_away(change: Callable[[Facts], object], world: World) -> None:
    runner = world.runner()
    push_forged(runner, announce_only(runner, TWO), change)
    assert runner.promote(TWO).comparison is not None  # decided anew
    assert runner.live() == TWO


def test_what_is_pushed_right_behind_an_announcement_is_not_published_by(world: World) -> None:
    runner = world.runner()

    def push(step: str) -> None:
        if step == "announced":
            push_forged(runner, announced(runner, TWO), lambda facts: facts.update(baseline=THREE))

    with pytest.raises(Refused, match=f"MR712 was decided against {THREE}, and production is {ONE} by now"):
        runner.promote(TWO, reach=push)
    assert runner.target().versions() == (ONE,)
    runner.promote(TWO)
    assert runner.live() == TWO
