"""Scores checkpoints within one job, each item once: what a record or an earlier run answers is not asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.evaluation import Evaluation, Model
from modelrelease.records.results import Results, read_results
from modelrelease.records.saving import write_results
from modelrelease.records.strict_json import parse_json_line
from modelrelease.scoring.journal import discard
from modelrelease.scoring.record import Production, make_record
from modelrelease.scoring.reuse import Key, by_key, combined_plan, in_order, unknown_part
from modelrelease.scoring.run import Options, Surroundings, score
from modelrelease.scoring.samples import Sample
from modelrelease.scoring.suites import LoadedSuite


@dataclass
class _Answers:
    """What is known of one checkpoint: samples, and the evaluations that they are from, the newest last."""

    samples: dict[Key, Sample] = field(default_factory=dict)
    sources: list[Evaluation] = field(default_factory=list)


class Bench:
    """Keeps what it has scored, by checkpoint digest; all of it in this job, on this machine."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._surroundings = surroundings
        self._answers: dict[str, _Answers] = {}

    def remember(self, record: Results) -> None:
        """Take the samples of a record whose numerics are this job's; those with an error are tried again.

        What was scored in this job stays: two samples of one item on one machine may differ in their last bits.
        """
        answers = self._answers.setdefault(record.evaluation.model.digest, _Answers())
        if record.evaluation not in answers.sources:
            found = by_key(record.evaluation, record.all_samples())
            known = {key: sample for key, sample in found.items() if sample["error"] is None}
            answers.samples = {**known, **answers.samples}
            answers.sources.insert(0, record.evaluation)

    def unknown(self, digest: str, suite: LoadedSuite) -> LoadedSuite | None:
        """Return the part of ``suite`` that the checkpoint was not asked yet; None where there is none."""
        return unknown_part(suite, self._answers[digest].samples if digest in self._answers else {})

    def results(self, model: Model, checkpoint: Callable[[], Checkpoint], suite: LoadedSuite, out: Path) -> Results:
        """Return the results of ``model`` on ``suite``, written into ``out``; ``checkpoint`` is read if it is needed.

        Two versions may have one checkpoint: the results then have the name that ``model`` has. Raises what
        :func:`scoring.run.score` does.
        """
        rest = self.unknown(model.digest, suite)
        if rest is not None:
            self._score(checkpoint(), rest)
        answers = self._answers[model.digest]
        newest, sources = answers.sources[-1], _sources(answers, suite)
        plan = newest.engine.batch_plan_digest if len(sources) == 1 else combined_plan(sources)
        how = Production(
            engine=newest.engine.model_copy(update={"batch_plan_digest": plan}),
            environment=newest.environment,
            provenance=newest.provenance,
            paths={task.name: task.path_taken for source in answers.sources for task in source.suite.tasks},
        )
        evaluation, samples = make_record(model, suite, in_order(suite, answers.samples), how)
        write_results(out, evaluation, samples)
        return read_results(out)

    def _score(self, checkpoint: Checkpoint, suite: LoadedSuite) -> None:
        run = score(checkpoint, suite, self._options, self._surroundings)
        lines = run.samples.decode("utf-8").split("\n")
        answers = self._answers.setdefault(run.evaluation.model.digest, _Answers())
        answers.samples.update(by_key(run.evaluation, (parse_json_line(line) for line in lines if line)))
        answers.sources.append(run.evaluation)
        discard(self._surroundings.journal, run.key)


def _sources(answers: _Answers, suite: LoadedSuite) -> list[Evaluation]:
    """Return the evaluations that have answered any task of ``suite``."""
    names = {task.spec.name for task in suite.tasks}
    return [source for source in answers.sources if names & {task.name for task in source.suite.tasks}]
