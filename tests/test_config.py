"""Where the config is, and what its paths can reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelrelease.config import find_project, policy_digest, tree_reader
from modelrelease.errors import InvalidInput

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


def test_the_policy_digest_is_of_the_gate_alone(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        (tmp_path / "modelrelease.yaml").write_text(text)
        return policy_digest(find_project(tmp_path).require_config())

    plain = digest(CONFIG)
    assert digest(CONFIG + "comment: {mode: never}\n") == plain
    assert digest(CONFIG + "gate: {alpha: 0.05}\n") == plain
    assert digest(CONFIG + "gate: {alpha: 0.01}\n") != plain


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
