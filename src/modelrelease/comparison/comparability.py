"""What two evaluations share and where they differ: the comparison's subject. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelrelease.records.comparison import Comparability, Difference, Side, Subject
from modelrelease.records.evaluation import Evaluation, ScoredTask
from modelrelease.records.results import Results

if TYPE_CHECKING:
    from modelrelease.comparison.measure import Measure  # scipy, which the comparison of a first version needs not


def compare_facts(baseline: Evaluation, candidate: Evaluation, measures: list[Measure]) -> Comparability:
    """Return which facts are the same, which differ, and what is therefore not compared."""
    same: list[str] = []
    differs: list[Difference] = []
    for what, before, after in _facts(baseline, candidate):
        if before == after:
            same.append(what)
        else:
            differs.append(Difference(what=what, baseline=before, candidate=after))
    for what, task, before, after in _task_facts(baseline, candidate):
        if before != after:
            differs.append(Difference(what=what, baseline=before, candidate=after, task=task))
    return Comparability(same=tuple(same), differs=tuple(differs), refused=tuple(_refused(measures)))


def _refused(measures: list[Measure]) -> Iterator[Difference]:
    """Yield what is not compared: a task as a whole once, a metric of its own by name."""
    told: set[str] = set()
    for measure in measures:
        task, problem = measure.info.task, measure.problem
        if problem is None or task in told:
            continue
        reason = problem.reason
        if measure.paired.problem is not None:
            told.add(task)
        else:
            reason = f"{measure.info.metric}: {reason}"
        yield Difference(what=f"{problem.verdict}: {reason}", baseline=None, candidate=None, task=task)


def _facts(baseline: Evaluation, candidate: Evaluation) -> list[tuple[str, str | None, str | None]]:
    def facts(side: Evaluation) -> dict[str, str | None]:
        engine, place = side.engine, side.environment
        return {
            "model": side.model.digest,
            "tokenizer": side.model.tokenizer_digest,
            "chat template": side.model.chat_template_digest,
            "suite": side.suite.digest,
            "scorer": str(side.scorer_version),
            "engine": _engine(side),
            "batch tokens": str(engine.batch_tokens),
            "truncation": "allowed" if engine.allow_truncation else "refused",
            "libraries": _libraries(side),
            "platform": f"Python {place.python}, {place.os}",
            "driver": _driver(side),
            "machine": _machine(side),
            "threads": str(place.threads),
        }

    before, after = facts(baseline), facts(candidate)
    return [(what, before[what], after[what]) for what in before]


def _task_facts(baseline: Evaluation, candidate: Evaluation) -> list[tuple[str, str, str | None, str | None]]:
    before = {task.name: task for task in baseline.suite.tasks}
    found = []
    for task in candidate.suite.tasks:
        other: ScoredTask | None = before.get(task.name)
        if other is not None:
            found.append(("prompt", task.name, other.prompt_digest, task.prompt_digest))
            found.append(("dataset", task.name, other.dataset_digest, task.dataset_digest))
    return found


def subjects(comparability: Comparability) -> tuple[Subject, ...]:
    """Return what the comparison is about: what differs that a person may have meant to change."""
    differing = {difference.what for difference in comparability.differs}
    model: list[Subject] = ["model"] if differing & {"model", "tokenizer", "chat template"} else []
    prompt: list[Subject] = ["prompt"] if "prompt" in differing else []
    dataset: list[Subject] = ["dataset"] if "dataset" in differing else []
    engine: list[Subject] = ["engine"] if differing & {"engine", "libraries", "truncation"} else []
    return tuple(model + prompt + dataset + engine)


def describe_side(results: Results, resolved_by: str) -> Side:
    """Return how comparison.json names one evaluation; ``resolved_by`` is the rule that chose it."""
    evaluation = results.evaluation
    return Side(
        label=evaluation.model.version or evaluation.model.source,
        version=evaluation.model.version,
        model_digest=evaluation.model.digest,
        suite_digest=evaluation.suite.digest,
        samples_sha256=evaluation.samples.sha256,
        started=evaluation.provenance.started,
        git_sha=evaluation.provenance.git_sha,
        dirty=evaluation.provenance.dirty,
        resolved_by=resolved_by,
        engine=_engine(evaluation),
        environment=f"{_libraries(evaluation)}; {_machine(evaluation)}, {_threads(evaluation)}",
    )


def _engine(side: Evaluation) -> str:
    engine = side.engine
    return f"{engine.name} {engine.dtype} {engine.attention} on {engine.device.partition(':')[0]}"


def _libraries(side: Evaluation) -> str:
    place = side.environment
    return f"torch {place.torch}, transformers {place.transformers}, tokenizers {place.tokenizers}"


def _driver(side: Evaluation) -> str | None:
    place = side.environment
    return None if place.cuda is None else f"CUDA {place.cuda}, driver {place.driver or 'unknown'}"


def _machine(side: Evaluation) -> str:
    return ", ".join((*side.environment.gpus, side.environment.cpu))


def _threads(side: Evaluation) -> str:
    threads = side.environment.threads
    return f"{threads} thread{'' if threads == 1 else 's'}"
