"""Walk through the Hub's contract with whatever huggingface_hub is installed: ``python -m fakes.hub.contract``.

Nothing but huggingface_hub is needed, so that it runs in an environment made for one of its versions.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_UPDATE_CHECK="1")
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

from fakes.hub import EXPIRED_TOKEN, READ_TOKEN, WRITE_TOKEN, FakeHub, error

NAME = "acme/bot"
WEIGHTS = os.urandom(3_000_000)


def status(call: Callable[[], Any]) -> int:
    """Return the status that a call fails with."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        call()
    except HfHubHTTPError as failed:
        return int(failed.response.status_code)
    raise AssertionError("it did not fail")


def same(found: object, wanted: object) -> None:
    """Fail where two values differ."""
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def client(hub: FakeHub, token: str | None = WRITE_TOKEN) -> Any:
    """Return the real client of the local Hub."""
    from huggingface_hub import HfApi

    return HfApi(endpoint=hub.url, token=token if token is not None else False)


def tokens(hub: FakeHub) -> None:
    """Valid, expired, of nobody, and too weak."""
    same(client(hub).whoami()["name"], "acme")
    same(status(client(hub, EXPIRED_TOKEN).whoami), 401)
    client(hub).create_repo(NAME, private=True)
    same(status(lambda: client(hub).create_repo(NAME)), 409)
    same(status(lambda: client(hub, None).repo_info(NAME)), 404)
    same(status(lambda: client(hub).repo_info("acme/none")), 404)
    same(client(hub, READ_TOKEN).repo_info(NAME).id, NAME)
    same(status(lambda: client(hub, READ_TOKEN).create_tag(NAME, tag="x")), 403)


def a_commit(hub: FakeHub) -> str:
    """One commit of large and small files, which needs its parent to be the head."""
    from huggingface_hub import CommitOperationAdd

    api = client(hub)
    first = api.repo_info(NAME).sha
    card = b"---\nlicense: apache-2.0\n---\n# A bot\n"
    files = {"README.md": card, "config.json": b"{}", "deep/er/a file.txt": b"text", "model.safetensors": WEIGHTS}
    adds = [CommitOperationAdd(path, data) for path, data in files.items()]
    made = api.create_commit(NAME, adds, commit_message="One", commit_description="More", parent_commit=first)
    later = [CommitOperationAdd("later", b"1")]
    same(status(lambda: api.create_commit(NAME, later, commit_message="x", parent_commit=first)), 412)
    history = api.list_repo_commits(NAME)
    same([(one.title, one.message) for one in history], [("One", "More"), ("initial commit", "")])
    same(history[0].commit_id, made.oid)
    tree = {one.path: one for one in api.list_repo_tree(NAME, recursive=True) if hasattr(one, "blob_id")}
    same(set(tree), {".gitattributes", *files})
    same(tree["model.safetensors"].lfs.size, len(WEIGHTS))
    same(tree["deep/er/a file.txt"].size, 4)
    same([one.path for one in api.get_paths_info(NAME, ["config.json", "no"], revision=made.oid)], ["config.json"])
    return str(made.oid)


def refs(hub: FakeHub, commit: str) -> None:
    """Tags and branches are made, never moved, and deleted."""
    api = client(hub)
    api.create_tag(NAME, tag="v1", revision=commit)
    api.create_branch(NAME, branch="stage/one", revision="v1")
    same(status(lambda: api.create_tag(NAME, tag="v1")), 409)
    same(status(lambda: api.create_branch(NAME, branch="stage/one")), 409)
    same(status(lambda: api.create_tag(NAME, tag="v2", revision="nothing")), 404)
    found = api.list_repo_refs(NAME)
    same([(one.name, one.target_commit) for one in found.tags], [("v1", commit)])
    same(sorted(one.name for one in found.branches), ["main", "stage/one"])
    api.delete_branch(NAME, branch="stage/one")
    api.create_tag(NAME, tag="gone")
    api.delete_tag(NAME, tag="gone")
    same(status(lambda: api.delete_tag(NAME, tag="gone")), 404)
    same(status(lambda: api.delete_branch(NAME, branch="main")), 403)


def copies(hub: FakeHub, commit: str) -> None:
    """A commit of copies and deletions moves no weights."""
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

    api = client(hub)
    other = [CommitOperationAdd("model.safetensors", b"other"), CommitOperationDelete("deep/", is_folder=True)]
    second = api.create_commit(NAME, other, commit_message="Two").oid
    same(status(lambda: api.create_commit(NAME, [CommitOperationDelete("deep/")], commit_message="x")), 404)
    before = len(hub.requests)
    paths = ("model.safetensors", "deep/er/a file.txt")
    back = [CommitOperationCopy(path, path, src_revision=commit) for path in paths]
    third = api.create_commit(NAME, back, commit_message="Back", parent_commit=second).oid
    moved = sum(one.received + one.sent for one in hub.requests[before:])
    if not moved < 20_000:
        raise AssertionError(f"{moved} bytes moved")
    trees = [{(one.path, getattr(one, "blob_id", "")) for one in api.list_repo_tree(NAME, recursive=True, revision=at)}
             for at in (commit, third)]  # fmt: skip
    same(trees[0] == trees[1], True)


def downloads(hub: FakeHub, commit: str, folder: Path) -> None:
    """Files come whole, in parts, and not at all where there are none."""
    from huggingface_hub import get_session, snapshot_download

    api = client(hub)
    whole = Path(
        snapshot_download(NAME, revision="v1", local_dir=folder / "whole", endpoint=hub.url, token=WRITE_TOKEN)
    )
    same((whole / "model.safetensors").read_bytes() == WEIGHTS, True)
    same((whole / "deep/er/a file.txt").read_text(), "text")
    address = f"{hub.url}/{NAME}/resolve/{commit}/model.safetensors"
    located = get_session().head(address, headers={"Authorization": f"Bearer {WRITE_TOKEN}"}, follow_redirects=False)
    part = get_session().get(located.headers["Location"], headers={"Range": "bytes=1000000-"})
    same((part.status_code, part.content == WEIGHTS[1_000_000:]), (206, True))
    same(status(lambda: api.hf_hub_download(NAME, "none", local_dir=folder / "none")), 404)


def uploads(hub: FakeHub, folder: Path) -> None:
    """What is there is not sent again; what breaks is sent again; a commit whose answer is lost is not."""
    from huggingface_hub import CommitOperationAdd

    api = client(hub)
    file = folder / "large.safetensors"
    file.write_bytes(os.urandom(2_500_000))

    def upload(path: str) -> str:
        made = api.create_commit(NAME, [CommitOperationAdd(path, file)], commit_message="Upload")
        return str(made.oid)

    hub.part_size = 1_000_000
    hub.fault("PUT", r"/_storage/.*/part/2", after=100_000)
    upload("a.safetensors")
    parts = [one.path[-6:] for one in hub.requests if one.method == "PUT" and one.status == 200]
    same(parts[-3:], ["part/1", "part/2", "part/3"])
    hub.part_size = None
    before = len(hub.requests)
    upload("b.safetensors")
    same([one for one in hub.requests[before:] if one.method == "PUT"], [])
    hub.fault("POST", r".*/commit/main", applied=True, **error(500))
    file.write_bytes(os.urandom(1000))
    same(status(lambda: upload("c.safetensors")), 500)
    same(api.list_repo_commits(NAME)[0].title, "Upload")
    same(api.file_exists(NAME, "c.safetensors"), True)
    hub.fault("POST", r".*/preupload/main", **error(503))
    file.write_bytes(os.urandom(1000))
    upload("d.safetensors")


def cards(hub: FakeHub) -> None:
    """A card that does not validate is refused before anything is sent."""
    from huggingface_hub import CommitOperationAdd

    api = client(hub)
    wrong = [CommitOperationAdd("README.md", b"---\nlicense: Not A Licence\n---\n")]
    try:
        api.create_commit(NAME, wrong, commit_message="x")
    except ValueError as refused:
        same("Invalid metadata" in str(refused), True)
    else:
        raise AssertionError("it was taken")


def walk(folder: Path) -> None:
    """Walk all of it against a Hub of its own."""
    with FakeHub(folder / "hub") as hub:
        tokens(hub)
        commit = a_commit(hub)
        refs(hub, commit)
        copies(hub, commit)
        downloads(hub, commit, folder)
        uploads(hub, folder)
        cards(hub)
        same(hub.problems, [])
        same(hub.faults.left(), 0)


def main() -> int:
    """Walk, and say with which client."""
    import huggingface_hub

    with tempfile.TemporaryDirectory() as folder:
        walk(Path(folder))
    print(f"huggingface_hub {huggingface_hub.__version__}: as the contract says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
