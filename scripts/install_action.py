#!/usr/bin/env python3
"""Make the private environment that every action runs in, or find the finished one.

Standard library only, and no syntax newer than Python 3.8, so that an old Python can say that it is too old.
An environment is keyed by the kit's sources, the extras and the Python; making it is guarded by a lock that the
kernel takes back from a killed process, and it counts as finished once its stamp is there.

Read from the environment: INPUT_PYTHON and INPUT_SYSTEM_SITE_PACKAGES (the action's inputs), KIT_EXTRAS (what the
action needs, as ``stats,github``), KIT_PLACE (``tool-cache``, or ``temp`` for a job that publishes), RUNNER_TOOL_CACHE,
RUNNER_TEMP, GITHUB_WORKSPACE and GITHUB_OUTPUT (the runner's). Nothing in the workspace is read.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TextIO

KIT = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "src", "examples/demo", "workflows-templates", "scripts/install_action.py")
OLDEST = (3, 10)
NAMES = (*(f"python3.{minor}" for minor in range(14, 9, -1)), "python3", "python")
STAMP = "finished.json"
UNUSED_DAYS = 30
INSTALL_PYTHON = "install one, for example: apt-get install python3 python3-venv, or pass the input `python`"
# What says where packages come from may be set for a job; what would change what is installed may not.
PIP_SETTINGS = (
    *("INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX", "FIND_LINKS", "CERT", "CLIENT_CERT", "PROXY", "TRUSTED_HOST"),
    *("TIMEOUT", "DEFAULT_TIMEOUT", "RETRIES", "CACHE_DIR", "NO_CACHE_DIR", "CONFIG_FILE", "KEYRING_PROVIDER"),
    "NO_BUILD_ISOLATION",
)
PROBE = """
import json, os, sys, sysconfig
own = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
places = [p for p in sys.path if os.path.isdir(p) and p not in own and os.path.basename(p) != "lib-dynload"]
print(json.dumps({"version": sys.version_info[:3], "executable": sys.executable, "packages": places}))
"""


class Failed(Exception):
    """What is wrong, and what to do about it."""


class Python(NamedTuple):
    """An interpreter, and the folders it finds packages in."""

    version: tuple[int, ...]
    executable: str
    packages: tuple[str, ...]


def main() -> int:
    """Write the environment's ``bin`` folder as a step output; 3 where there is no environment."""
    started = time.monotonic()
    environ = dict(os.environ)
    try:
        python = choose(environ.get("INPUT_PYTHON", ""), search_path(environ))
        extras = sorted(name for name in environ.get("KIT_EXTRAS", "").split(",") if name)
        shared = flag(environ.get("INPUT_SYSTEM_SITE_PACKAGES", ""))
        folder, made = environment(root(environ), python, extras, shared, environ)
        write_output(environ.get("GITHUB_OUTPUT"), "bin", str(folder / "bin"))
    except (Failed, OSError, subprocess.SubprocessError) as error:
        text = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print("::error title=MR603::" + text)
        return 3
    print(f"{'made' if made else 'found'} {folder} in {time.monotonic() - started:.2f} s")
    return 0


def choose(wanted: str, path: str) -> Python:
    """Return the interpreter that was asked for, else the newest on ``path``; Failed where none is new enough."""
    found = [shutil.which(name, path=path) for name in ([wanted] if wanted else NAMES)]
    places = [place for place in found if place]
    with ThreadPoolExecutor(max(1, len(places))) as pool:  # pyenv's shims take a tenth of a second each
        probes = [(place, pool.submit(probe, place)) for place in places]
    known = [(place, python) for place, asked in probes for python in [asked.result()] if python]
    for _, python in known:
        if python.version[:2] >= OLDEST:
            return python
    if wanted and not known:
        raise Failed(f"the input `python` names {wanted!r}, which does not run; pass a name on PATH or its whole path")
    old = ", ".join(f"{place} is {'.'.join(map(str, python.version))}" for place, python in known)
    need = f"this needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and {old or 'this runner has none'}"
    raise Failed(f"{need}; {INSTALL_PYTHON}")


def probe(executable: str) -> Python | None:
    """Ask an interpreter for its version and its packages; None where it does not run."""
    try:
        done = subprocess.run([executable, "-I", "-c", PROBE], capture_output=True, timeout=60, check=False)
        about = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):  # a shim of what pyenv was not told to use, for one
        return None
    return Python(tuple(about["version"]), about["executable"], tuple(about["packages"]))


def search_path(environ: Mapping[str, str]) -> str:
    """Return PATH without what is relative or inside the workspace."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute() and not inside(folder, environ))


def inside(path: str, environ: Mapping[str, str]) -> bool:
    """Say whether ``path`` is in the workspace."""
    workspace = environ.get("GITHUB_WORKSPACE")
    if not workspace:
        return False
    place, around = Path(path).resolve(), Path(workspace).resolve()
    return place == around or around in place.parents


def root(environ: Mapping[str, str]) -> Path:
    """Return the folder of all environments of this kind of job."""
    variable = "RUNNER_TEMP" if environ.get("KIT_PLACE") == "temp" else "RUNNER_TOOL_CACHE"
    folder = environ.get(variable)
    if not folder or not Path(folder).is_absolute():
        raise Failed(f"{variable} names no folder; run this in a job, or set it")
    return Path(folder) / "modelrelease"


def flag(text: str) -> bool:
    """Read an input that is true or false."""
    if text.lower() not in ("", "false", "true"):
        raise Failed(f"the input `system-site-packages` is {text!r}; write true or false")
    return text.lower() == "true"


def environment(
    folder: Path, python: Python, extras: Sequence[str], shared: bool, environ: Mapping[str, str]
) -> tuple[Path, bool]:
    """Return the environment for these, and whether it had to be made."""
    place = folder / key(python, extras, shared)
    if use(place):
        return place, False
    folder.mkdir(parents=True, exist_ok=True)
    with locked(lock_file(place)) as held:
        if use(place):  # another job has made it while we waited
            return place, False
        remove_leftovers(folder)
        make(place, python, extras, shared, environ, held)
    return place, True


def key(python: Python, extras: Sequence[str], shared: bool) -> str:
    """Return the name of the environment: a digest of everything that decides what is in it."""
    packages = [[path, names(path)] for path in python.packages] if shared else None
    facts = [sources_digest(), list(extras), list(python.version), python.executable, packages]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def names(path: str) -> list[str]:
    """Return what is installed in a folder, with versions: the names of its metadata folders."""
    return sorted(entry.name for entry in Path(path).iterdir() if entry.suffix in (".dist-info", ".egg-info"))


def sources_digest() -> str:
    """Return the digest of the kit's sources: paths and contents."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = KIT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                content = file.read_bytes()
                digest.update(f"{file.relative_to(KIT).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def use(place: Path) -> bool:
    """Say whether the environment is finished, and note that it was used."""
    try:
        os.utime(place / STAMP)
    except FileNotFoundError:
        return False
    except OSError:  # a tool cache that came with the runner's image may be read-only
        pass
    return (place / STAMP).exists() and (place / "bin" / "python").exists()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock file ``path``; wait for who has it. The kernel takes it back when its holder dies."""
    with path.open("w") as stream:
        if not lock(stream):
            print("another job is making this environment: waiting for it", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream.fileno()


def lock(stream: TextIO) -> bool:
    """Take the lock of an open file, without waiting; say whether we have it."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_leftovers(folder: Path) -> None:
    """Remove what killed builders left, and what no job has used for a month: each version of the kit leaves one."""
    for place in [path for path in folder.iterdir() if path.is_dir()]:
        with lock_file(place).open("w") as stream:
            if lock(stream) and not used_lately(place / STAMP):
                remove(place)


def remove(place: Path) -> None:
    """Remove an environment, its stamp first: we may be killed halfway."""
    with contextlib.suppress(FileNotFoundError):
        (place / STAMP).unlink()
    shutil.rmtree(str(place))


def used_lately(stamp: Path) -> bool:
    """Say whether an environment is finished and was used within the last month."""
    try:
        return time.time() - stamp.stat().st_mtime < UNUSED_DAYS * 86400
    except FileNotFoundError:
        return False


def lock_file(place: Path) -> Path:
    """Return the file that guards an environment."""
    return place.with_name(place.name + ".lock")


def make(
    place: Path, python: Python, extras: Sequence[str], shared: bool, environ: Mapping[str, str], held: int
) -> None:
    """Make the environment, in place of what a killed builder left; the stamp comes last."""
    if place.exists():
        remove(place)
    own = str(place / "bin" / "python")
    apart = pip_version(python, environ, held) >= (22, 3)  # the first that installs into another Python's environment
    options = ["--without-pip"] if apart else []
    run([python.executable, "-I", "-m", "venv", *options, str(place)], environ, held, "apt-get install python3-venv")
    pip = [python.executable, "-I", "-m", "pip", "--python", own] if apart else [own, "-I", "-m", "pip"]
    if shared:
        share(own, python, environ, held)
        if not apart:  # until Python 3.11 a venv brings an old setuptools, which would hide the runner's
            run([*pip, "uninstall", "--yes", "setuptools"], environ, held)
    # By its absolute path: `modelrelease[…]` alone would be asked for on PyPI.
    kit = f"{KIT}[{','.join(extras)}]" if extras else str(KIT)
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--quiet"]
    run([*pip, "install", *options, kit], environ, held, "see that the package index can be reached from this runner")
    program = "import sys, modelrelease; sys.exit(not modelrelease.__file__.startswith(sys.prefix))"
    run([own, "-I", "-c", program], environ, held)
    (place / STAMP).write_text(json.dumps({"python": python.executable, "extras": list(extras)}) + "\n", "utf-8")


def pip_version(python: Python, environ: Mapping[str, str], held: int) -> tuple[int, ...]:
    """Return the version of an interpreter's pip, () where it has none."""
    try:
        said = run([python.executable, "-I", "-m", "pip", "--version"], environ, held)
    except Failed:
        return ()
    return tuple(int(part) for part in said.split()[1].split(".")[:2] if part.isdigit())


def share(own: str, python: Python, environ: Mapping[str, str], held: int) -> None:
    """Let the environment find the interpreter's packages behind its own.

    A venv of a venv would see the packages of the interpreter below both; so the folders are named.
    """
    packages = Path(run([own, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], environ, held))
    (packages / "runner.pth").write_text("".join(path + "\n" for path in python.packages), "utf-8")


def run(command: Sequence[str], environ: Mapping[str, str], held: int, todo: str = "run the job again") -> str:
    """Run a step of making the environment and return what it printed; Failed with its last words.

    It inherits the lock: were this process killed alone, the next job would wait for what is still writing.
    """
    done = subprocess.run(command, env=clean(environ), capture_output=True, pass_fds=(held,), check=False)
    if done.returncode != 0:
        words = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())[-600:]
        raise Failed(f"the private environment could not be made: {words}; {todo}")
    return done.stdout.decode().strip()


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what Python obeys, and of pip's settings those that name an index, not ours."""
    kept = {}
    for name, value in environ.items():
        if name.startswith("PYTHON") or name in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
            continue
        if name.startswith("PIP_"):
            absolute = Path(value).is_absolute()
            lost = name == "PIP_CONFIG_FILE" and not absolute
            if name[4:] not in PIP_SETTINGS or lost or (absolute and inside(value, environ)):
                continue
        kept[name] = value
    return kept


def write_output(path: str | None, name: str, value: str) -> None:
    """Set a step output, as one line between delimiters that nobody can guess."""
    if not value.isprintable():
        raise Failed(f"the folder {value!r} cannot be an output; use another runner folder")
    if path:
        delimiter = secrets.token_hex(16)
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")


if __name__ == "__main__":
    sys.exit(main())
