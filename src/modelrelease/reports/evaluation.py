"""An evaluation as a person reads it after ``score``."""

from __future__ import annotations

from tabulate import tabulate

from modelrelease.numbers import in_points, show_count, show_value
from modelrelease.records.evaluation import Evaluation, MetricResult

_FLAGS = {
    "truncated": ("truncated prompt", "truncated prompts"),
    "boundary_mismatch": ("prompt that ends inside a token", "prompts that end inside a token"),
    "ties": ("tie", "ties"),
    "errors": ("item that could not be scored", "items that could not be scored"),
}


def evaluation_table(evaluation: Evaluation, folder: str) -> str:
    """Return the metrics as a table, what was unusual, and where the record lies (``folder``)."""
    rows = [
        [f"{m.task}/{m.metric}", show_count(m.n), show_value(m.value, in_points(m.range)), _interval(m)]
        for m in evaluation.metrics
    ]
    header = ["metric", "n", "value", f"{evaluation.metrics[0].confidence:.0%} interval"] if rows else []
    lines = [tabulate(rows, headers=header, disable_numparse=True, colalign=("left", "right", "right", "left")), ""]
    flags = evaluation.flags.model_dump()
    unusual = [f"{show_count(count)} {_FLAGS[name][count != 1]}" for name, count in flags.items() if count]
    if unusual:
        lines.append(f"unusual: {', '.join(unusual)}")
    run = evaluation.provenance
    speed = f"{run.seconds:.1f} s, {run.tokens_per_second:,.0f} tokens/s, {run.peak_memory / 2**20:,.0f} MB at most"
    lines += [f"{show_count(evaluation.samples.count)} items in {speed}", f"written to {folder}"]
    return "\n".join(lines) + "\n"


def _interval(metric: MetricResult) -> str:
    if metric.ci_low is None or metric.ci_high is None:
        return "–"
    points = in_points(metric.range)
    return f"{show_value(metric.ci_low, points)} – {show_value(metric.ci_high, points)}"
