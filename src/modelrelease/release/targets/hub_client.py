"""The Hub's API through huggingface_hub, as values of ours.

Reading is tried again; a write is asked for once, and whoever asked looks at what there is before asking again.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused
from modelrelease.release.targets.contents import MAX_FILES, open_regular, planned_file, unchanged, unreadable
from modelrelease.release.targets.hub_connection import connect
from modelrelease.release.targets.hub_failures import Failed, LookAgain, Moved, attempt, finding, given_up
from modelrelease.release.targets.hub_session import TIMEOUT, bounded
from modelrelease.release.targets.patience import Patience
from modelrelease.release.targets.target import FileDigest, PlannedFile

T = TypeVar("T")
MAIN = "main"
# The Hub takes what the client sends before the .gitignore in the repository; this one ignores nothing.
_IGNORE_NOTHING = "# a release takes all of its files\n"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# More than a release and what may lie around it.
_MAX_ENTRIES = 4 * MAX_FILES
MAX_HISTORY = 1000
# A commit takes some requests for each large file, and one for each part of it.
MAX_WRITES = 10_000_000


@dataclass(frozen=True)
class Refs:
    """Branches and tags by name, each with its commit."""

    branches: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Copy:
    """A file that another commit of the repository has: its path there, and where it goes."""

    source: str
    commit: str
    path: str


@dataclass(frozen=True)
class Changes:
    """What one commit does."""

    add: tuple[PlannedFile, ...] = ()
    copy: tuple[Copy, ...] = ()
    delete: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to do."""
        return bool(self.add or self.copy or self.delete)


@dataclass(frozen=True)
class Logged:
    """One commit of a history."""

    commit: str
    title: str
    body: str

    @property
    def message(self) -> str:
        """Return all that was said."""
        return f"{self.title}\n\n{self.body}".rstrip()


class HubClient:
    """One model repository. ``endpoint`` None is the Hub itself; ``token`` None lets huggingface_hub find one."""

    def __init__(
        self,
        name: str,
        endpoint: str | None,
        token: str | None,
        patience: Patience,
        timeout: float = TIMEOUT,
        identity: str | None = None,
    ) -> None:
        """``timeout``: seconds without a byte before a connection counts as lost; ``identity``: see ``connect``."""
        self.name = name
        self.address = f"hf://{name}"
        self._endpoint = endpoint
        self._token = token
        self._patience = patience
        self._timeout = timeout
        self._identity = identity
        self._made: Any = None
        self._trees: dict[str, dict[str, FileDigest]] = {}

    @property
    def _api(self) -> Any:
        if self._made is None:
            self._made = connect(self._endpoint, self._token, self._timeout, self._identity)
        return self._made

    def refs(self) -> Refs:
        """Return all branches and tags."""

        def read() -> Refs:
            found = self._api.list_repo_refs(self.name)
            return Refs(_named(found.branches), _named(found.tags))

        return self._read("refs", read)

    def tree(self, commit: str) -> dict[str, FileDigest]:
        """Return what the files of a commit are, as the Hub says."""

        def read() -> dict[str, FileDigest]:
            entries = self._api.list_repo_tree(self.name, revision=commit, recursive=True)
            listed = list(islice(entries, _MAX_ENTRIES + 1))
            if len(listed) > _MAX_ENTRIES:
                raise ValueError("too many files")
            files = [_digest(one) for one in listed if hasattr(one, "blob_id")]
            return {file.path: file for file in files}

        if commit not in self._trees:
            self._trees[commit] = self._read(f"tree/{commit}", read)
        return self._trees[commit]

    def history(self, commit: str, most: int = MAX_HISTORY) -> list[Logged]:
        """Return a commit and those before it, newest first; the client's own call would always read all of them."""

        def read() -> list[Logged]:
            import huggingface_hub

            utils: Any = huggingface_hub.utils
            address = f"{self._api.endpoint}/api/models/{self.name}/commits/{commit}"
            headers = utils.build_hf_headers(token=self._token, library_name="modelrelease")
            found = [_logged(one) for one in islice(utils.paginate(address, params={}, headers=headers), most)]
            if not found:
                raise ValueError("no commit, and it was asked for one and those before it")
            return found

        return self._read(f"commits/{commit}", read)

    def commit(
        self,
        branch: str,
        parent: str,
        changes: Changes,
        message: tuple[str, str],
        uploaded: Callable[[], object] = lambda: None,
    ) -> str:
        """Make one commit on ``parent``, if that is the branch's head; return its id.

        ``message`` is its title and the rest; ``uploaded`` is called when the large files are there and it is not.
        Raises Moved where the head is another one, LookAgain where nobody knows whether the commit was made.
        """

        def write() -> str:
            adds = self._upload(branch, changes.add)
            uploaded()
            operations = [*_copies(changes.copy), *_deletions(changes.delete), *adds]
            made = self._api.create_commit(
                self.name,
                operations,
                commit_message=message[0],
                commit_description=message[1],
                revision=branch,
                parent_commit=parent,
            )
            return _commit(made.oid)

        return self._write(f"commit/{branch}", write)

    def _upload(self, branch: str, files: tuple[PlannedFile, ...]) -> list[Any]:
        """Send the large files ahead of their commit, and see that they are what was planned."""
        from huggingface_hub import CommitOperationAdd

        adds = [CommitOperationAdd(file.path, _local(file)) for file in files]
        for file, add in zip(files, adds, strict=True):
            if unchanged(file) and file.digest.sha256 is not None:  # it need not be hashed once more
                add.upload_info.sha256 = bytes.fromhex(file.digest.sha256)
        if adds:
            self._api.preupload_lfs_files(
                self.name, adds, revision=branch, gitignore_content=_IGNORE_NOTHING, free_memory=False
            )
        for file, add in zip(files, adds, strict=True):
            sent = (add.upload_info.size, add.upload_info.sha256.hex())
            if sent != (file.digest.size, file.digest.sha256) or (file.stamp is not None and not unchanged(file)):
                message = "changed on this machine while it was published"
                raise Refused(Finding(file.path, Code.RELEASE_FILE, message, "find out who writes it, and run again"))
        return adds

    def check_writable(self, branch: str) -> None:
        """Ask how an empty file would have to be sent, which the Hub tells only those who may write to the branch.

        That request begins every commit, and sends nothing of the file. Source: the notes on ``create_pr`` in
        huggingface_hub's ``HfApi.preupload_lfs_files``.
        """

        def ask() -> None:
            from huggingface_hub import CommitOperationAdd

            asked = [CommitOperationAdd("README.md", b"")]
            self._api.preupload_lfs_files(self.name, asked, revision=branch, gitignore_content=_IGNORE_NOTHING)

        self._read(f"preupload/{branch}", ask)

    def create_branch(self, name: str, commit: str) -> None:
        """Create a branch; raises as :meth:`commit` does."""
        self._write(f"branch/{name}", lambda: self._api.create_branch(self.name, branch=name, revision=commit))

    def create_tag(self, name: str, commit: str) -> None:
        """Create a tag; raises as :meth:`commit` does."""
        self._write(f"tag/{name}", lambda: self._api.create_tag(self.name, tag=name, revision=commit))

    def download(self, commit: str, path: str) -> FileDigest:
        """Return what a file's bytes are: fetched into a folder of its own, hashed, and removed again."""

        return self._fetched(commit, path, lambda place: planned_file(path, place).digest)

    def read(self, commit: str, path: str) -> bytes:
        """Return a small file's bytes; the caller has looked at its size."""
        return self._fetched(commit, path, lambda place: place.read_bytes())

    def _fetched(self, commit: str, path: str, use: Callable[[Path], T]) -> T:
        def read() -> T:
            with tempfile.TemporaryDirectory(prefix="modelrelease-") as folder:
                return use(Path(self._api.hf_hub_download(self.name, path, revision=commit, local_dir=folder)))

        return self._read(f"resolve/{commit}/{path}", read)

    def _read(self, what: str, call: Callable[[], T]) -> T:
        while True:
            try:
                with bounded():
                    result = attempt(call, self._token)
            except Failed as failed:
                failure = failed.failure
            else:
                self._patience.begin(what)
                return result
            reason = self._patience.wait(what, failure)
            if reason is not None:
                raise given_up(self.address, failure, reason) from None

    def _write(self, what: str, call: Callable[[], T]) -> T:
        try:
            with bounded(MAX_WRITES):
                return attempt(call, self._token)
        except Failed as failed:
            failure = failed.failure
        if failure.status in {409, 412}:
            raise Moved from None
        reason = self._patience.wait(what, failure)
        if reason is not None:
            raise given_up(self.address, failure, reason) from None
        raise LookAgain(finding(self.address, failure, "", "run it again")) from None


def _local(file: PlannedFile) -> str | bytes:
    if not isinstance(file.source, Path):
        return file.source or b""
    try:
        open_regular(file.source).close()
    except OSError as error:
        raise unreadable(file.source, error) from error
    return str(file.source)


def _copies(copies: tuple[Copy, ...]) -> list[Any]:
    from huggingface_hub import CommitOperationCopy

    return [CommitOperationCopy(one.source, one.path, src_revision=one.commit) for one in copies]


def _deletions(paths: tuple[str, ...]) -> list[Any]:
    from huggingface_hub import CommitOperationDelete

    return [CommitOperationDelete(path, is_folder=False) for path in paths]


def _logged(entry: Any) -> Logged:
    return Logged(_commit(entry["id"]), str(entry["title"]), str(entry["message"]))


def _named(refs: Any) -> dict[str, str]:
    return {str(ref.name): _commit(ref.target_commit) for ref in refs}


def _commit(text: object) -> str:
    if not (isinstance(text, str) and _COMMIT.fullmatch(text)):
        raise ValueError("no commit")
    return text


def _digest(entry: Any) -> FileDigest:
    sha256 = entry.lfs.sha256 if entry.lfs is not None else None
    size = entry.lfs.size if entry.lfs is not None else entry.size
    if not (isinstance(size, int) and (sha256 is None or _DIGEST.fullmatch(sha256))):
        raise ValueError("no digest")
    return FileDigest(str(entry.path), size, sha256, _commit(entry.blob_id) if sha256 is None else None)
