"""Everything governed as it stands, in the index or in the work tree: it can be read, and has a record."""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.check import Checked
from modelrelease.flows.registry.examine import not_a_file
from modelrelease.flows.registry.scope import Scope, targets
from modelrelease.git import trees
from modelrelease.registry.formats import ROWS, Governed, holds_rows, is_log, log_of, read_governed
from modelrelease.registry.judge import Judge, judge_standing
from modelrelease.registry.logs import read_log
from modelrelease.registry.policy import CONFIG_FILE, read_policy

_CHUNK = 1 << 20
Read = Callable[[str], "bytes | Finding | None"]


def check_index(scope: Scope, today: datetime.date) -> Checked:
    """Return what is wrong with the governed files of the index."""
    entries = scope.new.entries()

    def read(path: str) -> bytes | Finding | None:
        entry = entries.get(path)
        if entry is None:
            return None
        return not_a_file(path, entry) or scope.objects.read(entry.oid)

    return _check(scope, entries, read, today)


def check_work_tree(scope: Scope, today: datetime.date) -> Checked:
    """Return what is wrong with the governed files of the work tree; links are not followed."""
    paths = dict.fromkeys([*scope.new.entries(), *trees.untracked(scope.git)])
    data = work_tree_bytes(scope.git.folder, CONFIG_FILE)
    if isinstance(data, bytes):
        scope.new_policy = read_policy(data, CONFIG_FILE)
    present = [path for path in paths if os.path.lexists(os.path.join(scope.git.folder, path))]  # noqa: PTH118
    checked = _check(scope, present, lambda path: work_tree_bytes(scope.git.folder, path), today)
    later = "changed since HEAD; once it is staged, `modelrelease check --staged` says whether its record tells why"
    checked.notes += [f"{path}: {later}" for path in _uncommitted(scope)]
    return checked


def _uncommitted(scope: Scope) -> list[str]:
    """Return the governed files that differ from HEAD: that they have a record says nothing of what they hold now."""
    edited = [path for path in trees.unstaged(scope.git) if scope.governs(path) and not is_log(path)]
    return sorted({*targets(scope), *edited})


def work_tree_bytes(root: str, path: str) -> bytes | Finding | None:
    """Return a regular file's bytes; None where there is none, and the finding where it is something else."""
    place = os.path.join(root, path)  # noqa: PTH118 - names may be bytes that pathlib would change
    try:
        mode = os.lstat(place).st_mode
        if stat.S_ISLNK(mode):
            return not_a_file(path, trees.Entry(trees.LINK, ""))
        if stat.S_ISDIR(mode):
            return not_a_file(path, trees.Entry(trees.SUBMODULE, ""))
        if not stat.S_ISREG(mode):
            return Finding(path, Code.NOT_A_FILE, "is no regular file", "put the file itself there")
        with open(place, "rb") as stream:  # noqa: PTH123
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Finding(path, Code.UNREADABLE, error.strerror or str(error), "make it readable")


def file_size(root: str, path: str) -> int | None:
    """Return the size of a regular file; None where there is none."""
    try:
        found = os.lstat(os.path.join(root, path))  # noqa: PTH118
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def read_pieces(place: Path) -> Iterator[bytes]:
    """Yield a file in pieces."""
    with place.open("rb") as stream:
        while data := stream.read(_CHUNK):
            yield data


def _check(scope: Scope, paths: Iterable[str], read: Read, today: datetime.date) -> Checked:
    judge = Judge(scope.policy.rules, today, lambda _: None)
    findings: list[Finding] = []
    governed = [path for path in paths if scope.governs(path) and not is_log(path)]
    for path in governed:
        try:
            findings += _check_file(path, read, judge)
        except InvalidInput as error:
            findings += error.findings
    return Checked(findings, [], len(governed))


def _check_file(path: str, read: Read, judge: Judge) -> list[Finding]:
    # Rows are not needed to know that their record stands in the log; a dataset may be larger than memory.
    version = Governed(ROWS, None) if holds_rows(path) else None
    if version is None:
        data = read(path)
        if isinstance(data, Finding):
            return [data]
        if data is None:
            return []
        version = read_governed(data, path)
    log = read(log_of(path))
    lines = read_log(log if isinstance(log, bytes) else None, log_of(path))
    return judge_standing(path, version, lines, judge)
