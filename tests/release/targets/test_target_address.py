"""Which addresses name which targets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.release.targets.address import (
    Surroundings,
    ends_with,
    folder_of,
    open_target,
    relative_folder,
    repository_of,
)
from modelrelease.release.targets.folder import FolderTarget
from modelrelease.release.targets.hub import HubTarget

SECRET = "hf_secret0123456789"


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("file://releases", "releases"),
        ("file://a/b", "a/b"),
        ("file:///srv/models", "/srv/models"),
    ],
)
def test_folders(tmp_path: Path, address: str, folder: str) -> None:
    assert folder_of(address, tmp_path) == tmp_path / folder
    assert isinstance(open_target(address, Surroundings(tmp_path)), FolderTarget)


@pytest.mark.parametrize(
    ("address", "tidy"),
    [
        ("file://a/b/", "file://a/b"),
        ("file://./a", "file://a"),
        ("file://a//b/./c", "file://a/b/c"),
        ("file:///srv/models/", "file:///srv/models"),
        ("file:////srv/models", "file:///srv/models"),
    ],
)
def test_a_folder_has_one_address(tmp_path: Path, address: str, tidy: str) -> None:
    """The ledger knows a target by it: with two, half of what was released would be unknown."""
    with pytest.raises(InvalidInput, match=rf"MR701 can be written more shortly; write `{tidy}`$"):
        folder_of(address, tmp_path)
    assert folder_of(tidy, tmp_path)


@pytest.mark.parametrize("name", ["acme/bot", "acme/support-7b", "Acme_1/x.y"])
def test_repositories(tmp_path: Path, name: str) -> None:
    assert repository_of(f"hf://{name}") == name
    target = open_target(f"hf://{name}", Surroundings(tmp_path, token=SECRET))
    assert isinstance(target, HubTarget)
    assert target.address == f"hf://{name}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "releases",
        "file://",
        "file:///",
        "file://.",
        "file://../x",
        "file://a/../../x",
        "file://a/../b",
        "file://a%2fb",
        "file://a\\b",
        "file://a\0b",
        "hf://acme",
        "hf://acme/",
        "hf://acme/bot/more",
        "hf://acme/bot@main",
        "hf://acme/b..t",
        "hf://acme/bot.git",
        "hf://-acme/bot",
        "hf://acme/bot\n",
        "HF://acme/bot",
        "https://huggingface.co/acme/bot",
        "s3://acme/bot",
    ],
)
def test_what_names_no_target(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInput, match="MR701"):
        open_target(address, Surroundings(tmp_path))


def test_a_link_does_not_lead_out_of_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    (root / "in").symlink_to(root / "real")
    for name in ("out", "out/x", "circle"):
        with pytest.raises(InvalidInput, match="MR701"):
            folder_of(f"file://{name}", root)
    assert folder_of("file://in", root) == root / "in"


def test_surroundings_show_no_token(tmp_path: Path) -> None:
    assert SECRET not in repr(Surroundings(tmp_path, token=SECRET))


def test_a_folder_needs_nothing_of_the_hub_s(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from modelrelease.release.targets.address import Surroundings, open_target
open_target("file://releases", Surroundings(Path({str(tmp_path)!r}))).stage("production")
open_target("hf://acme/bot", Surroundings(Path({str(tmp_path)!r})))
print([name for name in ("huggingface_hub", "httpx", "httpx2", "torch", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("endpoint", "token", "says"),
    [
        ("huggingface.co", None, "HF_ENDPOINT: MR601 `huggingface.co` is no address"),
        ("file:///etc/passwd", None, "HF_ENDPOINT: MR601"),
        (None, f"{SECRET}\n", "HF_TOKEN: MR601 holds characters that no token has"),
        (None, f"{SECRET}\u00e9", "HF_TOKEN: MR601"),
        (None, "", "HF_TOKEN: MR601"),
    ],
)
def test_settings_that_cannot_be_are_said_at_once(
    tmp_path: Path, endpoint: str | None, token: str | None, says: str
) -> None:
    target = open_target("hf://acme/bot", Surroundings(tmp_path, endpoint, token))
    with pytest.raises(InvalidInput, match=says) as refused:
        target.versions()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("file://releases", "releases"),
        ("file://out/releases", "out/releases"),
        ("file:///srv/releases", None),
        ("file://../elsewhere", None),
        ("file://a\nb", None),
        ("file://", None),
        ("hf://acme/support", None),
    ],
)
def test_a_folder_of_the_repository(address: str, folder: str | None) -> None:
    assert relative_folder(address) == folder


def test_what_a_job_takes_along_when_it_ends(tmp_path: Path) -> None:
    root, work, kept = tmp_path / "w/repository", tmp_path / "w", tmp_path / "kept"
    root.mkdir(parents=True)
    kept.mkdir()
    (kept / "back").symlink_to(work)
    lost = ["file://releases", f"file://{work}/out", f"file://{kept}/back/out"]
    assert [ends_with(address, root, work) for address in [*lost, f"file://{kept}", "hf://a/b"]] == [
        True, True, True, False, False
    ]  # fmt: skip
