"""From a version folder, or an address on the Hub, to a checkpoint that was verified against its papers.

The weights of a version lie in its ``checkpoint/``, in another version's (``same_as``), or where model.json says
(``source``); the last are fetched once, into the cache. Wherever they come from, each file's size and sha256 has to be
what model.json lists before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, Unavailable, invalid
from modelrelease.flows.hub_models import find_hub_model
from modelrelease.flows.openers import Hub, Opener, opened
from modelrelease.flows.weight_cache import cached, fetch_file
from modelrelease.numbers import show_few
from modelrelease.records.addresses import Address, is_plain_path, parse_hub, parse_source
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER, Checkpoint, files_digest, read_checkpoint
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.files import read_bytes, resolved
from modelrelease.records.hash_memory import HashMemory, memory_in
from modelrelease.records.model import MODEL_FILE, ModelRecord, SavedCheckpoint
from modelrelease.records.strict_json import MAX_DOCUMENT, read_document
from modelrelease.records.validation import validate
from modelrelease.release.versions import version_key
from modelrelease.scoring.execution import NoProgress, Progress
from modelrelease.scoring.run import Surroundings

CHECKPOINTS, HUB_MODELS = "checkpoints", "hub-models"
_THREADS = 4
_SHOWN = 3
Beside = Callable[[str], Path]
"""From a version's name to its folder."""


@dataclass(frozen=True)
class Weights:
    """Finds checkpoints. ``cache`` is the folder for what may be lost, None where there is no place for it.

    ``remembers``: files that have not changed since they were hashed need not be hashed again. Publishing says no.
    """

    cache: Path | None = None
    hub: Hub = field(default_factory=Hub)
    progress: Progress = field(default_factory=NoProgress)
    remembers: bool = True

    @classmethod
    def of(cls, surroundings: Surroundings) -> Weights:
        """Return what finds checkpoints in the surroundings of a run."""
        hub = Hub(surroundings.hub_endpoint, surroundings.offline)
        return cls(surroundings.cache, hub, surroundings.download)

    def of_version(self, folder: Path, shown: str, beside: Beside | None = None) -> Checkpoint:
        """Return the checkpoint of a version folder, or of a folder that is a checkpoint itself.

        ``shown`` is how people and records name it; ``beside`` says where other versions are, beside it unless given.
        Raises what :func:`read_checkpoint` does; Refused (exit 1) where files are not those that model.json lists
        (MR421), ``same_as`` leads to another checkpoint (MR424), or fetched ones differ (MR427); InvalidInput where
        model.json is malformed or its address cannot be used (MR423); Unavailable where that does not answer.
        """
        return self._of_version(folder, shown, beside or (lambda name: folder.parent / name), ())

    def of_hub(self, address: str) -> Checkpoint:
        """Return the checkpoint at ``hf://org/name[@revision]``; its ``source`` names the commit.

        Raises InvalidInput (MR423, MR401) where that is no model, otherwise what :meth:`of_version` does.
        """
        try:
            named = parse_hub(address)
        except ValueError as error:
            raise _unusable(address, str(error)) from error
        model = find_hub_model(named, self.hub, self._home() / HUB_MODELS)
        refuse_listed(model.saved, model.address.text)
        place = self._fetched(model.saved, model.address, lambda: model.opened(self.hub))
        return replace(self._read(place, model.address.text), version=None, source=model.address.text)

    def _of_version(self, folder: Path, shown: str, beside: Beside, seen: tuple[str, ...]) -> Checkpoint:
        # The papers of a folder that is a checkpoint itself would be one of its files.
        here = [place for place in (folder / CHECKPOINT_FOLDER, folder) if (place / "config.json").is_file()]
        saved = _saved(folder, shown) if here != [folder] else None
        if here or saved is None or (saved.same_as is None and saved.source is None):
            found = self._read(folder, shown)
        elif saved.same_as is not None:
            found = self._same_as(saved.same_as, shown, beside, (*seen, folder.name))
        else:
            found = self._by_address(saved, shown)
        if saved is not None:
            refuse_other(found, saved, shown)
        version = resolved(folder, shown).name
        return replace(found, version=version if version_key(version) else found.version, source=shown)

    def _same_as(self, name: str, shown: str, beside: Beside, seen: tuple[str, ...]) -> Checkpoint:
        record = f"{shown}/{MODEL_FILE}"
        if version_key(name) is None or name in seen:
            what = f"`same_as` leads back to {name}" if name in seen else f"`same_as: {name}` names no version"
            raise invalid(record, Code.SAME_AS, what, "name the version whose checkpoint this one shares")
        other = beside(name)
        if not other.is_dir():
            message = f"`same_as` names {name}, which is not here"
            raise invalid(record, Code.SAME_AS, message, "bring its folder back, or let model.json say a `source`")
        return self._of_version(other, f"{shown.rpartition('/')[0]}/{name}".lstrip("/"), beside, seen)

    def _by_address(self, saved: SavedCheckpoint, shown: str) -> Checkpoint:
        record = f"{shown}/{MODEL_FILE}"
        try:
            address = parse_source(saved.source or "")
        except ValueError as error:
            raise _unusable(record, f"`source` {error}") from error
        refuse_listed(saved, record)
        return self._read(self._fetched(saved, address, lambda: opened(address, self.hub)), shown)

    def _fetched(
        self, saved: SavedCheckpoint, address: Address, opening: Callable[[], AbstractContextManager[Opener]]
    ) -> Path:
        def fill(into: Path) -> None:
            with opening() as opener:
                fetch_all(opener, saved.files, into, address, self.progress)

        return cached(self._home() / CHECKPOINTS, saved.digest, saved.files, fill, self._memory())

    def _home(self) -> Path:
        if self.cache is None:
            message, todo = "there is no folder to fetch weights into", "name one in MODELRELEASE_CACHE"
            raise Unavailable(Finding("modelrelease", Code.UNAVAILABLE, message, todo))
        return self.cache

    def _memory(self) -> HashMemory | None:
        return memory_in(self.cache) if self.remembers else None

    def _read(self, folder: Path, shown: str) -> Checkpoint:
        return read_checkpoint(folder, shown, self._memory())


def _saved(folder: Path, shown: str) -> SavedCheckpoint | None:
    """Return what a version's papers say of its checkpoint, None where it has none."""
    if not (folder / MODEL_FILE).is_file():
        return None
    path = f"{shown}/{MODEL_FILE}"
    data = read_bytes(folder / MODEL_FILE, path, limit=MAX_DOCUMENT)
    return validate(ModelRecord, read_document(data, path)).checkpoint


def fetch_all(
    opener: Opener, files: Sequence[CheckpointFile], into: Path, address: Address, progress: Progress
) -> None:
    """Fetch every file into ``into``; from the Hub several at once. Raises what :func:`fetch_file` does."""
    progress.start(sum(file.size for file in files), 0)
    try:
        if address.kind != "hub":
            for file in files:
                fetch_file(opener, file, into, address.text, progress.advance)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_THREADS) as pool:
            tasks = [pool.submit(fetch_file, opener, file, into, address.text, progress.advance) for file in files]
            try:
                for task in tasks:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
    finally:
        progress.finish()


def refuse_listed(saved: SavedCheckpoint, shown: str) -> None:
    """Raise InvalidInput (MR421) where a list of files names places outside of a checkpoint, or is not its digest's."""
    names = [file.path for file in saved.files]
    bad = [name for name in names if not is_plain_path(name)]
    if bad:
        message = f"lists {show_few([repr(name) for name in bad], _SHOWN)}, which is no place in a checkpoint"
        raise invalid(shown, Code.CHECKPOINT_FILES, message, "record the checkpoint again")
    if len(set(names)) != len(names):
        raise invalid(shown, Code.CHECKPOINT_FILES, "lists a file twice", "record the checkpoint again")
    if files_digest(saved.files) != saved.digest:
        message = "its `checkpoint.digest` is not that of the files it lists"
        raise invalid(shown, Code.CHECKPOINT_FILES, message, "record the checkpoint again; nobody edits it by hand")


def refuse_other(found: Checkpoint, saved: SavedCheckpoint, shown: str) -> None:
    """Raise Refused (MR421), file by file, where a checkpoint is not the one that model.json describes."""
    if found.digest == saved.digest:
        return
    here, listed = ({file.path: file for file in files} for files in (found.files, saved.files))
    findings = []
    for name in sorted({*here, *listed}):
        if here.get(name) != listed.get(name):
            what = (
                "is missing, and model.json lists it"
                if name not in here
                else "is not in model.json"
                if name not in listed
                else "is not the file that model.json lists"
            )
            findings.append(Finding(f"{shown}/{CHECKPOINT_FOLDER}/{name}", Code.CHECKPOINT_FILES, what, WAY_OUT))
    message = "its `checkpoint.digest` is not that of the checkpoint"
    raise Refused(findings or Finding(f"{shown}/{MODEL_FILE}", Code.CHECKPOINT_FILES, message, WAY_OUT))


WAY_OUT = "put back what was recorded, or run `modelrelease record` on the folder again"


def _unusable(where: str, problem: str) -> Exception:
    message, _, todo = problem.partition("; ")
    return invalid(where, Code.ADDRESS, message, todo)
