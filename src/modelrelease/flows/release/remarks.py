"""What is said of a version without moving anything: that it must not be used, or that one loss is accepted."""

from __future__ import annotations

from datetime import date, timedelta

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.flows.ledger import Ledger, append_event
from modelrelease.flows.release.grounds import (
    Doer,
    Grounds,
    Released,
    live,
    require_released,
    revocation_text,
    version_name,
)
from modelrelease.flows.trees import Tree
from modelrelease.records.ledger import MAX_REASON, Event, Override
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.strict_json import read_document
from modelrelease.records.validation import validate
from modelrelease.registry.reasons import EXAMPLE, says_something, tidy, width

MAX_DAYS = 366
"""An override is for one release, not for good."""


def check_reason(grounds: Grounds, reason: str, example: str = EXAMPLE) -> str:
    """Return a reason on one line; InvalidInput (MR103) where it says nothing, by the registry's own rule.

    ``example`` is one that would do.
    """
    text, least = tidy(reason), grounds.config.registry.rules.reason_min_length
    if width(text) < least or not says_something(text) or len(text) > MAX_REASON:
        message = f"says too little: {least} characters or more, and two words that say something"
        raise invalid("--reason", Code.RECORD_REASON, message, f'say why, such as "{example}"')
    return text


def revoke(grounds: Grounds, version: str, reason: str, doer: Doer) -> Event | None:
    """Say that a version, released to this or an earlier target, must not be used again; None where that is said.

    Raises Refused (MR710) where it was never released, or is what the stage names, or has the live one's weights and
    prompts.
    """
    name, why, ledger = version_name(version), check_reason(grounds, reason), grounds.ledger()
    if ledger.state.revocation(name) is not None:
        return None
    target = _target_of(ledger, grounds.config.release.target, name)
    release = require_released(ledger, target, name)
    digest = release.receipt.model_digest
    event = doer.event(grounds, kind="revoked", version=name, model_digest=digest, reason=why, target=target)

    def still_right(now: Ledger) -> Event | None:
        if now.state.revocation(name) is not None:
            return None
        _refuse_live(now, grounds, release)
        return event

    return append_event(ledger, still_right).events[-1]


def _target_of(ledger: Ledger, target: str, version: str) -> str:
    """Return the target that a version was released to: the policy's, else the last other one."""
    others = [place for place, name in ledger.state.released if name == version]
    return target if target in others or not others else others[-1]


def _refuse_live(ledger: Ledger, grounds: Grounds, release: Released) -> None:
    """Refuse (MR710) to revoke what the stage names: consumers load it. That may be by another name."""
    name, now, todo = release.receipt.version, live(ledger, grounds), "roll back to another version first"
    target, stage = grounds.stage
    if release.receipt.target != target and ledger.state.live_version(release.receipt.target, stage) == name:
        message = f"is what {stage} of {release.receipt.target} names, where releases went before"
        todo = f"let `release.target` be {release.receipt.target} again, and roll back there to another version first"
        raise Refused(Finding(name, Code.NOT_RELEASED, message, todo))
    if now is None:
        return
    if now.receipt.version == name:
        raise Refused(Finding(name, Code.NOT_RELEASED, f"is what {stage} names", todo))
    if now.receipt.model_digest == release.receipt.model_digest and release.facts.prompts <= now.facts.prompts:
        message = f"has the weights and prompts of {now.receipt.version}, which {stage} names"
        raise Refused(Finding(name, Code.NOT_RELEASED, message, todo))


def override(grounds: Grounds, version: str, metric: str, until: str, reason: str, doer: Doer) -> tuple[Event, bool]:
    """Accept the loss in ``metric`` (task/metric) of one version's digest, up to and including the day ``until``.

    Returns the event, and whether it is new: what is in force just so is not written down a second time.

    Raises InvalidInput where the day is none or lies behind or too far ahead (MR713), the metric is no gate metric
    (MR713), or the version has no model.json; Refused where it is released already (MR713) or was revoked (MR710).
    """
    name, why = version_name(version), check_reason(grounds, reason)
    _check_day(until, doer.now()[:10])
    if not _decides(grounds, metric):
        todo = "name one as task/metric that modelrelease.yaml gates"
        raise invalid("--metric", Code.OVERRIDE, f"{metric!r} decides nothing", todo)
    ledger = grounds.ledger()
    target, _ = grounds.stage
    revoked = ledger.state.revocation(name)
    if revoked is not None:
        todo = "name another version"
        raise Refused(Finding(name, Code.NOT_RELEASED, revocation_text(name, revoked), todo))
    if (target, name) in ledger.state.released:
        message, todo = "is released already", "nothing has to be accepted any more"
        raise Refused(Finding(name, Code.OVERRIDE, message, todo))
    said = Override(metric=metric, until=until)
    digest = _digest(grounds, name)
    event = doer.event(grounds, kind="override", version=name, model_digest=digest, reason=why, override=said)
    after = append_event(ledger, lambda now: None if _same(now, event) is not None else event)
    found = _same(after, event)
    assert found is not None
    return found, found.sequence > len(ledger.events)


def _same(ledger: Ledger, event: Event) -> Event | None:
    """The override in the ledger that says what ``event`` does, whoever said it and when."""

    def said(one: Event) -> tuple[object, ...]:
        return one.version, one.model_digest, one.target, one.stage, one.override, one.reason

    return next((one for one in ledger.state.overrides if said(one) == said(event)), None)


def _decides(grounds: Grounds, metric: str) -> bool:
    from modelrelease.comparison.policy import policy_for

    try:
        found = policy_for(metric, grounds.config.gate.metrics)
    except ValueError:  # two patterns that are equally specific: the gate will say so
        return True
    return found is not None and found[1].role == "gate"


def _check_day(until: str, today: str) -> None:
    try:
        last, first = date.fromisoformat(until), date.fromisoformat(today)
    except ValueError:
        todo = "write it like 2026-12-31"
        raise invalid("--until", Code.OVERRIDE, f"{until!r} is no day", todo) from None
    if not first <= last <= first + timedelta(days=MAX_DAYS):
        message = f"{until} lies {'behind' if last < first else 'more than a year ahead'}"
        raise invalid("--until", Code.OVERRIDE, message, "name the day by which the release will have been made")


def _digest(grounds: Grounds, name: str) -> str:
    """Return the digest that the version's papers give: as tagged, else as checked out."""
    from modelrelease import git

    root = grounds.project.root
    commit = git.tag_commit(root, grounds.tag_of(name)) or git.commit_of(root, "HEAD") or grounds.policy.commit
    tree = Tree(root, commit, grounds.project.config_path)
    path = f"{(tree.config or grounds.config).models}/{name}/{MODEL_FILE}"
    if not tree.entries([path]):
        todo = f"name a version that has its model.json in the tag {grounds.tag_of(name)}, or where you stand"
        raise invalid(name, Code.UNREADABLE, f"has no {path} in {commit[:10]}", todo)
    return validate(ModelRecord, read_document(tree.read(path), path)).checkpoint.digest
