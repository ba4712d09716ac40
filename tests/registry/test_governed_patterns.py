"""Our gitignore dialect, held against git's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.registry.patterns import Patterns

PARTS = st.sampled_from(["a", "b.yaml", "*", "**", "?", "a*", "*.yaml", "[ab]", "[!a]", "pr", "\\*", "x y", "*b*"])
PATTERN = st.builds(
    lambda lead, parts, trail: lead + "/".join(parts) + trail,
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "/", "/**"]),
).filter(lambda pattern: pattern.count("**") <= 3)
PATHS = [
    "/".join(parts)
    for parts in (
        *[[one] for one in ("a", "b", "b.yaml", "ab", "pr", "x y", "*", "aa.yaml")],
        *[[one, two] for one in ("a", "pr", "ab") for two in ("a", "b.yaml", "x y", "*")],
        *[["a", one, two] for one in ("a", "pr") for two in ("a", "b.yaml", "bb")],
        ["a", "b", "a", "b.yaml"],
    )
]


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty repository: what git ignores in it is what its exclude file says."""
    folder = tmp_path_factory.mktemp("oracle")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


@given(pattern=PATTERN)
def test_a_pattern_governs_what_git_would_ignore(oracle: Path, pattern: str) -> None:
    (oracle / ".git" / "info" / "exclude").write_text(pattern + "\n")
    command = ["git", "-C", str(oracle), "check-ignore", "--no-index", "--stdin", "-z"]
    asked = "\0".join(PATHS).encode() + b"\0"
    ignored = subprocess.run(command, input=asked, capture_output=True, check=False).stdout.decode().split("\0")[:-1]
    question = Patterns([pattern])
    assert [path for path in PATHS if question(path)] == ignored


@pytest.mark.parametrize(
    ("patterns", "governed", "free"),
    [
        (["prompts/**"], ["prompts/a", "prompts/a/b.yaml"], ["prompts", "x/prompts/a", "prompts2/a"]),
        (["prompts/**", "!prompts/drafts/**"], ["prompts/a"], ["prompts/drafts/a"]),
        (["*.jsonl"], ["a.jsonl", "x/y/a.jsonl"], ["a.json"]),
        (["# no", "", "/"], [], ["# no", "a"]),
        (["/a"], ["a", "a/b"], ["x/a"]),
        (["prompts/"], ["prompts/a", "x/prompts/a"], ["prompts"]),
        (["a\\ "], ["a "], ["a"]),
        (["\\#a", "\\!b"], ["#a", "!b"], ["a", "b"]),
        (["a[b"], ["a[b"], ["ab"]),
        (["x\ny"], ["x\ny"], ["x"]),
    ],
)
def test_patterns_by_example(patterns: list[str], governed: list[str], free: list[str]) -> None:
    question = Patterns(patterns)
    assert [path for path in [*governed, *free] if question(path)] == governed


@pytest.mark.parametrize("pattern", ["**/a/**/b/**/c/**/d", "[z-a]"])
def test_a_pattern_that_cannot_be_one_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"has more than 3|is not valid"):
        Patterns([pattern])


def test_many_stars_do_not_take_for_ever() -> None:
    assert not Patterns(["*a" * 40 + "b"])("a" * 4000)
