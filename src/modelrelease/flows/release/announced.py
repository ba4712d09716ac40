"""What a promotion announces before anything is published, keeps for a run that goes on, and tells GitHub."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from modelrelease.config import policy_digest
from modelrelease.flows.release.contents import CHANGELOG, as_recorded, stamp_of_hashed
from modelrelease.flows.release.grounds import Released, digests_of
from modelrelease.flows.release.subject import Subject
from modelrelease.flows.score import refuse_links
from modelrelease.records.announcement import DIGESTS, Announcement, Asset, digest_lines
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE
from modelrelease.records.files import write_atomic
from modelrelease.records.ledger import MAX_REASON, Approval, ReleaseFacts
from modelrelease.release.targets.contents import digest_of_bytes
from modelrelease.release.targets.target import FileDigest, PlannedFile, Target

ANNOUNCED = (EVAL_FILE, SAMPLES_FILE, COMPARISON_FILE, CHANGELOG)
"""What a release's page on GitHub has for download, besides the digests of everything."""

_KEPT = "release"


def facts_of(
    subject: Subject,
    before: Released | None,
    comparison: Comparison,
    files: list[PlannedFile],
    approvals: tuple[Approval, ...],
    overrides: tuple[int, ...],
) -> ReleaseFacts:
    """Return what the intent announces. ``before`` is live, None for the first release; ``overrides`` were used."""
    digests = {file.path: file.digest.sha256 or "" for file in files}
    return ReleaseFacts(
        tag=subject.tag,
        git_sha=subject.tree.commit,
        files=as_recorded(files),
        eval_sha256=digests[EVAL_FILE],
        comparison_sha256=hashlib.sha256(comparison.to_bytes()).hexdigest(),
        decision="promote",
        summary=comparison.headline[:MAX_REASON],
        bootstrap=before is None,
        baseline=before.receipt.version if before is not None else None,
        policy_ref=subject.grounds.policy.commit,
        policy_digest=policy_digest(subject.grounds.config),
        overrides=overrides,
        approvals=approvals,
    )


def keep_small(files: list[PlannedFile], out: Path) -> None:
    """Keep what is small and made by this run: a run that goes on must publish the same bytes.

    Raises InvalidInput (MR209) where a link, as another job's files can bring one, would lead out of ``out``.
    """
    for file in files:
        data = file.source
        if isinstance(data, Path):
            data = data.read_bytes() if data.is_relative_to(out) else None
        if data is not None:
            refuse_links(out, out / _KEPT / file.path)
            write_atomic(out / _KEPT / file.path, data)


def kept_files(facts: ReleaseFacts, out: Path, subject: Subject) -> list[PlannedFile]:
    """Return an announced release's files, with their bytes where this machine still has them."""
    weights = {file.path: file for file in subject.checkpoint.files}
    files = []
    for digest in digests_of(facts):
        if digest.path in weights and weights[digest.path].sha256 == digest.sha256:
            stamp = stamp_of_hashed(subject.checkpoint, digest.path)
            files.append(PlannedFile(digest, subject.checkpoint.folder / digest.path, stamp))
        else:
            files.append(PlannedFile(digest, _kept(out / _KEPT / digest.path, digest)))
    return files


def _kept(place: Path, digest: FileDigest) -> bytes | None:
    try:
        if not place.is_file() or place.stat().st_size != digest.size:
            return None
    except OSError:  # a name that no disk takes, in an announcement that somebody else wrote
        return None
    data = place.read_bytes()
    found = digest_of_bytes(digest.path, data)
    return data if found.sha256 == digest.sha256 and digest.blob in {None, found.blob} else None


def announced_comparison(files: Sequence[PlannedFile], target: Target, version: str) -> bytes | None:
    """Return the bytes of an announced release's comparison.json: as kept here, else as ``target`` has them."""
    kept = next((file.source for file in files if file.path == COMPARISON_FILE), None)
    if isinstance(kept, bytes):
        return kept
    read = (target.read, target.read_unnamed)
    return next((data for one in read if (data := one(version, COMPARISON_FILE)) is not None), None)


def announcement_of(subject: Subject, head: str | None, files: Sequence[PlannedFile]) -> Announcement:
    """Return what GitHub is told of a release; ``head`` is the ledger's, which is anchored there."""
    published = {file.path: file for file in files}
    digests = digest_lines((path, file.digest.sha256 or "") for path, file in published.items())
    assets = [_asset(published[name]) for name in ANNOUNCED if name in published]
    made = Asset(DIGESTS, len(digests), hashlib.sha256(digests).hexdigest(), digests)
    changelog = published[CHANGELOG].source if CHANGELOG in published else b""
    return Announcement(
        tag=subject.tag,
        commit=subject.tree.commit,
        title=subject.tag,
        model_digest=subject.digest,
        assets=(*(asset for asset in assets if asset is not None), made),
        changelog=changelog.decode("utf-8", "replace") if isinstance(changelog, bytes) else "",
        ledger_head=head,
    )


def _asset(file: PlannedFile) -> Asset | None:
    """Bytes that only the target has, as after a run on another machine, are not fetched to be shown again."""
    if file.source is None:
        return None
    return Asset(file.path, file.digest.size, file.digest.sha256 or "", file.source)
