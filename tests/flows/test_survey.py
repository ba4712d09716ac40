"""What is read of a repository, and where reading stops."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import as_jsonl

from modelrelease.errors import InvalidInput
from modelrelease.flows import survey as module
from modelrelease.flows.planned_suite import asked_suite
from modelrelease.flows.survey import bounded_bytes, survey
from modelrelease.scaffold.found import Dataset, Found, PromptFile
from modelrelease.scaffold.shapes import Shape

ROWS = as_jsonl([{"id": n, "text": "a"} for n in range(3)])


def write(root: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return sorted(files)


def test_what_git_names_and_the_work_tree_lacks_is_left_out(tmp_path: Path) -> None:
    found = survey(tmp_path, ["datasets/gone.jsonl", "prompts/gone.md"], "models")
    assert [(one.path, one.reason) for one in found.left_out] == [
        ("datasets/gone.jsonl", "MR209 does not exist; name an existing file"),
        ("prompts/gone.md", "MR209 does not exist; name an existing file"),
    ]


def test_only_lists_and_tables_with_an_id_are_read_outside_of_data_folders(tmp_path: Path) -> None:
    files = {
        "a.json": ' \n[{"id": 1, "text": "x"}]',
        "b.json": '{"id": 1}',
        "c.csv": '"id",text\n1,x\n',
        "d.csv": "name,text\n1,x\n",
        "e.json": "[1]",
        "empty.json": "",
        "f.jsonl": ROWS,
    }
    found = survey(tmp_path, write(tmp_path, files), "models")
    assert [one.path for one in found.datasets] == ["a.json", "c.csv", "f.jsonl"]
    assert [one.path for one in found.left_out] == ["*.csv, *.json"]


@pytest.mark.parametrize("bound", ["MAX_FILES", "MAX_READ"])
def test_reading_stops_somewhere_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(module, bound, 2 if bound == "MAX_FILES" else len(ROWS) + 1)
    paths = write(tmp_path, {f"datasets/{n}.jsonl": ROWS for n in range(5)})
    found = survey(tmp_path, paths, "models")
    assert len(found.datasets) == 2
    assert [one.reason.partition(",")[0] for one in found.left_out] == ["3 more were not looked at"]


def test_a_row_without_an_end_is_no_dataset(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as stream:
        stream.truncate(module.MAX_WHOLE + 1)
    with pytest.raises(InvalidInput, match="MR209 begins with a row of more than 4 MB"):
        bounded_bytes(tmp_path, "a.jsonl")


@pytest.mark.parametrize("path", ["../a.jsonl", "/etc/passwd", "a\\b", "a\0b"])
def test_nothing_outside_is_read(tmp_path: Path, path: str) -> None:
    with pytest.raises(InvalidInput, match="lies outside the repository"):
        bounded_bytes(tmp_path, path)


def test_a_task_that_scoring_would_refuse_is_left_to_a_person(tmp_path: Path) -> None:
    """The readers have the last word, whatever a shape says."""
    write(tmp_path, {"datasets/a.jsonl": ROWS, "prompts/p.md": "{{text}}"})
    shape = Shape("generate", ("text",), "nonsense", "wrong", longest=3)
    found = Found((Dataset("datasets/a.jsonl", 3, shape),), (PromptFile("prompts/p.md", ("text",), False),))
    asked = asked_suite(tmp_path, "s.yaml", found, {"author": "Ada", "reason": "Because", "date": "2026-11-22"})
    assert asked.tasks == []
    (undecided,) = asked.undecided
    assert "MR313 `target: nonsense` names a field that no row" in undecided.reason
    assert asked.suite.text is not None
    assert "#     target: nonsense" in asked.suite.text


def test_versions_are_folders_with_a_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, {"models/model_v1.10/checkpoint/config.json": "{}", "models/model_v1.9/config.json": "{}"})
    write(tmp_path, {"models/model_v2.0/README.md": "", "models/model_v3.0": "a file", "elsewhere/config.json": ""})
    (tmp_path / "models" / "model_v4.0").symlink_to(tmp_path / "elsewhere")
    found = survey(tmp_path, [], "models")
    assert found.versions == ("models/model_v1.9", "models/model_v1.10")
    assert [(one.path, one.reason) for one in found.left_out] == [("models/model_v2.0", "holds no checkpoint yet")]
