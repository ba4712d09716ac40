"""What people see of an item that changed sides: its question, its choices in words, both answers.

Records keep no inputs, so they are looked up in the work tree's dataset by digest: a row that has changed since
is not shown as if it were the one that was scored.
"""

from __future__ import annotations

from typing import Any

from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.measure import Measure
from modelrelease.config import Project
from modelrelease.errors import InvalidInput
from modelrelease.records.datasets import Row, read_dataset
from modelrelease.records.results import Results


class TextsOfItems:
    """Looks up items for :func:`comparison.flips.describe_flips`; reads a dataset when the first is asked for."""

    def __init__(self, project: Project, baseline: Results, candidate: Results) -> None:
        self._project = project
        self._baseline = baseline
        self._candidate = candidate
        self._rows: dict[str, dict[str, Row]] = {}
        self._kinds = {task.name: task.kind for task in candidate.evaluation.suite.tasks}
        self._datasets = {task.name: task.dataset for task in candidate.evaluation.suite.tasks}

    def __call__(self, measure: Measure, place: int) -> SampleTexts:
        """Return the texts of the item at ``place`` among the measure's paired items."""
        task = measure.info.task
        before = self._baseline.sample(task, measure.paired.baseline[place])
        after = self._candidate.sample(task, measure.paired.candidate[place])
        row = self._rows_of(self._datasets[task]).get(after["item_digest"])
        choice, target = self._kinds[task] == "multiple_choice", after["target"]
        right = target if choice and type(target) is int else None
        if row is None:
            return SampleTexts(None, before, after, right)
        choices = _choices(row) if choice else []
        return SampleTexts(_question(row, after), _in_words(before, choices), _in_words(after, choices), right)

    def _rows_of(self, dataset: str) -> dict[str, Row]:
        if dataset not in self._rows:
            try:
                rows = read_dataset(self._project.read(dataset), dataset)
            except InvalidInput:  # the work tree may have moved on: then there is nothing to show
                rows = []
            self._rows[dataset] = {row.digest: row for row in rows}
        return self._rows[dataset]


def _question(row: Row, sample: dict[str, Any]) -> str:
    """The row's own texts, named where there are several: not its id, slices and target, which stand elsewhere."""
    known = {"id", *sample["slices"]}
    own = {name: value for name, value in row.fields.items() if name not in known and isinstance(value, str)}
    texts = {name: value for name, value in own.items() if value != sample["target"]}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"{name}: {value}" for name, value in texts.items())


def _choices(row: Row) -> list[str]:
    """The row's only list of texts, if there is exactly one."""
    lists = [value for value in row.fields.values() if isinstance(value, list)]
    only = lists[0] if len(lists) == 1 else []
    return only if all(isinstance(choice, str) for choice in only) else []


def _in_words(sample: dict[str, Any], choices: list[str]) -> dict[str, Any]:
    def words(value: Any) -> Any:
        known = type(value) is int and 0 <= value < len(choices)
        return f"{value}: {choices[value]}" if known else value

    return {**sample, "prediction": words(sample["prediction"]), "target": words(sample["target"])}
