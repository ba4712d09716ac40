"""`score` and `reproduce` killed before any of their file operations: the old document is there, or the new one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repositories import LIVE, create_scored
from tiny_models import TinyModels

TESTS = Path(__file__).resolve().parent.parent

SETUP = """
import sys
from pathlib import Path
from killing import kill_before_each_operation
from repositories import LIVE, PROMPT, Repository, options
from modelrelease.config import find_project
from modelrelease.errors import InvalidInput
from modelrelease.flows.reproduce import Wanted, reproduce_model
from modelrelease.flows.score import score_model
from modelrelease.records.reproduction import read_reproduction
from modelrelease.records.results import read_results
from modelrelease.scoring.run import Surroundings

repository = Repository(Path(sys.argv[1]))
project, seen = find_project(repository.root), set()
# Once here: what is imported now, no killed process has to import again.
score_model(project, LIVE, None, repository.root / "warm", options(), Surroundings())
"""
SCORE = """
out = repository.root / "out"
def run():
    score_model(project, LIVE, None, out, options(), Surroundings())
def check():
    if not (out / "eval.json").exists():
        seen.add("none")
    else:
        seen.add(read_results(out).evaluation.samples.sha256)
kills = kill_before_each_operation(out, run, check)
assert len(seen) == 2 and "none" in seen, seen
first, before = next(iter(seen - {"none"})), kills
repository.write(PROMPT, "Question: {{question}} Answer:")
seen.clear()
kills = kill_before_each_operation(out, run, check)
assert len(seen) == 2 and first in seen, seen
assert sorted(path.name for path in out.iterdir()) == ["eval.json", "samples.jsonl"]
print(before, kills)
"""
REPRODUCE = """
folder = repository.root / LIVE
def run(wanted=Wanted()):
    reproduce_model(project, LIVE, wanted, Surroundings())
def check():
    found = read_reproduction(folder)
    seen.add(None if found is None else found.tolerance)
kills = kill_before_each_operation(folder, run, check)
assert seen == {None, 1e-3}, seen
seen.clear()
again = kill_before_each_operation(folder, lambda: run(Wanted(tolerance=0.5)), check)
assert seen == {1e-3, 0.5}, seen
assert not [path.name for path in folder.iterdir() if path.name.startswith(".tmp-")]
print(kills, again)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("story", [SCORE, REPRODUCE], ids=["score", "reproduce"])
def test_killed_before_any_file_operation(tiny: TinyModels, tmp_path: Path, story: str) -> None:
    repository = create_scored(tmp_path / "repository", tiny.folder("llama"))
    assert (repository.root / LIVE / "eval.json").exists()
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SETUP + story, str(repository.root)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    first, second = map(int, done.stdout.split())
    assert min(first, second) >= 4
