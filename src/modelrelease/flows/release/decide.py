"""The decision on a release: scored on this machine, held against the live version, judged by the default branch.

Scoring and judging are apart: on GitHub the first runs model code on a runner, the second runs where it is published.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.codes import Code
from modelrelease.config import policy_digest
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.flows.baseline import Baseline
from modelrelease.flows.bench import Bench
from modelrelease.flows.governed import governed_changes
from modelrelease.flows.live import read_record
from modelrelease.flows.recorded_inputs import found_task
from modelrelease.flows.release.grounds import Released
from modelrelease.flows.release.subject import Subject
from modelrelease.flows.reproduce import lengths_of
from modelrelease.flows.resolve import Resolved
from modelrelease.flows.sides import SuitePair, suites_of_release
from modelrelease.flows.texts import TextsOfItems
from modelrelease.flows.trees import Tree
from modelrelease.flows.weights import Weights
from modelrelease.records.comparison import COMPARISON_FILE, Comparison, ScoredAgain
from modelrelease.records.comparisons import read_comparison
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.files import write_atomic
from modelrelease.records.ledger import Event
from modelrelease.records.reproduction import IdentityDifference, Reproduction
from modelrelease.records.resolution import Resolution
from modelrelease.records.results import Results, read_results
from modelrelease.records.suite import suite_digest
from modelrelease.release.resolution import Facts
from modelrelease.reproduction.identity import checkpoint_differences, input_differences, scorer_differences
from modelrelease.reproduction.judge import Recorded, judge
from modelrelease.scoring.record import describe_model
from modelrelease.scoring.run import Options, Surroundings
from modelrelease.scoring.suites import LoadedSuite, load_suite

if TYPE_CHECKING:
    from modelrelease.comparison.policy import Question

CANDIDATE, BASELINE = "candidate", "baseline"
_GOOD = frozenset({"exact", "equivalent", "variance-documented"})
_SHOWN = 5


@dataclass(frozen=True)
class Sides:
    """Both evaluations; ``baseline`` is None where nothing is live yet."""

    candidate: Results
    baseline: Results | None
    scored_again: ScoredAgain | None = None


def score_release(
    subject: Subject, live: Released | None, options: Options, surroundings: Surroundings, out: Path
) -> Sides:
    """Score the version, and of the live one what its record does not cover; written below ``out``.

    A committed eval.json has to come out again (MR714, exit 1). Raises what scoring does.
    """
    asked = _asked(subject, live)
    own = _own_suite(subject)
    # What an interrupted run has kept on this machine is not what a release is decided on.
    bench = Bench(options, replace(surroundings, journal=None))
    model = describe_model(subject.checkpoint)
    with tempfile.TemporaryDirectory(prefix="modelrelease-") as folder:
        scratch = Path(folder)
        _refuse_other_record(subject, own, bench, scratch)
        candidate = bench.results(model, lambda: subject.checkpoint, asked.candidate, out / CANDIDATE)
        if live is None:
            return Sides(candidate, None)
        weights = Weights.of(surroundings)
        rescore = subject.grounds.config.gate.rescore_baseline
        resolved = _resolved(subject, live)
        baseline = Baseline(resolved, _folder(subject, live), bench, weights, rescore, scratch)
        gpu = not candidate.evaluation.engine.device.startswith("cpu")
        own_dtype = options.numerics.dtype == "auto" and gpu
        found = baseline.results(asked.baseline, candidate.evaluation, out / BASELINE, own_dtype=own_dtype)
    return Sides(candidate, found.results, found.scored_again)


def read_sides(subject: Subject, live: Released | None, out: Path) -> Sides:
    """Return what another job has scored for this release, held against what it has to be of.

    Raises InvalidInput where the files are malformed; Refused (MR709) where they are of another checkpoint or suite.
    """
    asked = _asked(subject, live)
    candidate = read_results(out / CANDIDATE)
    _refuse_foreign(candidate, subject.digest, asked.candidate, out / CANDIDATE)
    if live is None:
        return Sides(candidate, None)
    baseline = read_results(out / BASELINE)
    _refuse_foreign(baseline, live.receipt.model_digest, asked.baseline, out / BASELINE)
    said = read_comparison(out).baseline if (out / COMPARISON_FILE).is_file() else None
    return Sides(candidate, baseline, said.scored_again if said is not None else None)


def decide(subject: Subject, live: Released | None, sides: Sides, accepted: Mapping[str, Event]) -> Comparison:
    """Return the decision on a release, by the default branch's present policy. ``accepted``: overrides in force."""
    question = _question(subject, live, accepted)
    if sides.baseline is None:
        from modelrelease.comparison.first import nothing_live

        found = nothing_live(sides.candidate, question)
    else:
        from modelrelease.comparison.compare import compare

        texts = TextsOfItems(subject.grounds.project, sides.baseline, sides.candidate)
        found = compare(sides.baseline, sides.candidate, question, texts)
    config = subject.grounds.config
    resolution = _resolution(subject, live)
    changes = governed_changes(subject.tree.root, resolution, texts=config.comment.samples == "text")
    baseline = found.baseline
    if baseline is not None:
        baseline = baseline.model_copy(update={"scored_again": sides.scored_again})
    update = {
        "name": config.name,
        "resolution": resolution,
        "comment": config.comment,
        "changes": changes if live is not None else None,
        "baseline": baseline,
    }
    return found.model_copy(update=update)


def keep(comparison: Comparison, out: Path) -> None:
    """Write comparison.json into ``out``."""
    write_atomic(out / COMPARISON_FILE, comparison.to_bytes())


def _question(subject: Subject, live: Released | None, accepted: Mapping[str, Event]) -> Question:
    from modelrelease.comparison.policy import Policy, Question

    grounds, config = subject.grounds, subject.grounds.config
    where = f"{grounds.project.config_path} on {grounds.branch}, {grounds.policy.commit[:10]}"
    said = f"the ledger names {live.receipt.version} as live" if live is not None else "nothing was released yet"
    return Question(
        Policy(config.gate, where, policy_digest(config)),
        "release",
        resolved_by=(said, f"the tag {subject.tag}"),
        accepted={metric: _in_words(event) for metric, event in accepted.items()},
        bootstrap=config.release.bootstrap == subject.version,
    )


def _in_words(event: Event) -> str:
    assert event.override is not None
    person = event.by.login or event.by.name or "somebody"
    return f"override {event.sequence} by {person} until {event.override.until}: {event.reason}"


def _asked(subject: Subject, live: Released | None) -> SuitePair:
    return suites_of_release(_own_suite(subject), subject.grounds.policy, _live_tree(subject, live))


def _own_suite(subject: Subject) -> LoadedSuite:
    config = subject.tree.config or subject.grounds.config
    if config.suite is None:
        todo = "add it: the file that names the tasks"
        raise invalid(subject.grounds.project.config_path, Code.MISSING_FIELD, "`suite` is missing", todo)
    return load_suite(config.suite, subject.tree.read)


def _live_tree(subject: Subject, live: Released | None) -> Tree | None:
    """Return the commit that the live version was released from, which this clone has to have."""
    if live is None:
        return None
    tree = Tree(subject.tree.root, live.facts.git_sha, subject.grounds.project.config_path)
    if not tree.entries([tree.config_path]):
        message = f"was released from {live.facts.git_sha[:10]}, which is not in this clone"
        raise invalid(
            live.receipt.version, Code.RESOLUTION, message, "fetch the whole history: `git fetch --unshallow`"
        )
    return tree


def _folder(subject: Subject, live: Released) -> str:
    tree = _live_tree(subject, live)
    assert tree is not None
    return f"{(tree.config or subject.grounds.config).models}/{live.receipt.version}"


def _resolution(subject: Subject, live: Released | None) -> Resolution:
    before = live.facts.git_sha if live is not None else subject.tree.commit
    parent = subject.record.parent
    return Resolution(
        rule="new-version",
        reason=f"the tag {subject.tag} asks for its release",
        candidate=subject.folder,
        baseline=_folder(subject, live) if live is not None else None,
        baseline_rule="ledger" if live is not None else "none",
        parent=parent if live is not None and parent != live.receipt.version else None,
        merge_base=before,
        head=subject.tree.commit,
    )


def _resolved(subject: Subject, live: Released) -> Resolved:
    """Return the live version's commit and the tag's, as if one were the merge-base of the other."""
    before = _live_tree(subject, live)
    assert before is not None
    models = subject.folder.rpartition("/")[0]
    models_before = _folder(subject, live).rpartition("/")[0]
    facts = Facts(
        merge_base=before.commit,
        head=subject.tree.commit,
        models=models,
        models_before=models_before,
        before=before.versions(models_before),
        after=subject.tree.versions(models),
    )
    return Resolved(_resolution(subject, live), facts, before, subject.tree, subject.grounds.policy)


def _refuse_foreign(found: Results, digest: str, suite: LoadedSuite, where: Path) -> None:
    """Refuse results that are not of the checkpoint, rows and prompts that this release is about."""
    todo = "score this release again"
    if found.evaluation.model.digest != digest:
        message = f"is of the checkpoint {found.evaluation.model.digest[:12]}, not of {digest[:12]}"
        raise Refused(Finding(str(where / EVAL_FILE), Code.BLOCKED, message, todo))
    digest = suite_digest(tuple(task.spec for task in suite.tasks))
    differences = input_differences(found, [found_task(task) for task in suite.tasks], digest)
    if differences:
        message = f"was asked something else: {_shown(differences[0])}"
        raise Refused(Finding(str(where / EVAL_FILE), Code.BLOCKED, message, todo))


def _refuse_other_record(subject: Subject, own: LoadedSuite, bench: Bench, scratch: Path) -> None:
    """Refuse a version whose committed eval.json does not come out again on this machine."""
    path = f"{subject.folder}/{EVAL_FILE}"
    if not subject.tree.entries([path]):
        return
    record = read_record(subject.tree, subject.folder, scratch / "committed").results
    todo = f"find out why, or run `modelrelease score {subject.folder}` anew, commit that and tag the commit"
    if record is None:
        raise Refused(Finding(path, Code.NOT_REPRODUCED, "cannot be read with its samples", todo))
    differences = [
        *scorer_differences(record.evaluation),
        *checkpoint_differences(record.evaluation, subject.checkpoint),
        *input_differences(
            record, [found_task(task) for task in own.tasks], suite_digest(tuple(task.spec for task in own.tasks))
        ),
    ]
    if differences:
        shown = "; ".join(_shown(difference) for difference in differences[:_SHOWN])
        raise Refused(Finding(path, Code.NOT_REPRODUCED, f"is the record of something else: {shown}", todo))
    model = describe_model(subject.checkpoint)
    found = bench.results(model, lambda: subject.checkpoint, own, scratch / "own")
    sha256 = hashlib.sha256(subject.tree.read(path)).hexdigest()
    outcome = judge(Recorded(record, sha256, "commit"), found, None, None, lengths_of(own))
    if outcome.outcome not in _GOOD:
        raise Refused(Finding(path, Code.NOT_REPRODUCED, _mismatch(outcome), todo))


def _shown(difference: IdentityDifference) -> str:
    return f"another {difference.what}" + (f" ({difference.where})" if difference.where else "")


def _mismatch(outcome: Reproduction) -> str:
    causes = ", ".join(sorted({explanation.what for explanation in outcome.explanations})) or "nothing recorded"
    return f"does not come out again: {outcome.mismatch_count} of {outcome.items} items differ; {causes} may explain it"
