"""Is a released version, where it is published, still what was released? Told by digests of our own, not by names."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.flows.release.audit_git import tag_findings
from modelrelease.flows.release.grounds import (
    Doer,
    Grounds,
    Released,
    released,
    require_released,
    revocation_text,
    version_name,
)
from modelrelease.flows.release.stages import require_here
from modelrelease.git.remotes import remote_tags


@dataclass(frozen=True)
class Verified:
    """What was held against what; nothing is wrong where ``findings`` is empty."""

    release: Released
    address: str
    live: bool
    findings: tuple[Finding, ...]


def verify_version(grounds: Grounds, version: str, doer: Doer, *, download: bool) -> Verified:
    """Hold a released version against the ledger: its files at the target, its commit, its git tag, here and on origin.

    That it was revoked is a finding too: who audits it wants to know what still lies there.

    ``download``: read every byte; without, a target's own digests are compared where it keeps some. Raises Refused
    (MR710) where it was never released; Unavailable (exit 3) where target or origin do not answer, or
    the folder that it was released to is not on this machine.
    """
    ledger = grounds.ledger()
    target = doer.open_target(grounds.config.release.target)
    name = version_name(version)
    release = released(ledger, target.address, name) or require_released(ledger, target.address, name)
    require_here(grounds, target)
    revoked = ledger.state.revocation(name)
    todo = "what is published of it is held against the ledger all the same; load another version"
    found = [Finding(name, Code.NOT_RELEASED, revocation_text(name, revoked), todo)] if revoked is not None else []
    found += list(target.verify(name, release.digests, commit=release.commit, download=download))
    root, tag = grounds.project.root, release.facts.tag
    found += tag_findings(release, git.tag_commit(root, tag) or release.facts.git_sha, remote_tags(root, [tag]))
    live = ledger.state.live_version(*grounds.stage) == name
    if live:
        stage = target.stage(grounds.config.release.stage)
        if stage.version != name:
            message = f"is at {stage.version or stage.claimed or 'nothing that can be verified'}, not at {name}"
            todo = f"run `modelrelease promote {name}` or a rollback: what is live is not what was released"
            found.append(Finding(f"{target.address} {stage.name}", Code.OVERTAKEN, message, todo))
    return Verified(release, target.address, live, tuple(found))
