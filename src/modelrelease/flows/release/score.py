"""The scores that a release is decided on: made on this machine, or by another job and held against what it was of.

On GitHub the first runs model code on a runner, the second runs where it is published.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.flows.baseline import Baseline
from modelrelease.flows.bench import Bench
from modelrelease.flows.live import read_record
from modelrelease.flows.recorded_inputs import found_task
from modelrelease.flows.release.against import folder_of_live, resolved_against, tree_of_live
from modelrelease.flows.release.grounds import Released
from modelrelease.flows.release.subject import Subject
from modelrelease.flows.reproduce import lengths_of
from modelrelease.flows.sides import SuitePair, suites_of_release
from modelrelease.flows.weights import Weights
from modelrelease.records.comparison import COMPARISON_FILE, ScoredAgain
from modelrelease.records.comparisons import read_comparison
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.reproduction import IdentityDifference, Reproduction
from modelrelease.records.results import Results, read_results
from modelrelease.records.suite import suite_digest
from modelrelease.reproduction.identity import checkpoint_differences, input_differences, scorer_differences
from modelrelease.reproduction.judge import Recorded, judge
from modelrelease.scoring.record import describe_model
from modelrelease.scoring.run import Options, Surroundings
from modelrelease.scoring.suites import LoadedSuite, load_suite

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
    asked = asked_suites(subject, live)
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
        resolved = resolved_against(subject, live)
        baseline = Baseline(resolved, folder_of_live(subject, live), bench, weights, rescore, scratch)
        gpu = not candidate.evaluation.engine.device.startswith("cpu")
        own_dtype = options.numerics.dtype == "auto" and gpu
        found = baseline.results(asked.baseline, candidate.evaluation, out / BASELINE, own_dtype=own_dtype)
    return Sides(candidate, found.results, found.scored_again)


def read_sides(subject: Subject, live: Released | None, out: Path) -> Sides:
    """Return what another job has scored for this release, held against what it has to be of.

    Raises InvalidInput where the files are malformed; Refused (MR709) where they are of another checkpoint or suite.
    """
    asked = asked_suites(subject, live)
    candidate = read_results(out / CANDIDATE)
    _refuse_foreign(candidate, subject.version, subject.digest, asked.candidate, out / CANDIDATE)
    if live is None:
        return Sides(candidate, None)
    baseline = read_results(out / BASELINE)
    _refuse_foreign(baseline, live.receipt.version, live.receipt.model_digest, asked.baseline, out / BASELINE)
    said = read_comparison(out).baseline if (out / COMPARISON_FILE).is_file() else None
    return Sides(candidate, baseline, said.scored_again if said is not None else None)


def asked_suites(subject: Subject, live: Released | None) -> SuitePair:
    """Return what both sides are asked, as the tag, the live version's commit and the policy have it.

    Raises InvalidInput where one of them is missing or malformed.
    """
    return suites_of_release(_own_suite(subject), subject.grounds.policy, tree_of_live(subject, live))


def _own_suite(subject: Subject) -> LoadedSuite:
    config = subject.tree.config or subject.grounds.config
    if config.suite is None:
        todo = "add it: the file that names the tasks"
        raise invalid(subject.grounds.project.config_path, Code.MISSING_FIELD, "`suite` is missing", todo)
    return load_suite(config.suite, subject.tree.read)


def _refuse_foreign(found: Results, version: str, digest: str, suite: LoadedSuite, where: Path) -> None:
    """Refuse results that are not of the version, checkpoint, rows and prompts that this release is about."""
    todo = "score it again: run the whole workflow anew, or `modelrelease promote VERSION --decide`"
    if found.evaluation.model.digest != digest:
        message = f"is of the checkpoint {found.evaluation.model.digest[:12]}, not of {digest[:12]}"
        raise Refused(Finding(str(where / EVAL_FILE), Code.BLOCKED, message, todo))
    if found.evaluation.model.version not in {None, version}:
        message = f"is of {found.evaluation.model.version}, not of {version}"
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
