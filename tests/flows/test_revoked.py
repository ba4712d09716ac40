"""A version that was revoked stays away: whatever the target is by now, and under whatever name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from papers import write_papers
from releases import CARD, ONE, TEXTS, THREE, TWO, Releases, copy_releases, create_releases, tag
from tiny_models import TinyModels

from modelrelease.errors import ModelreleaseError
from modelrelease.flows.release.plan import plan_promotion
from modelrelease.flows.release.remarks import override, revoke

WHY = "It repeats what customers have written"
SAID = f"was revoked by Ada Lovelace: {WHY}"


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Two releases, of which the first is live again."""
    made = create_releases(tmp_path_factory.mktemp("releases") / "repository", tiny.folder("llama"))
    made.promote(ONE)
    made.promote(TWO)
    made.roll_back(ONE)
    return made


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


def end(releases: Releases, version: str = TWO) -> None:
    event = revoke(releases.grounds(), version, WHY, releases.doer())
    assert event is not None
    assert revoke(releases.grounds(), version, WHY, releases.doer()) is None


def set_target(releases: Releases, target: str = "file://elsewhere") -> None:
    releases.repository.git("checkout", "--quiet", "main")
    releases.repository.replace("modelrelease.yaml", releases.grounds().config.release.target, target)
    releases.repository.commit("Release elsewhere")


def add_again(releases: Releases, *, prompt: str | None = None) -> None:
    """Add the second version's weights once more as the third, with another prompt or the same."""
    repository = releases.repository
    repository.git("checkout", "--quiet", "main")
    if prompt is not None:
        repository.write("prompts/say.txt", prompt)
    weights = releases.root / f"models/{TWO}/checkpoint"
    repository.add_version(f"models/{THREE}", weights)
    write_papers(releases.root / f"models/{THREE}", weights, parent=TWO)
    repository.write(f"models/{THREE}/README.md", CARD)
    repository.commit("Add it again")
    tag(repository, THREE)


def refused(releases: Releases, run: Callable[[], object], expected: str) -> None:
    before = (releases.kinds(), releases.state())
    with pytest.raises(ModelreleaseError, match=expected) as caught:
        run()
    assert caught.value.exit_code == 1
    assert (releases.kinds(), releases.state()) == before


def test_another_target_brings_nothing_back(releases: Releases) -> None:
    end(releases)
    set_target(releases)
    releases.promote(ONE)
    refused(releases, lambda: releases.promote(TWO), f"{TWO}: MR710 {SAID}")
    subject = releases.subject(TWO)
    last = plan_promotion(subject, releases.doer(), TEXTS, releases.how(subject.version).out).steps[-1]
    assert (last.name, last.state, last.detail) == ("decide", "blocked", f"{TWO}: MR710 {SAID}; name another version")
    late = "2026-03-09"
    refused(
        releases,
        lambda: override(releases.grounds(), TWO, "pick/acc", late, WHY, releases.doer()),
        f"{TWO}: MR710 {SAID}",
    )


def test_it_is_revoked_where_it_is_not_released_any_more(releases: Releases) -> None:
    """Released to one target, revoked when releases go to another: it holds for both."""
    set_target(releases)
    end(releases)
    refused(releases, lambda: releases.promote(TWO), f"{TWO}: MR710 {SAID}")
    set_target(releases, "file://releases")
    refused(releases, lambda: releases.promote(TWO), f"{TWO}: MR710 {SAID}")
    refused(releases, lambda: releases.roll_back(TWO), f"{TWO}: MR710 {SAID}")


def test_what_an_earlier_target_still_names_is_rolled_back_there_first(releases: Releases) -> None:
    releases.promote(TWO)
    set_target(releases)
    releases.promote(ONE)
    refused(
        releases,
        lambda: revoke(releases.grounds(), TWO, WHY, releases.doer()),
        f"{TWO}: MR710 is what production of file://releases names, where releases went before; let `release.target`",
    )
    set_target(releases, "file://releases")
    releases.roll_back(ONE)
    set_target(releases)
    end(releases)


def test_another_name_brings_nothing_back(releases: Releases) -> None:
    end(releases)
    add_again(releases)
    refused(
        releases, lambda: releases.promote(THREE), f"{THREE}: MR710 has the weights and prompts of {TWO}, which {SAID}"
    )


def test_its_weights_with_another_prompt_are_another_matter(releases: Releases) -> None:
    end(releases)
    add_again(releases, prompt="Say it again: {{question}}\n")
    assert releases.promote(THREE).event is not None
    assert releases.live() == THREE


def test_what_is_live_by_another_name_is_not_revoked(releases: Releases) -> None:
    add_again(releases)
    releases.promote(THREE)
    refused(
        releases,
        lambda: revoke(releases.grounds(), TWO, WHY, releases.doer()),
        f"{TWO}: MR710 has the weights and prompts of {THREE}, which production names",
    )


@pytest.mark.parametrize("step", ["decided", "published"])
def test_a_promotion_that_meets_a_revocation_stops(releases: Releases, step: str) -> None:
    """No stage moves to what was revoked while it was on its way to another target."""
    set_target(releases)
    releases.promote(ONE)

    def meet(point: str) -> None:
        if point == step:
            end(releases)

    with pytest.raises(ModelreleaseError, match=f"{TWO}: MR710 {SAID}"):
        releases.promote(TWO, reach=meet)
    assert (releases.live(), releases.target().stage("production").version) == (ONE, ONE)
