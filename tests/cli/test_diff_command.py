from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders import table, write
from commands import run

from modelrelease.records.comparison import Diff
from modelrelease.records.strict_json import read_json
from modelrelease.records.validation import validate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two evaluations and no policy: a diff needs none."""
    before, after = table(50, 16, 21, 13)
    write(tmp_path / "a", {"qa": {"acc": before}})
    write(tmp_path / "b", {"qa": {"acc": [*after, 1.0]}}, model="model_v1.1")
    write(tmp_path / "c", {"qa": {"acc": after}}, model="model_v1.1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_diff_decides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for sides in (("a", "c"), ("c", "a"), ("a", "a")):
        ran = run(capsys, "diff", *sides)
        assert (ran.code, ran.err) == (0, "")
        assert "Promote" not in ran.out
        assert "Blocked" not in ran.out


@pytest.mark.usefixtures("folder")
def test_what_changed_is_shown_item_by_item(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "diff", "a", "c").out
    assert out.startswith("baseline   model_v1.0 (checkpoint ")
    assert "qa/acc    100        66.0         71.0     +5.0   [−7.1, +17.0]\n" in out
    assert "qa: 16 broken, 21 fixed\n  broken 51  (acc 1 → 0)\n" in out
    assert out.endswith("  not shown: 1 fixed; --all shows all\n")
    assert run(capsys, "diff", "a", "c", "--format", "markdown").out.startswith("baseline: `model_v1.0 (checkpoint ")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("flags", "broken", "fixed"),
    [((), 16, 20), (("--all",), 16, 21), (("--items", "3"), 3, 3), (("--items", "0"), 0, 0)],
)
def test_as_many_items_are_shown_as_asked_for(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], broken: int, fixed: int
) -> None:
    (task,) = json.loads(run(capsys, "diff", "a", "c", "--json", *flags).out)["items"]
    assert (task["n"], task["broken"], task["fixed"]) == (100, 16, 21)
    shown = [item["direction"] for item in task["items"]]
    assert shown == ["broken"] * broken + ["fixed"] * fixed


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("flags", [("--items", "-1"), ("--items", "x"), ("--items", "3", "--all")])
def test_a_number_of_items_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]) -> None:
    assert run(capsys, "diff", "a", "c", *flags).code == 2


def test_a_page_is_written_whole_or_not_at_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "diff", "a", "c", "--html", "new/diff.html")
    assert (ran.code, ran.out, ran.err) == (0, "written: new/diff.html\n", "")
    page = (folder / "new" / "diff.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>\n")
    assert page.count("<details") == 16 + 21
    assert run(capsys, "diff", "a", "z", "--html", "other.html").code == 2
    assert not (folder / "other.html").exists()


@pytest.mark.usefixtures("folder")
def test_the_document_reads_back_and_is_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    ran, again = run(capsys, "diff", "a", "c", "--json"), run(capsys, "diff", "a", "c", "--format", "json")
    assert ran.out == again.out
    document = validate(Diff, read_json(ran.out, "diff.json"))
    assert document.to_bytes() == ran.out.encode()
    assert document.metrics[0].role == "info"


@pytest.mark.usefixtures("folder")
def test_items_that_differ_are_named_or_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    refused = run(capsys, "diff", "a", "b")
    assert refused.code == 0
    assert "not compared:\n  - qa: incomparable: the test sets differ in 1 item: 101\n" in refused.out
    rest = json.loads(run(capsys, "diff", "a", "b", "--json", "--on-changed-items", "intersect").out)
    assert (rest["metrics"][0]["n"], rest["comparability"]["refused"]) == (100, [])


@pytest.mark.usefixtures("folder")
def test_a_side_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "diff", "a", "z")
    assert (ran.code, ran.out, ran.err) == (2, "", "z: MR209 does not exist; name an existing file\n")


def test_a_policy_that_is_broken_is_no_reason_not_to_look_but_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "modelrelease.yaml").write_text("nonsense: [", "utf-8")
    ran = run(capsys, "diff", "a", "c")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("modelrelease.yaml:1")


@pytest.mark.usefixtures("folder")
def test_the_script_in_a_clone_is_the_command() -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "eval_diff.py"
    done = subprocess.run([sys.executable, str(script), "a", "c"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("baseline   model_v1.0")
