"""A target on the Hugging Face Hub: releases are commits on ``main`` with a tag each, a stage is a branch.

A release is one commit on the head that was looked at, and its tag comes last, when what arrived has been compared.
A stage's branch mirrors the release; moving it is one commit of copies made on the server, so no weights travel and
its history is the log of deployments. An answer that is lost is no answer: what is there is read before anything is
asked again, and every write names what it expects, so nothing is ever done twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused
from modelrelease.release.targets.contents import (
    RESERVED,
    check_release,
    check_stage,
    check_version,
    differences,
    moved_off,
    not_published,
    other_content,
    too_large,
    unavailable,
)
from modelrelease.release.targets.hub_client import MAIN, HubClient, Refs
from modelrelease.release.targets.hub_failures import LookAgain, Moved
from modelrelease.release.targets.hub_plan import Tree, clashes, mirroring, publishing
from modelrelease.release.targets.target import (
    MAX_READ,
    FileDigest,
    PlannedRelease,
    Published,
    Raced,
    Reach,
    StageState,
    by_path,
    go_on,
    move_title,
    release_title,
)
from modelrelease.release.versions import sorted_versions, version_key

MAX_RACES = 8
# A file whose bytes are in none of so many versions is taken to be in none.
_MAX_OTHERS = 50


class HubTarget:
    """See :class:`~modelrelease.release.targets.target.Target`."""

    def __init__(self, client: HubClient, *, reach: Reach = go_on) -> None:
        self.address = client.address
        self._client = client
        self._reach = reach

    def versions(self) -> tuple[str, ...]:
        """Return the versions that have a tag, lowest first."""
        return tuple(sorted_versions(self._client.refs().tags))

    def inspect(self, version: str) -> Published | None:
        """Return what a version's tag stands for."""
        check_version(version)
        commit = self._client.refs().tags.get(version)
        return self._published(version, commit) if commit is not None else None

    def _published(self, version: str, commit: str) -> Published:
        message = self._client.history(commit, 1)[0].message
        return Published(version, commit, self._files(commit), message)

    def _files(self, commit: str) -> tuple[FileDigest, ...]:
        return tuple(file for path, file in sorted(self._client.tree(commit).items()) if path not in RESERVED)

    def stage(self, name: str) -> StageState:
        """Return what a stage's branch mirrors, compared file by file."""
        check_stage(name)
        refs = self._client.refs()
        head = refs.branches.get(name)
        if head is None:
            return StageState(name)
        at = next((version for version in sorted_versions(refs.tags) if refs.tags[version] == head), None)
        claimed = at or self._claimed(name, head)
        release = refs.tags.get(claimed) if claimed is not None else None
        if release is not None and self._mirrors(head, release):
            return StageState(name, head, claimed, release, claimed)
        return StageState(name, head, claimed=claimed)

    def _claimed(self, name: str, head: str) -> str | None:
        title, prefix = self._client.history(head, 1)[0].title, move_title(name, "")
        version = title.removeprefix(prefix)
        return version if title.startswith(prefix) and version_key(version) is not None else None

    def _mirrors(self, head: str, release: str) -> bool:
        return not mirroring(release, self._client.tree(release), self._client.tree(head))

    def check_writable(self) -> None:
        """Ask the Hub, in one request, what a commit would be asked first."""
        self._client.check_writable(MAIN)

    def publish(self, release: PlannedRelease) -> Published:
        """Publish a version: a commit that holds it and nothing else, compared with what was planned, then its tag."""
        check_release(release)
        based: str | None = None
        for _ in range(MAX_RACES):
            refs = self._client.refs()
            if hidden := self._hidden(release.version, refs):
                raise Refused(hidden)
            if (tagged := refs.tags.get(release.version)) is not None:
                return self._as_planned(release, tagged)
            head = self._main(refs)
            commit = self._committed_before(release, head)
            if commit is None:
                self._must_be_free(release, based, head)
                based = head
                commit = self._commit(release, head, refs)
            if commit is not None and self._tag(release, commit):
                return self._published(release.version, commit)
        raise Raced(self._raced(MAIN))

    def _main(self, refs: Refs) -> str:
        if MAIN not in refs.branches:
            todo = f"start the repository with a README on its branch {MAIN}"
            raise unavailable(self.address, f"has no branch {MAIN}", todo)
        return refs.branches[MAIN]

    def _as_planned(self, release: PlannedRelease, commit: str) -> Published:
        where = f"{self.address}@{release.version}"
        if wrong := differences(where, release.digests, self._client.tree(commit)):
            raise other_content(where, wrong)
        return self._published(release.version, commit)

    def _committed_before(self, release: PlannedRelease, head: str) -> str | None:
        """Return the commit of a run that died before its tag, or whose answer was lost."""
        for logged in self._client.history(head):
            if logged.title == release.title and not self._wrong(release, logged.commit):
                return logged.commit
        return None

    def _wrong(self, release: PlannedRelease, commit: str) -> tuple[Finding, ...]:
        return differences(f"{self.address}@{commit[:12]}", release.digests, self._client.tree(commit))

    def _must_be_free(self, release: PlannedRelease, based: str | None, head: str) -> None:
        """Raise Raced where somebody has changed the release's own files since this run planned its commit."""
        if based is None or based == head:
            return
        before, after = self._client.tree(based), self._client.tree(head)
        if changed := clashes(release, before, after):
            raise Raced(self._raced(MAIN, f"{changed[0]} was changed meanwhile"))

    def _commit(self, release: PlannedRelease, head: str, refs: Refs) -> str | None:
        """Make the commit that turns the head into the release; None where it has to be looked at again."""

        def others() -> list[tuple[str, Tree]]:
            newest = list(reversed(sorted_versions(refs.tags)))[:_MAX_OTHERS]
            return [(refs.tags[version], self._client.tree(refs.tags[version])) for version in newest]

        changes = publishing(self.address, release, head, self._client.tree(head), others)
        self._reach("publish: planned")
        if not changes:
            return head
        try:
            message = (release.title, release.body)
            commit = self._client.commit(MAIN, head, changes, message, lambda: self._reach("publish: uploaded"))
        except (LookAgain, Moved):
            return None
        self._reach("publish: committed")
        return commit

    def _tag(self, release: PlannedRelease, commit: str) -> bool:
        """Name a commit that holds the release; False where it has to be looked at again."""
        if wrong := self._wrong(release, commit):
            raise Refused(wrong)
        self._reach("publish: checked")
        try:
            self._client.create_tag(release.version, commit)
        except (LookAgain, Moved):
            return False
        self._reach("publish: tagged")
        return True

    def move_stage(self, name: str, release: Published, expected: StageState) -> StageState:
        """Let a stage's branch mirror a release: created at its commit, or moved by one commit of copies."""
        check_stage(name)
        for _ in range(MAX_RACES):
            refs = self._client.refs()
            self._must_be_sound(release, refs)
            head = refs.branches.get(name)
            if head is not None and self._mirrors(head, release.commit):
                return StageState(name, head, release.version, release.commit, release.version)
            if head != expected.commit:
                raise Raced(self._raced(name))
            self._reach("stage: planned")
            try:
                self._move(name, release, head)
            except (LookAgain, Moved):
                continue
            self._reach("stage: moved")
        raise Raced(self._raced(name))

    def _move(self, name: str, release: Published, head: str | None) -> None:
        if head is None:
            self._client.create_branch(name, release.commit)
            return
        changes = mirroring(release.commit, self._client.tree(release.commit), self._client.tree(head))
        message = (move_title(name, release.version), f"Release-Commit: {release.commit}")
        self._client.commit(name, head, changes, message)

    def _must_be_sound(self, release: Published, refs: Refs) -> None:
        where = f"{self.address}@{release.version}"
        commit = refs.tags.get(release.version)
        if hidden := self._hidden(release.version, refs):
            raise Refused(hidden)
        if commit is None:
            raise Refused(self._untagged(release.version, release.commit))
        if commit != release.commit:
            raise Refused(moved_off(where, commit, release.commit))
        if wrong := differences(where, release.files, self._client.tree(commit)):
            raise Refused(wrong)

    def read(self, version: str, path: str) -> bytes | None:
        """Return a file's bytes at the version's tag."""
        check_version(version)
        commit = self._client.refs().tags.get(version)
        return self._read(commit, version, path) if commit is not None else None

    def read_unnamed(self, version: str, path: str) -> bytes | None:
        """Return a file's bytes at the newest commit on ``main`` that a release of the version has made."""
        check_version(version)
        head = self._client.refs().branches.get(MAIN)
        made = (one for one in self._client.history(head) if one.title == release_title(version)) if head else iter(())
        found = next(made, None)
        return self._read(found.commit, version, path) if found is not None else None

    def _read(self, commit: str, version: str, path: str) -> bytes | None:
        file = self._client.tree(commit).get(path)
        if file is None:
            return None
        if file.size > MAX_READ:
            raise too_large(f"{self.address}@{version}/{path}", file.size)
        return self._client.read(commit, path)

    def verify(
        self, version: str, expected: Sequence[FileDigest], *, commit: str | None = None, download: bool = False
    ) -> tuple[Finding, ...]:
        """Return what differs, by the Hub's digests or, with ``download``, by the bytes themselves."""
        check_version(version)
        where = f"{self.address}@{version}"
        refs = self._client.refs()
        tagged = refs.tags.get(version)
        if tagged is None:
            return (self._untagged(version, commit),)
        moved = self._hidden(version, refs)
        moved += (moved_off(where, tagged, commit),) if commit is not None and commit != tagged else ()
        found = dict(self._client.tree(tagged))
        if download:
            wanted = by_path(expected)
            found |= {path: self._client.download(tagged, path) for path in found if path in wanted}
        return (*moved, *differences(where, expected, found))

    def _untagged(self, version: str, commit: str | None) -> Finding:
        """Return the finding for a tag that is gone; its commit stays in the history of the repository."""
        todo = "its tag is gone: find its commit in the history, and put the tag back"
        if commit is not None:
            call = f'create_tag("{self._client.name}", tag="{version}", revision="{commit}")'
            todo = f"its tag is gone: put it back at the recorded commit, `huggingface_hub.{call}`"
        return not_published(f"{self.address}@{version}", todo)

    def _hidden(self, version: str, refs: Refs) -> tuple[Finding, ...]:
        if version not in refs.branches:
            return ()
        message = f"a branch named {version} hides the tag from whoever loads the version by its name"
        return (Finding(f"{self.address}@{version}", Code.TARGET_STATE, message, "delete the branch"),)

    def _raced(self, branch: str, what: str | None = None) -> Finding:
        message = what or f"the branch {branch} was moved meanwhile"
        todo = "look at what is there now, and run it again if you still want to"
        return Finding(f"{self.address}@{branch}", Code.RACED, message, todo)
