"""A virtual environment with the libraries that an evaluation was recorded with, and scoring in it.

Installed by pip from the index that the user has configured; kept in the user's cache, by what is in it. Python runs
there in isolated mode with a copy of this very package and nothing else of the environment around it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Refused, Unavailable, invalid, shorten
from modelrelease.records.canonical import digest_of
from modelrelease.records.evaluation import Environment
from modelrelease.records.files import is_alive

RECORDED = ("torch", "transformers", "tokenizers")
ALONGSIDE = ("safetensors", "tqdm", "pydantic", "pyyaml", "tabulate", "regex", "jinja2", "numpy")
"""What scoring needs besides: in the versions that are here, since the record does not name them."""

_VERSION = re.compile(r"\d+(\.\d+){0,4}((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9]+([.\-_][a-z0-9]+)*)?\Z")
_TIMEOUT = 3600
# A source distribution runs its own code to be installed, and the record says which version that is.
_WHEELS = "--only-binary=:all:"
_PACKAGE = Path(__file__).resolve().parent.parent
_BUILDING = ".building-"
# Appended, not prepended: the environment's own libraries come first.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from modelrelease.cli.main import main; sys.exit(main())"


def requirements(recorded: Environment) -> list[str]:
    """Return what pip is asked for: ``name==version`` each.

    A build's local label (``+cpu``) is dropped, since an index need not have that build: where another one comes, it
    is listed as an explanation. Raises InvalidInput (MR512) for what is no version.
    """
    wanted = []
    for name in RECORDED:
        version = getattr(recorded, name)
        if not _VERSION.match(version):
            message = f"`environment.{name}` is {shorten(version, 60)!r}, no version"
            raise invalid("eval.json", Code.RECORDED_SETTING, message, "use --environment check")
        wanted.append(f"{name}=={version.partition('+')[0]}")
    return [*wanted, *_alongside()]


def _alongside() -> Iterator[str]:
    for name in ALONGSIDE:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{name}=={importlib.metadata.version(name).partition('+')[0]}"


class PrivateEnvironment:
    """A finished environment, and the way to run modelrelease in it. ``variables``: the processes' environment."""

    def __init__(self, place: Path, variables: Mapping[str, str]) -> None:
        self._python = place / "bin" / "python" if os.name == "posix" else place / "Scripts" / "python.exe"
        self._variables = variables

    def run(self, folder: Path, arguments: Sequence[str], cache: Path) -> None:
        """Run ``modelrelease`` with ``arguments`` in ``folder``; what it says on stderr is the user's to read.

        ``cache`` is where it looks for what earlier runs have kept.

        Raises an error of the class that belongs to its exit code.
        """
        source = folder / ".source"
        shutil.copytree(
            _PACKAGE, source / "modelrelease", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
        command = [str(self._python), "-I", "-c", _START, str(source), *arguments]
        variables = {**self._variables, "MODELRELEASE_CACHE": str(cache)}
        done = subprocess.run(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise _failure(done.returncode)


def _failure(code: int) -> ModelreleaseError:
    kinds: dict[int, type[ModelreleaseError]] = {kind.exit_code: kind for kind in (Refused, InvalidInput)}
    message = f"scoring with the recorded libraries ended with exit code {code}"
    todo = "see the line above" if code in {1, 2, 3} else "run it again; a signal or a lack of memory ended it"
    return kinds.get(code, Unavailable)(Finding("environment", Code.ENVIRONMENT, message, todo))


def private_environment(recorded: Environment, cache: Path, variables: Mapping[str, str]) -> PrivateEnvironment:
    """Return the environment with the recorded libraries, made in ``cache`` unless it is there.

    Raises Unavailable (exit 3, MR514) with pip's own words where they cannot be installed.
    """
    wanted = requirements(recorded)
    place = cache / digest_of([sys.version, sys.executable, wanted])[:16]
    _refuse_shared(cache.parent, cache, place)
    if not place.exists():
        _make(place, wanted, variables)
    return PrivateEnvironment(place, variables)


def _refuse_shared(*folders: Path) -> None:
    """Raise Unavailable (MR514) where another user can put an environment: Python would run what is in it."""
    if os.name != "posix":
        return
    for folder in folders:
        try:
            found = folder.stat()
        except OSError:  # not there yet: it will be ours
            continue
        if found.st_uid not in (os.geteuid(), 0) or found.st_mode & stat.S_IWOTH:
            message = "belongs to another user, or others can write to it, and code would be run from it"
            todo = "name a folder of your own in MODELRELEASE_CACHE"
            raise Unavailable(Finding(str(folder), Code.ENVIRONMENT, message, todo))


def _make(place: Path, wanted: Sequence[str], variables: Mapping[str, str]) -> None:
    """Make it apart and rename it: a killed build leaves nothing that counts as finished."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(place.parent)
    building = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{os.getpid()}-", dir=place.parent))
    try:
        new = PrivateEnvironment(building, variables)
        _step([sys.executable, "-I", "-m", "venv", str(building)], variables)
        install = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--quiet", _WHEELS, *wanted]
        _step([str(new._python), "-I", "-m", "pip", "install", *install], variables)
        with contextlib.suppress(OSError):  # another run has made it meanwhile
            building.rename(place)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _step(command: Sequence[str], variables: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(command, env=variables, capture_output=True, timeout=_TIMEOUT, check=False)
        said = (done.stderr + b"\n" + done.stdout).decode("utf-8", "replace") if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        done, said = None, str(error)
    if done is None or done.returncode:
        message = f"the recorded libraries could not be installed: {_last_error(said)}"
        todo = "see that the package index has these versions for this Python, or use --environment check"
        raise Unavailable(Finding("pip", Code.ENVIRONMENT, message, todo))


def _last_error(said: str) -> str:
    """The last line in which pip says what is wrong; what follows it are hints, and so is its ResolutionImpossible."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:") and "ResolutionImpossible" not in line]
    return shorten((errors or lines or ["no word of why"])[-1], 300)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed builders left; a living one's folder is its own business."""
    for path in folder.glob(f"{_BUILDING}*"):
        builder = path.name[len(_BUILDING) :].partition("-")[0]
        if not (builder.isdigit() and is_alive(int(builder))):
            shutil.rmtree(path, ignore_errors=True)
