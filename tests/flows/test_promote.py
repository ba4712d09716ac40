"""Promotions into a folder, with real git, real scoring and a real ledger: done once, or refused with nothing left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from releases import ONE, TWO, Releases, copy_releases, create_releases
from tiny_models import TinyModels

from modelrelease.errors import ModelreleaseError


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("releases") / "repository", tiny.folder("llama"))


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


@pytest.fixture(scope="module")
def once(template: Releases, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """One whose first version is released."""
    made = copy_releases(template, tmp_path_factory.mktemp("once") / "repository")
    made.promote(ONE)
    return made


@pytest.fixture
def begun(once: Releases, tmp_path: Path) -> Releases:
    return copy_releases(once, tmp_path / "repository")


def test_a_first_release_and_the_next(releases: Releases) -> None:
    first = releases.promote(ONE)
    assert first.comparison is not None
    assert first.comparison.headline == "Promote: the first release, as the policy names it; release it."
    folder = releases.root / "releases" / "versions" / ONE
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names >= {
        "config.json", "model.safetensors", "tokenizer.json", "README.md", "changelog.md", "model.json", "eval.json",
        "samples.jsonl", "comparison.json", "prompts/qa.md", "prompts/say.txt",
    }  # fmt: skip
    assert (folder / "eval.json").read_text("utf-8").count(first.comparison.candidate.model_digest) == 1  # type: ignore[union-attr]
    assert releases.live() == ONE
    second = releases.promote(TWO)
    assert second.comparison is not None
    assert second.comparison.baseline is not None
    assert second.comparison.baseline.version == ONE
    assert second.comparison.context == "release"
    assert releases.live() == TWO
    assert json.loads((releases.root / "releases/stages/production.json").read_text("utf-8"))["version"] == TWO
    assert releases.kinds() == [f"intent {ONE}", f"released {ONE}", f"intent {TWO}", f"released {TWO}"]
    intent = releases.grounds().ledger().events[2]
    assert intent.release is not None
    assert (intent.release.baseline, intent.release.bootstrap) == (ONE, False)
    assert "model-index" in (releases.root / "releases" / "versions" / TWO / "README.md").read_text("utf-8")


def test_what_is_released_is_not_released_again(begun: Releases) -> None:
    before = begun.state()
    again = begun.promote(ONE)
    assert (again.event, again.comparison) == (None, None)
    assert begun.state() == before
    assert begun.kinds() == [f"intent {ONE}", f"released {ONE}"]


def test_back_and_forward_again(begun: Releases) -> None:
    begun.promote(TWO)
    event = begun.roll_back(ONE)
    assert event is not None
    assert (event.kind, event.reason) == ("rolled-back", "Answers in German are cut off")
    assert begun.live() == ONE
    assert begun.roll_back(ONE) is None
    forward = begun.promote(TWO)
    assert forward.event is not None
    assert forward.event.kind == "rolled-forward"
    assert begun.live() == TWO
    assert begun.target().stage("production").version == TWO


def test_a_first_release_that_the_policy_does_not_name_is_blocked(releases: Releases) -> None:
    with pytest.raises(
        ModelreleaseError, match=r"MR709 Blocked: nothing is live yet; a first release is named by"
    ) as e:
        releases.promote(TWO)
    assert e.value.exit_code == 1
    assert releases.kinds() == []
    assert releases.target().versions() == ()


def test_a_blocked_version_leaves_nothing(begun: Releases) -> None:
    begun.repository.git("checkout", "--quiet", "main")
    begun.repository.replace("modelrelease.yaml", "{margin: 0.5}", "{margin: 0.001}")
    begun.repository.replace("modelrelease.yaml", "release: warn", "release: block")
    begun.repository.commit("Ask for more")
    before = begun.state()
    with pytest.raises(ModelreleaseError, match="MR709 Blocked: pick/acc is") as caught:
        begun.promote(TWO)
    assert "modelrelease override" in str(caught.value)
    assert begun.state() == before
    assert (begun.root / ".modelrelease" / "releases" / TWO / "comparison.json").is_file()
