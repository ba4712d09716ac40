"""What the registry's tests share: a governed repository, and the command line inside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Ran
from governed_repository import Repository, call, governed

Modelrelease = Callable[..., Ran]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with a config, a prompt and a dataset, all with their records, committed on main."""
    return governed(tmp_path / "repository")


@pytest.fixture
def modelrelease(repository: Repository, capsys: pytest.CaptureFixture[str]) -> Modelrelease:
    """Return a function that runs a command in the repository."""
    return lambda *arguments: call(capsys, repository, *arguments)


@pytest.fixture
def refuses(repository: Repository, modelrelease: Modelrelease) -> Callable[..., list[str]]:
    """Return a function that checks, sees that nothing was changed by it, and returns what it says."""

    def check(*arguments: str, code: int = 1) -> list[str]:
        before = repository.state()
        ran = modelrelease("check", *(arguments or ("--staged",)))
        assert (ran.code, ran.out) == (code, ""), ran
        assert repository.state() == before
        return ran.err.splitlines()

    return check


@pytest.fixture
def accepts(repository: Repository, modelrelease: Modelrelease) -> Callable[..., list[str]]:
    """Return a function that checks, sees that it passes and changes nothing, and returns what it says."""

    def check(*arguments: str) -> list[str]:
        before = repository.state()
        ran = modelrelease("check", *(arguments or ("--staged",)))
        assert (ran.code, ran.err) == (0, ""), ran
        assert repository.state() == before
        return ran.out.splitlines()

    return check
