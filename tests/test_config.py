"""Where the config is, and what its paths can reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from modelrelease.config import find_project, parse_config, policy_digest, tree_reader
from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.config import Config, GatePolicy, MetricPolicy, OnInconclusivePolicy
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.validation import validate

CONFIG = "schema_version: 1\nsuite: evals/release.yaml\n"


def test_the_config_is_found_here_and_above(tmp_path: Path) -> None:
    (tmp_path / "modelrelease.yaml").write_text(CONFIG)
    (tmp_path / "a" / "b").mkdir(parents=True)
    for start in (tmp_path, tmp_path / "a" / "b"):
        project = find_project(start)
        assert project.root == tmp_path.resolve()
        assert project.require_config().suite == "evals/release.yaml"


def test_without_a_config_the_start_is_the_root(tmp_path: Path) -> None:
    project = find_project(tmp_path)
    assert project.root == tmp_path.resolve()
    with pytest.raises(InvalidInput, match=r"modelrelease.yaml: MR209 is not in .* or above it; add one"):
        project.require_config()


def test_a_config_can_have_another_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(CONFIG)
    assert find_project(Path("/"), tmp_path / "other.yaml").root == tmp_path.resolve()
    with pytest.raises(InvalidInput, match=r"missing\.yaml: MR209 does not exist"):
        find_project(tmp_path, tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    "path",
    ["../secret", "/etc/hostname", "a/../../secret", "link", "linked/secret", "a\\b", "a\0b", "..", "datasets/../../x"],
)
def test_no_path_leads_out_of_the_repository(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "linked").symlink_to(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        tree_reader(root)(path)
    assert "MR209 lies outside the repository; name a file inside the repository" in str(caught.value)


def test_links_inside_the_repository_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    (tmp_path / "b").symlink_to("a")
    assert tree_reader(tmp_path)("b") == b"text"


METRICS = "  metrics:\n    qa/acc: {margin: 0.02}\n    'sum/*': {margin: 0.5, min: 3}\n"
GATE = f"gate:\n  alpha: 0.01\n{METRICS}"


def digest(gate: str) -> str:
    return policy_digest(parse_config((CONFIG + gate).encode(), "modelrelease.yaml"))


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param(GATE + "comment: {mode: never}\n", id="what is not the gate's"),
        pytest.param(
            "gate: {metrics: {'sum/*': {min: 3.0, margin: 0.50}, qa/acc: {margin: 2e-2}}, alpha: 0.01}\n",
            id="order, formatting, how a number is written",
        ),
        pytest.param(
            "gate:\n  alpha: 0.01\n  min_items: 30\n  rescore_baseline: auto\n"
            "  on_inconclusive: {release: block}\n" + METRICS,
            id="defaults that are written down",
        ),
        pytest.param(
            GATE.replace("margin: 0.02", "margin: 0.02, role: gate, require: null, allow_proven_loss: true"),
            id="a metric's defaults that are written down",
        ),
    ],
)
def test_the_policy_digest_is_of_what_was_decided(gate: str) -> None:
    assert digest(gate) == digest(GATE)


@pytest.mark.parametrize(
    "gate",
    [
        pytest.param("", id="no gate"),
        pytest.param(GATE.replace("0.02", "0.03"), id="a margin"),
        pytest.param(GATE.replace("0.01", "0.05"), id="a setting that is back at its default"),
        pytest.param(GATE.replace("qa/acc", "qa/*"), id="what a margin is for"),
        pytest.param(GATE + "    qa/f1: {role: info}\n", id="a metric that is only shown"),
        pytest.param(GATE + "  on_inconclusive: {pull_request: block}\n", id="what inconclusive does"),
        pytest.param(GATE + "  min_items: 31\n", id="the least number of items"),
        pytest.param(GATE.replace("0.02", "0.02, allow_proven_loss: false"), id="a metric's setting"),
    ],
)
def test_another_policy_has_another_digest(gate: str) -> None:
    assert digest(gate) != digest(GATE)


class NewMetricPolicy(MetricPolicy):
    tolerated: float | None = None


class NewOnInconclusive(OnInconclusivePolicy):
    schedule: str = "warn"


class NewGate(GatePolicy):
    on_inconclusive: NewOnInconclusive = NewOnInconclusive()
    metrics: dict[str, NewMetricPolicy] = Field(default_factory=dict)  # type: ignore[assignment]  # dict is invariant
    rounds: int = 1


class NewConfig(Config):
    gate: NewGate = NewGate()


def test_a_key_of_a_later_version_changes_the_digest_only_where_somebody_uses_it() -> None:
    def later(text: str) -> str:
        return policy_digest(validate(NewConfig, read_yaml(CONFIG + text, "modelrelease.yaml")))

    for gate in ("", GATE, GATE + "  on_inconclusive: {pull_request: block}\n"):
        assert later(gate) == digest(gate)
    for gate in (
        GATE + "  rounds: 2\n",
        GATE.replace("0.02", "0.02, tolerated: 0.1"),
        GATE + "  on_inconclusive: {schedule: block}\n",
    ):
        assert later(gate) != digest(GATE)


def test_a_policy_digest_is_for_good() -> None:
    """Ledgers hold it: no version of modelrelease may compute another one from the same file."""
    assert digest("") == digest_of({})
    assert digest(GATE) == digest_of(
        {"alpha": 0.01, "metrics": {"qa/acc": {"margin": 0.02}, "sum/*": {"margin": 0.5, "min": 3.0}}}
    )


def test_the_defaults_that_the_policy_digest_leaves_out_are_for_good() -> None:
    """Another default would change decisions under the digest that ledgers hold."""
    assert GatePolicy().model_dump(mode="json") == {
        "alpha": 0.05,
        "min_items": 30,
        "on_inconclusive": {"pull_request": "warn", "release": "block"},
        "rescore_baseline": "auto",
        "metrics": {},
    }
    assert MetricPolicy(margin=0.1).model_dump(mode="json") == {
        "margin": 0.1,
        "min": None,
        "require": None,
        "role": "gate",
        "allow_proven_loss": True,
    }


def test_a_config_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """It would bring another policy, and another root, under the same name."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "modelrelease.yaml").write_text(CONFIG)
    (tmp_path / "modelrelease.yaml").symlink_to("examples/modelrelease.yaml")
    with pytest.raises(InvalidInput, match=r"modelrelease\.yaml: MR209 is a link; put the file itself there"):
        find_project(tmp_path)


def test_links_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InvalidInput) as caught:
        tree_reader(tmp_path)("loop")
    assert "loop: MR209 " in str(caught.value)
