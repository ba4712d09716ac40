"""A target in a folder: ``versions/model_v1.0/…`` and ``stages/production.json``.

A version appears by the rename of a finished folder, a stage moves by the rename of a finished file: whoever reads
sees all of it or nothing. A rename never replaces a version; stages are moved under a lock, against what was expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable
from modelrelease.records.files import write_atomic
from modelrelease.release.targets.contents import (
    check_release,
    check_stage,
    check_version,
    differences,
    moved_off,
    not_published,
    nowhere,
    other_content,
    too_large,
    unavailable,
)
from modelrelease.release.targets.manifest import (
    MANIFEST,
    Manifest,
    StageFile,
    commit_of,
    digests_in,
    manifest_of,
    parse,
)
from modelrelease.release.targets.target import (
    MAX_READ,
    FileDigest,
    PlannedFile,
    PlannedRelease,
    Published,
    Raced,
    Reach,
    StageState,
    go_on,
)
from modelrelease.release.targets.tree import (
    LOCK,
    Hashes,
    copy,
    digests_below,
    locked,
    must_take_folders,
    odd,
    read_record,
    real_folder,
    scratch,
    sync_folder,
    sync_folders,
    write,
)
from modelrelease.release.versions import sorted_versions

_PUT_BACK = "its folder is not on this machine, or was removed: put it back from a copy, which is verified then"


class FolderTarget:
    """See :class:`~modelrelease.release.targets.target.Target`. What is in the folder is hashed, never believed."""

    def __init__(self, address: str, folder: Path, *, reach: Reach = go_on) -> None:
        self.address = address
        self._folder = folder
        self._versions = folder / "versions"
        self._stages = folder / "stages"
        self._reach = reach
        self._hashes = Hashes()

    def versions(self) -> tuple[str, ...]:
        """Return the versions that are published, lowest first."""
        if not real_folder(self._versions, self._shown("versions")):
            return ()
        return tuple(sorted_versions(path.name for path in self._versions.iterdir()))

    def inspect(self, version: str) -> Published | None:
        """Return what is published under a version's name, as its record says."""
        check_version(version)
        shown = self._shown("versions", version)
        if not (real_folder(self._versions, self._shown("versions")) and self._is_there(version)):
            return None
        data = read_record(self._versions / version / MANIFEST, f"{shown}/{MANIFEST}")
        if data is None:
            raise odd(shown, f"has no {MANIFEST}, so it is no published version")
        manifest = parse(Manifest, data, f"{shown}/{MANIFEST}")
        if manifest.version != version:
            raise odd(shown, f"has the {MANIFEST} of another version")
        return Published(version, commit_of(data), digests_in(manifest), manifest.message)

    def _is_there(self, version: str) -> bool:
        folder = self._versions / version
        # An empty folder holds no version; a rename may take its place.
        return real_folder(folder, self._shown("versions", version)) and any(folder.iterdir())

    def stage(self, name: str) -> StageState:
        """Return what a stage is at, with the version's files hashed."""
        check_stage(name)
        found = self._stage_file(name)
        if found is None:
            return StageState(name)
        state, commit = found
        version, release = (state.version, state.release) if self._is_intact(state) else (None, None)
        return StageState(name, commit, version, release, state.version)

    def _is_intact(self, state: StageFile) -> bool:
        """A version that cannot even be read is none as it was published: a stage has to get away from it."""
        try:
            published = self.inspect(state.version)
            return published is not None and published.commit == state.release and not self._changed(published)
        except (Refused, InvalidInput):
            return False

    def _stage_file(self, name: str) -> tuple[StageFile, str] | None:
        shown = self._shown("stages", f"{name}.json")
        if not real_folder(self._stages, self._shown("stages")):
            return None
        data = read_record(self._stages / f"{name}.json", shown)
        return (parse(StageFile, data, shown), commit_of(data)) if data is not None else None

    def check_writable(self) -> None:
        """See that a folder can be made and removed where versions and stages are, or will be; none is left."""
        try:
            for folder, name in ((self._versions, "versions"), (self._stages, "stages")):
                if real_folder(folder, self._shown(name)):
                    with scratch(folder):
                        pass
                else:
                    must_take_folders(folder)
        except OSError as error:
            raise self._cannot_write(error) from error

    def publish(self, release: PlannedRelease) -> Published:
        """Publish a version: copied beside, hashed there, made to last, and renamed to where it belongs."""
        check_release(release)
        while True:
            found = self.inspect(release.version)
            if found is not None:
                shown = self._shown("versions", release.version)
                if wrong := self._against(release.version, release.digests):
                    raise other_content(shown, wrong)
                return found
            self._reach("publish: planned")
            try:
                self._make(release)
            except OSError as error:
                raise self._cannot_write(error) from error

    def _make(self, release: PlannedRelease) -> None:
        self._versions.mkdir(parents=True, exist_ok=True)
        real_folder(self._versions, self._shown("versions"))
        with scratch(self._versions) as temporary:
            self._fill(temporary, release)
            self._reach("publish: uploaded")
            try:
                temporary.rename(self._versions / release.version)
            except OSError:
                if not self._is_there(release.version):
                    raise
                return  # somebody else was first; what they published is looked at next
            sync_folder(self._versions)
            sync_folder(self._folder)
            self._reach("publish: committed")

    def _fill(self, temporary: Path, release: PlannedRelease) -> None:
        for file in release.files:
            place = temporary / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            source = file.source if file.source is not None else self._elsewhere(file)
            if isinstance(source, bytes):
                write(place, source)
            else:
                copy(source, place)
        shown = self._shown("versions", release.version)
        # What was written is read back: a source that changed, or a disk that lies, is found here and nowhere later.
        if wrong := differences(shown, release.digests, digests_below(temporary, shown, release.digests, self._hashes)):
            raise Refused(wrong)
        write(temporary / MANIFEST, manifest_of(release).to_bytes())
        sync_folders(temporary)

    def _elsewhere(self, file: PlannedFile) -> Path:
        """Return where another version has these bytes."""
        for version in reversed(self.versions()):
            published = self.inspect(version)
            for known in published.files if published is not None else ():
                if (known.sha256, known.size) == (file.digest.sha256, file.digest.size):
                    return self._versions / version / known.path
        raise nowhere(self.address, file.path)

    def move_stage(self, name: str, release: Published, expected: StageState) -> StageState:
        """Let a stage name ``release``, once its bytes are what they were."""
        check_stage(name)
        self._must_be_sound(release)
        try:
            self._stages.mkdir(parents=True, exist_ok=True)
            real_folder(self._stages, self._shown("stages"))
            with locked(self._stages / LOCK):
                return self._move(name, release, expected)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _move(self, name: str, release: Published, expected: StageState) -> StageState:
        found = self._stage_file(name)
        before, commit = found if found is not None else (None, None)
        if before is not None and (before.version, before.release) == (release.version, release.commit):
            return StageState(name, commit, release.version, release.commit, release.version)
        if commit != expected.commit:
            raise Raced(raced(self._shown("stages", f"{name}.json"), before.version if before else None))
        self._reach("stage: planned")
        moves = 1 + (before.moves if before is not None else 0)
        after = StageFile(stage=name, version=release.version, release=release.commit, moves=moves)
        write_atomic(self._stages / f"{name}.json", after.to_bytes())
        sync_folder(self._stages)
        self._reach("stage: moved")
        return StageState(name, commit_of(after.to_bytes()), release.version, release.commit, release.version)

    def _must_be_sound(self, release: Published) -> None:
        shown = self._shown("versions", release.version)
        found = self.inspect(release.version)
        if found is None:
            raise Refused(not_published(shown, _PUT_BACK))
        if found.commit != release.commit:
            raise Refused(moved_off(shown, found.commit, release.commit))
        if wrong := self._changed(found):
            raise Refused(wrong)

    def read(self, version: str, path: str) -> bytes | None:
        """Return a published file's bytes as they are on the disk."""
        found = self.inspect(version)
        listed = {file.path: file for file in found.files} if found is not None else {}
        if path not in listed:
            return None
        if listed[path].size > MAX_READ:
            raise too_large(self._shown("versions", version, path), listed[path].size)
        shown = self._shown("versions", version)
        place = self._versions / version
        for part in PurePosixPath(path).parts[:-1]:
            place, shown = place / part, f"{shown}/{part}"
            if not real_folder(place, shown):
                return None
        name = PurePosixPath(path).name
        return read_record(place / name, f"{shown}/{name}", MAX_READ)

    def read_unnamed(self, version: str, path: str) -> bytes | None:
        """Return None: here a version appears with its name, or not at all."""
        return None

    def verify(
        self, version: str, expected: Sequence[FileDigest], *, commit: str | None = None, download: bool = False
    ) -> tuple[Finding, ...]:
        """Return what differs; a folder keeps no digests that could be believed, so its bytes are always hashed."""
        shown = self._shown("versions", version)
        if download:
            self._hashes = Hashes()
        found = self.inspect(version)
        if found is None:
            return (not_published(shown, _PUT_BACK),)
        moved = (moved_off(shown, found.commit, commit),) if commit is not None and commit != found.commit else ()
        return (*moved, *self._against(version, expected))

    def _changed(self, published: Published) -> tuple[Finding, ...]:
        return self._against(published.version, published.files)

    def _against(self, version: str, expected: Sequence[FileDigest]) -> tuple[Finding, ...]:
        shown = self._shown("versions", version)
        return differences(shown, expected, digests_below(self._versions / version, shown, expected, self._hashes))

    def _shown(self, *parts: str) -> str:
        return "/".join((self.address.rstrip("/"), *parts))

    def _cannot_write(self, error: OSError) -> Unavailable:
        todo = "free the disk, or make the folder writable, and run it again"
        return unavailable(self.address, f"cannot be written: {error.strerror or error}", todo)


def raced(where: str, winner: str | None) -> Finding:
    """Return the finding for a change that somebody else made first."""
    what = f"moved meanwhile, to {winner}" if winner is not None else "changed meanwhile"
    return Finding(where, Code.RACED, what, "look at what is there now, and run it again if you still want to")
