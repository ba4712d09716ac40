"""`promote --plan` says what the promotion would: the same finding where it is refused, and nothing is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import run
from releases import ONE, TEXTS, TWO, Releases, copy_releases, create_releases
from tiny_models import TinyModels

from modelrelease.errors import ModelreleaseError
from modelrelease.flows.release.plan import plan_promotion
from modelrelease.records.release_plan import PromotionPlan
from modelrelease.reports.release import plan_text


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("releases") / "repository", tiny.folder("llama"))


@pytest.fixture(scope="module")
def once(template: Releases, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """One whose first version is released."""
    made = copy_releases(template, tmp_path_factory.mktemp("once") / "repository")
    made.promote(ONE)
    return made


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


@pytest.fixture
def begun(once: Releases, tmp_path: Path) -> Releases:
    return copy_releases(once, tmp_path / "repository")


def plan(releases: Releases, version: str) -> PromotionPlan:
    return plan_promotion(releases.subject(version), releases.doer(), TEXTS, releases.how(version).out)


def states(found: PromotionPlan) -> list[str]:
    return [f"{step.name} {step.state}" for step in found.steps]


NEW = [
    "verify done", "score to do", "decide to do", "intent to do", "publish to do", "stage to do", "receipt to do",
]  # fmt: skip
DONE = [f"{line.partition(' ')[0]} done" for line in NEW]


def test_a_first_release_and_the_next(begun: Releases, template: Releases) -> None:
    first, second = plan(template, ONE), plan(begun, TWO)
    assert states(first) == states(second) == NEW
    assert first.steps[2].detail.startswith("as the first release, by the policy of main at ")
    assert second.steps[2].detail.startswith(f"against {ONE}, live, by the policy of main at ")


def test_what_is_released_is_done_and_what_was_rolled_back_is_staged_again(begun: Releases) -> None:
    found = plan(begun, ONE)
    assert states(found) == DONE
    assert found.steps[2].detail.startswith("against nothing, by the policy of ")
    assert found.steps[2].detail.endswith(", event 1")
    begun.promote(TWO)
    assert states(plan(begun, ONE)) == [*DONE[:5], "stage to do", "receipt done"]


def test_what_a_killed_run_has_announced_is_gone_on_with(begun: Releases) -> None:
    with pytest.raises(KeyboardInterrupt):
        begun.promote(TWO, reach=stop_at_announced)
    found = plan(begun, TWO)
    assert states(found) == [*DONE[:4], *NEW[4:]]
    assert found.steps[2].detail.endswith(", event 3")


def stop_at_announced(point: str) -> None:
    if point == "announced":
        raise KeyboardInterrupt


def tagged(releases: Releases, version: str) -> None:
    """Commit what was changed on main, and tag it anew."""
    releases.repository.commit("Change it")
    releases.repository.git("tag", "--force", version)


def no_card(releases: Releases) -> None:
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.remove(f"models/{TWO}/README.md")
    tagged(releases, TWO)


def no_licence(releases: Releases) -> None:
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.replace(f"models/{TWO}/README.md", "license: mit\n", "")
    tagged(releases, TWO)


def no_dataset(releases: Releases) -> None:
    """It is on the disk, where scoring a work tree finds it, and in no commit."""
    releases.repository.git("checkout", "--quiet", "main")
    data = (releases.root / "datasets/qa.jsonl").read_bytes()
    releases.repository.remove("datasets/qa.jsonl")
    releases.repository.write(".gitignore", "/releases/\n/.modelrelease/\n/datasets/\n")
    tagged(releases, TWO)
    releases.repository.write("datasets/qa.jsonl", data)


def stage_by_hand(releases: Releases) -> None:
    place = releases.root / "releases/stages/production.json"
    state = json.loads(place.read_bytes())
    place.write_text(json.dumps({**state, "release": "0" * 64}, indent=2, sort_keys=True) + "\n")


BLOCKED: dict[Callable[[Releases], None], tuple[str, str]] = {
    no_card: ("verify", "MR433"),
    no_licence: ("verify", "MR430"),
    no_dataset: ("verify", "MR209"),
    stage_by_hand: ("stage", "MR712"),
}


@pytest.mark.parametrize("change", BLOCKED, ids=lambda change: change.__name__)
def test_what_would_be_refused_is_blocked_with_the_same_finding(
    begun: Releases, change: Callable[[Releases], None]
) -> None:
    name, code = BLOCKED[change]
    change(begun)
    subject = begun.subject(TWO)
    before = (begun.kinds(), begun.repository.git("status", "--porcelain", "--ignored"))
    found = plan(begun, TWO)
    assert (begun.kinds(), begun.repository.git("status", "--porcelain", "--ignored")) == before
    last = found.steps[-1]
    assert (last.name, last.state, found.blocked) == (name, "blocked", True)
    assert code in last.detail
    with pytest.raises(ModelreleaseError) as refused:
        begun.promote(subject.version)
    assert str(refused.value.findings[0]) == last.detail.split("\n")[0]


def test_what_is_no_longer_published_is_not_to_be_published_again(begun: Releases) -> None:
    shutil.rmtree(begun.root / "releases/versions" / ONE)
    last = plan(begun, ONE).steps[-1]
    assert (last.name, last.state) == ("publish", "blocked")
    with pytest.raises(ModelreleaseError) as refused:
        begun.promote(ONE)
    assert str(refused.value.findings[0]) == last.detail


@pytest.mark.parametrize(
    ("line", "says"),
    [("", "`release.bootstrap` names no first release"), (f"  bootstrap: {TWO}\n", f"`release.bootstrap` names {TWO}")],
    ids=["none", "another"],
)
def test_a_first_release_that_the_policy_does_not_name(releases: Releases, line: str, says: str) -> None:
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.replace("modelrelease.yaml", f"  bootstrap: {ONE}\n", line)
    releases.repository.commit("Name another")
    last = plan(releases, ONE).steps[-1]
    todo = f"set `bootstrap: {ONE}` under `release` in modelrelease.yaml, on main"
    assert (last.name, last.state, last.detail) == ("decide", "blocked", f"nothing is live yet, and {says}; {todo}")
    with pytest.raises(ModelreleaseError, match="MR709 Blocked: nothing is live yet"):
        releases.promote(ONE)


def test_the_command(releases: Releases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    no_card(releases)
    subject = releases.subject(TWO)
    monkeypatch.chdir(releases.root)
    ran = run(capsys, "promote", TWO, "--plan")
    assert ran.code == 1
    assert ran.out == plan_text(plan(releases, TWO))
    said = " ".join(ran.out.split())
    assert f"verify blocked models/{TWO}/README.md: MR433 there is no card" in said
    assert f"run `modelrelease card models/{TWO} --write`, and fill in what it leaves open" in said  # it is told whole
    assert max(map(len, ran.out.splitlines())) <= 120
    ran = run(capsys, "promote", TWO, "--plan", "--json")
    assert (ran.code, PromotionPlan.model_validate_json(ran.out).blocked) == (1, True)
    assert subject.version == TWO
    releases.subject(ONE)
    assert run(capsys, "promote", ONE, "--plan").code == 0
