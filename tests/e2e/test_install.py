"""The package as it is installed: what the base brings, what a wheel holds, how fast help is."""

from __future__ import annotations

import statistics
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "transformers", "scipy", "numpy", "pygithub", "huggingface-hub", "tqdm", "safetensors", "jinja2"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the base install and nothing else."""
    folder = tmp_path_factory.mktemp("base") / "venv"
    venv.create(folder, with_pip=True)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    subprocess.run(command, check=True, timeout=600)
    return folder


def output(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout


def test_the_base_install_is_light(base: Path) -> None:
    listed = output(base / "bin" / "python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    names = {line.partition("==")[0].partition(" @")[0].lower() for line in listed.splitlines()}
    assert "pydantic" in names
    assert names & HEAVY == set()


def test_the_base_install_has_the_demo_and_says_which_extra_it_needs(base: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [base / "bin" / "modelrelease", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("modelrelease: MR602 scoring needs torch; pip install")
    assert list(tmp_path.iterdir()) == []
    package = output(base / "bin" / "python", "-c", "import modelrelease; print(modelrelease.__path__[0])").strip()
    assert (Path(package) / "examples" / "demo" / "train.py").is_file()


def test_comparing_without_scipy_says_which_extra_it_needs(base: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [base / "bin" / "modelrelease", "power", "--items", "100"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        3,
        'modelrelease: MR602 this command needs numpy; pip install "modelrelease[stats]"\n',
    )


def test_the_base_install_sets_up_a_repository(base: Path, tmp_path: Path) -> None:
    """Without test sets there is no margin to work out; with them it says which extra does that."""
    for command in (["init", "--quiet"], ["config", "user.name", "Ada"], ["config", "user.email", "ada@example.org"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "datasets").mkdir()
    rows = tmp_path / "datasets" / "texts.jsonl"
    rows.write_text('{"id": 1, "question": "who?", "choices": ["a", "b"], "answer": 0}\n')
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "ask.md").write_text("{{question}}")
    command = [str(base / "bin" / "modelrelease"), "init", "--into", str(tmp_path)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (
        3,
        'modelrelease: MR602 this command needs numpy; pip install "modelrelease[stats]"\n',
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "datasets", "prompts"]
    rows.unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    workflow = (tmp_path / ".github" / "workflows" / "modelrelease.yml").read_text("utf-8")
    assert "modelrelease/modelrelease@v" in workflow


def test_help_starts_little_more_than_python(base: Path) -> None:
    """Process time against a bare interpreter's, in one run: absolute times depend on the machine."""
    program = """
import resource, subprocess, sys
def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
bare, full = [sys.executable, "-c", "import argparse, json, subprocess"], sys.argv[1:]
print(*[seconds(full) / seconds(bare) for _ in range(9)])
"""
    ratios = output(base / "bin" / "python", "-c", program, base / "bin" / "modelrelease", "--help").split()
    assert statistics.median(map(float, ratios)) < 3


def test_the_wheel_holds_the_package_and_the_demo(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert sources <= names
    assert "modelrelease/examples/demo/train.py" in names
    templates = {f"modelrelease/workflows-templates/{path.name}" for path in (ROOT / "workflows-templates").iterdir()}
    assert templates
    assert templates <= names
    assert "modelrelease/py.typed" in names
