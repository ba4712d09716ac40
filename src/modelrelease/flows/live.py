"""The live version's record as the merge-base has it: a cache entry, not a truth.

What of it covers a comparison is used, the rest is scored again, and the report says how much and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelrelease.errors import InvalidInput
from modelrelease.flows.trees import Tree
from modelrelease.numbers import show_few
from modelrelease.records.comparison import ScoredAgain
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.files import write_atomic
from modelrelease.records.results import Results, read_results
from modelrelease.records.strict_json import read_document
from modelrelease.records.suite import task_digest
from modelrelease.records.validation import validate
from modelrelease.scoring.reuse import by_key, differing_numerics, keys_of
from modelrelease.scoring.suites import LoadedSuite, LoadedTask

_SHOWN = 3


@dataclass(frozen=True)
class LiveRecord:
    """``results`` is None where the record cannot be used; ``why`` then says so."""

    results: Results | None
    why: str | None


def read_evaluation_at(tree: Tree, folder: str) -> Evaluation:
    """Return the eval.json of a version folder as committed; InvalidInput where it is missing or malformed."""
    path = f"{folder}/{EVAL_FILE}"
    return validate(Evaluation, read_document(tree.read(path), path))


def read_record(tree: Tree, folder: str, into: Path) -> LiveRecord:
    """Read a version's record as committed, through copies below ``into``."""
    place = into / PurePosixPath(folder).name
    try:
        evaluation = read_evaluation_at(tree, folder)
        samples = evaluation.samples.path
        write_atomic(place / samples, tree.read(f"{folder}/{samples}"))
        write_atomic(place / EVAL_FILE, tree.read(f"{folder}/{EVAL_FILE}"))
        return LiveRecord(read_results(place), None)
    except InvalidInput as error:
        return LiveRecord(None, f"its record cannot be used ({error.findings[0].code.value})")


def uncovered(
    record: LiveRecord, now: Evaluation | None, suite: LoadedSuite, *, always: bool, own_dtype: bool
) -> ScoredAgain | None:
    """Return how many items of ``suite`` the record does not cover, and why; None where it covers all.

    ``now`` is an evaluation of this job: its numerics are those that the baseline's would have.
    """
    total = sum(len(task.rows) for task in suite.tasks)
    reasons = list(_disqualified(record, now, always, own_dtype))
    if reasons or record.results is None:
        return ScoredAgain(items=total, of=total, why=tuple(reasons))
    results = record.results
    samples = by_key(results.evaluation, results.all_samples())
    known = {key for key, sample in samples.items() if sample["error"] is None}
    missing = {task.spec.name: sum(key not in known for key in keys_of(task)) for task in suite.tasks}
    if not any(missing.values()):
        return None
    why = [_why(task, results.evaluation) for task in suite.tasks if missing[task.spec.name]]
    return ScoredAgain(items=sum(missing.values()), of=total, why=tuple(dict.fromkeys(why)))


def _disqualified(record: LiveRecord, now: Evaluation | None, always: bool, own_dtype: bool) -> Iterator[str]:
    """Yield why no sample of the record can be used."""
    if record.why is not None:
        yield record.why
    elif always:
        yield "the policy says always"
    elif now is not None and record.results is not None:
        names = differing_numerics(record.results.evaluation, now, own_dtype=own_dtype)
        if names:
            yield f"other numerics ({show_few(names, _SHOWN)})"


def _why(task: LoadedTask, evaluation: Evaluation) -> str:
    was = next((scored for scored in evaluation.suite.tasks if scored.name == task.spec.name), None)
    if was is None:
        return f"task {task.spec.name} is new"
    if was.digest != task_digest(task.spec):
        return "suite changed"
    if was.prompt_digest != task.prompt_digest:
        return "prompt changed since it was scored"
    return "test set changed" if was.dataset_digest != task.dataset_digest else "errors in its record"
