"""Lines, workflows and the kit's own address."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from modelrelease.errors import InvalidInput
from modelrelease.scaffold.additions import (
    REPRODUCE_WORKFLOW,
    WORKFLOW,
    attributes_plan,
    ignore_plan,
    release_plan,
    reproduce_plan,
    rollback_plan,
    workflow_plan,
)
from modelrelease.scaffold.candidates import candidates
from modelrelease.scaffold.kit import HOME, Kit, github_name, kit_of, parse_kit

TEMPLATES = Path(__file__).resolve().parents[2] / "workflows-templates"
TEMPLATE, REPRODUCE = ((TEMPLATES / f"{name}.yml").read_text("utf-8") for name in ("pull-request", "reproduce"))
KIT = Kit("acme/kit", "v2.0.0")
UNION = b"*.changes.jsonl merge=union"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, UNION + b"\n"),
        (b"", UNION + b"\n"),
        (b"*.bin filter=lfs\n", b"*.bin filter=lfs\n" + UNION + b"\n"),
        (b"*.bin filter=lfs", b"*.bin filter=lfs\n" + UNION + b"\n"),
        (b"*.bin filter=lfs\r\n*.x y\r\n", b"*.bin filter=lfs\r\n*.x y\r\n" + UNION + b"\r\n"),
        (b"# \xff\n", b"# \xff\n" + UNION + b"\n"),
        (b"# *.changes.jsonl merge=union\n", b"# *.changes.jsonl merge=union\n" + UNION + b"\n"),
        (b"*.changes.jsonl text\n", b"*.changes.jsonl text\n" + UNION + b"\n"),
        (UNION, None),
        (b"a b\r\n  *.changes.jsonl   text merge=union\r\n", None),
        (b"*.changes.jsonl -merge\n", None),
    ],
)
def test_change_logs_get_their_merge_driver(before: bytes | None, after: bytes | None) -> None:
    plan = attributes_plan(before)
    assert (plan.before, plan.after) == (before, after)
    assert plan.action == ("complete" if after is None else "created" if before is None else "added-to")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b".modelrelease/\n"),
        (b"*.pyc", b"*.pyc\n.modelrelease/\n"),
        (b"*.pyc\r\n", b"*.pyc\r\n.modelrelease/\r\n"),
        (b"#.modelrelease/\n", b"#.modelrelease/\n.modelrelease/\n"),
        (b"x\n/.modelrelease/\r\n", None),
        (b".modelrelease", None),
    ],
)
def test_what_commands_write_for_themselves_is_ignored(before: bytes | None, after: bytes | None) -> None:
    assert ignore_plan(before).after == after


@pytest.mark.parametrize(
    ("before", "folder", "after"),
    [
        (None, "releases", b".modelrelease/\n/releases/\n"),
        (b"x\r\n", "releases", b"x\r\n.modelrelease/\r\n/releases/\r\n"),
        (b".modelrelease/\n", "out/re leases", b".modelrelease/\n/out/re\\ leases/\n"),
        (b".modelrelease/\nreleases\n", "releases", None),
        (b".modelrelease/\n", None, None),
    ],
)
def test_where_releases_go_is_ignored(before: bytes | None, folder: str | None, after: bytes | None) -> None:
    """`git clean -fd` would take them, and `git add .` commit the weights a second time."""
    plan = ignore_plan(before, folder)
    assert plan.after == after
    added = (after or b"").replace(b"\r", b"").removeprefix((before or b"").replace(b"\r", b""))
    assert (plan.text or "").encode() == added


def test_the_workflow_is_the_template_with_this_kit() -> None:
    kit = kit_of("1.2.3", "0" * 40, "git@github.com:fork/kit.git")
    plan = workflow_plan(TEMPLATE, kit, {})
    assert plan.text is not None
    steps = [step for job in yaml.safe_load(plan.text)["jobs"].values() for step in job["steps"] if "uses" in step]
    assert steps
    ours = [step["uses"] for step in steps if not step["uses"].startswith("actions/")]
    assert {use.partition("/actions/")[0].partition("@")[0] for use in ours} == {"fork/kit"}
    assert {use.partition("@")[2] for use in ours} == {"0" * 40}
    assert plan.text.count(f"@{'0' * 40} # v1.2.3\n") == len(ours)
    theirs = [line for line in TEMPLATE.splitlines() if "uses: actions/" in line]
    assert [line for line in plan.text.splitlines() if "uses: actions/" in line] == theirs
    assert yaml.safe_load(plan.text)["permissions"] == {}


@pytest.mark.parametrize(
    ("path", "data", "path_left", "reason"),
    [
        (WORKFLOW, b"on: push\n", WORKFLOW, "it is there already"),
        (".github/workflows/ci.yml", TEMPLATE.encode(), ".github/workflows/ci.yml", "it uses the kit already"),
        (".github/workflows/ci.yml", b"- uses: x/modelrelease/actions/score@v1\n", ".github/workflows/ci.yml", "it us"),
        (".github/workflows/ci.yml", b"# uses: x/modelrelease@v1\n", None, ""),
        (REPRODUCE_WORKFLOW, REPRODUCE.encode(), None, ""),
        (".github/workflows/ci.yml", b"uses: actions/checkout@v4\n\xff", None, ""),
    ],
)
def test_a_workflow_that_is_there_is_left_alone(path: str, data: bytes, path_left: str | None, reason: str) -> None:
    plan = workflow_plan(TEMPLATE, KIT, {path: data})
    if path_left is None:
        assert (plan.path, plan.action) == (WORKFLOW, "created")
    else:
        assert (plan.path, plan.action, plan.after) == (path_left, "left-alone", None)
        assert plan.reason.startswith(reason)


@pytest.mark.parametrize(
    ("path", "data", "action"),
    [
        (WORKFLOW, TEMPLATE.encode(), "created"),
        (REPRODUCE_WORKFLOW, b"on: push\n", "left-alone"),
        (".github/workflows/ci.yml", REPRODUCE.encode(), "left-alone"),
    ],
)
def test_the_reproduce_workflow_stands_beside_the_other(path: str, data: bytes, action: str) -> None:
    plan = reproduce_plan(REPRODUCE, KIT, {path: data})
    assert (plan.path, plan.action) == (REPRODUCE_WORKFLOW if action == "created" else path, action)
    assert plan.text is None or plan.text.count("uses: acme/kit/actions/") == 2


@pytest.mark.parametrize("name", ["release", "rollback"])
def test_release_workflows_and_the_pull_requests_one_are_not_taken_for_each_other(name: str) -> None:
    plan = {"release": release_plan, "rollback": rollback_plan}[name]
    text = (TEMPLATES / f"{name}.yml").read_text("utf-8")
    path = f".github/workflows/modelrelease-{name}.yml"
    made = plan(text, KIT, {WORKFLOW: TEMPLATE.encode(), REPRODUCE_WORKFLOW: REPRODUCE.encode()})
    assert (made.path, made.action) == (path, "created")
    assert made.text is not None
    assert made.text.count("uses: acme/kit/actions/") == 2
    ours = {".github/workflows/ours.yml": text.encode()}
    assert (plan(text, KIT, ours).path, plan(text, KIT, ours).action) == (".github/workflows/ours.yml", "left-alone")
    assert workflow_plan(TEMPLATE, KIT, ours).action == "created"
    assert reproduce_plan(REPRODUCE, KIT, ours).action == "created"


@pytest.mark.parametrize(
    ("version", "commit", "origin", "expected"),
    [
        ("0.1.0", "a" * 40, None, Kit(HOME, "a" * 40, "v0.1.0")),
        ("0.1.0", "a" * 40, "https://github.com/me/fork", Kit("me/fork", "a" * 40, "v0.1.0")),
        ("0.1.0", "a" * 40, "https://example.org/me/fork", Kit(HOME, "a" * 40, "v0.1.0")),
        ("0.1.0", None, None, Kit(HOME, "v0.1.0")),
    ],
)
def test_the_kit_is_a_commit_in_a_clone_and_a_tag_elsewhere(
    version: str, commit: str | None, origin: str | None, expected: Kit
) -> None:
    assert kit_of(version, commit, origin) == expected


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/support", "acme/support"),
        ("https://github.com/acme/support.git", "acme/support"),
        ("https://user:secret@github.com/acme/support.git/", "acme/support"),
        ("git@github.com:acme/support.git", "acme/support"),
        ("ssh://git@github.com/acme/a.b.git", "acme/a.b"),
        ("https://github.example.org/acme/support", None),
        ("https://github.com.evil.org/acme/support", None),
        ("https://github.com/acme", None),
        ("/srv/git/support.git", None),
        ("git@github.com:acme/$(x)", None),
    ],
)
def test_the_name_on_github_is_in_the_remote_s_address(url: str, name: str | None) -> None:
    assert github_name(url) == name


def test_a_kit_of_one_s_own_can_be_named() -> None:
    assert parse_kit("acme/kit@release/v1") == Kit("acme/kit", "release/v1")


@pytest.mark.parametrize("text", ["", "acme/kit", "kit@v1", "acme/kit@", "acme/kit@-x", "a/b@v1\nx: y", "a/b@${{ x }}"])
def test_what_is_no_kit_is_misuse(text: str) -> None:
    with pytest.raises(InvalidInput, match="MR601"):
        parse_kit(text)


def test_candidates_are_told_by_name() -> None:
    paths = [
        ".github/data.json",
        "README.md",
        "a/prompts/x.prompt.yml",
        "data/big.csv",
        "data/train/rows.jsonl",
        "data/training.csv",
        "datasets/qa.jsonl",
        "datasets/qa.jsonl.changes.jsonl",
        "datasets/strain.jsonl",
        "models/model_v1.0/checkpoint/tokenizer.json",
        "models/model_v1.0/samples.jsonl",
        "out/samples.jsonl",
        "package.json",
        "prompts/README.md",
        "prompts/a.md",
        "prompts/rows.jsonl",
        "train.json",
    ]
    found = candidates(paths, "models")
    assert [(one.path, one.meant) for one in found.datasets] == [
        ("data/big.csv", True),
        ("datasets/qa.jsonl", True),
        ("datasets/strain.jsonl", True),
        ("package.json", False),
    ]
    assert found.prompts == ("a/prompts/x.prompt.yml", "prompts/a.md")
    assert found.training == ("data/train/rows.jsonl", "data/training.csv")
