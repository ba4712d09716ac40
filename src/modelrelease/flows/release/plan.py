"""The steps of a promotion, what the outside world says is done of them, and what would stop them.

The checks are those of the promotion itself. Nothing is changed or scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Refused
from modelrelease.flows.card import Written
from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.announced import announced_comparison, kept_files
from modelrelease.flows.release.doubts import doubt
from modelrelease.flows.release.grounds import Doer, Released, live, released
from modelrelease.flows.release.preconditions import (
    refuse_busy,
    refuse_other_stage,
    released_before,
)
from modelrelease.flows.release.published_card import published_texts
from modelrelease.flows.release.score import asked_suites
from modelrelease.flows.release.subject import Subject
from modelrelease.numbers import show_count
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.ledger import Event
from modelrelease.records.release_plan import PromotionPlan, Step, StepState
from modelrelease.release.targets.target import Target

_SHOWN = 5


def plan_promotion(subject: Subject, doer: Doer, texts: Written, out: Path) -> PromotionPlan:
    """Return what promoting ``subject`` would do, up to the first step that is blocked.

    ``out`` is where an earlier run would have kept its results; see :class:`Promotion`.
    Raises Unavailable (exit 3) where the ledger or the target do not answer, and Refused (exit 1) where the ledger is
    not whole.
    """
    grounds = subject.grounds
    ledger = grounds.ledger()
    before = live(ledger, grounds)
    plan = _Plan(subject, doer, texts, out, ledger, doer.open_target(grounds.config.release.target), before)
    return PromotionPlan(
        version=subject.version,
        tag=subject.tag,
        commit=subject.tree.commit,
        model_digest=subject.digest,
        target=grounds.config.release.target,
        stage=grounds.config.release.stage,
        live=before.receipt.version if before is not None else None,
        steps=tuple(_until_blocked(plan.steps())),
    )


def _until_blocked(steps: Iterator[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if step.state == "blocked":
            return


def _stopped(name: str, check: Callable[[], object]) -> Step | None:
    """Return the step that a check blocks, with its findings; None where it passes."""
    try:
        check()
    except (Refused, InvalidInput) as error:
        return Step(name=name, state="blocked", detail=_findings(error))
    return None


def _findings(error: ModelreleaseError) -> str:
    shown = [str(finding) for finding in error.findings[:_SHOWN]]
    left = len(error.findings) - len(shown)
    return "\n".join([*shown, *([f"and {show_count(left)} more"] if left else [])])


def _raise(findings: tuple[Finding, ...]) -> None:
    if findings:
        raise Refused(findings)


@dataclass(frozen=True)
class _Plan:
    """What the steps are told from. ``before`` is what is live."""

    subject: Subject
    doer: Doer
    texts: Written
    out: Path
    ledger: Ledger
    target: Target
    before: Released | None

    def steps(self) -> Iterator[Step]:
        """Yield every step, also those behind one that is blocked."""
        known = released(self.ledger, self.target.address, self.subject.version)
        begun = self._begun()
        if known is None and begun is None:
            yield from self._verified()
        yield self._step(
            "verify", "done", f"tag {self.subject.tag} at {self.subject.tree.commit[:10]}, {self.subject.folder}"
        )
        yield from self._allowed()
        yield from self._decided(known, begun)
        yield from self._moved(known, begun)

    def _step(self, name: str, state: StepState, detail: str) -> Step:
        return Step(name=name, state=state, detail=detail)

    def _begun(self) -> Event | None:
        """Return the announcement that a run would go on with: see :func:`promote`, which decides anew otherwise."""
        event = self.ledger.state.open.get((self.target.address, self.subject.version))
        if event is None or event.release is None or event.model_digest != self.subject.digest:
            return None
        live = self.before.receipt.version if self.before is not None else None
        if (event.release.git_sha, event.release.baseline) != (self.subject.tree.commit, live):
            return None
        files = kept_files(event.release, self.out, self.subject)
        comparison = announced_comparison(files, self.target, self.subject.version)
        return event if doubt(self.subject, self.ledger, event, comparison) is None else None

    def _verified(self) -> Iterator[Step]:
        subject, state = self.subject, self.ledger.state
        overrides = state.accepted(subject.version, subject.digest, self.doer.now()[:10])
        card = _stopped("verify", lambda: published_texts(subject, self.texts, overrides, None))
        suite = _stopped("verify", lambda: asked_suites(subject, self.before))
        yield from (step for step in (card, suite) if step is not None)

    def _allowed(self) -> Iterator[Step]:
        """Yield what keeps the version away for good, or for as long as another promotion is under way."""
        subject, address, now = self.subject, self.target.address, self.doer.now()
        step = _stopped("decide", lambda: released_before(subject, self.ledger, address))
        if step is None and released(self.ledger, address, subject.version) is None:
            step = _stopped("intent", lambda: refuse_busy(self.ledger, subject, now, take_over=False))
        if step is not None:
            yield step

    def _decided(self, known: Released | None, begun: Event | None) -> Iterator[Step]:
        subject, grounds = self.subject, self.subject.grounds
        state: StepState = "done" if known is not None or begun is not None else "to do"
        committed = bool(subject.tree.entries([f"{subject.folder}/{EVAL_FILE}"]))
        again = "; the committed eval.json has to come out again" if committed and state == "to do" else ""
        yield self._step("score", state, f"on this machine{again}")
        intent = known.intent if known is not None else begun
        if intent is not None and intent.release is not None:
            facts = intent.release
            detail = f"against {facts.baseline or 'nothing'}, by the policy of {facts.policy_ref[:10]}"
            yield self._step("decide", state, f"{detail}, event {intent.sequence}")
        elif self.before is None and grounds.config.release.bootstrap != subject.version:
            yield self._step("decide", "blocked", self._no_bootstrap())
        else:
            against = f"against {self.before.receipt.version}, live" if self.before else "as the first release"
            policy = f"by the policy of {grounds.branch} at {grounds.policy.commit[:10]}"
            yield self._step("decide", state, f"{against}, {policy}")
        yield self._step("intent", state, f"into {self.ledger.branch.name}")

    def _no_bootstrap(self) -> str:
        named, version = self.subject.grounds.config.release.bootstrap, self.subject.version
        says = f"`release.bootstrap` names {named or 'no first release'}"
        todo = f"set `bootstrap: {version}` under `release` in modelrelease.yaml, on {self.subject.grounds.branch}"
        return f"nothing is live yet, and {says}; {todo}"

    def _moved(self, known: Released | None, begun: Event | None) -> Iterator[Step]:
        subject, policy = self.subject, self.subject.grounds.config.release
        if known is not None:
            lost = _stopped("publish", lambda: _raise(self._lost(known)))
            if lost is not None:
                yield lost
        published = self.target.inspect(subject.version)
        there = f", at {published.commit[:12]}" if published is not None else ""
        yield self._step("publish", "done" if published is not None else "to do", f"to {policy.target}{there}")
        stage = self.target.stage(policy.stage)
        live = self.before.receipt.version if self.before is not None else None
        if known is None:
            other = _stopped("stage", lambda: refuse_other_stage(stage, subject, live))
            if other is not None:
                yield other
        was = stage.version or stage.claimed or "nothing"
        here = stage.version == subject.version
        yield self._step("stage", "done" if here else "to do", f"{stage.name}: {was} → {subject.version}")
        yield self._step("receipt", "done" if known is not None else "to do", f"into {self.ledger.branch.name}")

    def _lost(self, known: Released) -> tuple[Finding, ...]:
        return self.target.verify(self.subject.version, known.digests, commit=known.commit)
