"""The steps of a promotion, and what the outside world says is done of them. Nothing is changed or scored."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.contents import prompts_of
from modelrelease.flows.release.grounds import Doer, live, released, revocation_text
from modelrelease.flows.release.preconditions import busy_text, busy_with
from modelrelease.flows.release.subject import Subject
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.release_plan import PromotionPlan, Step
from modelrelease.release.targets.target import Published, StageState


def plan_promotion(subject: Subject, doer: Doer) -> PromotionPlan:
    """Return what promoting ``subject`` would do; raises what asking the ledger and the target raises."""
    grounds = subject.grounds
    target = doer.open_target(grounds.config.release.target)
    ledger = grounds.ledger()
    published = target.inspect(subject.version)
    stage = target.stage(grounds.config.release.stage)
    before = live(ledger, grounds)
    return PromotionPlan(
        version=subject.version,
        tag=subject.tag,
        commit=subject.tree.commit,
        model_digest=subject.digest,
        target=target.address,
        stage=stage.name,
        live=before.receipt.version if before is not None else None,
        steps=tuple(_steps(subject, ledger, published, stage, doer.now())),
    )


def _steps(
    subject: Subject, ledger: Ledger, published: Published | None, stage: StageState, now: str
) -> Iterator[Step]:
    grounds, policy = subject.grounds, subject.grounds.config.release
    place = (policy.target, subject.version)
    known, before = released(ledger, policy.target, subject.version), live(ledger, grounds)
    begun = ledger.state.open.get(place)
    yield Step(name="verify", state="done", detail=f"tag {subject.tag} at {subject.tree.commit[:10]}, {subject.folder}")
    revoked = ledger.state.barred(subject.version, subject.digest, prompts_of(subject))
    if revoked is not None:
        yield Step(name="decide", state="blocked", detail=revocation_text(subject.version, revoked))
        return
    if known is not None and known.receipt.model_digest != subject.digest:
        detail = "released already, with another checkpoint; give this one the next patch version"
        yield Step(name="decide", state="blocked", detail=detail)
        return
    decided = known is not None or begun is not None
    committed = bool(subject.tree.entries([f"{subject.folder}/{EVAL_FILE}"]))
    yield Step(
        name="score",
        state="done" if decided else "to do",
        detail="on this machine" + ("; the committed eval.json has to come out again" if committed else ""),
    )
    against = f"against {before.receipt.version}, live" if before is not None else _first(subject)
    policy_at = f"by the policy of {grounds.branch} at {grounds.policy.commit[:10]}"
    yield Step(name="decide", state="done" if decided else "to do", detail=f"{against}, {policy_at}")
    other = busy_with(ledger, subject, now) if known is None else None
    if other is not None:
        yield Step(name="intent", state="blocked", detail=f"{other.version} {'; '.join(busy_text(other))}")
        return
    yield Step(name="intent", state="done" if decided else "to do", detail=f"into {ledger.branch.name}")
    detail = f"to {policy.target}" + (f", at {published.commit[:12]}" if published is not None else "")
    yield Step(name="publish", state="done" if published is not None else "to do", detail=detail)
    here = stage.version == subject.version
    was = stage.version or stage.claimed or "nothing"
    yield Step(name="stage", state="done" if here else "to do", detail=f"{stage.name}: {was} → {subject.version}")
    yield Step(name="receipt", state="done" if known is not None else "to do", detail=f"into {ledger.branch.name}")


def _first(subject: Subject) -> str:
    named = subject.grounds.config.release.bootstrap == subject.version
    return "as the first release, which the policy names" if named else "nothing is live, and `bootstrap` names another"
