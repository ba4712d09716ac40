"""Promotion: from a merged tag to the version that the stage names, once and traceably.

Each step asks the outside first whether it is done already, so a run that died is simply run again:
verify → score → decide → intent → publish → stage → announce → receipt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import policy_digest
from modelrelease.errors import Finding, InvalidInput, Refused
from modelrelease.flows.card import Written
from modelrelease.flows.ledger import Ledger, append_event
from modelrelease.flows.release.announced import (
    announced_comparison,
    announcement_of,
    facts_of,
    keep_small,
    kept_files,
)
from modelrelease.flows.release.contents import release_files
from modelrelease.flows.release.decide import blocked, decide, keep
from modelrelease.flows.release.doubts import doubt
from modelrelease.flows.release.grounds import Doer, Released, digests_of, live
from modelrelease.flows.release.preconditions import (
    refuse_barred,
    refuse_busy,
    refuse_other_content,
    refuse_other_policy,
    refuse_other_stage,
    refuse_overtaken,
    released_before,
)
from modelrelease.flows.release.published_card import published_texts
from modelrelease.flows.release.score import CANDIDATE, Sides
from modelrelease.flows.release.stages import move_forward
from modelrelease.flows.release.subject import Subject
from modelrelease.records.announcement import Announcement
from modelrelease.records.comparison import Comparison
from modelrelease.records.ledger import Approval, Event, Move, Receipt
from modelrelease.release.targets.target import PlannedFile, PlannedRelease, Published, Target

STEPS = ("verified", "decided", "announced", "published", "staged", "told", "recorded")
"""The moments after which a run can be killed, in order."""


@dataclass(frozen=True)
class Promotion:
    """How a promotion is carried out. ``out`` keeps its results, so that a run that died goes on with them.

    ``sides`` gives both evaluations: scored here, or by another job. ``approve`` gives the approvals of this run, as
    the policy counts them, and raises Refused where one is lacking. ``announce`` makes the GitHub release and returns
    its address, None where there is none to make; ``may_announce`` raises what it would for a tag or a release that is
    not ours, before anything is announced. ``reach`` is called after each of ``STEPS``.
    """

    doer: Doer
    out: Path
    sides: Callable[[Subject, Released | None], Sides]
    texts: Written
    approve: Callable[[Subject], tuple[Approval, ...]] = field(default=lambda _: ())
    may_announce: Callable[[Announcement], object] = field(default=lambda _: None)
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


@dataclass(frozen=True)
class _Run:
    """One run of a promotion."""

    subject: Subject
    how: Promotion
    target: Target

    @property
    def stage(self) -> str:
        return self.subject.grounds.config.release.stage

    def event(self, **facts: object) -> Event:
        subject = self.subject
        return self.how.doer.event(subject.grounds, version=subject.version, model_digest=subject.digest, **facts)


def promote(subject: Subject, how: Promotion) -> Promoted:
    """Release ``subject``, or finish what an earlier run began; a version that is released already is staged again.

    Raises Refused (exit 1): MR708 (what the card tells of is not as tagged), MR709 (the gate says no), MR710 (revoked,
    at whatever target, or released with other content), MR711 (another promotion is under way), MR712 (what is live,
    or the policy, changed meanwhile), MR430 to MR434 (the card); what the target and the ledger raise. A stage never
    names anything that was not verified.
    """
    grounds, doer = subject.grounds, how.doer
    ledger = grounds.ledger()
    target = doer.open_target(grounds.config.release.target)
    if released_before(subject, ledger, target.address) is not None:
        event, published = move_forward(grounds, ledger, target, subject.version, doer)
        return Promoted(subject.version, published, event, None)
    refuse_busy(ledger, subject, doer.now(), take_over=how.take_over)
    how.reach("verified")
    run = _Run(subject, how, target)
    begun = _begun(run, ledger)
    if begun is not None and (finished := _finish(run, ledger, begun)) is not None:
        return finished
    return _anew(run, ledger)


def _begun(run: _Run, ledger: Ledger) -> Event | None:
    """Return the intent of an earlier run of this promotion that has no receipt yet."""
    event = _open_intent(run, ledger)
    if event is None or event.release is None or event.model_digest != run.subject.digest:
        return None
    return event if event.release.git_sha == run.subject.tree.commit else None


def _open_intent(run: _Run, ledger: Ledger) -> Event | None:
    return ledger.state.open.get((run.target.address, run.subject.version))


def _finish(run: _Run, ledger: Ledger, intent: Event) -> Promoted | None:
    """Go on where an earlier run stopped, with what it announced; None where this run has to decide anew.

    That is where what it announced cannot be put together any more, or is not what a promotion announces: whoever may
    push to the ledger can write an intent, and must not need less for that than for a release.
    """
    assert intent.release is not None
    found = live(ledger, run.subject.grounds)
    if intent.release.baseline != (found.receipt.version if found is not None else None):
        return None  # it was decided against what is no longer live
    if intent.release.policy_digest != policy_digest(run.subject.grounds.config) and not _is_published(run):
        run.how.doer.tell(f"not going on with what was announced {intent.at}: the policy has changed since")
        return None
    files = kept_files(intent.release, run.how.out, run.subject)
    why = doubt(run.subject, ledger, intent, announced_comparison(files, run.target, run.subject.version))
    if why is not None:
        run.how.doer.tell(f"not going on with what was announced {intent.at}: {why}")
        return None
    run.how.approve(run.subject)
    try:
        published = run.target.publish(PlannedRelease(run.subject.version, tuple(files), ledger.head))
    except InvalidInput as error:
        if any(finding.code != Code.RELEASE_FILE for finding in error.findings):
            raise
        return None  # neither here nor there: nothing was published, and this run decides anew
    run.how.doer.tell(f"going on with what was announced {intent.at}")
    return Promoted(run.subject.version, published, _release(run, intent, published, files), None)


def _is_published(run: _Run) -> bool:
    """What is published cannot be taken back, so it is finished by the policy that let it pass."""
    return run.subject.version in run.target.versions()


def _anew(run: _Run, ledger: Ledger) -> Promoted:
    subject, how = run.subject, run.how
    overrides = ledger.state.accepted(subject.version, subject.digest, how.doer.now()[:10])
    published_texts(subject, how.texts, overrides, None)  # what would be refused in the end is refused before it costs
    before = live(ledger, subject.grounds)
    comparison = decide(subject, before, how.sides(subject, before), overrides)
    keep(comparison, how.out)
    if comparison.decision != "promote":
        raise blocked(subject, comparison)
    approvals = how.approve(subject)
    texts = published_texts(subject, how.texts, overrides, how.out / CANDIDATE)
    files = release_files(subject, how.out / CANDIDATE, comparison.to_bytes(), texts)
    keep_small(files, how.out)
    how.reach("decided")
    used = tuple(event.sequence for _, event in sorted(overrides.items()))
    facts = facts_of(subject, before, comparison, files, approvals, used)
    how.may_announce(announcement_of(subject, ledger.head, files))
    refuse_other_content(run.target, PlannedRelease(subject.version, tuple(files)))
    refuse_other_stage(run.target.stage(run.stage), subject, facts.baseline)
    run.target.check_writable()  # an announcement that nobody can carry out keeps others waiting
    ledger, intent = _announce(run, ledger, run.event(kind="intent", release=facts), facts.baseline)
    published = run.target.publish(PlannedRelease(subject.version, tuple(files), ledger.head))
    return Promoted(subject.version, published, _release(run, intent, published, files), comparison)


def _announce(run: _Run, ledger: Ledger, intent: Event, baseline: str | None) -> tuple[Ledger, Event]:
    """Write the intent; return the ledger and the intent as they stand after that."""
    subject, how = run.subject, run.how

    def still_right(now: Ledger) -> Event:
        refuse_barred(now, subject)
        refuse_busy(now, subject, how.doer.now(), take_over=how.take_over)
        refuse_overtaken(now, subject, baseline)
        refuse_other_policy(subject)
        return intent

    append_event(ledger, still_right)
    how.reach("announced")
    ledger = subject.grounds.ledger()
    refuse_overtaken(ledger, subject, baseline)  # what was published cannot be taken back
    written = _open_intent(run, ledger)
    if written is None or written.release is None:
        todo = "run it again: it verifies what is released"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, "was released by another run meanwhile", todo))
    refuse_overtaken(ledger, subject, written.release.baseline)  # it may be another's that came right after ours
    return ledger, written


def _release(run: _Run, intent: Event, published: Published, files: list[PlannedFile]) -> Event:
    """Verify what arrived, let the stage name it, tell GitHub, and write the receipt, which is returned."""
    assert intent.release is not None
    subject, how, target, baseline = run.subject, run.how, run.target, intent.release.baseline
    wrong = target.verify(subject.version, digests_of(intent.release), commit=published.commit)
    if wrong:
        raise Refused(wrong)
    how.reach("published")
    ledger = subject.grounds.ledger()
    refuse_barred(ledger, subject)
    refuse_overtaken(ledger, subject, baseline)
    stage = target.stage(run.stage)
    refuse_other_stage(stage, subject, baseline)
    target.move_stage(run.stage, published, stage)
    how.reach("staged")
    address = how.announce(announcement_of(subject, ledger.head, files))
    how.reach("told")
    receipt = Receipt(
        intent=intent.sequence, target_commit=published.commit, target_tag=subject.version, github_release=address
    )
    event = run.event(kind="released", receipt=receipt, move=Move(before=baseline, after=subject.version))
    place = (target.address, subject.version)
    ledger = append_event(ledger, lambda now: None if place in now.state.released else event)
    how.reach("recorded")
    return ledger.state.released[place]
