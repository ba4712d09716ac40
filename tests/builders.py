"""Evaluations for tests, written with the project's own writers from scores: ``{"qa": {"acc": [1, 0, None]}}``.

None is an item that could not be scored. The items of all evaluations are the same unless a test says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelrelease import __version__
from modelrelease.comparison.compare import compare
from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.measure import Measure, measure
from modelrelease.comparison.policy import Policy, Question
from modelrelease.records.canonical import canonical_json, digest_of, document_bytes
from modelrelease.records.comparison import Comparison, MetricComparison
from modelrelease.records.config import Context, GatePolicy
from modelrelease.records.evaluation import (
    SAMPLES_FILE,
    SCORER_VERSION,
    Engine,
    Environment,
    Evaluation,
    Model,
    Provenance,
    SamplesFile,
    ScoredSuite,
    ScoredTask,
    Tool,
)
from modelrelease.records.metric_types import METRICS
from modelrelease.records.results import Results, read_results
from modelrelease.records.suite import MetricSpec, Task, suite_digest, task_digest
from modelrelease.scoring.aggregate import aggregate, count_flags

Scores = Sequence[float | None]
Tasks = Mapping[str, Mapping[str, Scores]]
Sample = dict[str, Any]
Edit = Callable[[Sample], None]

CHOICES = ["a cat", "a dog"]
_KINDS: dict[str, dict[str, Any]] = {
    "multiple_choice": {"prompt": "prompts/qa.txt", "choices": "choices", "target": "answer"},
    "generate": {"prompt": "prompts/qa.txt", "target": "answer", "max_new_tokens": 8},
    "perplexity": {"target": "question"},
}


def sha(text: str) -> str:
    """Return a digest that stands for ``text``."""
    return hashlib.sha256(text.encode()).hexdigest()


def row(item_id: str) -> dict[str, Any]:
    """Return the dataset's row of an item: what ``item_digest`` is of."""
    return {"id": item_id, "question": f"What is number {item_id}?", "choices": CHOICES, "answer": 1}


def table(both: int = 0, lost: int = 0, gained: int = 0, neither: int = 0) -> tuple[list[float], list[float]]:
    """Return right-or-wrong scores before and after."""
    before = [1.0] * both + [1.0] * lost + [0.0] * gained + [0.0] * neither
    return before, [1.0] * both + [0.0] * lost + [1.0] * gained + [0.0] * neither


def scored_task(name: str, metrics: Sequence[str], slices: Sequence[str] = ()) -> Task:
    """Return a task of a suite that asks for ``metrics``, all of one kind."""
    kind = METRICS[metrics[0]].kind
    specs = tuple(MetricSpec(name=metric) for metric in metrics)
    return Task(
        name=name, kind=kind, dataset=f"datasets/{name}.jsonl", metrics=specs, slices=tuple(slices), **_KINDS[kind]
    )


def make_samples(task: Task, scores: Mapping[str, Scores], model: str) -> list[Sample]:
    """Return a task's samples with these scores; outputs are the model's own."""
    columns = list(zip(*scores.values(), strict=True))
    return [
        _sample(task, str(number), dict(zip(scores, values, strict=True)), model)
        for number, values in enumerate(columns, 1)
    ]


def _sample(task: Task, item_id: str, scores: dict[str, float | None], model: str) -> Sample:
    failed = any(value is None for value in scores.values())
    right = bool(next(iter(scores.values())))
    choice, text = task.kind == "multiple_choice", task.kind == "generate"
    answer = f"{model} on {item_id}"
    return {
        "task": task.name,
        "item_id": item_id,
        "item_digest": digest_of(row(item_id)),
        "cluster": None,
        "slices": dict.fromkeys(task.slices, "all"),
        "repeat": 0,
        "scores": {} if failed else {name: float(value or 0.0) for name, value in scores.items()},
        "output": answer if text else None,
        "prediction": int(right) if choice else answer if text else None,
        "target": 1 if choice else "the answer" if text else None,
        "loglikelihoods": [] if text else [-1.0, -(len(answer) + int(sha(answer)[:4], 16) / 65536)],
        "greedy": [] if text else [False, False],
        "prompt_tokens": 7,
        "input_digest": sha(f"prompt {item_id}"),
        "truncated": False,
        "boundary_mismatch": False,
        "tie": False,
        "error": "it could not be scored" if failed else None,
    }


def make_evaluation(tasks: Sequence[Task], samples: Sequence[Sample], data: bytes, model: str) -> Evaluation:
    """Return the eval.json of these samples; ``data`` is samples.jsonl."""
    own = {task.name: [sample for sample in samples if sample["task"] == task.name] for task in tasks}
    scored = tuple(
        ScoredTask(
            name=task.name,
            kind=task.kind,
            digest=task_digest(task),
            dataset=task.dataset,
            dataset_digest=sha("".join(sorted(sample["item_digest"] for sample in own[task.name]))),
            prompt_digest=sha("prompt"),
            items=len(own[task.name]),
            path_taken="last-position",
        )
        for task in tasks
    )
    return Evaluation(
        scorer_version=SCORER_VERSION,
        tool=Tool(version=__version__),
        model=Model(
            version=model,
            digest=sha(model),
            files=(),
            tokenizer_digest=sha("tokenizer"),
            chat_template_digest=None,
            source=f"models/{model}",
        ),
        suite=ScoredSuite(name="release", digest=suite_digest(tuple(tasks)), tasks=scored),
        engine=Engine(
            name="transformers",
            dtype="float32",
            device="cpu",
            attention="sdpa",
            batch_tokens=2048,
            batch_plan_digest=sha("plan"),
            deterministic=True,
            seed=0,
            allow_truncation=False,
            tolerance=None,
            max_length=64,
        ),
        environment=Environment(
            python="3.11.7",
            torch="2.8.0",
            transformers="5.0.0",
            tokenizers="0.22.0",
            cuda=None,
            driver=None,
            gpus=(),
            cpu="a processor",
            machine="x86_64",
            threads=2,
            os="Linux",
        ),
        metrics=tuple(result for task in tasks for result in aggregate(task, own[task.name])),
        samples=SamplesFile(path=SAMPLES_FILE, sha256=hashlib.sha256(data).hexdigest(), count=len(samples)),
        flags=count_flags(samples),
        provenance=Provenance(
            git_sha="0123456789abcdef0123456789abcdef01234567",
            dirty=False,
            started="2026-01-02T03:04:05+00:00",
            seconds=1.5,
            tokens_per_second=100.0,
            peak_memory=2**20,
            host="host",
            run_url=None,
        ),
    )


def write(
    folder: Path,
    tasks: Tasks,
    *,
    model: str = "model_v1.0",
    slices: Sequence[str] = (),
    edit: Edit | None = None,
    order: Callable[[list[Sample]], list[Sample]] = list,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write eval.json and samples.jsonl into ``folder``, and return it.

    ``edit`` changes each sample in place; ``order`` puts them in another one; ``changes`` names values of eval.json
    to be replaced, such as ``{"metrics.0.version": 2}``.
    """
    specs = [scored_task(name, list(scores), slices) for name, scores in tasks.items()]
    samples = [sample for spec in specs for sample in make_samples(spec, tasks[spec.name], model)]
    for sample in samples:
        if edit is not None:
            edit(sample)
    samples = order(samples)
    data = "".join(canonical_json(sample) + "\n" for sample in samples).encode()
    document = make_evaluation(specs, samples, data, model).plain()
    for path, value in (changes or {}).items():
        replace(document, path, value)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SAMPLES_FILE).write_bytes(data)
    (folder / "eval.json").write_bytes(document_bytes(document))
    return folder


def replace(document: Any, path: str, value: Any) -> None:
    """Set the value at a path such as ``metrics.0.version``."""
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in parents:
        document = document[key]
    document[last] = value


def rewrite_samples(folder: Path, data: bytes) -> None:
    """Replace samples.jsonl and let eval.json name it: an inconsistency that a digest does not show."""
    document = json.loads((folder / "eval.json").read_text("utf-8"))
    document["samples"]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / SAMPLES_FILE).write_bytes(data)
    (folder / "eval.json").write_bytes(document_bytes(document))


def read_pair(folder: Path, before: Tasks, after: Tasks, **options: Any) -> tuple[Results, Results]:
    """Write and read two evaluations; ``before_…`` and ``after_…`` options go to ``write``."""
    own = {side: _own(options, f"{side}_") for side in ("before", "after")}
    baseline = write(folder / "baseline", before, **own["before"])
    candidate = write(folder / "candidate", after, **{"model": "model_v1.1", **own["after"]})
    return read_results(baseline), read_results(candidate)


def _own(options: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in options.items() if name.startswith(prefix)}


def one_measure(folder: Path, metric: str, before: Scores, after: Scores, **options: Any) -> Measure:
    """Return the only metric of two evaluations, measured."""
    (found,) = measure(*read_pair(folder, {"qa": {metric: before}}, {"qa": {metric: after}}, **options))
    return found


def no_texts(measured: Measure, place: int) -> SampleTexts:
    """Look nothing up: what a comparison shows of an item when only the samples' keys matter."""
    sample = {"item_id": str(place), "output": None, "prediction": None, "target": None}
    scores = {measured.info.metric: 0.0}
    return SampleTexts(None, {**sample, "scores": scores}, {**sample, "scores": scores})


def policy(metrics: Mapping[str, Any], **gate: Any) -> Policy:
    """Return a gate's policy with these metrics, as modelrelease.yaml would say it."""
    settings = GatePolicy.model_validate_json(json.dumps({"metrics": metrics, **gate}))
    return Policy(settings, "modelrelease.yaml", sha("policy"))


def decide(
    folder: Path,
    before: Tasks,
    after: Tasks,
    metrics: Mapping[str, Any],
    *,
    context: Context = "release",
    intersect: bool = False,
    gate: Mapping[str, Any] | None = None,
    **options: Any,
) -> Comparison:
    """Write, read and compare two evaluations under a policy."""
    question = Question(policy(metrics, **(gate or {})), context, intersect)
    return compare(*read_pair(folder, before, after, **options), question, no_texts)


def metric_of(comparison: Comparison, name: str) -> MetricComparison:
    """Return the row of ``task/metric``."""
    (found,) = [row for row in comparison.metrics if f"{row.task}/{row.metric}" == name]
    return found
