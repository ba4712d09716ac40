"""The demo as a person runs it, whole; then every command of README and docs in the repository it made."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import start

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "examples" / "demo" / "README.md",
    ROOT / "docs" / "score.md",
    ROOT / "docs" / "compare.md",
    ROOT / "docs" / "versions.md",
    ROOT / "docs" / "reproduce.md",
    ROOT / "docs" / "release.md",
)
RELEASE = ROOT / "docs" / "release.md"
ADAPTED = "Ask the way the training text does: its lines begin with Q and A"
VERSIONS = ("model_v1.0", "model_v1.1")
BLOCKED = 1


def metrics(folder: Path, version: str) -> dict[str, float]:
    document = json.loads((folder / "models" / version / "eval.json").read_text())
    return {f"{m['task']}/{m['metric']}": m["value"] for m in document["metrics"]}


def test_longer_training_is_better_and_the_gate_says_so(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    before, after = metrics(folder, "model_v1.0"), metrics(folder, "model_v1.1")
    shares = [name for name in before if not name.endswith(("nll", "bits_per_byte", "perplexity"))]
    assert shares
    assert all(after[name] > before[name] for name in shares)
    assert all(before[name] > 0.25 and after[name] < 1 for name in shares if "acc" in name)
    assert "Promote: the first release, as the policy names it; release it." in screen
    assert "Promote: choose/acc, reply/exact_match are better; release it." in screen


def test_the_last_screen_says_where_to_look(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    last = screen[screen.index("All of this was made in") :]
    for path in re.findall(r"demo/(\S+)", last):
        assert (folder / path).exists(), path
    for line in re.findall(r"^  modelrelease (.*?)(?:\s+#.*)?$", last, re.MULTILINE):
        assert start(folder, *shlex.split(line)).returncode in {0, BLOCKED}


def test_the_first_version_is_reproduced(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    assert "$ modelrelease reproduce models/model_v1.0" in screen
    assert "exact: all of 640 items came out bit for bit as recorded" in screen
    document = json.loads((folder / "models" / "model_v1.0" / "reproduction.json").read_text("utf-8"))
    assert (document["outcome"], document["explanations"]) == ("exact", [])


def test_both_versions_are_released_and_the_way_back_was_tried(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    steps = re.findall(r"^\[ *[\d.]+ s\] \$ (?:modelrelease|git tag) (.*)$", screen, re.MULTILINE)
    assert [step for step in steps if step.startswith(("model_v", "promote", "rollback", "ledger"))] == [
        "model_v1.0",
        "promote model_v1.0",
        "model_v1.1",
        "promote model_v1.1",
        "rollback --to model_v1.0 --reason 'A shop reports wrong prices: back until we know why'",
        "promote model_v1.1",
        "ledger verify",
        "ledger trace model_v1.1",
    ]
    events = json.loads(start(folder, "ledger", "log", "--json").stdout)
    assert [(event["kind"], event["version"]) for event in events] == [
        *[(kind, version) for version in VERSIONS for kind in ("intent", "released")],
        ("rolled-back", "model_v1.0"),
        ("rolled-forward", "model_v1.1"),
    ]
    stage = json.loads((folder / "releases" / "stages" / "production.json").read_text("utf-8"))
    assert stage["version"] == "model_v1.1"
    assert "modelrelease/ledger: 6 events, whole" in screen
    for version in VERSIONS:
        assert start(folder, "verify", version, "--download").returncode == 0


def test_the_trace_goes_from_the_prompt_to_the_way_forward(demo: tuple[Path, str]) -> None:
    screen = demo[1]
    trace = screen[screen.index("$ modelrelease ledger trace model_v1.1") : screen.index("All of this was made in")]
    links = ("in force", "trained", "scored", "committed", "scored again", "decided", "approved", "released")
    places = [trace.index(f"  {what}  ") for what in (*links, "rolled back", "rolled forward")]
    assert places == sorted(places)
    for said in (
        ADAPTED,
        "python train.py --out models/model_v1.1",
        "seed 1, steps 600",
        "A shop reports wrong prices",
    ):
        assert said in " ".join(trace.split())
    assert "note:" not in trace


def test_a_release_is_what_a_consumer_loads(demo: tuple[Path, str]) -> None:
    from transformers import AutoModelForCausalLM

    stage = json.loads((demo[0] / "releases" / "stages" / "production.json").read_text("utf-8"))
    model = AutoModelForCausalLM.from_pretrained(demo[0] / "releases" / "versions" / stage["version"])
    assert model.num_parameters() == 242_784


def test_commands_that_move_the_stage_run_in_order(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo[0], folder, symlinks=True)
    blocks = re.findall(r"^```sh\n(.*?)^```", RELEASE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ modelrelease ")]
    assert len(lines) >= 3
    for line in lines:
        done = start(folder, *shlex.split(line)[1:])
        assert done.returncode == 0, (line, done.stderr)
    assert start(folder, "ledger", "verify").returncode == 0


def test_the_way_back_is_a_regression(demo: tuple[Path, str]) -> None:
    done = start(demo[0], "compare", "models/model_v1.1", "models/model_v1.0")
    assert done.returncode == BLOCKED
    assert done.stdout.startswith("Blocked: ")
    assert "regressed" in done.stdout


def test_everything_is_committed_and_belongs_to_a_commit(demo: tuple[Path, str]) -> None:
    folder = demo[0]
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    log = subprocess.run(["git", "log", "--format=%s"], cwd=folder, capture_output=True, text=True, check=True)
    assert len(log.stdout.splitlines()) == 4
    provenance = json.loads((folder / "models" / "model_v1.1" / "eval.json").read_text())["provenance"]
    assert provenance["git_sha"] is not None


def test_every_governed_file_says_who_why_and_when(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    assert "prompts/ask.md:2: MR101 changed, and its change record did not" in screen
    checked = start(folder, "check")
    assert (checked.returncode, checked.stdout) == (
        0,
        "6 governed files, all with their change record\n2 version folders, as their papers say\n",
    )
    changes = start(folder, "changes", "--from-ref", "HEAD~3", "--to-ref", "HEAD").stdout
    assert "Ask the way the training text does: its lines begin with Q and A" in changes
    assert "[-Question-]{+Q+}: {{question}}" in changes


def commands() -> list[str]:
    found: list[str] = []
    for page in PAGES:
        blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        found += [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return sorted(set(found))


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_docs_run_in_the_demo(demo: tuple[Path, str], command: str) -> None:
    words = shlex.split(command)
    assert words[0] == "modelrelease"
    done = start(demo[0], *words[1:])
    assert done.returncode in {0, BLOCKED}, done.stderr
    assert done.stdout
    assert done.stderr == "" or "item" in done.stderr or words[1] == "card"  # which says what the card lacks


def test_scoring_a_scored_version_leaves_its_record_alone(demo: tuple[Path, str]) -> None:
    folder = demo[0]
    record = folder / "models" / "model_v1.1" / "samples.jsonl"
    before = record.read_bytes()
    done = start(folder, "score", "models/model_v1.1")
    assert done.returncode == 0, done.stderr
    assert ".modelrelease/runs/" in done.stdout
    runs = list((folder / ".modelrelease" / "runs").glob("*/samples.jsonl"))
    assert [path.read_bytes() for path in runs] == [before]
    assert record.read_bytes() == before


def test_each_version_carries_its_papers(demo: tuple[Path, str]) -> None:
    folder, screen = demo
    first, second = (json.loads((folder / "models" / name / "model.json").read_text()) for name in VERSIONS)
    assert [record["training"]["steps"] for record in (first, second)] == [500, 600]
    assert (first["parent"], second["parent"]) == (None, "model_v1.0")
    command = "python train.py --out models/model_v1.1 --steps 600 --seed 1 --parent model_v1.0"
    assert second["training"]["command"] == command
    for record, steps in ((first, 500), (second, 600)):
        assert f"step {steps}/{steps}  loss {record['training']['final_loss']:.3f}  " in screen
    assert second["git"]["dirty"] is False
    assert second["training"]["datasets"][0]["path"] == "training/text.txt"
    assert [prompt["path"] for prompt in second["prompts"]] == ["prompts/ask.md"]
    for name, record in zip(VERSIONS, (first, second), strict=True):
        evaluation = json.loads((folder / "models" / name / "eval.json").read_text())
        assert record["checkpoint"]["digest"] == evaluation["model"]["digest"]
        assert record["checkpoint"]["files"] == evaluation["model"]["files"]
