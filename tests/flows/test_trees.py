"""What a commit says of its version folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import LIVE, Repository, create
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput
from modelrelease.flows.trees import Tree
from modelrelease.records.checkpoints import read_checkpoint

POINTER = "version https://git-lfs.github.com/spec/v1\n{more}oid sha256:{sha256}\nsize {size}\n"


@pytest.fixture
def repository(tiny: TinyModels, tmp_path: Path) -> Repository:
    found = create(tmp_path / "repository")
    found.add_version(LIVE, tiny.folder("llama"))
    found.write(f"{LIVE}/checkpoint/README.md", "# Card\n")
    return found


def tree(repository: Repository) -> Tree:
    return Tree(repository.root, repository.commit(), "modelrelease.yaml")


@pytest.mark.parametrize("more", ["", "ext-0-foo sha256:" + "0" * 64 + "\n"])
def test_the_digest_of_a_committed_checkpoint_is_that_of_the_folder(repository: Repository, more: str) -> None:
    expected = read_checkpoint(repository.root / LIVE, LIVE)
    assert tree(repository).checkpoint_digest(LIVE) == expected.digest
    (weights,) = [file for file in expected.files if file.path == "model.safetensors"]
    pointer = POINTER.format(more=more, sha256=weights.sha256, size=weights.size)
    repository.write(f"{LIVE}/checkpoint/model.safetensors", pointer)
    assert tree(repository).checkpoint_digest(LIVE) == expected.digest
    repository.write(f"{LIVE}/checkpoint/model.safetensors", pointer.replace("size", "Size"))
    assert tree(repository).checkpoint_digest(LIVE) != expected.digest


def test_without_a_checkpoint_in_git_there_is_no_digest(repository: Repository) -> None:
    repository.remove(f"{LIVE}/checkpoint")
    repository.write(f"{LIVE}/README.md", "# Card\n")
    commit = repository.commit()
    assert tree(repository).checkpoint_digest(LIVE) is None
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{LIVE}/checkpoint")
    repository.git("commit", "--quiet", "-m", "A submodule")
    assert Tree(repository.root, "HEAD", "modelrelease.yaml").checkpoint_digest(LIVE) is None


def test_what_a_version_folder_says(repository: Repository) -> None:
    repository.write(f"{LIVE}/model.json", '{"parent": "model_v0.9", "checkpoint": {"digest": "x"}}')
    repository.write("models/model_v1.1/eval.json", "{}")
    repository.write("models/notes/README.md", "no version")
    repository.write("models/model_v2.0", "no folder")
    found = tree(repository).versions("models")
    assert list(found) == ["model_v1.0", "model_v1.1", "model_v2.0"]
    live, scored = found["model_v1.0"], found["model_v1.1"]
    assert (live.weights is not None, live.address is not None) == (True, True)
    assert (live.record, live.parent) == (None, "model_v0.9")
    assert (scored.weights, scored.address, scored.record is None, scored.parent) == (None, None, False, None)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a\0b", "a\\b", "models/../modelrelease.yaml"])
def test_paths_that_lead_out_are_not_read(repository: Repository, path: str) -> None:
    at = tree(repository)
    with pytest.raises(InvalidInput, match="MR209 lies outside the repository"):
        at.read(path)
    assert at.entries([path]) == {}
    with pytest.raises(InvalidInput, match="MR209 is not in"):
        at.read("nowhere")


def test_the_config_is_the_commit_s(repository: Repository) -> None:
    at = tree(repository)
    repository.write("modelrelease.yaml", "schema_version: 1\nmodels: elsewhere\n")
    assert at.config is not None
    assert at.config.models == "models"
    repository.remove("modelrelease.yaml")
    assert tree(repository).config is None
