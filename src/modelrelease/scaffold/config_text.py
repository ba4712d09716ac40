"""modelrelease.yaml as init writes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from modelrelease.records.config import GatePolicy, RegistryPolicy
from modelrelease.scaffold.margins import DISCORDANCE, MetricPlan
from modelrelease.scaffold.yaml_text import change_record, flow_list, scalar

_SPECIAL = re.compile(r"[\\*?\[]")


def config_text(
    suite: str,
    metrics: Sequence[MetricPlan],
    governed: Sequence[str],
    versions: Sequence[str],
    change: Mapping[str, str],
) -> str:
    """Return a config with these metrics; ``governed`` are the patterns that the registry covers."""
    return "".join(
        (
            "# Where things are, and what decides whether a version is released. Written by `modelrelease init`;\n"
            "# yours to edit.\n"
            "schema_version: 1\n"
            f"suite: {scalar(suite)}\n",
            _registry(governed),
            _gate(metrics),
            _release(versions),
            change_record(change),
        )
    )


def governed_patterns(paths: Sequence[str]) -> list[str]:
    """Return patterns (gitignore dialect) that cover ``paths``: the default ones, and what else is needed.

    A file in a folder `datasets` or `prompts` stands for that folder; any other for itself alone.
    """
    usual = [pattern for files in RegistryPolicy().files for pattern in files.paths]
    roots = tuple(pattern.removesuffix("**") for pattern in usual)
    others = [path for path in paths if not path.startswith(roots)]
    return usual + list(dict.fromkeys(map(_pattern, others)))


def _pattern(path: str) -> str:
    parts = PurePosixPath(path).parts
    for place, part in enumerate(parts[:-1]):
        if part in {"datasets", "prompts"}:
            return "/" + _escaped("/".join(parts[: place + 1])) + "/**"
    escaped = _escaped(path)
    return "/" + (escaped[:-1] + "\\ " if escaped.endswith(" ") else escaped)


def _escaped(path: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match.group(), path)


def _registry(governed: Sequence[str]) -> str:
    usual = [pattern for files in RegistryPolicy().files for pattern in files.paths]
    if list(governed) == usual:
        return ""
    lines = "".join(f"    - {{paths: {flow_list([pattern])}}}\n" for pattern in governed)
    return f"registry:\n  files:                 # whose changes say who, why and when\n{lines}"


def _gate(metrics: Sequence[MetricPlan]) -> str:
    """The policy: a margin is the largest loss that still counts as the same."""
    head = f"""gate:
  min_items: {GatePolicy().min_items}            # fewer items than this prove nothing, whatever the margin
  on_inconclusive: {{pull_request: warn, release: block}}
  # margin: the largest loss that still counts as the same. What stands here is the smallest that the test set proves
  # in four of five comparisons where nothing got worse and {DISCORDANCE:.0%} of the items flip, in whole points;
  # `modelrelease power --items N` shows others.
"""
    if not metrics:
        return head + "  metrics: {}              # one for each task, such as questions/acc: {margin: 0.03}\n"
    return head + "  metrics:\n" + metric_lines(metrics)


def metric_lines(metrics: Sequence[MetricPlan]) -> str:
    """Return the lines of at least one metric under ``gate.metrics``, with what its items can prove."""
    lines = [(f"    {scalar(metric.name)}: {_policy(metric)}", metric.note) for metric in metrics]
    width = max(len(line) for line, _ in lines)
    return "".join(f"{line:{width}}   # {note}\n" for line, note in lines)


def _policy(metric: MetricPlan) -> str:
    role = "" if metric.role == "gate" else f", role: {metric.role}"
    return f"{{margin: {metric.margin:g}{role}}}"


def _release(versions: Sequence[str]) -> str:
    """Where versions go. The only version there is can be named as the first; of several, a person says which."""
    only = PurePosixPath(versions[0]).name if len(versions) == 1 else None
    bootstrap = "# bootstrap: model_v1.0" if only is None else f"bootstrap: {scalar(only)}"
    return f"""release:
  target: file://releases  # or hf://organisation/name
  # the version that may be released first, when nothing is live that it could be compared with
  {bootstrap}
"""
