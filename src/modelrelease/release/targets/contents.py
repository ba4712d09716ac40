"""What files are and whether two are the same; what may stand in a release."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable, invalid
from modelrelease.records.faults import quoted
from modelrelease.release.targets.target import FileDigest, PlannedFile, PlannedRelease, Stamp
from modelrelease.release.versions import version_key

if TYPE_CHECKING:
    from hashlib import _Hash

CHUNK = 1 << 20
# Beyond this a file is always a large one on the Hub, which then tells its sha256 and not the id that git gives it.
MAX_BLOB = 20 * 1024 * 1024
MAX_PATH = 500
_TICKS = 1_000_000_000
MAX_FILES = 10_000
RESERVED = frozenset({".gitattributes", ".release.json"})
"""What the targets keep beside a release's files: how git stores them, and a folder's own record."""

_PART = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|/]+")
_STAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,99}")


def planned_file(path: str, source: Path | bytes) -> PlannedFile:
    """Return a file to be published under ``path``, hashed once.

    Raises InvalidInput (MR705) for a link or whatever else is no regular file; Unavailable where it cannot be read.
    """
    if isinstance(source, bytes):
        return PlannedFile(digest_of_bytes(path, source), source)
    try:
        with open_regular(source) as stream:
            stamp = stamp_of(stream.fileno())
            size = stamp[2]
            sha256 = hashlib.sha256()
            blob = _git_blob(size) if size <= MAX_BLOB else None
            while chunk := stream.read(CHUNK):
                sha256.update(chunk)
                if blob is not None:
                    blob.update(chunk)
            kept = stamp if stamp == stamp_of(stream.fileno()) and not _fresh(stamp) else None
    except OSError as error:
        raise unreadable(source, error) from error
    digest = FileDigest(path, size, sha256.hexdigest(), blob.hexdigest() if blob else None)
    return PlannedFile(digest, source, kept)


def stamp_of(file: int | Path) -> Stamp:
    """Return what tells whether a file has changed since; OSError where it is gone."""
    now = os.fstat(file) if isinstance(file, int) else file.lstat()
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


def _fresh(stamp: Stamp) -> bool:
    # A change in the same tick of the file system's clock leaves no trace: what git calls racily clean.
    return time.time_ns() - stamp[4] < _TICKS


def unchanged(file: PlannedFile) -> bool:
    """Say whether a file is known to be what it was when it was hashed, without reading it."""
    try:
        return file.stamp is not None and isinstance(file.source, Path) and stamp_of(file.source) == file.stamp
    except OSError:
        return False


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; InvalidInput (MR705) for a link or anything else."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise invalid(path, Code.RELEASE_FILE, "is no regular file", "put the file itself there")
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def unreadable(path: Path, error: OSError) -> InvalidInput:
    """Return the error for a local file that cannot be read."""
    return invalid(path, Code.UNREADABLE, error.strerror or str(error), "make it readable")


def digest_of_bytes(path: str, data: bytes) -> FileDigest:
    """Return what ``data`` is, under ``path``."""
    blob = _git_blob(len(data))
    blob.update(data)
    return FileDigest(path, len(data), hashlib.sha256(data).hexdigest(), blob.hexdigest())


def _git_blob(size: int) -> _Hash:
    # Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects, "Object Storage".
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def same(one: FileDigest, other: FileDigest) -> bool:
    """Say whether two files are known to have the same bytes; what cannot be compared is not the same."""
    if one.size != other.size:
        return False
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 == other.sha256
    return one.blob is not None and one.blob == other.blob


def differences(where: str, expected: Sequence[FileDigest], found: Mapping[str, FileDigest]) -> tuple[Finding, ...]:
    """Return a finding for each file that is missing, other, or too many."""
    wanted = {file.path: file for file in expected}
    findings = []
    for path, file in sorted(wanted.items()):
        if path not in found:
            findings.append(_differs(where, path, "is missing"))
        elif not same(file, found[path]):
            findings.append(_differs(where, path, f"is not what was released ({_how(file, found[path])})"))
    extra = sorted(path for path in found if path not in wanted and path not in RESERVED)
    return tuple(findings + [_differs(where, path, "is no part of the release") for path in extra])


def _how(expected: FileDigest, found: FileDigest) -> str:
    if expected.size != found.size:
        return f"{found.size:,} bytes instead of {expected.size:,}"
    kind = "sha256" if expected.sha256 and found.sha256 else "git id"
    pair = (expected.sha256, found.sha256) if kind == "sha256" else (expected.blob, found.blob)
    if None in pair:
        return "its digests cannot be compared; verify with --download"
    return f"{kind} {str(pair[1])[:12]}… instead of {str(pair[0])[:12]}…"


def _differs(where: str, path: str, what: str) -> Finding:
    todo = "do not use it; publish a new version, and find out who changed this one"
    return Finding(f"{where}/{path}", Code.PUBLISHED_DIFFERS, what, todo)


def check_release(release: PlannedRelease) -> None:
    """Raise InvalidInput (MR705, MR706) where a release cannot be published as it is planned."""
    check_version(release.version)
    paths = [file.path for file in release.files]
    if not paths or len(paths) > MAX_FILES:
        raise invalid(release.version, Code.RELEASE_FILE, f"has {len(paths):,} files", f"release 1 to {MAX_FILES:,}")
    folders = {path.rpartition("/")[0] for path in paths} - {""}
    for path in paths:
        if problem := _path_problem(path, paths, folders):
            raise invalid(release.version, Code.RELEASE_FILE, f"{quoted(path)} {problem}", "rename the file")


def _path_problem(path: str, paths: Collection[str], folders: Collection[str]) -> str | None:
    parts = path.split("/")
    if len(path) > MAX_PATH or not all(_PART.fullmatch(part) for part in parts):
        return "is no plain path"
    if any(part in {".", "..", ".git", ".cache"} or part != part.strip() for part in parts) or path in RESERVED:
        return "is a name that the target keeps for itself"
    if sum(other == path for other in paths) > 1:
        return "stands twice in the release"
    return "is a file and a folder" if any(f"{folder}/".startswith(f"{path}/") for folder in folders) else None


def check_version(version: str) -> None:
    """Raise InvalidInput (MR706) where ``version`` is no version's name."""
    if version_key(version) is None:
        raise invalid(version, Code.RELEASE_NAME, "is no version", "write it like model_v1.0")


def check_stage(name: str) -> None:
    """Raise InvalidInput (MR706) where ``name`` cannot be a stage's: it has to be a branch's and a file's name too."""
    taken = name.lower() == "main" or version_key(name) is not None
    if taken or not _STAGE.fullmatch(name) or name.endswith((".lock", ".")):
        todo = "use letters, digits, `_`, `.` and `-`; `main` and versions' names are taken"
        raise invalid(quoted(name), Code.RELEASE_NAME, "is no name for a stage", todo)


def other_content(where: str, found: Sequence[Finding]) -> Refused:
    """Return the error for a version's name that stands for something else."""
    message = "is published already, with other content"
    todo = "publish the next patch version: what is published is never replaced"
    return Refused([Finding(where, Code.PUBLISHED_DIFFERS, message, todo), *found])


def not_published(where: str, todo: str) -> Finding:
    """Return the finding for a version that was published and is not there; ``todo`` puts it back."""
    return Finding(where, Code.NOT_PUBLISHED, "is not published any more", todo)


def moved_off(where: str, commit: str, recorded: str) -> Finding:
    """Return the finding for a name that no longer stands for what was recorded."""
    message = f"stands for {commit[:12]} and not for {recorded[:12]}, which was recorded"
    todo = "find out who moved it; load the recorded commit, not the name"
    return Finding(where, Code.PUBLISHED_DIFFERS, message, todo)


def nowhere(address: str, path: str) -> InvalidInput:
    """Return the error for a file that nobody has."""
    message = "is not at the target, and there is no local copy"
    todo = "fetch the weights, or publish the version that has them first"
    return invalid(f"{address}/{path}", Code.RELEASE_FILE, message, todo)


def too_large(where: str, size: int) -> InvalidInput:
    """Return the error for a record of ``size`` bytes."""
    return invalid(where, Code.RELEASE_FILE, f"has {size:,} bytes, and is no record", "find out who published it")


def unavailable(where: str, message: str, todo: str) -> Unavailable:
    """Return the error for something outside that does not do its part."""
    return Unavailable(Finding(where, Code.UNAVAILABLE, message, todo))
