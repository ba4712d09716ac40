"""Who may import whom, and what stays unimported until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "modelrelease"
DOMAIN = {"errors", "codes", "numbers", "stats", "records"}
ALLOWED: dict[str, set[str]] = {
    "codes": set(),
    "errors": {"codes"},
    "numbers": set(),
    "stats": set(),
    "settings": set(),
    "git": {"codes", "errors", "settings"},
    "records": {"codes", "errors", "stats"},
    "config": {"codes", "errors", "records"},
    "machine": {"records"},
    "patience": set(),
    "scoring": DOMAIN | {"settings", "machine"},
    "comparison": DOMAIN,
    "reproduction": DOMAIN,
    "release": DOMAIN | {"patience"},
    "reports": {"codes", "errors", "numbers", "records"},
    "github": {"codes", "errors", "patience", "records", "reports"},
    "registry": {"codes", "errors", "numbers", "records"},
    "scaffold": DOMAIN,
    "doctor": DOMAIN | {"comparison", "release", "scaffold"},
    "flows": DOMAIN
    | {
        "config",
        "git",
        "machine",
        "scoring",
        "comparison",
        "reproduction",
        "registry",
        "release",
        "scaffold",
        "doctor",
    },
    "cli": DOMAIN
    | {"config", "git", "settings", "scoring", "comparison", "registry", "release", "reports", "github", "flows"},
    "__init__": {"flows"},
    "__main__": {"cli"},
}
"""Each package or module, and what of modelrelease it may import (``__version__`` aside)."""


def packages() -> set[str]:
    return {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"} - {"__pycache__"}


def imported(path: Path) -> Iterator[str]:
    """Yield the first part below modelrelease of everything ``path`` imports, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "modelrelease" else [module]
        else:
            continue
        for name in names:
            if name.startswith("modelrelease.") and name != "modelrelease.__version__":
                yield name.split(".")[1]


def test_every_package_is_in_the_table() -> None:
    assert packages() - {"py"} == set(ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_go_downwards(package: str) -> None:
    folder = SOURCE / package
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [SOURCE / f"{package}.py"]
    assert files
    found = {(path.relative_to(SOURCE).as_posix(), name) for path in files for name in imported(path)}
    assert {(path, name) for path, name in found if name not in ALLOWED[package] | {package}} == set()


def test_only_settings_reads_the_environment() -> None:
    readers = [
        path for path in SOURCE.rglob("*.py") if "os.environ" in path.read_text() or "getenv" in path.read_text()
    ]
    assert [path.name for path in readers] == ["settings.py"]


def test_only_git_calls_git() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    callers = [path for path, text in sources.items() if '["git",' in text and "subprocess" in text]
    assert {path.parent.relative_to(SOURCE).as_posix() for path in callers} == {"git"}


HEAVY = ("torch", "transformers", "scipy", "numpy", "github", "huggingface_hub", "fsspec", "tqdm", "tokenizers")
LIGHT_COMMANDS = {
    "help": (["--help"], ("pydantic", "yaml", "tabulate")),
    "version": (["--version"], ("pydantic", "yaml", "tabulate")),
    "compare help": (["compare", "--help"], ("pydantic", "yaml")),
    **{
        f"{name} help": ([name, "--help"], ("pydantic", "yaml"))
        for name in ("check", "stamp", "log", "changes", "card")
    },
    "score help": (["score", "--help"], ("pydantic", "yaml")),
    "reproduce help": (["reproduce", "--help"], ("pydantic", "yaml")),
    "comment help": (["comment", "--help"], ("pydantic", "yaml")),
    "comment without a file": (["comment", "no-such-file"], ()),
    "issue help": (["issue", "--help"], ("pydantic", "yaml")),
    "issue without a file": (["issue", "no-such-file"], ()),
    "init help": (["init", "--help"], ("pydantic", "yaml")),
    "init outside": (["init", "--into", "no-such-folder"], ()),
    "doctor help": (["doctor", "--help"], ("pydantic", "yaml")),
    "record help": (["record", "--help"], ("pydantic", "yaml")),
    "record nothing": (["record", "no-such-folder"], ()),
    "compare without files": (["compare", "no-such-file", "no-such-file"], ()),
    "schema": (["schema", "suite"], ()),
    "unknown command": (["compere"], ("pydantic", "yaml", "tabulate")),
}


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_heavy_libraries_stay_unimported_until_they_are_needed(command: str) -> None:
    arguments, also = LIGHT_COMMANDS[command]
    program = f"""
import contextlib, io, sys
from modelrelease.cli.main import main
nowhere = io.StringIO()
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
    main({arguments!r})
print(",".join(sorted({set(HEAVY) | set(also)!r} & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_package_imports_nothing_until_something_is_asked_of_it() -> None:
    program = """
import sys
before = set(sys.modules)
import modelrelease
print(sorted(name for name in set(sys.modules) - before if not name.startswith("modelrelease")), dir(modelrelease))
modelrelease.save_checkpoint
print(sorted({"torch", "transformers", "numpy"} & set(sys.modules)))
try:
    modelrelease.save_checkpoints
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second, third = done.stdout.splitlines()
    assert first.startswith("[] ")
    assert "PapersCallback" in first
    assert second == "[]"
    assert third == "module 'modelrelease' has no attribute 'save_checkpoints'"


@pytest.mark.parametrize(
    "module", ["comparison.first", "flows.release.promote", "flows.release.decide", "cli.rollback"]
)
def test_a_stage_is_moved_and_a_first_version_released_without_statistics(module: str) -> None:
    program = f"import sys, modelrelease.{module}; print({{'scipy', 'numpy', 'torch'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
