"""Is all so as the ledger says? Its chain against heads written down elsewhere; every release against what is there.

What cannot be reached is told apart from what is wrong: nobody has said that it is fine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable
from modelrelease.flows.ledger import Ledger, inspect_ledger
from modelrelease.flows.release.audit_git import audit_commits
from modelrelease.flows.release.grounds import Released, digests_of, released
from modelrelease.flows.release.trace import policy_of
from modelrelease.flows.release.trace_records import OpenTarget
from modelrelease.git.append_only import Branch
from modelrelease.git.remotes import remote_tags
from modelrelease.records.comparison import COMPARISON_FILE
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.ledger import Event
from modelrelease.release.ledger.chain import Anchor
from modelrelease.release.targets.address import is_here
from modelrelease.release.targets.target import Target

Anchors = Callable[[], Iterable[Anchor]]


@dataclass
class Audit:
    """What came of it. ``unreached`` are things nobody could look at, ``checked`` what was found to be so."""

    ledger: Ledger
    findings: list[Finding] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)


def audit_ledger(project: Project, branch: Branch, open_target: OpenTarget, elsewhere: Anchors | None) -> Audit:
    """Hold the ledger against its anchors, and each release against target, git and policy.

    ``open_target`` gives None where a target is not to be asked; ``elsewhere`` the heads in GitHub's releases, None
    where nobody can be asked. Raises Unavailable (exit 3) where the ledger's own remote does not answer.
    """
    release = policy_of(project).release
    anchors, unreached, odd = _anchors(project, release.target, open_target, elsewhere)
    ledger, findings = inspect_ledger(branch, anchors)
    audit = Audit(ledger, [*findings, *odd], unreached)
    if findings:
        return audit  # what stands on a broken chain says nothing
    if anchors:
        audit.checked.append(f"{len(anchors)} head{'s' if len(anchors) > 1 else ''} written down elsewhere")
    if elsewhere is None and any(one.receipt and one.receipt.github_release for one in ledger.events):
        audit.unreached.append("heads in GitHub's releases: run it in a job, or export GITHUB_REPOSITORY and GH_TOKEN")
    addresses = dict.fromkeys([release.target, *(event.target for event in ledger.events)])
    for address in addresses:
        _Place(project, audit, address).audit(open_target)
    _audit_grounds(project, audit)
    return audit


def _anchors(
    project: Project, address: str, open_target: OpenTarget, elsewhere: Anchors | None
) -> tuple[list[Anchor], list[str], list[Finding]]:
    """Return the heads that releases left outside, what could not be asked for them, and what is odd there."""
    found: list[Anchor] = []
    unreached: list[str] = []
    odd: list[Finding] = []
    try:
        target = open_target(address)
        for version in target.versions() if target is not None else ():
            published = target.inspect(version) if target is not None else None
            if published is not None and published.ledger_head is not None:
                found.append(Anchor(f"{version} at {address}", published.ledger_head))
    except Unavailable:
        pass  # it is asked again for its files, and told of then
    except (Refused, InvalidInput) as error:
        odd += error.findings
    try:
        found += elsewhere() if elsewhere is not None else ()
    except Unavailable as error:
        unreached.append(f"heads in GitHub's releases: {error.findings[0]}")
    return found, unreached, odd


def _audit_grounds(project: Project, audit: Audit) -> None:
    """Hold each release against git and the policy."""
    found = [released(audit.ledger, target, version) for target, version in audit.ledger.state.released]
    releases = [known for known in found if known is not None]
    origin = _tags_on_origin(audit, releases)
    for known in releases:
        audit.findings += _contradictions(audit.ledger, known)
        wrong, unknown = audit_commits(project, audit.ledger.branch, known, origin)
        audit.findings += wrong
        audit.unreached += unknown
    if releases and not audit.findings:
        also = ", and their tags on origin" if origin is not None else ""
        audit.checked.append(f"their tags, commits and policies in this repository{also}")


def _tags_on_origin(audit: Audit, releases: list[Released]) -> dict[str, str] | None:
    """Return the commits of the tags that origin has, None where it was not asked or did not answer."""
    branch = audit.ledger.branch
    if branch.offline:
        return None
    try:
        return remote_tags(branch.folder, dict.fromkeys(known.facts.tag for known in releases))
    except Unavailable as error:
        audit.unreached.append(f"tags on origin: {error.findings[0]}")
        return None


def _contradictions(ledger: Ledger, known: Released) -> Iterator[Finding]:
    """Yield where what a release says of itself does not agree."""
    facts, receipt, todo = known.facts, known.receipt, "see `modelrelease ledger log --json`; promote a new version"
    where = f"{ledger.branch.name} event {known.intent.sequence}"
    listed = {file.path: file.sha256 for file in facts.files}
    for name, sha256 in ((EVAL_FILE, facts.eval_sha256), (COMPARISON_FILE, facts.comparison_sha256)):
        if listed.get(name) != sha256:
            yield Finding(where, Code.LEDGER_STATE, f"names another {name} than it lists", todo)
    if receipt.move is not None and receipt.move.before != facts.baseline:
        message = f"was decided against {facts.baseline or 'nothing'}, and replaced {receipt.move.before or 'nothing'}"
        yield Finding(where, Code.LEDGER_STATE, message, todo)
    for number in facts.overrides:
        event = ledger.events[number - 1] if 0 < number < known.intent.sequence else None
        if event is None or event.override is None or event.model_digest != receipt.model_digest:
            yield Finding(where, Code.LEDGER_STATE, f"rests on event {number}, which is no override of it", todo)


@dataclass(frozen=True)
class _Place:
    """One target and what the ledger says of it."""

    project: Project
    audit_of: Audit
    address: str

    def audit(self, open_target: OpenTarget) -> None:
        """Look at every version and every stage there."""
        found = self.audit_of
        state = found.ledger.state
        begun = [event for (target, _), event in state.open.items() if target == self.address]
        names = [version for target, version in state.released if target == self.address]
        try:
            if not names and not begun and not is_here(self.address, self.project.root):
                return
            target = self._opened(open_target)
            if target is None:
                return
            findings = [*self._versions(target, names), *self._begun(target, begun)]
            findings += self._strangers(target, {*names, *(event.version for event in begun)})
            findings += self._stages(target, {event.version for event in begun})
        except Unavailable as error:
            found.unreached.append(str(error.findings[0]))
            return
        except (Refused, InvalidInput) as error:
            findings = list(error.findings)
        found.findings += findings
        if names and not findings:
            count = f"{len(names)} release{'s' if len(names) > 1 else ''}"
            found.checked.append(f"{count} at {self.address}: files, names and stages")

    def _opened(self, open_target: OpenTarget) -> Target | None:
        there = is_here(self.address, self.project.root)
        target = open_target(self.address) if there else None
        if target is None:
            why = "it was not asked" if there else "it is not on this machine"
            self.audit_of.unreached.append(f"what is published at {self.address}: {why}")
        return target

    def _versions(self, target: Target, names: list[str]) -> Iterator[Finding]:
        ledger = self.audit_of.ledger
        for version in names:
            known = released(ledger, self.address, version)
            if known is None:
                continue
            gone = ledger.state.revocation(version) is not None  # whoever revokes may take it away
            for finding in target.verify(version, known.digests, commit=known.commit):
                if not (gone and finding.code == Code.NOT_PUBLISHED):
                    yield finding

    def _begun(self, target: Target, begun: list[Event]) -> Iterator[Finding]:
        """Yield the releases that a run which died has left without their receipt."""
        for event in begun:
            if event.release is None or target.inspect(event.version) is None:
                continue
            wrong = target.verify(event.version, digests_of(event.release))
            yield from wrong
            if not wrong:
                where = f"{self.audit_of.ledger.branch.name} event {event.sequence}"
                message = f"announces {event.version}, which is published at {self.address} and has no receipt"
                todo = f"run `modelrelease promote {event.version}` again, which completes it"
                yield Finding(where, Code.NO_RECEIPT, message, todo)

    def _strangers(self, target: Target, known: set[str]) -> Iterator[Finding]:
        for version in target.versions():
            if version not in known:
                message = "is published, and the ledger knows nothing of it"
                todo = "find out who published it; what is released goes through `modelrelease promote`"
                yield Finding(f"{self.address} {version}", Code.TARGET_STATE, message, todo)

    def _stages(self, target: Target, begun: set[str]) -> Iterator[Finding]:
        for (address, name), event in self.audit_of.ledger.state.live.items():
            stage = target.stage(name) if address == self.address else None
            if stage is None or stage.version == event.version:
                continue
            if stage.version in begun:
                continue  # its receipt is what is missing
            is_at = stage.version or stage.claimed or "nothing that can be verified"
            message = f"is at {is_at}, and the ledger says {event.version}"
            todo = f"run the promotion or the rollback that was interrupted again, or promote {event.version}"
            yield Finding(f"{address} {name}", Code.OVERTAKEN, message, todo)
