"""Promotion: from a merged tag to the version that the stage names, once and traceably.

Each step asks the outside first whether it is done already, so a run that died is simply run again:
verify → score → decide → intent → publish → stage → announce → receipt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import policy_digest
from modelrelease.errors import Finding, InvalidInput, Refused
from modelrelease.flows.card import Written, plan_card
from modelrelease.flows.ledger import Ledger, append_event
from modelrelease.flows.release.as_tagged import refuse_untagged_papers
from modelrelease.flows.release.contents import CHANGELOG, as_recorded, release_files
from modelrelease.flows.release.decide import CANDIDATE, Sides, decide, keep
from modelrelease.flows.release.grounds import (
    Doer,
    Released,
    digests_of,
    live,
    open_grounds,
    released,
    require_released,
)
from modelrelease.flows.release.stages import move_forward
from modelrelease.flows.release.subject import Subject
from modelrelease.records.announcement import DIGESTS, Announcement, Asset, digest_lines
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE
from modelrelease.records.files import write_atomic
from modelrelease.records.ledger import Approval, Event, Move, Receipt, ReleaseFacts
from modelrelease.records.version_story import Override as ToldOverride
from modelrelease.release.targets.target import PlannedFile, PlannedRelease, Published, StageState, Target

LEASE = timedelta(hours=6)
"""So long a promotion of another version, begun and not finished, keeps this one waiting."""

ANNOUNCED = (EVAL_FILE, SAMPLES_FILE, COMPARISON_FILE, CHANGELOG)
"""What a release's page on GitHub has for download, besides the digests of everything."""

STEPS = ("verified", "decided", "announced", "published", "staged", "told", "recorded")
"""The moments after which a run can be killed, in order."""


@dataclass(frozen=True)
class Promotion:
    """How a promotion is carried out. ``out`` keeps its results, so that a run that died goes on with them.

    ``sides`` gives both evaluations: scored here, or by another job. ``approve`` gives the approvals of this run, as
    the policy counts them, and raises Refused where one is lacking. ``announce`` makes the GitHub release and returns
    its address; None where there is none to make. ``reach`` is called after each of ``STEPS``.
    """

    doer: Doer
    out: Path
    sides: Callable[[Subject, Released | None], Sides]
    texts: Written
    approve: Callable[[Subject], tuple[Approval, ...]] = field(default=lambda _: ())
    announce: Callable[[Announcement], str | None] = field(default=lambda _: None)
    reach: Callable[[str], object] = field(default=lambda _: None)
    take_over: bool = False


@dataclass(frozen=True)
class Promoted:
    """What came of it. ``comparison`` is None where the version was released already."""

    version: str
    published: Published
    event: Event | None
    comparison: Comparison | None


def promote(subject: Subject, how: Promotion) -> Promoted:
    """Release ``subject``, or finish what an earlier run began; a version that is released already is staged again.

    Raises Refused (exit 1): MR708 (what the card tells of is not as tagged), MR709 (the gate says no), MR710 (revoked,
    or released with other content), MR711 (another promotion is under way), MR712 (what is live, or the policy, changed
    meanwhile), MR430 to MR434 (the card); what the target and the ledger raise. A stage never names anything that was
    not verified.
    """
    grounds, doer = subject.grounds, how.doer
    ledger = grounds.ledger()
    target = doer.open_target(grounds.config.release.target)
    if released_before(subject, ledger, target.address) is not None:
        event, published = move_forward(grounds, ledger, target, subject.version, doer)
        return Promoted(subject.version, published, event, None)
    _refuse_busy(ledger, subject, doer, how)
    how.reach("verified")
    begun = _begun(ledger, subject, target)
    if begun is not None and (finished := _finish(subject, how, ledger, target, begun)) is not None:
        return finished
    return _anew(subject, how, ledger, target)


def released_before(subject: Subject, ledger: Ledger, target: str) -> Released | None:
    """Return the version's release at ``target``, None where there is none: it is only staged again then.

    Raises Refused (MR710) where another checkpoint was released under its name, or it was revoked.
    """
    known = released(ledger, target, subject.version)
    if known is None:
        return None
    if known.receipt.model_digest != subject.digest:
        message = f"is released already, with the checkpoint {known.receipt.model_digest[:12]}"
        raise Refused(Finding(subject.version, Code.NOT_RELEASED, message, "give this one the next patch version"))
    return require_released(ledger, target, subject.version)


def _refuse_busy(ledger: Ledger, subject: Subject, doer: Doer, how: Promotion) -> None:
    """One promotion at a time: two that were decided against the same live version cannot both be right."""
    others = [
        event
        for (target, version), event in ledger.state.open.items()
        if target == subject.grounds.config.release.target and version != subject.version
    ]
    for event in others:
        age = datetime.fromisoformat(doer.now()) - datetime.fromisoformat(event.at)
        if age < LEASE and not how.take_over:
            who = event.by.login or event.by.name or "somebody"
            message = f"is being promoted by {who} since {event.at}"
            todo = f"wait for it, finish it with `modelrelease promote {event.version}`, or pass --take-over"
            raise Refused(Finding(event.version, Code.RELEASE_BUSY, message, todo))


def _begun(ledger: Ledger, subject: Subject, target: Target) -> Event | None:
    """Return the intent of an earlier run of this promotion that has no receipt yet."""
    event = ledger.state.open.get((target.address, subject.version))
    if event is None or event.release is None or event.model_digest != subject.digest:
        return None
    return event if event.release.git_sha == subject.tree.commit else None


def _finish(subject: Subject, how: Promotion, ledger: Ledger, target: Target, intent: Event) -> Promoted | None:
    """Go on where an earlier run stopped, with what it announced; None where that cannot be put together any more."""
    assert intent.release is not None
    found = live(ledger, subject.grounds)
    if intent.release.baseline != (found.receipt.version if found is not None else None):
        return None  # it was decided against what is no longer live
    files = _files_of(intent.release, how.out, subject)
    release = PlannedRelease(subject.version, tuple(files), ledger.head)
    try:
        published = target.publish(release)
    except InvalidInput as error:
        if any(finding.code != Code.RELEASE_FILE for finding in error.findings):
            raise
        return None  # neither here nor there: nothing was published, and this run decides anew
    how.doer.tell(f"going on with what was announced {intent.at}")
    return _stage_and_tell(subject, how, ledger, target, intent, published, files, None)


def _files_of(facts: ReleaseFacts, out: Path, subject: Subject) -> list[PlannedFile]:
    """Return an announced release's files, with their bytes where this machine still has them."""
    weights = {file.path: file for file in subject.checkpoint.files}
    files = []
    for digest in digests_of(facts):
        kept = out / "release" / digest.path
        if digest.path in weights and weights[digest.path].sha256 == digest.sha256:
            files.append(PlannedFile(digest, subject.checkpoint.folder / digest.path))
        elif kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == digest.sha256:
            files.append(PlannedFile(digest, kept.read_bytes()))
        else:
            files.append(PlannedFile(digest, None))
    return files


def _anew(subject: Subject, how: Promotion, ledger: Ledger, target: Target) -> Promoted:
    grounds = subject.grounds
    overrides = ledger.state.accepted(subject.version, subject.digest, how.doer.now()[:10])
    told = tuple(_told(event) for event in overrides.values())
    _refuse_unfit_card(subject, how, told, None)
    before = live(ledger, grounds)
    comparison = decide(subject, before, how.sides(subject, before), overrides)
    keep(comparison, how.out)
    if comparison.decision != "promote":
        raise blocked(subject, comparison)
    approvals = how.approve(subject)
    texts = _refuse_unfit_card(subject, how, told, how.out / CANDIDATE)
    files = release_files(subject, how.out / CANDIDATE, comparison.to_bytes(), texts)
    _keep_texts(files, how.out)
    how.reach("decided")
    used = tuple(event.sequence for name, event in sorted(overrides.items()))
    facts = _facts(subject, before, comparison, files, approvals, used)
    intent = how.doer.event(grounds, kind="intent", version=subject.version, model_digest=subject.digest, release=facts)

    def still_right(now: Ledger) -> Event:
        _refuse_busy(now, subject, how.doer, how)
        _refuse_overtaken(now, subject, before.receipt.version if before is not None else None)
        _refuse_other_policy(subject)
        return intent

    _refuse_other_stage(target.stage(grounds.config.release.stage), subject, facts.baseline)
    append_event(ledger, still_right)
    how.reach("announced")
    ledger = grounds.ledger()
    _refuse_overtaken(ledger, subject, facts.baseline)  # what was published cannot be taken back
    intent = _announced(ledger, subject, target)
    published = target.publish(PlannedRelease(subject.version, tuple(files), ledger.head))
    return _stage_and_tell(subject, how, ledger, target, intent, published, files, comparison)


def _announced(ledger: Ledger, subject: Subject, target: Target) -> Event:
    """Return the intent as the ledger has it; Refused where another run has released the version by it already."""
    event = ledger.state.open.get((target.address, subject.version))
    if event is None:
        todo = "run it again: it verifies what is released"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, "was released by another run meanwhile", todo))
    return event


def _refuse_overtaken(ledger: Ledger, subject: Subject, decided: str | None) -> None:
    now = ledger.state.live_version(*subject.grounds.stage)
    if now != decided:
        stage = subject.grounds.config.release.stage
        message = f"was decided against {decided or 'nothing'}, and {stage} is {now or 'nothing'} by now"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, message, "run it again: it is decided anew"))


def _refuse_other_policy(subject: Subject) -> None:
    """What was decided by a policy that the default branch has given up is not announced."""
    old, now = subject.grounds, open_grounds(subject.grounds.project)
    if (policy_digest(now.config), now.config.release) != (policy_digest(old.config), old.config.release):
        message = f"was decided by the policy of {old.policy.commit[:10]}, and {now.branch} has another by now"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, message, "run it again: it is decided anew"))


def _stage_and_tell(
    subject: Subject,
    how: Promotion,
    ledger: Ledger,
    target: Target,
    intent: Event,
    published: Published,
    files: list[PlannedFile],
    comparison: Comparison | None,
) -> Promoted:
    """Verify what arrived, let the stage name it, announce it, and write the receipt."""
    assert intent.release is not None
    grounds, facts = subject.grounds, intent.release
    wrong = target.verify(subject.version, digests_of(facts), commit=published.commit)
    if wrong:
        raise Refused(wrong)
    how.reach("published")
    ledger = grounds.ledger()
    _refuse_overtaken(ledger, subject, facts.baseline)
    stage = target.stage(grounds.config.release.stage)
    _refuse_other_stage(stage, subject, facts.baseline)
    target.move_stage(grounds.config.release.stage, published, stage)
    how.reach("staged")
    assert ledger.head is not None
    told = announcement_of(subject, ledger.head, files)
    address = how.announce(told)
    how.reach("told")
    event = how.doer.event(
        grounds,
        kind="released",
        version=subject.version,
        model_digest=subject.digest,
        receipt=Receipt(
            intent=intent.sequence,
            target_commit=published.commit,
            target_tag=subject.version,
            github_release=address,
        ),
        move=Move(before=facts.baseline, after=subject.version),
    )
    ledger = append_event(ledger, lambda now: None if _has_receipt(now, target, subject) else event)
    how.reach("recorded")
    return Promoted(subject.version, published, ledger.state.released[target.address, subject.version], comparison)


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


def _has_receipt(ledger: Ledger, target: Target, subject: Subject) -> bool:
    return (target.address, subject.version) in ledger.state.released


def _refuse_other_stage(stage: StageState, subject: Subject, decided: str | None) -> None:
    """The stage is where the ledger says, or already here; anything else is nothing that we did."""
    if stage.version not in {decided, subject.version}:
        said = stage.version or stage.claimed or "nothing that can be verified"
        message = f"is at {said}, and the ledger says {decided or 'nothing'}"
        todo = "finish the rollback or promotion that was interrupted, by running it again"
        raise Refused(Finding(stage.name, Code.OVERTAKEN, message, todo))


def _facts(
    subject: Subject,
    before: Released | None,
    comparison: Comparison,
    files: list[PlannedFile],
    approvals: tuple[Approval, ...],
    overrides: tuple[int, ...],
) -> ReleaseFacts:
    digests = {file.path: file.digest.sha256 or "" for file in files}
    return ReleaseFacts(
        tag=subject.tag,
        git_sha=subject.tree.commit,
        files=as_recorded(files),
        eval_sha256=digests[EVAL_FILE],
        comparison_sha256=hashlib.sha256(comparison.to_bytes()).hexdigest(),
        decision="promote",
        summary=comparison.headline[:1000],
        bootstrap=before is None,
        baseline=before.receipt.version if before is not None else None,
        policy_ref=subject.grounds.policy.commit,
        policy_digest=policy_digest(subject.grounds.config),
        overrides=overrides,
        approvals=approvals,
    )


def _refuse_unfit_card(
    subject: Subject, how: Promotion, overrides: tuple[ToldOverride, ...], results: Path | None
) -> dict[str, bytes]:
    """Return card and changelog as they are published.

    Refused where the card lacks what a published one has, or is made from what the tag does not have (MR708).
    """
    refuse_untagged_papers(subject)
    project = subject.grounds.project
    plan = plan_card(project, project.root / subject.folder, how.texts, overrides, results)
    if plan.findings:
        raise Refused(plan.findings)
    return {file.path.name: file.after for file in plan.files}


def _told(event: Event) -> ToldOverride:
    assert event.override is not None
    return ToldOverride(
        metric=event.override.metric,
        author=event.by.name or event.by.login or "unknown",
        reason=event.reason or "",
        date=event.at[:10],
        expires=event.override.until,
    )


def _keep_texts(files: list[PlannedFile], out: Path) -> None:
    """Keep what is small and made by this run: a run that goes on must publish the same bytes."""
    for file in files:
        data = file.source
        if isinstance(data, Path):
            data = data.read_bytes() if data.is_relative_to(out) else None
        if data is not None:
            write_atomic(out / "release" / file.path, data)


class Blocked(Refused):
    """The gate says no; ``comparison`` says why."""

    def __init__(self, finding: Finding, comparison: Comparison) -> None:
        super().__init__(finding)
        self.comparison = comparison


def blocked(subject: Subject, comparison: Comparison) -> Blocked:
    """Return what is raised where the gate says no: why, and the ways on."""
    todo = "mend it and tag the next patch version, or accept the loss with `modelrelease override` and run this again"
    return Blocked(Finding(subject.version, Code.BLOCKED, comparison.headline.rstrip("."), todo), comparison)
