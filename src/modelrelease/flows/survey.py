"""What a repository holds, read within bounds: nobody waits for gigabytes to be told what they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, escape_controls, invalid
from modelrelease.numbers import show_count
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER
from modelrelease.records.datasets import read_dataset
from modelrelease.records.files import read_bytes
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.prompts import Prompt, read_prompt
from modelrelease.records.templates import compile_template
from modelrelease.release.versions import sorted_versions
from modelrelease.scaffold.candidates import Candidate, candidates
from modelrelease.scaffold.found import Dataset, Found, LeftOut, PromptFile
from modelrelease.scaffold.shapes import shape_of

MAX_WHOLE = 16 << 20
"""Bytes up to which a file is read whole."""

MAX_SAMPLE = 4 << 20
"""Bytes that are read of a longer one."""

MAX_READ = 128 << 20
MAX_FILES = 2000
_PEEK = 4096
_ROWS = ".jsonl"


def survey(root: Path, paths: list[str], models: str) -> Found:
    """Look through ``paths`` (relative to ``root``) and the folder ``models``; links are never followed."""
    readable = [path for path in paths if _is_text(path)]
    left_out = [LeftOut(escape_controls(path), "its name is not UTF-8") for path in paths if not _is_text(path)]
    chosen = candidates(readable, models)
    looked = _Look(root)
    prompts = [looked.prompt(path) for path in chosen.prompts]
    datasets = [looked.dataset(one) for one in chosen.datasets]
    training = [LeftOut(escape_controls(path), "its name says that it is training data") for path in chosen.training]
    versions = list(_versions(root, models))
    return Found(
        datasets=tuple(one for one in datasets if isinstance(one, Dataset)),
        prompts=tuple(one for one in prompts if isinstance(one, PromptFile)),
        versions=tuple(name for name in versions if _has_checkpoint(root / name)),
        left_out=(
            *(LeftOut(name, "holds no checkpoint yet") for name in versions if not _has_checkpoint(root / name)),
            *left_out,
            *training,
            *(one for one in (*datasets, *prompts) if isinstance(one, LeftOut)),
            *looked.summary(),
        ),
    )


def bounded_bytes(root: Path, path: str) -> tuple[bytes, bool]:
    """Return a file's bytes and whether they are all of it: of long JSONL files, the rows at the beginning.

    Raises InvalidInput (MR209) for what is no regular file below ``root``, is reached through a link, cannot be read,
    or is too long and no JSONL.
    """
    shown = escape_controls(path)
    place = root / path
    refuse_outside(path)
    if through_link(root, path):
        raise invalid(shown, Code.UNREADABLE, "is a link, or in a linked folder", "name the file itself")
    if not place.is_file() or (size := place.stat().st_size) <= MAX_WHOLE:
        return read_bytes(place, shown), True
    if PurePosixPath(path).suffix.lower() != _ROWS:
        message = f"has {show_count(size >> 20)} MB, and only JSONL is looked at beyond {MAX_WHOLE >> 20}"
        raise invalid(shown, Code.UNREADABLE, message, "make it JSONL, or write its task into the suite yourself")
    beginning = _head(place, MAX_SAMPLE)
    end = beginning.rfind(b"\n") + 1
    if end == 0:
        message = f"begins with a row of more than {MAX_SAMPLE >> 20} MB"
        raise invalid(shown, Code.UNREADABLE, message, "see that it has one row a line")
    return beginning[:end], False


def refuse_outside(path: str) -> None:
    """Raise InvalidInput (MR209) where ``path``, which a file of the repository names, leads out of it."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\0" in path or "\\" in path:
        raise invalid(escape_controls(path), Code.UNREADABLE, "lies outside the repository", "name a path inside it")


def through_link(root: Path, path: str) -> bool:
    """Say whether ``path``, or a folder on the way to it from ``root``, is a symbolic link."""
    pure = PurePosixPath(path)
    return any((root / part).is_symlink() for part in (pure, *list(pure.parents)[:-1]))


class _Look:
    """Reads one file after the other, as long as the bounds allow."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = 0
        self._files = 0
        self._unread = 0
        self._others = 0

    def dataset(self, candidate: Candidate) -> Dataset | LeftOut | None:
        """Return a file's rows, or why it is no test set; None where that concerns nobody."""
        path = candidate.path
        if self._full():
            return None
        try:
            if not candidate.meant and not _may_hold_rows(self._root, path):
                return None
            data, whole = self._bytes(path)
            rows = read_dataset(data, escape_controls(path))
        except InvalidInput as error:
            if candidate.meant:
                return _left_out(path, error)
            self._others += 1
            return None
        return Dataset(path, len(rows), shape_of([row.fields for row in rows]), whole)

    def prompt(self, path: str) -> PromptFile | LeftOut | None:
        """Return the fields a prompt names, or why it is none that rows could fill; None where it was not read."""
        if self._full():
            return None
        try:
            data, _ = self._bytes(path)
            prompt = read_prompt(data, escape_controls(path))
            fields = tuple(dict.fromkeys(name for text in _texts(prompt) for name in _fields(text, path)))
        except InvalidInput as error:
            return _left_out(path, error)
        if not fields:
            return LeftOut(escape_controls(path), "names no field of a row; write {{field}} where its value belongs")
        return PromptFile(path, fields, prompt.messages is not None)

    def _full(self) -> bool:
        full = self._read >= MAX_READ or self._files >= MAX_FILES
        self._unread += full
        return full

    def _bytes(self, path: str) -> tuple[bytes, bool]:
        self._files += 1
        data, whole = bounded_bytes(self._root, path)
        self._read += len(data)
        return data, whole

    def summary(self) -> Iterator[LeftOut]:
        """Yield a line for each kind of file that is not named one by one."""
        if self._others:
            yield LeftOut("*.csv, *.json", f"{show_count(self._others)} outside of datasets/ and data/ hold no rows")
        if self._unread:
            bound = f"{show_count(MAX_FILES)} files or {MAX_READ >> 20} MB"
            yield LeftOut("…", f"{show_count(self._unread)} more were not looked at, after {bound}")


def _left_out(path: str, error: InvalidInput) -> LeftOut:
    first, rest = error.findings[0], len(error.findings) - 1
    where = f"line {first.line}: " if first.line is not None else ""
    more = f" (and {show_count(rest)} more findings)" if rest else ""
    return LeftOut(escape_controls(path), f"{first.code.value} {where}{first.message}; {first.todo}{more}")


def _may_hold_rows(root: Path, path: str) -> bool:
    """Say whether a .json begins as a list, or a .csv names a column `id`: others are nobody's test set."""
    if through_link(root, path) or not (root / path).is_file():
        return False
    beginning = _head(root / path, _PEEK)
    if path.lower().endswith(".csv"):
        names = beginning.partition(b"\n")[0].decode("utf-8", "replace").split(",")
        return "id" in {name.strip().strip('\ufeff"') for name in names}
    return beginning.removeprefix("\ufeff".encode()).lstrip().startswith(b"[")


def _head(place: Path, count: int) -> bytes:
    try:
        with place.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        shown = escape_controls(str(place))
        raise invalid(shown, Code.UNREADABLE, error.strerror or str(error), "make it readable") from error


def _texts(prompt: Prompt) -> list[str]:
    return [message.content for message in prompt.messages] if prompt.messages else [prompt.template or ""]


def _fields(text: str, path: str) -> tuple[str, ...]:
    return compile_template(text, escape_controls(path), 1).fields


def _versions(root: Path, models: str) -> Iterator[str]:
    folder = root / models
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except OSError:  # no such folder, or one that is not for us: then there are no versions to speak of
        return
    for name in sorted_versions(names):
        yield f"{models}/{name}"


def _has_checkpoint(version: Path) -> bool:
    if (version / MODEL_FILE).is_file():  # which also names weights that lie elsewhere
        return True
    return any((version / folder / "config.json").is_file() for folder in (CHECKPOINT_FOLDER, ""))


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
