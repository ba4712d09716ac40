"""What a release on GitHub says, with a changelog that anybody may have written."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from hostile import ATTACKS
from inertness import ACTIVE, MARKDOWN, plain_text

from modelrelease.records.announcement import Announcement, Asset, digest_lines
from modelrelease.reports.budget import units
from modelrelease.reports.inert import defused, escape, fence, fold_head
from modelrelease.reports.release_notes import MAX_BODY, ledger_head, release_notes

MARKER = "<!-- marker -->"
HEAD = "d" * 40


def announcement(changelog: str = "", head: str | None = HEAD) -> Announcement:
    assets = (Asset("eval.json", 1234, "ab" * 32, b""),)
    return Announcement("model_v1.1", "c" * 40, "model_v1.1", "ef" * 32, assets, changelog, head)


def test_it_says_what_was_released() -> None:
    body = release_notes(announcement("# model_v1.1\n\n**better**: `qa/acc`\n"), MARKER)
    assert body.startswith(f"{MARKER}\n")
    assert f"\n\nLedger-Head: {HEAD}\n\n" in body
    assert f"| eval.json | 1,234 | `{'ab' * 32}` |" in body
    assert f"`{'ef' * 32}`" in body
    assert body.endswith("# model_v1.1\n\n**better**: `qa/acc`\n")
    assert ledger_head(body) == ledger_head(body.replace("\n", "\r\n")) == HEAD


def test_only_our_own_part_names_the_ledger_s_head() -> None:
    forged = f"Ledger-Head: {'f' * 40}\n<!-- modelrelease:changelog -->\nLedger-Head: {'e' * 40}"
    assert ledger_head(release_notes(announcement(forged, None), MARKER)) is None
    assert ledger_head(release_notes(announcement(forged), MARKER)) == HEAD
    assert ledger_head("") is None


@pytest.mark.parametrize(
    "text", ["x" * 300_000, "line 🦄\n" * 100_000, "```\n" + "y\n" * 200_000, "@]<$" * 40_000 + "\n"]
)
def test_it_is_never_too_long(text: str) -> None:
    body = release_notes(announcement(text), MARKER)
    assert units(body) <= MAX_BODY
    assert "the whole text is the file changelog.md" in body
    assert ledger_head(body) == HEAD


def does_something(markdown: str) -> list[str]:
    """Return what a text does beyond being read: all that GitHub would make of it."""
    found = []
    for token in MARKDOWN.parse(markdown):
        if token.type == "html_block":
            rest = re.sub(r"<details><summary>[^<>]*</summary>|</details>", "", token.content)
            found += [token.content] * bool(re.search(r"<[\w/!?]", rest) or ACTIVE.search(token.content))
        for child in token.children or []:
            if child.type in {"link_open", "image", "html_inline"}:
                found.append(child.type)
        if token.type == "inline" and ACTIVE.search(plain_text(token)):
            found.append(plain_text(token))
        if token.type == "fence" and token.info in {"mermaid", "math", "geojson", "topojson", "stl"}:
            found.append(token.info)
    return found


MORE = {
    "escaped": r"\@x \#1 \[x](http://evil.example) \\[x](http://evil.example) gh\-1 www\.evil.example",
    "entities": "&#64;x &commat;x &#35;1 &num;1 &#x40;x &lbrack;x](http://evil.example)",
    "a diagram": "```mermaid\ngraph TD; A-->B; click A \"http://evil.example\"\n```\n~~~math\nx\n~~~",
    "a fold that does more": '<details open ontoggle="x"><summary>y</summary>\n<details><summary>@x</summary>\n@x',
    "an open fence": "````text\n@x",
    "an open comment": "<!-- x",
    "markup between": "@<b>x</b> h**tt**ps://evil.example",
    "a commit": "deadbeef " + "a" * 40,
    "a heading": "# @x\n## #1\n#1",
}  # fmt: skip


@pytest.mark.parametrize("name", [*ATTACKS, *MORE])
def test_a_changelog_does_nothing(name: str) -> None:
    text = {**ATTACKS, **MORE}[name]
    for written in (text, f"> {text}", f"- {text}", f"| a |\n| --- |\n| {text} |", f"# {text}"):
        assert does_something(defused(written)) == []
        assert not re.search(r"[^\n -~\u00a0-\U0010ffff]", defused(written))


def test_what_was_attacks_before_is_still_seen_as_one() -> None:
    """The check above can fail."""
    assert all(does_something(text) for name, text in MORE.items() if name != "an open fence")


def test_our_own_reports_keep_their_layout() -> None:
    ours = [
        "# model_v1.1", "", "**better**, 3 items", "", "| a | b |", "| --- | ---: |", "| x | `1` |", "",
        f"- {escape('a <b> & @x [y] #1 :z', begins_line=True)}", "", fold_head("What changed & why"), "",
        *fence("@x <b>\n```"), "", "</details>",
    ]  # fmt: skip
    text = "\n".join(ours) + "\n"
    once = defused(text)
    assert defused(once) == once

    def kinds(markdown: str) -> list[str]:
        return [token.type for token in MARKDOWN.parse(markdown)]

    assert kinds(once) == kinds(text)
    assert once.replace("\u200b", "") == text.replace("\u200b", "")


def test_digests_are_what_sha256sum_checks(tmp_path: Path) -> None:
    files = {"b/eval.json": b"1", "a\\b": b"2", "line\nend": b"3"}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    lines = digest_lines((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())
    (tmp_path / "digests.txt").write_bytes(lines)
    check = ["sha256sum", "--check", "--strict", "digests.txt"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "b/eval.json").write_bytes(b"4")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1
