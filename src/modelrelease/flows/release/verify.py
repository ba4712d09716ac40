"""Is a released version, where it is published, still what was released? Told by digests of our own, not by names."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.flows.release.audit_git import tag_findings
from modelrelease.flows.release.grounds import Doer, Grounds, Released, require_released, version_name
from modelrelease.git.remotes import remote_tags
from modelrelease.release.targets.address import is_here


@dataclass(frozen=True)
class Verified:
    """What was held against what; nothing is wrong where ``findings`` is empty."""

    release: Released
    address: str
    live: bool
    findings: tuple[Finding, ...]


def verify_version(grounds: Grounds, version: str, doer: Doer, *, download: bool) -> Verified:
    """Hold a released version against the ledger: its files at the target, its commit, its git tag, here and on origin.

    ``download``: read every byte; without, a target's own digests are compared where it keeps some. Raises Refused
    (MR710) where it was never released or was revoked; Unavailable (exit 3) where target or origin do not answer, or
    the folder that it was released to is not on this machine.
    """
    ledger = grounds.ledger()
    target = doer.open_target(grounds.config.release.target)
    name = version_name(version)
    release = require_released(ledger, target.address, name)
    if not is_here(target.address, grounds.project.root):
        todo = "run it on the machine that has the folder, or mount it here"
        raise Unavailable(Finding(target.address, Code.UNAVAILABLE, "is not on this machine", todo))
    found = list(target.verify(name, release.digests, commit=release.commit, download=download))
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
