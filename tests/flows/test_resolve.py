"""Resolution from real git: which commits, which folders, what has changed. No weights are read here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from repositories import CONFIG, LIVE, NEW, PROMPT, QUESTIONS, SUITE, Repository, copy, create, rows

from modelrelease.config import find_project
from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.flows.resolve import Range, live_version, resolve_range
from modelrelease.records.resolution import ChangedInput

WEIGHTS = "checkpoint/model.safetensors"
Change = Callable[[Repository], object]


def add_version(repository: Repository, folder: str, weights: str = "weights", *, scored: bool = False) -> None:
    """Add a version whose weights are a word: what git sees of it is all that counts."""
    repository.write(f"{folder}/{WEIGHTS}", weights)
    repository.write(f"{folder}/checkpoint/config.json", "{}")
    if scored:
        repository.write(f"{folder}/eval.json", "{}")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = create(tmp_path_factory.mktemp("template") / "repository")
    add_version(repository, LIVE, scored=True)
    repository.commit("The first version")
    return repository


@pytest.fixture
def pull(template: Repository, tmp_path: Path) -> Repository:
    return copy(template, tmp_path / "repository")


def changes(repository: Repository) -> list[tuple[str, str, str | None]]:
    return [(one.what, one.path, one.detail) for one in repository.resolve().resolution.changes]


# Which commits


def test_what_came_to_main_meanwhile_is_not_this_pull_request_s(pull: Repository) -> None:
    base = pull.git("rev-parse", "main")
    pull.write("README.md", "# About\n")
    head = pull.commit()
    pull.git("checkout", "--quiet", "main")
    add_version(pull, NEW, "new", scored=True)
    pull.replace(PROMPT, "A:", "Answer:")
    pull.commit("Another pull request")
    pull.git("checkout", "--quiet", "change")
    found = pull.resolve().resolution
    assert (found.rule, found.merge_base, found.head) == ("not-needed", base, head)
    pull.git("merge", "--quiet", "-m", "Main into the branch", "main")
    found = pull.resolve().resolution
    assert (found.rule, found.merge_base) == ("not-needed", pull.git("rev-parse", "main"))
    assert pull.resolve().facts.before["model_v1.1"].record


def test_a_detached_merge_commit_as_github_makes_it(pull: Repository) -> None:
    add_version(pull, NEW, "new")
    pull.commit()
    pull.git("checkout", "--quiet", "--detach", "main")
    pull.git("merge", "--quiet", "--no-ff", "-m", "Merge", "change")
    found = pull.resolve(base="main").resolution
    assert (found.rule, found.merge_base) == ("new-version", pull.git("rev-parse", "main"))


def test_histories_that_crossed_have_several_bases(pull: Repository) -> None:
    """Either is a state of the target branch; git names one of them, and the same one each time."""
    pull.write("a.txt", "a")
    pull.commit()
    pull.git("checkout", "--quiet", "main")
    pull.write("b.txt", "b")
    pull.commit()
    pull.git("merge", "--quiet", "-m", "One", "change")
    pull.git("checkout", "--quiet", "change")
    pull.git("merge", "--quiet", "-m", "Other", "main~1")
    bases = pull.git("merge-base", "--all", "main", "change").split()
    found = pull.resolve().resolution
    assert (found.merge_base in bases, found.rule) == (True, "not-needed")


def test_a_shallow_clone_says_what_to_fetch(pull: Repository, tmp_path: Path) -> None:
    pull.write("a.txt", "a")
    pull.commit()
    pull.git("checkout", "--quiet", "main")
    pull.write("b.txt", "b")
    pull.commit()
    clone = tmp_path / "clone"
    address = f"file://{pull.root}"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", "--no-single-branch", address, str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "checkout", "--quiet", "change"], check=True)
    with pytest.raises(InvalidInput, match=r"--base: MR508 .* have no common ancestor here; fetch the whole history"):
        Repository(clone).resolve()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"base": "nowhere"}, "--base: MR508 'nowhere' names no commit; fetch it"),
        ({"base": "--upload-pack=x"}, "--base: MR508 '--upload-pack=x' names no commit"),
        ({"base": "a\nb"}, r"--base: MR508 'a\nb' names no commit"),
        ({"head": "nowhere"}, "--head: MR508 'nowhere' names no commit"),
        ({"candidate": "model_v9.9"}, "model_v9.9: MR508 is not a version that this pull request adds"),
        ({"baseline": "../model_v9.9"}, "model_v9.9: MR508 is no version of the merge-base"),
    ],
)
def test_what_is_not_there_is_named(pull: Repository, wanted: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        pull.resolve(**wanted)
    assert message in str(caught.value)


def test_without_a_default_branch_a_base_has_to_be_named(pull: Repository) -> None:
    pull.git("branch", "--move", "main", "trunk")
    with pytest.raises(InvalidInput, match="--base: MR508 there is no default branch"):
        pull.resolve()
    assert pull.resolve(base="trunk").resolution.rule == "not-needed"


@pytest.mark.parametrize("base", [None, "main"])
def test_a_tag_named_as_the_target_branch_moves_no_base(pull: Repository, base: str | None) -> None:
    add_version(pull, NEW, "new")
    pull.commit()
    pull.git("tag", "main")
    assert pull.resolve(base=base).resolution.rule == "new-version"


def test_names_given_as_folders_are_versions(pull: Repository) -> None:
    add_version(pull, NEW, "new")
    add_version(pull, "models/model_v1.2", "newer")
    pull.commit()
    found = pull.resolve(candidate=f"{NEW}/", baseline=f"./{LIVE}").resolution
    assert (found.candidate, found.baseline, found.baseline_rule) == (NEW, LIVE, "input")


# Which versions


def link_version(pull: Repository) -> None:
    pull.write("elsewhere/x", "x")
    (pull.root / NEW).symlink_to("../elsewhere")


def link_live(pull: Repository) -> None:
    pull.git("mv", LIVE, "elsewhere")
    (pull.root / LIVE).symlink_to("../elsewhere")


def link_checkpoint(pull: Repository) -> None:
    pull.git("mv", f"{LIVE}/checkpoint", "elsewhere")
    (pull.root / LIVE / "checkpoint").symlink_to("../../elsewhere")


def submodule_at(path: str) -> Change:
    def change(pull: Repository) -> None:
        pull.git("rm", "-r", "--quiet", "--ignore-unmatch", path)
        pull.git("update-index", "--add", "--cacheinfo", f"160000,{pull.git('rev-parse', 'main')},{path}")
        pull.git("commit", "--quiet", "-m", "Submodule")
        (pull.root / path).mkdir(parents=True)

    return change


def change_weights(pull: Repository) -> None:
    pull.write(f"{LIVE}/{WEIGHTS}", "other weights")


def add_tokenizer(pull: Repository) -> None:
    pull.write(f"{LIVE}/checkpoint/tokenizer.json", "{}")


def executable(pull: Repository) -> None:
    (pull.root / LIVE / WEIGHTS).chmod(0o755)


def name_of_no_encoding(pull: Repository) -> None:
    pull.write(f"{LIVE}/checkpoint/" + os.fsdecode(b"\xff"), "x")


def papers(pull: Repository) -> None:
    pull.write(f"{LIVE}/README.md", "# Card\n")
    pull.write(f"{LIVE}/checkpoint/README.md", "# Card\n")
    pull.write(f"{LIVE}/model.json", '{"parent": "model_v0.9", "checkpoint": {"digest": "x"}}')
    pull.write(f"{LIVE}/eval.json", '{"forged": true}')
    pull.write("models/model_v1.1-notes/README.md", "no version")
    pull.write("models/model_v1.1.md", "no version")


VERSIONS: dict[str, tuple[Change, str]] = {
    "a version that is a link": (link_version, "new-version"),
    "the live version becomes a link": (link_live, "changed-checkpoint"),
    "its checkpoint becomes a link": (link_checkpoint, "changed-checkpoint"),
    "a version that is a submodule": (submodule_at(NEW), "new-version"),
    "its checkpoint becomes a submodule": (submodule_at(f"{LIVE}/checkpoint"), "changed-checkpoint"),
    "other weights": (change_weights, "changed-checkpoint"),
    "a file more": (add_tokenizer, "changed-checkpoint"),
    "a name that is not UTF-8": (name_of_no_encoding, "changed-checkpoint"),
    "another mode": (executable, "not-needed"),
    "papers": (papers, "not-needed"),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_what_counts_as_a_version_s_change(pull: Repository, name: str) -> None:
    change, rule = VERSIONS[name]
    change(pull)
    pull.commit()
    assert pull.resolve().resolution.rule == rule


def test_a_link_or_a_submodule_that_moves_on_is_a_change(pull: Repository) -> None:
    submodule_at(f"{LIVE}/checkpoint")(pull)
    pull.git("branch", "--force", "main")
    commit = pull.commit("Any")
    pull.git("update-index", "--cacheinfo", f"160000,{commit},{LIVE}/checkpoint")
    pull.git("commit", "--quiet", "-m", "The submodule moves on")
    assert pull.resolve().resolution.rule == "changed-checkpoint"


@pytest.mark.parametrize("text", ["{", "[]", '{"parent": 1}', '{"parent": "../x"}', '{"checkpoint": "\\ud800"}'])
def test_a_malformed_model_json_is_for_others_to_tell(pull: Repository, text: str) -> None:
    add_version(pull, NEW, "new")
    pull.write(f"{NEW}/model.json", text)
    pull.commit()
    found = pull.resolve().resolution
    assert (found.rule, found.parent) == ("new-version", None)


def test_a_folder_of_versions_that_is_a_link_is_refused(pull: Repository) -> None:
    pull.git("mv", "models", "elsewhere")
    (pull.root / "models").symlink_to("elsewhere")
    pull.commit()
    with pytest.raises(InvalidInput, match="models: MR508 is a link or a file"):
        pull.resolve()


@pytest.mark.parametrize(
    "models", ["..", "../models", "/models", "a/../..", ".", "models/", "./models", ":(top)models"]
)
def test_a_folder_of_versions_is_inside_and_literal(pull: Repository, models: str) -> None:
    pull.replace(CONFIG, "suite:", f"models: {models!r}\nsuite:")
    pull.commit()
    if ".." in models or models.startswith("/"):
        with pytest.raises(InvalidInput, match=r"modelrelease.yaml:2: MR208 .* inside the repository"):
            pull.resolve()
    else:
        assert pull.resolve().facts.before.keys() == {"model_v1.0"}
        assert pull.resolve().resolution.rule == "not-needed"


def test_the_merge_base_has_its_own_folder_of_versions(pull: Repository) -> None:
    pull.replace(CONFIG, "suite:", "models: weights\nsuite:")
    add_version(pull, "weights/model_v2.0", "new")
    pull.commit()
    found = pull.resolve().resolution
    assert (found.candidate, found.baseline) == ("weights/model_v2.0", LIVE)


# What has changed


def fewer_rows(pull: Repository) -> None:
    values = rows(9)
    values[3]["answer"] = 1
    pull.write_rows(values[1:])


def moved_rows(pull: Repository) -> None:
    pull.write_rows(list(reversed(rows())))


def other_dataset(pull: Repository) -> None:
    pull.write("datasets/more.jsonl", (pull.root / QUESTIONS).read_text("utf-8"))
    pull.replace(SUITE, "kind: multiple_choice, dataset: datasets/qa.jsonl", "kind: multiple_choice, dataset: datasets/more.jsonl")  # fmt: skip  # noqa: E501


def other_prompt(pull: Repository) -> None:
    pull.write("prompts/other.md", "{{question}}")
    pull.replace(SUITE, PROMPT, "prompts/other.md")


def new_task(pull: Repository) -> None:
    more = "  - {name: read, kind: perplexity, dataset: datasets/qa.jsonl, target: question, metrics: [nll]}\n"
    pull.write(SUITE, (pull.root / SUITE).read_text("utf-8") + more)


def malformed(name: str) -> Change:
    return lambda pull: pull.write(name, "{{{{")


def removed(name: str) -> Change:
    return lambda pull: pull.remove(name)


def replaced(name: str, old: str, new: str) -> Change:
    return lambda pull: pull.replace(name, old, new)


SEEN: dict[str, tuple[Change, list[tuple[str, str, str | None]]]] = {
    "nothing": (lambda pull: pull.write("README.md", "x"), []),
    "a prompt": (replaced(PROMPT, "A:", "Answer:"), [("prompt", PROMPT, None)]),
    "another prompt": (other_prompt, [("prompt", "prompts/other.md", f"instead of {PROMPT}")]),
    "a prompt that is gone": (removed(PROMPT), [("prompt", PROMPT, None)]),
    "a prompt's change record": (
        lambda pull: pull.write(PROMPT, "---\nauthor: Ada\nreason: none\n---\nQ: {{question}}\nA:"),
        [],
    ),
    "rows": (fewer_rows, [("dataset", QUESTIONS, "1 row changed, 1 row added, 1 row removed")]),
    "the order of rows": (moved_rows, []),
    "rows that cannot be read": (malformed(QUESTIONS), [("dataset", QUESTIONS, None)]),
    "another dataset with the same rows": (other_dataset, []),
    "a pattern": (replaced(SUITE, "zebra", "lion"), [("suite", SUITE, "task say asks otherwise")]),
    "a task's name": (
        replaced(SUITE, "name: say", "name: tell"),
        [("suite", SUITE, "task tell added, task say removed")],
    ),
    "a new task": (new_task, [("suite", SUITE, "task read added")]),
    "the suite's own name": (replaced(SUITE, "name: release", "name: other"), []),
    "a malformed suite": (malformed(SUITE), [("suite", SUITE, "cannot be read")]),
    "a suite that is gone": (removed(SUITE), [("suite", SUITE, "cannot be read")]),
    "no suite any more": (
        replaced(CONFIG, "suite: evals/release.yaml\n", ""),
        [("suite", CONFIG, "task pick removed, task say removed")],
    ),
    "the margin": (replaced(CONFIG, "0.05", "0.9"), [("policy", CONFIG, "pick/acc.margin 0.05 → 0.9")]),
    "other keys of the config": (replaced(CONFIG, "gate:", "comment: {mode: never}\ngate:"), []),
    "many settings": (
        replaced(CONFIG, "gate:", "gate:\n  alpha: 0.1\n  min_items: 3\n  rescore_baseline: never\n  on_inconclusive: {pull_request: block, release: warn}"),  # noqa: E501
        [("policy", CONFIG, "alpha 0.05 → 0.1, min_items 30 → 3, on_inconclusive.pull_request warn → block, on_inconclusive.release block → warn and 1 more")],  # noqa: E501
    ),
    "a path that leads out": (replaced(SUITE, PROMPT, "../../etc/passwd"), [("prompt", "../../etc/passwd", None)]),
    "a path with magic": (replaced(SUITE, PROMPT, '":(exclude)prompts"'), [("prompt", ":(exclude)prompts", None)]),
    "a path with a NUL": (replaced(SUITE, PROMPT, '"a\\0b"'), [("prompt", "a\0b", None)]),
    "a path with a line break": (replaced(SUITE, PROMPT, '"a\\nb"'), [("prompt", "a\nb", None)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_what_has_changed_is_told_by_content(pull: Repository, name: str) -> None:
    change, expected = SEEN[name]
    change(pull)
    pull.commit()
    assert changes(pull) == expected
    rule = "changed-inputs" if any(what != "policy" for what, _, _ in expected) else "not-needed"
    assert pull.resolve().resolution.rule == rule


def test_a_prompt_that_a_task_drops_is_a_change(template: Repository, tmp_path: Path) -> None:
    def perplexity(repository: Repository) -> None:
        more = "  - {name: read, kind: perplexity, dataset: datasets/qa.jsonl, prompt: prompts/say.txt, target: topic,\n     metrics: [nll]}\n"  # noqa: E501
        repository.write(SUITE, (repository.root / SUITE).read_text("utf-8") + more)

    pull = copy(template, tmp_path / "repository", perplexity)
    pull.replace(SUITE, "prompt: prompts/say.txt, target: topic", "target: topic")
    pull.commit()
    assert changes(pull) == [("prompt", "prompts/say.txt", "task read has none any more")]


def test_what_lies_behind_a_link_counts(template: Repository, tmp_path: Path) -> None:
    def linked(repository: Repository) -> None:
        for name in (PROMPT, QUESTIONS):
            repository.git("mv", name, f"shared-{Path(name).name}")
            (repository.root / name).symlink_to(f"../shared-{Path(name).name}")

    pull = copy(template, tmp_path / "repository", linked)
    pull.write("README.md", "x")
    pull.commit()
    assert changes(pull) == []
    pull.replace("shared-qa.md", "A:", "Answer:")
    pull.write_rows(rows(9))
    pull.commit()
    assert changes(pull) == [("prompt", PROMPT, None), ("dataset", QUESTIONS, "1 row added")]
    assert pull.resolve().before.read(PROMPT) == b"Q: {{question}}\nA:"


def test_an_included_suite_is_reached(template: Repository, tmp_path: Path) -> None:
    def including(repository: Repository) -> None:
        repository.git("mv", SUITE, "evals/tasks.yaml")
        repository.write(SUITE, "schema_version: 1\nname: release\ninclude: [evals/tasks.yaml]\n")

    pull = copy(template, tmp_path / "repository", including)
    pull.replace("evals/tasks.yaml", "zebra", "lion")
    pull.commit()
    assert changes(pull) == [("suite", SUITE, "task say asks otherwise")]


def test_a_base_without_a_config_has_no_policy(tmp_path: Path) -> None:
    repository = create(tmp_path / "repository")
    text = (repository.root / CONFIG).read_text("utf-8")
    repository.remove(CONFIG)
    repository.commit("Before the kit")
    repository.branch()
    repository.write(CONFIG, text)
    repository.commit()
    (change,) = repository.resolve().resolution.changes
    assert change == ChangedInput(path=SUITE, what="suite", detail="task pick added, task say added")


def test_the_config_that_counts_is_the_one_at_the_head(pull: Repository) -> None:
    """The work tree's may not be committed, and another branch may be checked out."""
    pull.replace(CONFIG, "suite:", "models: weights\nsuite:")
    pull.git("mv", "models", "weights")
    pull.commit()
    pull.git("checkout", "--quiet", "main")
    found = resolve_range(find_project(pull.root), Range(base="main", head="change"))
    assert found.facts.models == "weights"
    assert found.resolution.rule == "not-needed"


@pytest.mark.parametrize("name", ["a b", " leading", 'quo"te', "ü", "-dash", ":(top)x", "*"])
def test_folders_may_have_any_name(template: Repository, tmp_path: Path, name: str) -> None:
    whole = Repository(tmp_path / "mono")
    part = copy(template, whole.root / name)
    part.remove(".git")
    whole.git("init", "--quiet", "--initial-branch=main")
    whole.commit("The model")
    part.branch()
    add_version(part, NEW, "new")
    part.replace(PROMPT, "A:", "Answer:")
    part.commit()
    found = part.resolve().resolution
    assert (found.rule, found.candidate, found.baseline) == ("new-version", NEW, LIVE)
    assert [one.path for one in found.changes] == [PROMPT]


def test_a_tree_that_git_cannot_list_is_no_empty_one(pull: Repository) -> None:
    add_version(pull, NEW, "new")
    pull.commit()
    tree = pull.git("rev-parse", "main:models/model_v1.0/checkpoint")
    path = pull.root / ".git" / "objects" / tree[:2] / tree[2:]
    path.chmod(0o644)
    path.unlink()
    with pytest.raises(Unavailable, match="MR603 git could not list"):
        pull.resolve()


# Which version is live


def test_the_live_version_is_the_highest_with_a_committed_record(pull: Repository) -> None:
    assert live_version(find_project(pull.root)) == LIVE
    for folder in ("models/model_v1.9", "models/model_v1.10"):
        add_version(pull, folder, folder, scored=True)
    add_version(pull, "models/model_v2.0", "not scored yet")
    assert live_version(find_project(pull.root)) == LIVE, "nothing of it is committed"
    pull.commit()
    assert live_version(find_project(pull.root)) == "models/model_v1.10"


def test_no_version_is_live_without_a_record(pull: Repository) -> None:
    pull.git("rm", "--quiet", f"{LIVE}/eval.json")
    pull.commit()
    assert live_version(find_project(pull.root)) is None


def test_no_version_is_live_before_the_first_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / CONFIG).write_text("schema_version: 1\n", "utf-8")
    with pytest.raises(InvalidInput, match="HEAD: MR508 'HEAD' names no commit; commit first"):
        live_version(find_project(tmp_path))
