"""`modelrelease card` as a person and as CI call it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Ran, run, start
from governed_repository import Repository
from papered_versions import CHILD, PEOPLE, two_versions

FOLDER = f"models/{CHILD}"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "card.md"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return two_versions(tmp_path_factory.mktemp("two") / "repository")


@pytest.fixture
def root(template: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with two versions, in which the commands are run."""
    shutil.copytree(template.folder, tmp_path / "repository", symlinks=True)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


@pytest.fixture
def card(root: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    return lambda *arguments: run(capsys, "card", *(arguments or (FOLDER,)))


def write_readme(root: Path, front: str = PEOPLE, body: str = "# Ours\n\nIt answers questions.\n") -> Path:
    path = root / FOLDER / "README.md"
    path.write_text(f"---\n{front}---\n\n{body}", "utf-8")
    return path


def test_without_a_flag_it_shows_what_it_would_write_and_writes_nothing(root: Path, card: Callable[..., Ran]) -> None:
    before = sorted(os.listdir(root / FOLDER))  # noqa: PTH208
    ran = card()
    assert ran.code == 0
    assert ran.out.startswith(f"==> {FOLDER}/README.md (absent)\n---\nlibrary_name: transformers\n")
    assert f"\n==> {FOLDER}/changelog.md (absent)\n# {CHILD}\n" in ran.out
    assert [line.partition("; ")[0] for line in ran.err.splitlines()] == [
        f"{FOLDER}/README.md:2: MR430 `{key}` is missing" for key in ("license", "base_model", "datasets", "language")
    ]
    assert sorted(os.listdir(root / FOLDER)) == before  # noqa: PTH208


def test_the_way_to_a_card_that_passes(root: Path, card: Callable[..., Ran]) -> None:
    assert card(FOLDER, "--check").code == 1
    ran = card(FOLDER, "--write")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{FOLDER}/README.md: written",
        f"{FOLDER}/changelog.md: written",
        "the card still lacks what is named here; `--check` exits with 1 until it is there",
    ]
    path = root / FOLDER / "README.md"
    path.write_text(path.read_text("utf-8").replace("---\n", f"---\n{PEOPLE}", 1), "utf-8")
    assert card(FOLDER, "--check") == Ran(0, f"{CHILD}: card and changelog are what the records give\n", "")
    assert card(FOLDER, "--write") == Ran(0, f"{FOLDER}/README.md: as it was\n{FOLDER}/changelog.md: as it was\n", "")


def test_check_says_what_is_stale_and_what_is_a_placeholder(root: Path, card: Callable[..., Ran]) -> None:
    write_readme(root, body="# Ours\n\n[More Information Needed]\n")
    card(FOLDER, "--write")
    (root / FOLDER / "changelog.md").write_text("by hand", "utf-8")
    ran = card(FOLDER, "--check")
    assert (ran.code, ran.out) == (1, "")
    number = (root / FOLDER / "README.md").read_text("utf-8").split("\n").index("[More Information Needed]") + 1
    assert [line.partition("; ")[0] for line in ran.err.splitlines()] == [
        f"{FOLDER}/changelog.md: MR433 is not what the records give",
        f"{FOLDER}/README.md:{number}: MR431 `[More Information Needed]` stands for something that is yet to be "
        "written",
    ]
    assert f"run `modelrelease card {FOLDER} --write`" in ran.err


def test_json_is_for_programs(root: Path, card: Callable[..., Ran]) -> None:
    ran = card(FOLDER, "--check", "--json")
    assert (ran.code, ran.err) == (1, "")
    document = json.loads(ran.out)
    assert document["version"] == CHILD
    assert document["exit_code"] == 1
    assert document["files"][1] == {"path": f"{FOLDER}/changelog.md", "state": "absent", "written": False}
    assert [finding["code"] for finding in document["findings"]] == ["MR433"] * 2
    write_readme(root)
    document = json.loads(card(FOLDER, "--write", "--json").out)
    assert [file["written"] for file in document["files"]] == [True, True]
    assert document["findings"] == []


@pytest.mark.parametrize(
    ("readme", "code", "said"),
    [
        ("<!-- modelrelease:begin -->\n", 2, f"{FOLDER}/README.md:1: MR432 a begin marker without an end marker"),
        ("---\na: [\n---\n", 2, f"{FOLDER}/README.md:"),
        ("---\nmodel-index: mine\n---\n", 1, f"{FOLDER}/README.md:2: MR434 `model-index` holds results"),
        ("---\n{a: 1}\n---\n", 1, f"{FOLDER}/README.md:2: MR434 "),
    ],
)
@pytest.mark.parametrize("flag", ["--write", "--check", "--json"])
def test_a_card_that_cannot_be_kept_is_left_alone(
    root: Path, card: Callable[..., Ran], readme: str, code: int, said: str, flag: str
) -> None:
    path = root / FOLDER / "README.md"
    path.write_text(readme, "utf-8")
    ran = card(FOLDER, flag)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(said)
    assert path.read_text("utf-8") == readme
    assert not (root / FOLDER / "changelog.md").exists()


def test_misuse_and_what_is_not_there(card: Callable[..., Ran]) -> None:
    assert card(FOLDER, "--write", "--check").code == 2
    ran = card("models/model_v9.9")
    assert (ran.code, ran.err) == (
        2,
        "models/model_v9.9: MR209 is no folder; name a version folder, such as models/model_v1.1\n",
    )


def test_no_control_character_of_a_card_reaches_the_terminal(root: Path, card: Callable[..., Ran]) -> None:
    write_readme(root, body="\x1b[31mred\x1b[0m \u202e\n")
    ran = card()
    assert "\x1b" not in ran.out
    assert "\\x1b[31mred\\x1b[0m \\u202e\n" in ran.out


def test_the_commands_of_the_page_do_what_it_says(root: Path) -> None:
    text = PAGE.read_text("utf-8")
    commands = re.findall(r"^\$ modelrelease (card .*)$", text, re.MULTILINE)
    assert [command.split()[2:] for command in commands] == [[], ["--write"], ["--check"]]
    wanted = re.search(r"```text\n(---\n.*?---\n)", text, re.DOTALL)
    assert wanted is not None
    front = re.sub(r"(?s)^(---\n.*?)(?:library_name.*)?---\n\Z", r"\1", wanted[1])
    codes = []
    for command in commands:
        codes.append(start(root, *command.split()).returncode)
        if command.endswith("--write"):
            path = root / FOLDER / "README.md"
            path.write_text(path.read_text("utf-8").replace("---\n", front, 1), "utf-8")
    assert codes == [0, 0, 0]
    readme = (root / FOLDER / "README.md").read_text("utf-8")
    for line in re.findall(r"^<!-- modelrelease:.*-->$", text, re.MULTILINE):
        assert f"\n{line}\n" in readme
