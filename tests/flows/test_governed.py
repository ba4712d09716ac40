"""Who changed what in a pull request, as it travels with its comparison."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import PROMPT, QUESTIONS, Repository, create, rows

from modelrelease.flows.governed import governed_changes
from modelrelease.records.resolution import Resolution


@pytest.fixture
def pull(tmp_path: Path) -> Repository:
    """A branch that changes a prompt and a row."""
    repository = create(tmp_path / "repository")
    repository.commit("Start")
    repository.branch()
    repository.replace(PROMPT, "Q: ", "Question: ")
    changed = rows()
    changed[0]["question"] = "what is secret?"
    repository.write_rows(changed)
    repository.commit()
    return repository


def resolution(repository: Repository) -> Resolution:
    merge_base, head = repository.git("rev-parse", "main"), repository.git("rev-parse", "HEAD")
    words = {"rule": "not-needed", "reason": "", "candidate": None, "baseline": None, "baseline_rule": "none"}
    return Resolution.model_validate({**words, "merge_base": merge_base, "head": head})


@pytest.mark.parametrize(("texts", "shown"), [(True, True), (False, False)])
def test_rows_travel_only_where_their_texts_may_be_shown(pull: Repository, texts: bool, shown: bool) -> None:
    found = governed_changes(pull.root, resolution(pull), texts=texts)
    assert found is not None
    assert {file.path for file in found.files} == {PROMPT, QUESTIONS}
    assert ("secret" in found.model_dump_json()) is shown
    assert '"q0"' in found.model_dump_json()
    assert "Question" in found.model_dump_json()


def test_what_cannot_be_read_costs_no_check(pull: Repository) -> None:
    gone = resolution(pull).model_copy(update={"merge_base": "0" * 40})
    assert governed_changes(pull.root, gone, texts=True) is None
    assert governed_changes(pull.root.parent, gone, texts=True) is None
