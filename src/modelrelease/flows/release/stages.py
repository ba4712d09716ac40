"""Moving the stage between versions that are released: back, and forward again. No weights travel."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable
from modelrelease.flows.ledger import Ledger, append_event
from modelrelease.flows.release.grounds import Doer, Grounds, Released, released, require_released, version_name
from modelrelease.records.ledger import Event, EventKind, Move
from modelrelease.release.ledger.chain import Anchor, missing_anchors
from modelrelease.release.targets.address import is_here
from modelrelease.release.targets.target import Published, StageState, Target


@dataclass(frozen=True)
class StagePlan:
    """What moving the stage would do. ``done``: it names this version already, here and in the ledger."""

    release: Released
    before: str | None
    stage: StageState
    target: Target
    ledger: Ledger

    @property
    def version(self) -> str:
        """The version that the stage is to name."""
        return self.release.receipt.version

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.before == self.version and self.stage.version == self.version


def plan_move(grounds: Grounds, version: str, doer: Doer) -> StagePlan:
    """Return what moving the stage to ``version`` would do; nothing is changed.

    Raises Refused (exit 1) where it was never released or was revoked (MR710), where what is published is not what was
    released (MR702, MR703), by digest, or where the ledger lacks what a release names (MR721).
    """
    ledger = grounds.ledger()
    target = doer.open_target(grounds.config.release.target)
    return _plan(grounds, ledger, target, version_name(version))


def _plan(grounds: Grounds, ledger: Ledger, target: Target, version: str) -> StagePlan:
    release = require_released(ledger, target.address, version)
    wrong = target.verify(version, release.digests, commit=release.commit)
    if wrong:
        require_here(grounds, target)
        raise Refused(wrong)
    before = ledger.state.live_version(*grounds.stage)
    _refuse_rewritten(ledger, target, {version, before or version})
    return StagePlan(release, before, target.stage(grounds.config.release.stage), target, ledger)


def require_here(grounds: Grounds, target: Target) -> None:
    """Raise Unavailable (exit 3) where releases go to a folder that is not on this machine: nobody can say more."""
    if not is_here(target.address, grounds.project.root):
        todo = "run it on the machine that has the folder, mount it here, or put it back from a copy"
        raise Unavailable(Finding(target.address, Code.UNAVAILABLE, "is not on this machine", todo))


def _refuse_rewritten(ledger: Ledger, target: Target, versions: set[str]) -> None:
    """Refuse (MR721) where the ledger lacks a head that a release names: a clone that is new has seen no other.

    Else whoever rewrites it could take a revocation out. What is not as released names nothing: one has to get away
    from that.
    """
    anchors = []
    for version in sorted(versions):
        known = released(ledger, target.address, version)
        with contextlib.suppress(Refused, InvalidInput):
            found = target.inspect(version)
            if found is not None and known is not None and found.commit == known.commit and found.ledger_head:
                anchors.append(Anchor(f"{version} at {target.address}", found.ledger_head))
    if wrong := missing_anchors(ledger.branch.name, ledger.chain, anchors):
        raise Refused(wrong)


def roll_back(grounds: Grounds, plan: StagePlan, doer: Doer, reason: str) -> Event | None:
    """Let the stage name the plan's version, and write down who and why; None where it did already.

    Raises Raced (exit 1) where somebody else has moved the stage meanwhile: nothing of this is left then.
    """
    return _move(grounds, plan, doer, "rolled-back", reason)


def move_forward(
    grounds: Grounds, ledger: Ledger, target: Target, version: str, doer: Doer
) -> tuple[Event | None, Published]:
    """Let the stage name a version that is released already; the event is None where it did."""
    plan = _plan(grounds, ledger, target, version)
    event = _move(grounds, plan, doer, "rolled-forward", None)
    return event, _published(plan)


def _move(grounds: Grounds, plan: StagePlan, doer: Doer, kind: EventKind, reason: str | None) -> Event | None:
    if plan.done:
        return None
    require_released(grounds.ledger(), plan.target.address, plan.version)  # hashing it may have taken minutes
    plan.target.move_stage(grounds.config.release.stage, _published(plan), plan.stage)

    def event(ledger: Ledger) -> Event | None:
        before = ledger.state.live_version(*grounds.stage)
        if before == plan.version:
            return None
        move = Move(before=before, after=plan.version)
        digest = plan.release.receipt.model_digest
        said = {"reason": reason} if reason is not None else {}
        return doer.event(grounds, kind=kind, version=plan.version, model_digest=digest, move=move, **said)

    ledger = append_event(plan.ledger, event)
    return ledger.events[-1]


def _published(plan: StagePlan) -> Published:
    found = plan.target.inspect(plan.version)
    assert found is not None  # it was verified
    return found
