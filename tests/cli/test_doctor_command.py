"""`modelrelease doctor` in real repositories: one that lacks nothing, and one for each thing that is taken away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import repositories
from commands import run
from fakes.github import FakeGitHub, User
from fakes.github.state import EVERYTHING
from fakes.hub import WRITE_TOKEN, FakeHub
from ledgers import intent, released
from papered_versions import PEOPLE
from repositories import LIVE, Repository, replacing
from tiny_models import TinyModels

from modelrelease.cli import on_github
from modelrelease.flows.doctor.clone import read_clone
from modelrelease.flows.ledger import append_event, ledger_branch, open_ledger
from modelrelease.records.diagnosis import Check, Diagnosis

ADMIN_TOKEN = "github_pat_canary0123456789"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"

CONFIG = "modelrelease.yaml"
RELEASE = ".github/workflows/modelrelease-release.yml"
CHECKED = ("content", "pins", "concurrency", "permissions")


def modelrelease(root: Path, *arguments: str) -> None:
    environment = {**os.environ, "MODELRELEASE_CACHE": str(root.parent / "cache")}
    command = [sys.executable, "-m", "modelrelease", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny: TinyModels) -> Repository:
    """Return a repository in which nothing is left to do, as somebody would have set it up, with an origin."""
    place = tmp_path_factory.mktemp("whole")
    made = repositories.create(place / "repository")
    made.git("config", "user.name", "Ada")
    made.git("config", "user.email", "ada@example.org")
    made.write_rows(repositories.rows(300))
    made.replace(CONFIG, "margin: 0.05", "margin: 0.06")
    made.write(CONFIG, (made.root / CONFIG).read_text("utf-8") + "release: {bootstrap: model_v1.0}\n")
    made.add_version(LIVE, tiny.folder("llama"))
    modelrelease(made.root, "init", "--release", "--kit", f"modelrelease/modelrelease@{'1' * 40}")
    made.replace(RELEASE, "runs-on: ubuntu-latest", "runs-on: [self-hosted, releases]")
    modelrelease(made.root, "record", LIVE, "--command", "python train.py", "--seed", "7")
    made.score(LIVE)
    modelrelease(made.root, "card", LIVE, "--write")
    card = made.root / LIVE / "README.md"
    card.write_text(card.read_text("utf-8").replace("---\n", f"---\n{PEOPLE}", 1), "utf-8")
    made.git("add", "--all")
    modelrelease(made.root, "stamp", "--reason", "Begin with what is live today", "--add")
    made.commit("Set up")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(place / "origin")], check=True)
    made.git("remote", "add", "origin", "../origin")
    made.git("push", "--quiet", "origin", "main")
    made.git("remote", "set-head", "origin", "--auto")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=made.root, check=True, capture_output=True)
    return made


@pytest.fixture
def repository(whole: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Return a copy with an origin of its own, in which the command is run; nothing in the environment helps it."""
    shutil.copytree(whole.root.parent, tmp_path / "copy", symlinks=True)
    monkeypatch.chdir(tmp_path / "copy" / "repository")
    monkeypatch.setenv("MODELRELEASE_CACHE", str(tmp_path / "copy" / "cache"))
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_REPOSITORY", "HF_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(on_github, "PAUSE", 0.0)
    monkeypatch.setattr(on_github, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    return Repository(tmp_path / "copy" / "repository")


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., Diagnosis]:
    """Return a function that runs the command and reads its document."""

    def call(*arguments: str, code: int = 1) -> Diagnosis:
        ran = run(capsys, "doctor", "--json", *arguments)
        assert "canary" not in ran.out + ran.err
        found = Diagnosis.model_validate_json(ran.out)
        assert (ran.code, found.exit_code) == (code, code), [one for one in found.checks if one.state == "to-do"]
        return found

    return call


def named(found: Diagnosis, name: str) -> Check:
    (check,) = [one for one in found.checks if one.name == name]
    return check


def test_where_nothing_is_left_to_do_it_passes_and_says_what_it_could_not_see(
    repository: Repository,
    doctor: Callable[..., Diagnosis],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    before = repository.git("status", "--porcelain", "--ignored"), repository.git("for-each-ref")
    found = doctor(code=0)
    assert (repository.git("status", "--porcelain", "--ignored"), repository.git("for-each-ref")) == before
    assert [one.name for one in found.checks if one.state == "unseen"] == ["repository"]
    assert [one.name for one in found.checks if one.state == "ok"] == [
        CONFIG, "suite", "gate metrics", "margin of pick/acc", "release target", "default branch",
        ".pre-commit-config.yaml", "pre-commit hook", ".gitattributes", ".gitignore", "large files", "change records",
        "papers", "model.json", "eval.json", "card of model_v1.0",
        *[f"modelrelease.yml: {what}" for what in CHECKED],
        "reproduce.yml",
        *[f"modelrelease-{name}.yml: {what}" for name in ("release", "rollback") for what in CHECKED],
        "target", "releases in git", "ledger", "bootstrap", "tags",
    ]  # fmt: skip
    ran = run(capsys, "doctor")
    assert ran.code == 0
    assert "\nconfiguration\n  ok     modelrelease.yaml   is valid\n" in ran.out
    assert "\n  ?      repository  cannot be seen from here: this clone has no remote on github.com\n" in ran.out
    assert ran.out.endswith(", 0 to do, 1 cannot be seen from here (?)\n")


def hook(text: str | None) -> Callable[[Repository], object]:
    def edit(repository: Repository) -> None:
        repository.remove(".git/hooks/pre-commit")
        if text is not None:
            repository.write(".git/hooks/pre-commit", text)

    return edit


def git(*arguments: str) -> Callable[[Repository], object]:
    return lambda repository: repository.git(*arguments)


def large(repository: Repository) -> None:
    repository.write(f"{LIVE}/big.safetensors", bytes(50 << 20))


def version(name: str) -> Callable[[Repository], object]:
    return lambda repository: repository.write(f"models/{name}/checkpoint/config.json", "{}")


@pytest.mark.parametrize(
    ("edit", "name", "words"),
    [
        (replacing(CONFIG, "0.06", "0.02"), "margin of pick/acc", "set `margin: 0.05`, or add items"),
        (replacing(CONFIG, "0.06", "0.06, min: 0.995"), "floor of pick/acc", "cannot clear a floor of 99.5"),
        (replacing(CONFIG, "pick/acc", "peck/acc"), "gate metrics", "the suite has no peck/acc"),
        (replacing(CONFIG, "bootstrap: model_v1.0", "bootstrap: model_v7.0"), "bootstrap", "no version here"),
        (replacing(CONFIG, "suite: evals/release.yaml\n", ""), "suite", "add `suite:`"),
        (lambda one: one.remove("evals/release.yaml"), "suite", "MR209"),
        (lambda one: one.remove(CONFIG), CONFIG, "run `modelrelease init`"),
        (git("remote", "remove", "origin"), "default branch", "git remote add origin"),
        (git("remote", "set-head", "origin", "--delete"), "default branch", "git remote set-head origin --auto"),
        (lambda one: one.remove(".pre-commit-config.yaml"), ".pre-commit-config.yaml", "run `modelrelease init`"),
        (lambda one: one.write(".pre-commit-config.yaml", "repos: []\n"), ".pre-commit-config.yaml", "does not have"),
        (hook(None), "pre-commit hook", "run `pre-commit install`"),
        (hook("#!/bin/sh\nexit 0\n"), "pre-commit hook", "is not pre-commit's"),
        (git("config", "core.hooksPath", "elsewhere"), "pre-commit hook", "is not installed in this clone"),
        (git("rm", "--quiet", ".gitattributes"), ".gitattributes", "*.changes.jsonl merge=union"),
        (lambda one: one.write(".gitattributes", "*.changes.jsonl -merge\n"), ".gitattributes", "would conflict"),
        (lambda one: one.write(".gitignore", "*.pyc\n"), ".gitignore", "add the line `.modelrelease/`"),
        (large, "large files", "git lfs track '*.safetensors'"),
        (lambda one: (large(one), one.commit()), "large files", "LFS: models/model_v1.0/big.safetensors"),
        (lambda one: one.write("prompts/new.md", "x {{question}}"), "change records", "prompts/new.md"),
        (version("model_v1.1"), "model.json", "modelrelease record models/model_v1.1"),
        (version("model_v1.1"), "eval.json", "modelrelease score models/model_v1.1"),
        (lambda one: shutil.rmtree(one.root / "models"), "versions", "there is none in models"),
        (lambda one: one.write(f"{LIVE}/checkpoint/config.json", "{}"), "papers", "MR4"),
        (replacing(f"{LIVE}/README.md", "license: mit\n", ""), "card of model_v1.0", "MR430"),
        (lambda one: one.remove(f"{LIVE}/changelog.md"), "card of model_v1.0", "MR433"),
        (lambda one: shutil.rmtree(one.root / ".github"), "pull-request.yml", "run `modelrelease init`"),
        (replacing(RELEASE, "[self-hosted, releases]", "ubuntu-latest"), "target", "`publish` of modelrelease-rel"),
        (replacing(".gitignore", "/releases/\n", ""), "releases in git", "add the line `/releases/` to .gitignore"),
        (git("tag", "model_v1.0"), "tags", "modelrelease promote model_v1.0"),
    ],
)  # fmt: skip
def test_what_is_taken_away_is_named_with_the_step_that_mends_it(
    repository: Repository,
    doctor: Callable[..., Diagnosis],
    edit: Callable[[Repository], object],
    name: str,
    words: str,
) -> None:
    edit(repository)
    check = named(doctor(), name)
    assert check.state == "to-do"
    assert words in f"{check.says} → {check.step}"


def test_weights_that_lfs_will_take_are_no_matter(repository: Repository, doctor: Callable[..., Diagnosis]) -> None:
    repository.write("data/big.safetensors", bytes(50 << 20))
    assert named(doctor("--offline"), "large files").state == "to-do"
    repository.write(".gitattributes", "*.changes.jsonl merge=union\n*.safetensors filter=lfs\n")
    assert named(doctor("--offline", code=0), "large files").state == "ok"


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (replacing(CONFIG, "schema_version: 1", "schema_version: 9"), CONFIG),
        (replacing("evals/release.yaml", "kind: generate", "kind: generated"), "suite"),
        (replacing(CONFIG, "bootstrap:", "target: ftp://x, bootstrap:"), "release target"),
    ],
)
def test_what_cannot_be_read_is_exit_2_and_the_rest_is_still_looked_at(
    repository: Repository, doctor: Callable[..., Diagnosis], edit: Callable[[Repository], object], name: str
) -> None:
    edit(repository)
    found = doctor("--offline", code=2)
    assert named(found, name).state == "to-do"
    assert named(found, "pre-commit hook").state == "ok"


def test_outside_of_a_repository_there_is_nothing_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, "doctor")
    assert (ran.code, ran.out) == (2, "")
    assert "MR601 is in no git work tree" in ran.err


def put(repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD")
    ledger = open_ledger(ledger_branch(repository.root, None))
    first = intent("model_v1.0")
    assert first.release is not None
    first = first.model_copy(update={"release": first.release.model_copy(update={"git_sha": commit})})
    for event in (first, released("model_v1.0", 1, None)):
        ledger = append_event(ledger, lambda _, event=event: event)


def test_tags_are_held_against_the_ledger_on_origin(repository: Repository, doctor: Callable[..., Diagnosis]) -> None:
    put(repository)
    assert named(doctor(), "tags").says == "releases without a tag in this clone: model_v1.0"
    repository.git("tag", "--annotate", "--message", "one", "model_v1.0")
    assert named(doctor(code=0), "tags").state == "ok"
    repository.write("more.txt", "more")
    repository.commit()
    repository.git("tag", "--force", "model_v1.0")
    check = named(doctor(), "tags")
    assert check.says == "tags that name another commit than was released: model_v1.0"
    assert repository.git("rev-parse", "HEAD~1") in str(check.step)


def test_a_ledger_out_of_reach_is_what_this_clone_saw_last(
    repository: Repository, doctor: Callable[..., Diagnosis]
) -> None:
    origin = repository.root.parent / "origin"
    origin.rename(origin.with_name("gone"))
    check = named(doctor(code=0), "ledger")
    assert (check.state, "cannot be read" in check.says) == ("unseen", True)
    origin.with_name("gone").rename(origin)
    put(repository)
    repository.git("tag", "model_v1.0")
    origin.rename(origin.with_name("gone"))
    assert named(doctor(code=0), "ledger").says == "2 events, whole, as this clone saw it last"
    assert named(doctor("--offline", code=0), "ledger").says == "2 events, whole, as this clone saw it last"


@pytest.mark.parametrize("arguments", [(), ("--offline",)], ids=["asked", "offline"])
def test_a_ledger_that_was_never_pushed_is_to_be_pushed(
    repository: Repository, doctor: Callable[..., Diagnosis], arguments: tuple[str, ...]
) -> None:
    origin = repository.git("config", "--get", "remote.origin.url").strip()
    repository.git("remote", "remove", "origin")
    append_event(open_ledger(ledger_branch(repository.root, None)), lambda _: intent("model_v1.0"))
    repository.git("remote", "add", "origin", origin)
    repository.git("fetch", "--quiet", "origin")
    repository.git("remote", "set-head", "origin", "main")
    check = named(doctor(*arguments), "ledger")
    assert (check.state, "MR726 holds 1 event here that origin lacks" in check.says) == ("to-do", True)
    assert "`git push origin refs/heads/modelrelease/ledger`" in (check.step or "")


def test_a_ledger_that_was_rewritten_is_to_be_looked_into(
    repository: Repository, doctor: Callable[..., Diagnosis]
) -> None:
    put(repository)
    repository.git("push", "--quiet", "--force", "origin", "HEAD:refs/heads/modelrelease/ledger")
    check = named(doctor(), "ledger")
    assert (check.state, "MR7" in check.says) == ("to-do", True)


def test_github_is_asked_with_the_token_that_is_there(
    repository: Repository, doctor: Callable[..., Diagnosis], github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"administration": "read", "variables": "read"}
    github.world.users[ADMIN_TOKEN] = User("grace", 2, permissions={**EVERYTHING, **more})
    github.repository().settings = {"workflow_permissions": "read"}
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    assert named(doctor("--repository", "acme/bot", code=0), "repository").says == "there is no token for GitHub"
    monkeypatch.setenv("GH_TOKEN", ADMIN_TOKEN)
    found = doctor("--repository", "acme/bot")
    states = {one.name: one.state for one in found.checks if one.group == "GitHub"}
    assert (found.github, states.pop("default permissions")) == ("acme/bot", "ok")
    assert set(states.values()) == {"to-do"}
    assert named(found, "GitHub releases").state == "ok"
    repository.git("remote", "set-url", "origin", "https://github.com/acme/bot.git")
    assert doctor("--offline", code=0).github == "acme/bot"
    assert github.writes() == []


def test_without_a_network_github_is_what_cannot_be_seen(
    repository: Repository, doctor: Callable[..., Diagnosis], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GH_TOKEN", ADMIN_TOKEN)
    check = named(doctor("--repository", "acme/bot", code=0), "repository")
    assert (check.state, "the connection to GitHub failed" in check.says) == ("unseen", True)


def test_the_hub_s_repository_is_looked_for(
    repository: Repository, doctor: Callable[..., Diagnosis], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.replace(CONFIG, "bootstrap:", "target: hf://acme/bot, bootstrap:")
    with FakeHub(tmp_path / "hub") as hub:
        hub.repository("acme/bot", private=True)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        check = named(doctor(code=0), "repository acme/bot")
        assert (check.state, "is not shown to this token" in check.says) == ("unseen", True)
        monkeypatch.setenv("HF_TOKEN", WRITE_TOKEN)
        check = named(doctor(code=0), "repository acme/bot")
        assert (check.state, check.says) == (
            "ok", "can be read; stage production comes with the first release; 0 versions",
        )  # fmt: skip
        assert named(doctor(code=0), "publishing rights").state == "unseen"
        assert named(doctor("--offline", code=0), "repository acme/bot").says == "nobody was asked"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    check = named(doctor(code=0), "repository acme/bot")
    assert (check.state, "connection to the Hub failed" in check.says) == ("unseen", True)


def test_what_is_not_installed_hides_its_own_lines_alone(repository: Repository) -> None:
    repository.replace(CONFIG, "bootstrap:", "target: hf://acme/bot, bootstrap:")
    program = """
import sys
for name in ("scipy", "numpy", "github", "huggingface_hub", "torch", "transformers"):
    sys.modules[name] = None
from modelrelease.cli.main import main
sys.exit(main(["doctor", "--json", "--repository", "acme/bot"]))
"""
    environment = {**os.environ, "GH_TOKEN": ADMIN_TOKEN}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = Diagnosis.model_validate_json(done.stdout)
    assert {one.step for one in found.checks if one.says.endswith("is not installed")} == {
        "install `modelrelease[stats]`", "install `modelrelease[github]`", "install `modelrelease[hub]`",
    }  # fmt: skip


def test_names_are_shown_with_escapes_and_lines_fit_the_screen(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("prompts/\x1b[31mred\n\u202e.md", "x {{question}}")
    monkeypatch.setenv("COLUMNS", "72")
    ran = run(capsys, "doctor", "--offline")
    assert ran.code == 1
    assert "prompts/\\x1b[31mred\\n\\u202e.md" in ran.out
    assert all(line.isprintable() for line in ran.out.split("\n"))
    long = [line for line in ran.out.split("\n") if len(line) > 72]
    assert all(" " not in line.strip() or "/" in line for line in long)


def test_the_page_s_commands_run_and_its_output_is_the_command_s(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    page = PAGE.read_text("utf-8")
    ran = [run(capsys, *line.split()[1:]) for line in page.splitlines() if line.startswith("modelrelease doctor")]
    assert ran
    assert {one.code for one in ran} == {0}
    groups = {one["group"] for one in json.loads(ran[-1].out)["checks"]}
    assert all(f"**{group}**" in page for group in (*groups, "GitHub", "Hub"))


def test_a_hook_that_is_a_pipe_is_none(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    os.mkfifo(hook)
    assert read_clone(tmp_path, "datasets").installed is None
