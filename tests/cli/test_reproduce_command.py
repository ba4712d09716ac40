"""The command as a person calls it: its exit codes, what it prints, and the recorded libraries in their own place."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run, start
from repositories import LIVE, SUITE, Repository, create_scored
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput
from modelrelease.flows.private_environment import private_environment, requirements
from modelrelease.records.canonical import document_bytes
from modelrelease.records.evaluation import Environment


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return create_scored(tmp_path_factory.mktemp("reproduce-command") / "repository", tiny.folder("llama"))


@pytest.fixture
def repository(template: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    shutil.copytree(template.root, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy")
    return Repository(tmp_path / "copy")


def edit(repository: Repository, block: str, **values: object) -> None:
    path = repository.root / LIVE / "eval.json"
    document = json.loads(path.read_text("utf-8"))
    document[block].update(values)
    path.write_bytes(document_bytes(document))


def test_exact_is_0_and_json_is_the_document(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "reproduce", LIVE)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("exact: all of 16 items")
    printed = run(capsys, "reproduce", LIVE, "--json")
    written = (repository.root / LIVE / "reproduction.json").read_text("utf-8")
    assert (printed.code, printed.out) == (0, written)


def test_a_mismatch_is_1(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(capsys, "reproduce", LIVE, "--dtype", "bfloat16", "--tolerance", "0")
    assert done.code == 1
    assert done.out.startswith("mismatch: ")
    assert "dtype: float32 → bfloat16" in done.out


def test_another_experiment_is_1_and_nothing_is_written(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write(f"{LIVE}/checkpoint/extra.txt", "x")
    done = run(capsys, "reproduce", LIVE)
    assert done.code == 1
    assert "checkpoint file extra.txt is new" in done.out
    printed = run(capsys, "reproduce", LIVE, "--json")
    assert (printed.code, json.loads(printed.out)["outcome"]) == (1, "refused")
    assert not (repository.root / LIVE / "reproduction.json").exists()


MISUSED = {
    "no record": (("models",), "models/eval.json: MR209"),
    "nothing": (("nothing",), "nothing: MR209"),
    "no number of plans": ((LIVE, "--permute-batches", "0"), "MR601 argument --permute-batches"),
    "a negative tolerance": ((LIVE, "--tolerance", "-1"), "MR601 argument --tolerance"),
    "no tolerance": ((LIVE, "--tolerance", "nan"), "MR601 argument --tolerance"),
    "a suite outside": ((LIVE, "--suite", "../x.yaml"), "MR209 lies outside the repository"),
}


@pytest.mark.parametrize("name", MISUSED)
def test_misuse_is_2(repository: Repository, capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, line = MISUSED[name]
    done = run(capsys, "reproduce", *arguments)
    assert (done.code, done.out) == (2, "")
    assert line in done.err
    assert len(done.err.splitlines()) == 1
    assert not list(repository.root.glob("**/reproduction.json"))


def test_libraries_that_no_index_has_are_3(repository: Repository) -> None:
    edit(repository, "environment", torch="0.0.1", transformers="0.0.1")
    done = start(repository.root, "reproduce", LIVE, "--environment", "venv")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("pip: MR514 the recorded libraries could not be installed: ERROR: ")
    assert "0.0.1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    kept = repository.root / ".cache" / "environments"
    assert list(kept.iterdir()) == []
    assert not (repository.root / LIVE / "reproduction.json").exists()


@pytest.mark.parametrize(
    "version", ["--index-url=http://evil.example", "1.0; rm -rf", "https://evil.example/x.whl", ""]
)
def test_a_version_is_never_anything_else(repository: Repository, version: str) -> None:
    recorded = json.loads((repository.root / LIVE / "eval.json").read_text("utf-8"))["environment"]
    environment = Environment.model_validate_json(json.dumps({**recorded, "torch": version}))
    with pytest.raises(InvalidInput, match=r"MR512 `environment.torch`"):
        requirements(environment)


@pytest.mark.parametrize("name", ["the cache", "its environments", "the environment itself"])
@pytest.mark.parametrize("how", ["another's", "everybody's"])
def test_no_python_is_run_from_where_others_can_write(
    repository: Repository, tmp_path: Path, name: str, how: str
) -> None:
    if how == "another's" and os.geteuid() != 0:
        pytest.skip("giving files away takes root")
    recorded = json.loads((repository.root / LIVE / "eval.json").read_text("utf-8"))["environment"]
    environment = Environment.model_validate_json(json.dumps(recorded))
    cache = tmp_path / "cache" / "environments"
    place = _prepared(environment, cache)
    folder = {"the cache": cache.parent, "its environments": cache, "the environment itself": place}[name]
    if how == "another's":
        os.chown(folder, 12345, 12345)
    else:
        folder.chmod(0o777)
    canary = tmp_path / "canary"
    (own,) = place.glob("lib/python*/site-packages")
    (own / "canary.pth").write_text(f"import pathlib; pathlib.Path({str(canary)!r}).touch()\n", "utf-8")
    done = _start(
        repository.root, {"MODELRELEASE_CACHE": str(cache.parent)}, "reproduce", LIVE, "--environment", "venv"
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "MR514" in done.stderr
    assert not canary.exists()
    assert not (repository.root / LIVE / "reproduction.json").exists()


def test_what_is_asked_of_pip(repository: Repository) -> None:
    recorded = json.loads((repository.root / LIVE / "eval.json").read_text("utf-8"))["environment"]
    environment = Environment.model_validate_json(json.dumps({**recorded, "torch": "2.13.0+cpu"}))
    wanted = requirements(environment)
    assert wanted[:3] == [
        "torch==2.13.0",
        f"transformers=={environment.transformers}",
        f"tokenizers=={environment.tokenizers}",
    ]
    assert [name for name in wanted if name.startswith("pydantic==")]


def test_scoring_in_an_environment_of_its_own(repository: Repository, tmp_path: Path) -> None:
    """A venv that finds the libraries of these tests by a path file: nothing is downloaded, all else is real."""
    _ask_in_chat(repository)
    recorded = json.loads((repository.root / LIVE / "eval.json").read_text("utf-8"))["environment"]
    environment = Environment.model_validate_json(json.dumps(recorded))
    cache = tmp_path / "cache" / "environments"
    place = _prepared(environment, cache)
    # What Python obeys, and what an earlier run has left, must not count in there.
    hostile = tmp_path / "hostile" / "modelrelease"
    hostile.mkdir(parents=True)
    (hostile / "__init__.py").write_text("raise SystemExit(77)")
    environ = {"MODELRELEASE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(hostile.parent)}
    done = _start(repository.root, environ, "reproduce", LIVE, "--environment", "venv", "--permute-batches", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("exact: all of 16 items")
    document = json.loads((repository.root / LIVE / "reproduction.json").read_text("utf-8"))
    assert document["noise"]["plans"] == 1
    assert document["explanations"] == []
    assert place.exists()


def _ask_in_chat(repository: Repository) -> None:
    """Let a conversation be asked too: its template runs in a process of its own, which has to find this package."""
    repository.write("prompts/chat.prompt.yml", "messages: [{role: user, content: '{{question}}'}]\n")
    repository.replace(SUITE, "prompt: prompts/say.txt", "prompt: prompts/chat.prompt.yml")
    for name in ("eval.json", "samples.jsonl"):
        repository.remove(f"{LIVE}/{name}")
    repository.score(LIVE)


LIBRARIES = ("pydantic", "yaml", "tabulate", "torch", "transformers", "tokenizers", "safetensors", "tqdm", "regex")


def _prepared(environment: Environment, cache: Path) -> Path:
    """Make the folder that the environment would have, with a path file instead of an installation."""
    from modelrelease.records.canonical import digest_of

    place = cache / digest_of([sys.version, sys.executable, requirements(environment)])[:16]
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", str(place)], check=True)
    (own,) = place.glob("lib/python*/site-packages")
    found = {str(Path(str(importlib.import_module(name).__file__)).parents[1]) for name in LIBRARIES}
    (own / "these.pth").write_text("".join(place + "\n" for place in sorted(found)), "utf-8")
    assert private_environment(environment, cache, {}) is not None  # found, not made
    return place


def _start(folder: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.path[:] = sys.argv.pop(1).split(':'); from modelrelease.cli.main import main; main()"
    paths = ":".join(path for path in sys.path if "hostile" not in path)
    command = [sys.executable, "-c", program.replace("main()", "sys.exit(main())"), paths, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, **environ}, timeout=600, check=False
    )
