"""One scoring run: a checkpoint and a suite in, an evaluation and its samples out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import Checkpoint, refuse_changed
from modelrelease.records.evaluation import SCORER_VERSION, Environment, Evaluation, Provenance
from modelrelease.records.evaluation import Engine as EngineRecord
from modelrelease.records.suite import suite_digest
from modelrelease.scoring.batches import Batch, plan_batches, plan_digest
from modelrelease.scoring.chat import render_chats
from modelrelease.scoring.encoding import Codec
from modelrelease.scoring.engines import Engine
from modelrelease.scoring.engines.loading import LoadedModel, Numerics, import_torch, load_model
from modelrelease.scoring.engines.transformers_engine import TransformersEngine
from modelrelease.scoring.environment import describe_environment, host_name, peak_memory
from modelrelease.scoring.execution import NoProgress, Progress, run_batches
from modelrelease.scoring.items import Item, build_items
from modelrelease.scoring.journal import open_journal
from modelrelease.scoring.record import Production, describe_model, make_record
from modelrelease.scoring.requests import ItemRequests, Limits, build_requests
from modelrelease.scoring.samples import make_sample
from modelrelease.scoring.suites import LoadedSuite, LoadedTask

BATCH_TOKENS = 2048


@dataclass(frozen=True)
class Options:
    """What a person chose: numerics, padded tokens a batch, whether prompts may lose their beginning.

    ``batch_order`` other than 0 batches the same requests otherwise, to see what that moves (``scoring.noise``).
    """

    numerics: Numerics = field(default_factory=Numerics)
    batch_tokens: int = BATCH_TOKENS
    allow_truncation: bool = False
    batch_order: int = 0


@dataclass(frozen=True)
class Surroundings:
    """What a run needs of the world: where to keep finished batches, who watches, and its provenance.

    For weights that have to be fetched besides: the folder of what may be lost (None: there is none), the address of
    the Hub (None: its own), whether it may be used, and who watches the bytes come in.
    """

    journal: Path | None = None
    progress: Progress = field(default_factory=NoProgress)
    cache: Path | None = None
    hub_endpoint: str | None = None
    offline: bool = False
    download: Progress = field(default_factory=NoProgress)
    now: Callable[[], str] = lambda: ""
    git_sha: str | None = None
    dirty: bool | None = None
    run_url: str | None = None


@dataclass(frozen=True)
class ScoredRun:
    """An evaluation, the bytes of its samples.jsonl, and the digest that names the run."""

    evaluation: Evaluation
    samples: bytes
    key: str


@dataclass(frozen=True)
class _Plan:
    items: list[Item]
    entries: list[ItemRequests]
    batches: list[Batch]
    digest: str

    @property
    def tokens(self) -> int:
        """The ids given to the model, padding aside."""
        return sum(len(request.tokens) for batch in self.batches for request in batch.requests)


def score(checkpoint: Checkpoint, suite: LoadedSuite, options: Options, surroundings: Surroundings) -> ScoredRun:
    """Score every item of ``suite`` with ``checkpoint``.

    The samples depend on the inputs, the options and the environment, never on time, memory or an interruption.
    Raises InvalidInput where rows, prompts or the checkpoint are malformed, Refused where the checkpoint is unsafe or
    changes meanwhile, Unavailable where the engine is.
    """
    items = build_items(suite.tasks)
    started, clock = surroundings.now(), time.monotonic()
    loaded = load_model(checkpoint, options.numerics)
    engine = TransformersEngine(loaded)
    plan = _plan(items, checkpoint, suite, options, loaded)
    record = _engine_record(engine, plan, options, loaded)
    environment = describe_environment(import_torch())
    key = _run_key(checkpoint, suite, record, environment)
    begun = time.monotonic()
    with open_journal(surroundings.journal, key) as journal:
        results = run_batches(plan.batches, items, suite.tasks, engine, journal, surroundings.progress)
    refuse_changed(checkpoint)  # weights may be mapped into memory, and templates were rendered since they were loaded
    rows = zip(items, plan.entries, results, strict=True)
    samples = [make_sample(suite.tasks[item.task].spec, item, entry, answers) for item, entry, answers in rows]
    how = Production(
        engine=record,
        environment=environment,
        provenance=Provenance(
            git_sha=surroundings.git_sha,
            dirty=surroundings.dirty,
            started=started,
            seconds=time.monotonic() - clock,
            tokens_per_second=plan.tokens / max(time.monotonic() - begun, 1e-9),
            peak_memory=peak_memory(),
            host=host_name(),
            run_url=surroundings.run_url,
        ),
        paths={task.spec.name: engine.facts.path_taken for task in suite.tasks},
    )
    evaluation, text = make_record(describe_model(checkpoint), suite, samples, how)
    return ScoredRun(evaluation, text, key)


def _plan(
    items: list[Item], checkpoint: Checkpoint, suite: LoadedSuite, options: Options, loaded: LoadedModel
) -> _Plan:
    limits = Limits(loaded.max_length, loaded.vocabulary, options.allow_truncation)
    rendered = _rendered(items, checkpoint)
    entries = build_requests(items, rendered, suite.tasks, Codec(loaded.tokenizer), limits)
    batches = plan_batches(entries, [item.task for item in items], options.batch_tokens, options.batch_order)
    return _Plan(items, entries, batches, plan_digest(batches))


def _rendered(items: Sequence[Item], checkpoint: Checkpoint) -> list[str]:
    """The items' prompts as text; conversations go through the chat template, all in one process."""
    chats = [item.prompt for item in items if not isinstance(item.prompt, str)]
    texts = iter(render_chats(checkpoint.folder, chats, checkpoint.source))
    return [item.prompt if isinstance(item.prompt, str) else next(texts) for item in items]


def _run_key(checkpoint: Checkpoint, suite: LoadedSuite, engine: EngineRecord, environment: Environment) -> str:
    """The digest of all that the numbers depend on: what two runs share exactly when they give the same."""
    return digest_of(
        {
            "scorer_version": SCORER_VERSION,
            "checkpoint": checkpoint.digest,
            "tasks": [[task.spec.name, _rows_digest(task), task.prompt_digest] for task in suite.tasks],
            "suite": suite_digest(tuple(task.spec for task in suite.tasks)),
            "engine": engine.model_dump(mode="json"),
            "environment": environment.model_dump(mode="json"),
        }
    )


def _rows_digest(task: LoadedTask) -> str:
    """Unlike a dataset's digest, this one knows the order of the rows: samples and batches have it too."""
    return digest_of([row.digest for row in task.rows])


def _engine_record(engine: Engine, plan: _Plan, options: Options, loaded: LoadedModel) -> EngineRecord:
    facts = engine.facts
    return EngineRecord(
        name=facts.name,
        dtype=facts.dtype,
        device=facts.device,
        attention=facts.attention,
        batch_tokens=options.batch_tokens,
        batch_plan_digest=plan.digest,
        deterministic=facts.deterministic,
        seed=0,
        allow_truncation=options.allow_truncation,
        tolerance=None,
        max_length=loaded.max_length,
    )
