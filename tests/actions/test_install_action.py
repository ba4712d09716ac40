"""The private environment: really made, by several at once, on Pythons that are there, too old, or missing.

It sits on the packages of the Python that runs the tests, so nothing is downloaded.
"""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "install_action.sh"
# pip reads "0" as "no isolation": what the build needs is on the test's own path.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install_action", ROOT / "scripts" / "install_action.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules["install_action"] = found
    spec.loader.exec_module(found)
    return found


class Runner:
    """A self-hosted runner's folders, and a workspace that would harm whoever imports from it."""

    def __init__(self, folder: Path) -> None:
        self.tools, self.workspace, self.hacked = folder / "tools", folder / "work", folder / "hacked"
        self.temporary, self.output = folder / "temp", folder / "output"
        for place in (self.tools, self.workspace, self.temporary):
            place.mkdir()
        trap = f"open({str(self.hacked)!r}, 'w').close()\n"
        for name in ("json.py", "sitecustomize.py", "venv.py", "pip.py", "hatchling.py"):
            (self.workspace / name).write_text(trap, "utf-8")
        (self.workspace / "pip.conf").write_text("[install]\ntarget = elsewhere\n", "utf-8")

    def environ(self, **changes: str) -> dict[str, str]:
        own = {
            "PATH": os.defpath,
            "HOME": str(self.temporary),
            "RUNNER_TOOL_CACHE": str(self.tools),
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(self.output),
            "INPUT_PYTHON": sys.executable,
            "INPUT_SYSTEM_SITE_PACKAGES": "true",
            "KIT_EXTRAS": "stats",
            "KIT_PLACE": "tool-cache",
            "PYTHONPATH": str(self.workspace),
            "PYTHONHOME": str(self.workspace),
            "PYTHONSTARTUP": str(self.workspace / "json.py"),
            "PIP_CONFIG_FILE": "pip.conf",
            "PIP_TARGET": str(self.workspace),
        }
        return {**own, **OFFLINE, **changes}

    def start(self, **changes: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/bin/sh", str(SCRIPT)],
            cwd=self.workspace,
            env=self.environ(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, **changes: str) -> tuple[int, str]:
        process = self.start(**changes)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def environments(self) -> list[Path]:
        return [path for path in (self.tools / "modelrelease").iterdir() if path.is_dir()]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return Runner(tmp_path_factory.mktemp("a runner"))


@pytest.fixture(scope="module")
def made(runner: Runner) -> list[str]:
    """Start five jobs at once, kill the one that installs, and return what the other four said."""
    (runner.tools / "modelrelease" / "left-by-a-killed-one" / "lib").mkdir(parents=True)
    jobs = [runner.start() for _ in range(5)]
    builder = _installing(jobs, runner)
    (place,) = {path.parent.parent for path in (runner.tools / "modelrelease").glob("*/bin/python")}
    (place / "half-written").touch()
    builder.send_signal(signal.SIGKILL)
    said = [job.communicate(timeout=300)[0] for job in jobs]
    assert [job.returncode for job in jobs if job is not builder] == [0] * 4, said
    return [text for job, text in zip(jobs, said, strict=True) if job is not builder]


def _installing(jobs: list[subprocess.Popen[str]], runner: Runner) -> subprocess.Popen[str]:
    """Return the job that installs: the one whose process has a child while the environment is there unfinished."""
    for _ in range(1000):
        time.sleep(0.05)
        if not list((runner.tools / "modelrelease").glob("*/bin/python")):
            continue
        for job in jobs:
            children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text("utf-8")
            if children.strip():
                return job
    raise AssertionError("no job installs")


def test_of_several_jobs_one_installs_and_all_get_the_same(made: list[str], runner: Runner) -> None:
    last = [text.splitlines()[-1].split()[0] for text in made]
    assert sorted(last) == ["found", "found", "found", "made"]
    outputs = runner.output.read_text("utf-8").split("\n")
    assert {line for line in outputs if line.endswith("/bin")} == {f"{place}/bin" for place in runner.environments()}
    assert len({line for line in outputs if line.startswith("bin<<")}) == 4


def test_what_killed_ones_left_is_gone(made: list[str], runner: Runner) -> None:
    (place,) = runner.environments()
    assert json.loads((place / "finished.json").read_text("utf-8"))["extras"] == ["stats"]
    assert not (place / "half-written").exists()


def test_nothing_of_the_workspace_was_read_or_written(made: list[str], runner: Runner) -> None:
    assert not runner.hacked.exists()
    assert {path.suffix for path in runner.workspace.iterdir()} == {".py", ".conf"}


def test_the_environment_has_the_kit_of_its_own_and_the_runner_s_packages(made: list[str], runner: Runner) -> None:
    (place,) = runner.environments()
    program = "import modelrelease, torch; print(modelrelease.__file__); print(torch.__file__)"
    command = [place / "bin" / "python", "-I", "-c", program]
    done = subprocess.run(command, cwd=runner.workspace, capture_output=True, text=True, check=True)
    kit, torch = done.stdout.splitlines()
    assert kit.startswith(str(place))
    assert not torch.startswith(str(place))


def test_a_finished_environment_is_found_again(made: list[str], runner: Runner) -> None:
    code, said = runner.run()
    assert (code, said.split()[0]) == (0, "found")


def test_a_python_without_pip_will_do(tmp_path: Path) -> None:
    """As Debian's, or one whose pip cannot install into another environment: then the environment has its own."""
    runner, bare = Runner(tmp_path), tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    (packages,) = bare.glob("lib/*/site-packages")
    (packages / "shared.pth").write_text("\n".join(_packages_but_pip(tmp_path)), "utf-8")
    code, said = runner.run(INPUT_PYTHON=str(bare / "bin" / "python"))
    assert (code, said.split()[0]) == (0, "made"), said
    (place,) = runner.environments()
    (own,) = place.glob("lib/*/site-packages")
    assert {path.name.partition("-")[0] for path in own.glob("*.dist-info")} == {"modelrelease", "pip"}


def _packages_but_pip(folder: Path) -> list[str]:
    """Return folders that hold all the packages of the Python that runs the tests, without pip."""
    found = []
    for number, path in enumerate(path for path in sys.path if path.endswith(("site-packages", "src"))):
        (folder / str(number)).mkdir()
        for entry in Path(path).iterdir():
            if not entry.name.startswith("pip"):
                (folder / str(number) / entry.name).symlink_to(entry)
        found.append(str(folder / str(number)))
    return found


def test_a_release_s_job_makes_its_own_environment(module: ModuleType) -> None:
    folders = {"RUNNER_TOOL_CACHE": "/tools", "RUNNER_TEMP": "/temp"}
    assert module.root({**folders, "KIT_PLACE": "tool-cache"}) == Path("/tools/modelrelease")
    # Pull requests' jobs can write to the other one.
    assert module.root({**folders, "KIT_PLACE": "temp"}) == Path("/temp/modelrelease")


OLD = """#!/bin/sh
# Says that it is Python 3.8, and otherwise is the Python that runs the tests.
case "$2$3" in
  *install_action.py) exec {python} -I "$2" ;;
  *json.dumps*) echo '{{"version": [3, 8, 18], "executable": "/usr/bin/old", "packages": []}}' ;;
  *) exit 0 ;;
esac
"""
HELP = "install one, for example: apt-get install python3 python3-venv"


@pytest.mark.parametrize(
    ("programs", "wanted", "expected"),
    [
        ({}, "", f"this needs Python 3.10 or newer, and this runner has none; {HELP}"),
        (
            {"python3": OLD},
            "",
            f"this needs Python 3.10 or newer, and {{bin}}/python3 is 3.8.18; {HELP}, or pass the input `python`",
        ),
        ({"python": "#!/bin/sh\nexit 2\n"}, "", f"this needs Python 3.10 or newer, and this runner has none; {HELP}"),
        ({"python3": OLD}, "$(touch x)", "the input `python` names '$(touch x)', which does not run; pass a name on"),
        ({"python3": OLD}, "-c", "the input `python` names '-c', which does not run; pass a name on PATH or its wh"),
        ({"python3": OLD}, "a\n::set-output name=bin::b", "the input `python` names 'a\\n::set-output name=bin::b', w"),
        ({"python3": OLD}, "./python", "the input `python` names './python', which does not run; pass a name on PATH"),
    ],
)
def test_without_a_python_that_is_new_enough_it_says_what_helps(
    tmp_path: Path, programs: dict[str, str], wanted: str, expected: str
) -> None:
    runner, folder = Runner(tmp_path), tmp_path / "bin"
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(text.format(python=sys.executable), "utf-8")
        (folder / name).chmod(0o755)
    shutil.copy(folder / "python3" if programs.get("python3") else "/bin/true", runner.workspace / "python")
    code, said = runner.run(PATH=str(folder), INPUT_PYTHON=wanted)
    assert code == 3
    assert said.startswith("::error title=MR603::" + expected.format(bin=folder))
    assert said.count("\n") == 1
    assert not runner.output.exists()
    assert not runner.hacked.exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"RUNNER_TOOL_CACHE": ""}, "RUNNER_TOOL_CACHE names no folder"),
        ({"RUNNER_TOOL_CACHE": "tools"}, "RUNNER_TOOL_CACHE names no folder"),
        ({"INPUT_SYSTEM_SITE_PACKAGES": "yes\n"}, "the input `system-site-packages` is 'yes\\n'; write true or false"),
    ],
)
def test_what_it_is_told_is_checked(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    code, said = Runner(tmp_path).run(**changes)
    assert (code, said.startswith(f"::error title=MR603::{expected}")) == (3, True)


def test_the_key_is_of_all_that_decides_what_is_in_it(module: ModuleType, tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    (packages / "torch-2.8.0.dist-info").mkdir(parents=True)
    python = module.Python((3, 12, 1), "/usr/bin/python3", (str(packages),))
    own, shared = module.key(python, ["stats"], False), module.key(python, ["stats"], True)
    (packages / "torch-2.8.0.dist-info").rename(packages / "torch-2.9.0.dist-info")
    keys = [
        own,
        shared,
        module.key(python, ["stats"], True),
        module.key(python, [], False),
        module.key(python._replace(version=(3, 12, 2)), ["stats"], False),
        module.key(python._replace(executable="/opt/python3"), ["stats"], False),
    ]
    assert len(set(keys)) == len(keys)
    assert module.key(python, ["stats"], False) == own


def test_the_key_changes_with_the_sources(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KIT", tmp_path)
    monkeypatch.setattr(module, "SOURCES", ("pyproject.toml", "src"))
    (tmp_path / "src" / "a").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    digests = []
    for name, text in [("a/b.py", "1"), ("a/b.py", "2"), ("c.py", ""), ("c.pyc", "compiled")]:
        (tmp_path / "src" / name).write_text(text, "utf-8")
        digests.append(module.sources_digest())
    assert len(set(digests)) == 3
    assert digests[-1] == digests[-2]


def test_the_kit_s_package_is_made_of_nothing_but_what_the_key_covers(module: ModuleType) -> None:
    included = [
        line for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines() if '" = "modelrelease/' in line
    ]
    sources = [line.split('"')[1] for line in included]
    assert [source for source in [*sources, "src"] if not source.startswith(module.SOURCES)] == []


def test_environments_that_nobody_uses_are_removed(module: ModuleType, tmp_path: Path) -> None:
    month = module.UNUSED_DAYS * 86400
    for name, age in [("new", 10), ("old", month + 10), ("held", month + 10), ("unfinished", None)]:
        (tmp_path / name / "lib").mkdir(parents=True)
        if age is not None:
            (tmp_path / name / module.STAMP).touch()
            os.utime(tmp_path / name / module.STAMP, (time.time() - age,) * 2)
    with module.locked(tmp_path / "held.lock"):
        module.remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"new", "held"}


def test_of_pip_s_settings_only_those_of_an_index_are_kept(module: ModuleType, tmp_path: Path) -> None:
    inside = str(tmp_path / "wheels")
    given = {
        "GITHUB_WORKSPACE": str(tmp_path),
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_FIND_LINKS": "/srv/wheels",
        "PIP_CONFIG_FILE": "/etc/pip.conf",
        "PIP_REQUIREMENT": "/etc/requirements.txt",
        "PIP_TARGET": "/tmp",
        "PYTHONPATH": "/opt",
        "VIRTUAL_ENV": "/opt/venv",
        "LANG": "C",
    }
    kept = {"GITHUB_WORKSPACE", "PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "LANG"}
    assert set(module.clean(given)) == kept
    own = {**given, "PIP_FIND_LINKS": inside, "PIP_CONFIG_FILE": "pip.conf"}
    assert set(module.clean(own)) == kept - {"PIP_FIND_LINKS", "PIP_CONFIG_FILE"}


def test_programs_in_the_workspace_are_not_on_the_path(module: ModuleType, tmp_path: Path) -> None:
    path = os.pathsep.join([".", "bin", str(tmp_path / "bin"), "/usr/bin", ""])
    assert module.search_path({"PATH": path, "GITHUB_WORKSPACE": str(tmp_path)}) == "/usr/bin"


def test_a_python_in_the_workspace_is_not_even_asked(tmp_path: Path) -> None:
    runner, link = Runner(tmp_path), tmp_path / "link"
    trap = runner.workspace / "bin" / "python3"
    trap.parent.mkdir()
    trap.write_text(f"#!/bin/sh\n: > '{runner.hacked}'\n", "utf-8")
    trap.chmod(0o755)
    link.symlink_to(trap.parent)
    shutil.copy(trap, runner.temporary)  # what a relative entry would lead to
    code, said = runner.run(PATH=f"{trap.parent}:.:{link}:", INPUT_PYTHON="")
    assert (code, "and this runner has none" in said) == (3, True)
    assert not runner.hacked.exists()


def test_one_that_was_half_removed_is_not_taken_for_finished(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("bin/python", module.STAMP):
        (tmp_path / name).touch()

    def killed(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.shutil, "rmtree", killed)
    assert module.use(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        module.remove(tmp_path)
    assert not module.use(tmp_path)


def test_a_tool_cache_that_is_read_only_will_do(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that came with the runner's image: that it was used cannot be noted."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(module.os, "utime", refuse)
    assert not module.use(tmp_path)
    (tmp_path / module.STAMP).write_text("{}", "utf-8")
    assert module.use(tmp_path)
