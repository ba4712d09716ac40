"""Is an announcement in the ledger one that this promotion would have made? Asked before it is gone on with.

Whoever may push can push an intent, and needs less for that than for a release: what it says is held against the tag,
the policy and the comparison, and a run that finds it wanting scores, decides and asks for approvals anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from modelrelease import git
from modelrelease.config import policy_digest
from modelrelease.errors import InvalidInput
from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.contents import RECORDS, known_files
from modelrelease.flows.release.grounds import Released, digests_of, live
from modelrelease.flows.release.subject import Subject
from modelrelease.flows.trees import Tree
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE
from modelrelease.records.ledger import MAX_REASON, Event, ReleaseFacts
from modelrelease.records.strict_json import read_document
from modelrelease.records.validation import validate


def doubt(subject: Subject, ledger: Ledger, intent: Event, comparison: bytes | None) -> str | None:
    """Return why ``intent`` is none that promoting ``subject`` would have announced, None where it is.

    ``comparison``: the bytes of comparison.json, None where they are nowhere.
    """
    assert intent.release is not None
    return next(_doubts(subject, ledger, intent, intent.release, comparison), None)


def _doubts(
    subject: Subject, ledger: Ledger, intent: Event, facts: ReleaseFacts, comparison: bytes | None
) -> Iterator[str]:
    if (facts.tag, facts.git_sha) != (subject.tag, subject.tree.commit):
        yield "it is of another commit"
    yield from _other_files(subject, facts)
    yield from _other_policy(subject, facts)
    for number in facts.overrides:
        event = ledger.events[number - 1] if 0 < number < intent.sequence else None
        said = (event.kind, event.version, event.model_digest) if event is not None else None
        if said != ("override", subject.version, subject.digest):
            yield f"it rests on event {number}, which is no override of it"
    if comparison is None:
        yield f"its {COMPARISON_FILE} is neither here nor at the target"
    else:
        yield from _other_decision(subject, facts, comparison, live(ledger, subject.grounds))


def _other_files(subject: Subject, facts: ReleaseFacts) -> Iterator[str]:
    listed = {digest.path: digest for digest in digests_of(facts)}
    if len(listed) != len(facts.files):
        yield "it lists a file twice"
    known = known_files(subject)
    for path, digest in known.items():
        if listed.get(path) != digest:
            yield f"it lists another {path}, or none"
    yield from (f"it lists no {path}" for path in sorted(RECORDS - listed.keys()))
    yield from (f"it lists {path}" for path in sorted(listed.keys() - known.keys() - RECORDS))
    records = {EVAL_FILE: facts.eval_sha256, COMPARISON_FILE: facts.comparison_sha256}
    if any(path in listed and listed[path].sha256 != sha256 for path, sha256 in records.items()):
        yield "it names other records than it lists"


def _other_policy(subject: Subject, facts: ReleaseFacts) -> Iterator[str]:
    root, ref = subject.grounds.project.root, facts.policy_ref
    # A name may be another commit's tomorrow.
    if git.commit_of(root, ref) != ref or not git.is_ancestor(root, ref, subject.grounds.policy.commit):
        yield f"its policy is not one of {subject.grounds.branch}'s"
        return
    config = Tree(root, ref, subject.grounds.project.config_path).config
    if config is None or policy_digest(config) != facts.policy_digest:
        yield "its policy is another one at the commit that it names"


def _other_decision(subject: Subject, facts: ReleaseFacts, data: bytes, before: Released | None) -> Iterator[str]:
    if hashlib.sha256(data).hexdigest() != facts.comparison_sha256:
        yield f"{COMPARISON_FILE} is another one"
        return
    try:
        found = validate(Comparison, read_document(data, COMPARISON_FILE))
    except InvalidInput:
        yield f"{COMPARISON_FILE} cannot be read"
        return
    decided = [policy.decision for policy in found.policies if policy.digest == facts.policy_digest]
    if (found.context, found.decision, *decided) != ("release", "promote", "promote"):
        yield f"{COMPARISON_FILE} does not decide that it is released"
    samples = next((file.sha256 for file in facts.files if file.path == SAMPLES_FILE), None)
    scored = (found.candidate.model_digest, found.candidate.samples_sha256) if found.candidate is not None else None
    if scored != (subject.digest, samples):
        yield f"{COMPARISON_FILE} is of another evaluation"
    if not _is_held_against(found, before):
        yield f"{COMPARISON_FILE} does not hold it against what is live"
    if (facts.summary, facts.bootstrap) != (found.headline[:MAX_REASON], before is None):
        yield f"it sums up something else than {COMPARISON_FILE}"


def _is_held_against(found: Comparison, before: Released | None) -> bool:
    """A decision against an earlier version, left of a run that was overtaken, says nothing of the one that is live."""
    if found.baseline is None or before is None:
        return found.baseline is None and before is None
    version, digest = before.receipt.version, before.receipt.model_digest
    return found.baseline.model_digest == digest and found.baseline.version in {None, version}
