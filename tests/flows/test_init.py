"""init in real repositories: what it finds, what it writes, and what it leaves alone."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import run
from tiny_models import TinyModels, as_jsonl

from modelrelease import git
from modelrelease.config import find_project, parse_config
from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.flows import init as module
from modelrelease.flows.init import plan_init, write_init
from modelrelease.records.setup import Setup
from modelrelease.scoring.items import build_items
from modelrelease.scoring.suites import load_suite

TODAY = "2026-11-22"
CONFIG, SUITE, WORKFLOW = "modelrelease.yaml", "evals/release.yaml", ".github/workflows/modelrelease.yml"
AGAIN = ".github/workflows/modelrelease-reproduce.yml"
RELEASING = tuple(f".github/workflows/modelrelease-{name}.yml" for name in ("release", "rollback"))
WRITTEN = {CONFIG, SUITE, WORKFLOW, ".gitattributes", ".gitignore", ".pre-commit-config.yaml"}
PICK = [
    {"id": n, "question": "who sat?", "choices": ["the cat", "a dog"], "answer": n % 2, "topic": "ab"[n % 2]}
    for n in range(40)
]
SAY = [{"id": f"s{n}", "prompt": "two and two?", "answer": "four"} for n in range(150)]
READ = [{"id": f"t{n}", "text": "the cat sat on the mat."} for n in range(40)]
THREE = {
    "prompts/ask.md": "Q: {{question}}\nA:\n",
    "prompts/say.prompt.yml": "messages:\n  - role: user\n    content: '{{prompt}}'\n",
    "datasets/pick.jsonl": as_jsonl(PICK),
    "data/say.json": json.dumps(SAY),
    "datasets/read.csv": "id,text\n" + "".join(f"{row['id']},{row['text']}\n" for row in READ),
}

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes a repository of these files, none of them committed."""

    def make(files: dict[str, str | bytes]) -> Path:
        root = tmp_path / "repository"
        root.mkdir()
        git.create(root)
        for key, value in (("user.name", "Ada Lovelace"), ("user.email", "ada@example.org")):
            subprocess.run(["git", "config", key, value], cwd=root, check=True)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return root

    return make


def init(root: Path) -> Setup:
    plan = plan_init(root, TODAY)
    write_init(plan)
    return plan.setup


def tree(root: Path) -> dict[str, bytes]:
    files = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def actions(setup: Setup) -> dict[str, str]:
    return {file.path: file.action for file in setup.files}


def test_an_empty_repository_gets_all_files_and_the_next_step(make: Make) -> None:
    root = make({})
    setup = init(root)
    assert set(tree(root)) == WRITTEN
    assert set(actions(setup).values()) == {"created"}
    project = find_project(root)
    assert project.require_config().suite == SUITE
    with pytest.raises(InvalidInput, match="the suite has no tasks"):
        load_suite(SUITE, project.read)
    assert setup.next[0].startswith(f"write a task into {SUITE}, and see which margin")
    assert (setup.found, setup.tasks, setup.undecided) == ((), (), ())


def test_three_kinds_of_test_sets_become_three_tasks_that_score_can_read(make: Make) -> None:
    root = make(THREE)
    setup = init(root)
    project = find_project(root)
    suite = load_suite(SUITE, project.read)
    assert len(build_items(suite.tasks)) == 40 + 150 + 40
    tasks = {task.spec.name: task.spec for task in suite.tasks}
    assert {name: (task.kind, task.prompt, task.target) for name, task in tasks.items()} == {
        "say": ("generate", "prompts/say.prompt.yml", "answer"),
        "pick": ("multiple_choice", "prompts/ask.md", "answer"),
        "read": ("perplexity", None, "text"),
    }
    assert tasks["pick"].slices == ("topic",)
    gate = project.require_config().gate.metrics
    assert {name: (policy.margin, policy.role) for name, policy in gate.items()} == {
        "say/exact_match": (0.07, "gate"),
        "pick/acc": (0.19, "gate"),
        "read/nll": (0.02, "info"),
    }
    assert [files.paths for files in project.require_config().registry.files][-1] == ("/data/say.json",)
    change = project.require_config().change
    assert change is not None
    assert (change.author, change.date) == ("Ada Lovelace", TODAY)
    assert [(task.name, task.items) for task in setup.tasks] == [("say", 150), ("pick", 40), ("read", 40)]


def test_what_init_writes_is_scored_and_compared(
    make: Make, tiny: TinyModels, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make({**THREE, "data/say.json": json.dumps(SAY[:3])})
    shutil.copytree(tiny.folder("llama"), root / "models/model_v1.0/checkpoint")
    assert [found.path for found in init(root).found if found.what == "version"] == ["models/model_v1.0"]
    assert find_project(root).require_config().release.bootstrap == "model_v1.0"
    monkeypatch.chdir(root)
    scored = run(capsys, "score", "models/model_v1.0", "--device", "cpu")
    assert scored.code == 0, scored.err
    compared = run(capsys, "compare", "models/model_v1.0", "models/model_v1.0")
    assert compared.code == 0, compared.err
    assert compared.out.startswith("Promote")


def test_twice_changes_nothing(make: Make) -> None:
    root = make(THREE)
    init(root)
    before = tree(root)
    setup = init(root)
    assert tree(root) == before
    assert set(actions(setup).values()) == {"left-alone", "complete"}
    assert not any("git add" in step for step in setup.next)


def test_planning_alone_writes_nothing(make: Make) -> None:
    root = make(THREE)
    before = tree(root)
    plan = plan_init(root / "datasets", TODAY)
    assert plan.root == root
    assert tree(root) == before


def test_files_that_are_there_are_kept_byte_by_byte(make: Make) -> None:
    own = {
        CONFIG: "schema_version: 1\nsuite: my/suite.yaml\ngate: {metrics: {'pick/acc': {margin: 0.5}}}\n",
        WORKFLOW: "on: push\n",
        ".gitignore": b"*.pyc\r\n",
        ".gitattributes": b"*.changes.jsonl merge=union",
        ".pre-commit-config.yaml": "repos:\n   - repo: a  # mine\n     rev: v1\n     hooks: [{id: x}]\n# end\n",
    }
    root = make({**THREE, **own})
    setup = init(root)
    assert actions(setup) == {
        "my/suite.yaml": "created",
        CONFIG: "by-hand",
        ".gitattributes": "complete",
        ".gitignore": "added-to",
        ".pre-commit-config.yaml": "added-to",
        WORKFLOW: "left-alone",
    }
    after = tree(root)
    assert after[CONFIG] == own[CONFIG].encode()  # type: ignore[union-attr]
    assert after[WORKFLOW] == b"on: push\n"
    assert after[".gitignore"] == b"*.pyc\r\n.modelrelease/\r\n"
    assert b"   - repo: a  # mine\n" in after[".pre-commit-config.yaml"]
    assert SUITE not in after
    (config,) = [file for file in setup.files if file.path == CONFIG]
    assert config.text is not None
    pasted = parse_config(b"schema_version: 1\ngate:\n  metrics:\n" + config.text.encode(), "x").gate.metrics
    assert list(pasted) == ["say/exact_match"]


def test_a_suite_that_is_there_gives_the_config_its_metrics(make: Make) -> None:
    suite = (
        "schema_version: 1\nname: mine\ntasks:\n  - {name: own, kind: multiple_choice, dataset: datasets/pick.jsonl,\n"
        "     prompt: prompts/ask.md, choices: choices, target: answer, metrics: [acc_norm]}\n"
    )
    root = make({**THREE, SUITE: suite})
    setup = init(root)
    assert (root / SUITE).read_text() == suite
    assert list(find_project(root).require_config().gate.metrics) == ["own/acc_norm"]
    assert setup.undecided == ()


@pytest.mark.parametrize(("path", "text"), [(CONFIG, "suite: [\n"), (SUITE, "nonsense: 1\n"), (SUITE, "\xff")])
def test_a_faulty_file_is_left_alone_and_named(make: Make, path: str, text: str) -> None:
    root = make({**THREE, path: text.encode("latin-1")})
    setup = init(root)
    assert (root / path).read_bytes() == text.encode("latin-1")
    (file,) = [file for file in setup.files if file.path == path]
    assert "and faulty: " in file.reason
    assert "MR2" in file.reason


def test_hostile_names_are_text(make: Make, tmp_path: Path) -> None:
    names = ["$(touch x)", "a\nb: c", "'\"`", "-x", "{{x}}", "a # b", "\u2028", "*", "ü\x1b[31m"]
    files = {f"datasets/{name}/{name}.jsonl": as_jsonl(SAY[:30]) for name in names}
    root = make({"prompts/-p\n$(touch x).md": "{{prompt}}", **files})
    setup = init(root)
    suite = load_suite(SUITE, find_project(root).read)
    assert {task.spec.dataset for task in suite.tasks} == set(files)
    assert not list(tmp_path.rglob("x"))
    for text in (setup.to_bytes().decode(), (root / SUITE).read_text(), (root / CONFIG).read_text()):
        assert "\x1b" not in text
    assert all(found.path.isprintable() and found.reading.isprintable() for found in setup.found)


def test_names_that_are_no_utf_8_are_left_out(make: Make) -> None:
    root = make(THREE)
    Path(os.fsdecode(bytes(root / "datasets") + b"/\xff.jsonl")).write_text(as_jsonl(SAY))
    setup = init(root)
    assert [(one.path, one.reason) for one in setup.left_out] == [("datasets/\\udcff.jsonl", "its name is not UTF-8")]
    assert len(setup.tasks) == 3
    setup.to_bytes()


def test_a_faulty_dataset_is_named_with_its_finding(make: Make) -> None:
    root = make(
        {
            **THREE,
            "datasets/noid.jsonl": as_jsonl([{"question": "who?", "answer": "me"}] * 3),
            "datasets/twice.jsonl": as_jsonl([PICK[0], PICK[0]]),
            "datasets/broken.jsonl": '{"id": 1}\n{"id": }\n',
            "datasets/lfs.jsonl": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "datasets/empty.csv": "id,text\n",
            "package.json": '{"name": "x"}',
            "list.json": "[1, 2]",
            "prompts/plain.md": "Be kind.\n",
            "prompts/bad.md": "{{ 1 }}\n",
        }
    )
    setup = init(root)
    reasons = {one.path: one.reason for one in setup.left_out}
    assert reasons["datasets/noid.jsonl"] == (
        "MR304 line 1: the row has no `id`; give every row a unique `id`, text or a whole number (and 2 more findings)"
    )
    assert reasons["datasets/twice.jsonl"].startswith("MR303 line 2: the id `0` stands in line 1 and line 2")
    assert reasons["datasets/broken.jsonl"].startswith("MR201 line 2: ")
    assert reasons["datasets/lfs.jsonl"].startswith("MR403 ")
    assert reasons["datasets/empty.csv"].startswith("MR305 ")
    assert reasons["prompts/plain.md"].startswith("names no field of a row")
    assert reasons["prompts/bad.md"].startswith("MR302 line 1: ")
    assert reasons["*.csv, *.json"] == "1 outside of datasets/ and data/ hold no rows"
    assert len(reasons) == 8
    assert len(setup.tasks) == 3


def test_a_huge_dataset_is_read_from_its_beginning_and_said_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make({"prompts/ask.md": "{{prompt}}", "datasets/say.jsonl": as_jsonl(SAY)})
    huge = root / "datasets" / "huge.jsonl"
    with huge.open("wb") as stream:
        stream.write((json.dumps({**SAY[0], "pad": "x" * 1000}) + "\n").encode())
        stream.write(as_jsonl([{**SAY[0], "id": n, "pad": "x" * 9000} for n in range(600)]).encode())
        stream.truncate(3 << 30)  # the rest is a hole, which nobody reads
    (root / "data").mkdir()
    with (root / "data" / "huge.csv").open("wb") as stream:
        stream.truncate(1 << 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    setup = init(root)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KB
    (task,) = [task for task in setup.tasks if task.dataset == "datasets/huge.jsonl"]
    assert 400 < task.items < 500
    assert task.proves.startswith(f"at least {task.items} items: ")
    assert [one.path for one in setup.left_out] == ["data/huge.csv"]
    assert "only JSONL is looked at beyond 16" in setup.left_out[0].reason


def test_two_prompts_that_fit_are_left_to_a_person(make: Make) -> None:
    root = make({**THREE, "prompts/other.md": "{{question}}?"})
    setup = init(root)
    (undecided,) = setup.undecided
    assert undecided.reason == "2 prompts fit it: prompts/ask.md, prompts/other.md"
    text = (root / SUITE).read_text()
    assert "#   - name: pick\n" in text
    assert "pick" not in {task.spec.name for task in load_suite(SUITE, find_project(root).read).tasks}
    lines = text.splitlines()
    draft = range(lines.index("#   - name: pick"), lines.index("change:"))
    for number in draft:
        lines[number] = lines[number].removeprefix("# ")
    (root / SUITE).write_text("\n".join(lines) + "\n")
    again = init(root)
    (config,) = [file for file in again.files if file.path == CONFIG]
    assert config.action == "by-hand"
    assert config.text == "    pick/acc: {margin: 0.19}   # 40 items: a loss of 19 points can be ruled out\n"


@pytest.mark.parametrize("link", [".github", ".github/workflows", CONFIG, ".gitignore", "evals", WORKFLOW])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_way_is_refused_and_nothing_written(make: Make, tmp_path: Path, link: str, there: bool) -> None:
    root = make(THREE)
    outside = tmp_path / "outside"
    if there:
        outside.mkdir()
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(outside)
    before = tree(root)
    with pytest.raises(InvalidInput, match="is a link, or in a linked folder"):
        init(root)
    assert tree(root) == before
    assert not there or list(outside.iterdir()) == []


def test_linked_data_is_left_out(make: Make, tmp_path: Path) -> None:
    root = make(THREE)
    (tmp_path / "secret.jsonl").write_text(as_jsonl(SAY))
    (root / "datasets" / "linked.jsonl").symlink_to(tmp_path / "secret.jsonl")
    setup = init(root)
    (left,) = setup.left_out
    assert left.path == "datasets/linked.jsonl"
    assert "is a link" in left.reason


@pytest.mark.parametrize("path", [CONFIG, ".gitignore", ".github/workflows/modelrelease.yml"])
def test_a_folder_in_the_place_of_a_file_is_refused(make: Make, path: str) -> None:
    root = make({f"{path}/x": ""})
    with pytest.raises(InvalidInput, match=r"MR209 is a folder"):
        init(root)


def test_a_file_in_the_place_of_a_folder_is_refused(make: Make) -> None:
    root = make({".github": "x"})
    with pytest.raises(InvalidInput, match=r"\.github: MR209 is no folder"):
        init(root)
    assert set(tree(root)) == {".github"}


@pytest.mark.parametrize("suite", ["../out.yaml", "/tmp/out.yaml", "a\\b.yaml"])
def test_a_suite_outside_of_the_repository_is_not_written(make: Make, suite: str) -> None:
    root = make({CONFIG: f"schema_version: 1\nsuite: '{suite}'\n"})
    with pytest.raises(InvalidInput, match="lies outside the repository"):
        init(root)


def test_outside_of_a_work_tree_it_says_so(make: Make, tmp_path: Path) -> None:
    root = make({})
    bare = tmp_path / "bare"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    for folder in (tmp_path, bare, root / ".git"):
        with pytest.raises(InvalidInput, match="MR601 is in no git work tree"):
            plan_init(folder, TODAY)
    for folder in (tmp_path / "nowhere", root / ".git" / "HEAD"):
        with pytest.raises(InvalidInput, match="MR601 is no folder"):
            plan_init(folder, TODAY)


def test_nobody_is_nobody(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = make({})
    subprocess.run(["git", "config", "--unset", "user.name"], cwd=root, check=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(InvalidInput, match="MR601 git does not know who you are"):
        init(root)


@pytest.mark.parametrize("path", sorted(WRITTEN))
@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_changes_while_init_is_at_work_is_not_overwritten(make: Make, path: str, there: bool) -> None:
    """Each of the six, whether it was there or not; those that were written before it are taken back."""
    root = make({".gitignore": "a\n", ".gitattributes": "x y\n"} if there else {})
    plan = plan_init(root, TODAY)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("somebody else's\n")
    before = tree(root)
    with pytest.raises(Unavailable, match="MR603 has changed while init was at work"):
        write_init(plan)
    assert tree(root) == before
    folders = {path.relative_to(root).as_posix() for path in root.iterdir() if path.is_dir()}
    assert folders == {".git"} | ({path.partition("/")[0]} if "/" in path else set())


def command(root: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "modelrelease", "init", "--into", str(root), *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=120, **options)


def test_a_disk_that_refuses_half_way_leaves_nothing_behind(make: Make) -> None:
    """The last file is the longest, and the only one that a limit on file sizes forbids."""
    root = make({**THREE, ".gitignore": "a\n"})
    before = tree(root)
    limit = 3000
    done = command(root, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "modelrelease.yml: MR603 cannot be written" in done.stderr
    assert tree(root) == before
    assert not (root / ".github").exists()
    assert command(root).returncode == 0
    assert max(tree(root).items(), key=lambda item: len(item[1]) * (item[0] in WRITTEN))[0] == WORKFLOW


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AbstractContextManager[Path]]]:
    """Return a repository's folder in which the user is not root, to whom nothing is forbidden."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        monkeypatch.setenv("HOME", name)

        @contextlib.contextmanager
        def become() -> Iterator[Path]:
            if os.geteuid() != 0:
                yield base
                return
            for path in (base, *base.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
            os.setegid(65534)
            os.seteuid(65534)
            try:
                yield base
            finally:
                os.seteuid(0)
                os.setegid(0)

        yield become


def test_a_folder_that_is_not_ours_is_exit_3(make: Make, somebody: Callable[..., AbstractContextManager[Path]]) -> None:
    source = make({**THREE, ".gitignore": "a\n"})
    init(source)  # imports what it needs, which somebody else may not be able to read
    with somebody() as base:
        pass
    root = base / "repository"
    shutil.copytree(source, root)
    for path in (".github/workflows/modelrelease.yml", CONFIG, SUITE):
        (root / path).unlink()
    (root / "datasets" / "pick.jsonl").chmod(0o000)
    (root / ".github" / "workflows").chmod(0o555)
    before = tree(root)
    with somebody():
        plan = plan_init(root, TODAY)
        with pytest.raises(Unavailable, match="MR603 cannot be written: Permission denied"):
            write_init(plan)
    assert tree(root) == before
    left = {one.path: one.reason for one in plan.setup.left_out}
    assert left == {"datasets/pick.jsonl": "MR209 Permission denied; make it readable"}
    (root / ".github" / "workflows").chmod(0o755)
    with somebody():
        init(root)
    assert set(tree(root)) - set(before) == {CONFIG, SUITE, WORKFLOW}


def test_the_reproduce_workflow_is_written_only_when_asked_for(make: Make) -> None:
    root = make({**THREE, "models/model_v1.0/checkpoint/config.json": "{}"})
    setup = init(root)
    assert AGAIN not in tree(root)
    assert setup.next[-1].endswith(": modelrelease init --reproduce")
    plan = plan_init(root, TODAY, reproduce=True)
    assert not any("--reproduce" in step for step in plan.setup.next)
    write_init(plan)
    assert set(tree(root)) - WRITTEN >= {AGAIN}
    assert yaml.safe_load(tree(root)[AGAIN])["permissions"] == {}
    assert not any("--reproduce" in step for step in init(root).next)


def test_the_release_workflows_are_written_only_when_asked_for(make: Make) -> None:
    root = make({**THREE})
    init(root)
    assert not {*tree(root)} & {*RELEASING}
    write_init(plan_init(root, TODAY, release=True))
    before = tree(root)
    assert set(before) - WRITTEN >= {*RELEASING}
    for path in RELEASING:
        assert yaml.safe_load(before[path])["permissions"] == {}
        assert "modelrelease/modelrelease/actions/" in before[path].decode()
    assert before[".gitignore"] == b".modelrelease/\n/releases/\n"
    again = plan_init(root, TODAY, release=True)
    assert {file.path: file.action for file in again.setup.files if file.path in RELEASING} == dict.fromkeys(
        RELEASING, "left-alone"
    )
    write_init(again)
    assert tree(root) == before


def test_what_init_says_to_commit_is_all_that_the_tag_needs(make: Make) -> None:
    root = make({**THREE, "datasets/unused.txt": "x", "models/model_v1.0/checkpoint/config.json": "{}"})
    setup = plan_init(root, TODAY, release=True).setup
    write_init(plan_init(root, TODAY, release=True))
    (command,) = [step.partition(": ")[2] for step in setup.next if "git add" in step]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-c", command], cwd=root, check=True, capture_output=True, env={**os.environ, "PATH": path})
    committed = set(git.files_in(root, "HEAD"))
    check = [sys.executable, "-m", "modelrelease", "check"]
    said = subprocess.run(check, cwd=root, check=False, capture_output=True, text=True).stderr
    assert [line.partition(":")[0] for line in said.splitlines() if "MR101" in line] == ["datasets/unused.txt"]
    suite = load_suite(SUITE, find_project(root).read)
    assert {task.spec.dataset for task in suite.tasks} | {task.spec.prompt for task in suite.tasks} - {
        None
    } <= committed
    assert {CONFIG, SUITE, *RELEASING, "models/model_v1.0/checkpoint/config.json"} <= committed
    assert "datasets/unused.txt" not in committed


def test_the_kit_is_the_clone_s_commit(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make({})
    own = git.head(Path(module.__file__).parents[3])
    plan = plan_init(root, TODAY)
    assert plan.setup.kit.endswith(f"@{own.sha}" if own.sha else f"@v{module.__version__}")
    named = plan_init(root, TODAY, "acme/kit@v9")
    hooks = next(file.text for file in named.setup.files if file.path == ".pre-commit-config.yaml")
    assert hooks is not None
    assert yaml.safe_load(hooks)["repos"][0]["rev"] == "v9"
    with pytest.raises(InvalidInput, match="MR601"):
        plan_init(root, TODAY, "nonsense")


def test_facts_of_the_repository(make: Make) -> None:
    root = make(THREE)
    assert init(root).next[-1].startswith("push it to GitHub, install")
    subprocess.run(["git", "remote", "add", "origin", "git@github.com:acme/support.git"], cwd=root, check=True)
    git.commit_all(root, "First")
    setup = init(root)
    assert (setup.github, setup.default_branch, setup.author) == ("acme/support", "main", "Ada Lovelace")
    assert setup.next[-1].startswith("install the hook, and")
