"""Documents that are larger than any document: they are refused, and never held in memory."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from governed_repository import Repository
from papered_versions import CHILD, two_versions

from modelrelease.cli.main import main
from modelrelease.config import find_project
from modelrelease.errors import InvalidInput
from modelrelease.flows.reproduce import Wanted, reproduce_model
from modelrelease.flows.weights import Weights
from modelrelease.records.strict_json import MAX_VALUES
from modelrelease.scoring.run import Surroundings

LARGE = 400 << 20
MOST = 100 << 20
FOLDER = f"models/{CHILD}"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    found = two_versions(tmp_path / "repository")
    monkeypatch.chdir(found.folder)
    return found


def _weights(root: Path) -> None:
    with pytest.raises(InvalidInput, match="MR209"):
        Weights().of_version(root / FOLDER, FOLDER)


def _reproduce(root: Path) -> None:
    with pytest.raises(InvalidInput, match="MR209"):
        reproduce_model(find_project(root), FOLDER, Wanted(), Surroundings())


def _command(*arguments: str) -> Callable[[Path], None]:
    def run(root: Path) -> None:
        assert main(list(arguments)) == 2

    return run


READERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "papers, where weights are found": ("model.json", _weights),
    "a record, where it is reproduced": ("eval.json", _reproduce),
    "a card": ("README.md", _command("card", FOLDER)),
    "papers, where all is checked": ("model.json", _command("check")),
    "a record, where all is checked": ("eval.json", _command("check")),
}


@pytest.mark.parametrize("name", READERS)
def test_a_huge_document_is_refused_unread(repository: Repository, name: str) -> None:
    document, read = READERS[name]
    path = repository.folder / FOLDER / document
    path.unlink(missing_ok=True)
    path.touch()
    os.truncate(path, LARGE)  # takes no room on the disk
    tracemalloc.start()
    try:
        read(repository.folder)
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("document", ["model.json", "eval.json"])
def test_a_commit_s_huge_document_is_refused(
    repository: Repository, document: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repository.git("rev-parse", "HEAD").strip()
    repository.write(f"{FOLDER}/{document}", "[" + " " * (25 << 20) + "]")
    repository.commit("A huge one")
    assert main(["check", "--from-ref", before, "--to-ref", "HEAD"]) == 2
    assert f"{FOLDER}/{document}: MR209" in capsys.readouterr().err


def test_many_values_are_refused_before_they_are_read(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write(f"{FOLDER}/eval.json", "[" + "{}," * MAX_VALUES + "{},{}]")
    assert main(["check"]) == 2
    assert f"{FOLDER}/eval.json: MR209" in capsys.readouterr().err
