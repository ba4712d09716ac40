"""What has to hold still when a promotion goes a step further: nobody else is at it, and nothing has changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from modelrelease.codes import Code
from modelrelease.config import policy_digest
from modelrelease.errors import Finding, Refused
from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.contents import prompts_of
from modelrelease.flows.release.grounds import Released, open_grounds, refuse_revoked, released, require_released
from modelrelease.flows.release.subject import Subject
from modelrelease.records.ledger import Event
from modelrelease.release.targets.contents import other_content
from modelrelease.release.targets.target import PlannedRelease, StageState, Target

_SKEW = timedelta(minutes=15)
"""Clocks of runners differ by less; what was begun later than that from now was not begun by a run."""
LEASE = timedelta(hours=6)
"""So long a promotion of another version, begun and not finished, keeps this one waiting."""


def released_before(subject: Subject, ledger: Ledger, target: str) -> Released | None:
    """Return the version's release at ``target``, None where there is none: it is only staged again then.

    Raises Refused (MR710) where another checkpoint was released under its name, or it was revoked, or would bring back
    what was.
    """
    known = released(ledger, target, subject.version)
    if known is None:
        refuse_barred(ledger, subject)
        return None
    if known.receipt.model_digest != subject.digest:
        message = f"is released already, with the checkpoint {known.receipt.model_digest[:12]}"
        raise Refused(Finding(subject.version, Code.NOT_RELEASED, message, "give this one the next patch version"))
    return require_released(ledger, target, subject.version)


def refuse_barred(ledger: Ledger, subject: Subject) -> None:
    """Refuse (MR710) what was revoked at whatever target, under this name or, with the same prompts, another one."""
    refuse_revoked(ledger, subject.version, subject.digest, prompts_of(subject))


def _busy_with(ledger: Ledger, subject: Subject, now: str) -> Event | None:
    """Return the announcement of another version that this one has to wait for, None where there is none.

    It has to where that was begun less than ``LEASE`` ago and can still be finished: what was decided against a version
    that is no longer live is refused by its own run, so nobody waits for it.
    """
    live = ledger.state.live_version(*subject.grounds.stage)
    return next(
        (
            event
            for (place, version), event in ledger.state.open.items()
            if place == subject.grounds.config.release.target
            and version != subject.version
            and event.release is not None
            and event.release.baseline == live
            and -_SKEW < datetime.fromisoformat(now) - datetime.fromisoformat(event.at) < LEASE
        ),
        None,
    )


def refuse_busy(ledger: Ledger, subject: Subject, now: str, *, take_over: bool) -> None:
    """Refuse (MR711) while another version's promotion is under way: two that were decided against the same live
    version cannot both be right. ``take_over``: do not wait for it.
    """
    event = _busy_with(ledger, subject, now)
    if event is None or event.release is None or take_over:
        return
    who = event.by.login or event.by.name or "somebody"
    until = (datetime.fromisoformat(event.at) + LEASE).isoformat(timespec="minutes")
    message = f"is being promoted by {who} since {event.at}, and keeps others waiting until {until}"
    finish = f"`git checkout {event.release.tag}` and `modelrelease promote {event.version}`"
    todo = f"wait for it, finish it ({finish}), or pass --take-over"
    raise Refused(Finding(event.version, Code.RELEASE_BUSY, message, todo))


def refuse_overtaken(ledger: Ledger, subject: Subject, decided: str | None) -> None:
    """Refuse (MR712) where the stage no longer names the version that was decided against, by the ledger."""
    now = ledger.state.live_version(*subject.grounds.stage)
    if now != decided:
        stage = subject.grounds.config.release.stage
        message = f"was decided against {decided or 'nothing'}, and {stage} is {now or 'nothing'} by now"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, message, "run it again: it is decided anew"))


def refuse_other_policy(subject: Subject) -> None:
    """Refuse (MR712) to announce what was decided by a policy that the default branch has given up."""
    old, now = subject.grounds, open_grounds(subject.grounds.project)
    if (policy_digest(now.config), now.config.release) != (policy_digest(old.config), old.config.release):
        message = f"was decided by the policy of {old.policy.commit[:10]}, and {now.branch} has another by now"
        raise Refused(Finding(subject.version, Code.OVERTAKEN, message, "run it again: it is decided anew"))


def refuse_other_stage(stage: StageState, subject: Subject, decided: str | None) -> None:
    """Refuse (MR712) a stage that is neither where the ledger says nor already here: nothing that we did.

    Where nothing was released yet, what somebody has put there by hand gives way: its history stays at the target.
    """
    if stage.version in {decided, subject.version}:
        return
    message = f"is at {stage.version or 'nothing that can be verified'}, and the ledger says {decided or 'nothing'}"
    todo = "finish the rollback or promotion that was interrupted, by running it again"
    if stage.version is None:
        todo = f"somebody changed it by hand: put it back with `modelrelease rollback --to {decided} --reason WHY`"
    raise Refused(Finding(stage.name, Code.OVERTAKEN, message, todo))


def refuse_other_content(target: Target, release: PlannedRelease) -> None:
    """Refuse (MR703) to announce a version that the target has already, with other content.

    So an earlier announcement of that content stays the last one, and can still be finished.
    """
    if release.version not in target.versions():
        return
    if wrong := target.verify(release.version, release.digests):
        raise other_content(release.version, wrong)
