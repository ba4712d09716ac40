"""Comparing, from the files it reads to the document it gives.

The statistics are imported once the files are read: what is wrong with a file is said without waiting for scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelrelease import git
from modelrelease.config import Project, parse_config, policy_digest
from modelrelease.records.comparison import Comparison, Diff
from modelrelease.records.config import Config, Context
from modelrelease.records.results import read_results


@dataclass(frozen=True)
class Sides:
    """The two evaluations: an eval.json or a folder that holds one, each."""

    baseline: Path
    candidate: Path


def compare_files(
    project: Project, sides: Sides, context: Context, *, policy_ref: str | None = None, intersect: bool = False
) -> Comparison:
    """Compare two recorded evaluations under the project's policy, or the one committed at ``policy_ref``.

    That policy also says how much of the items a report of it may show.
    """
    config, source = _config(project, policy_ref)
    baseline, candidate = read_results(sides.baseline), read_results(sides.candidate)
    from modelrelease.comparison.compare import compare
    from modelrelease.comparison.policy import Policy, Question
    from modelrelease.flows.texts import TextsOfItems

    question = Question(Policy(config.gate, source, policy_digest(config)), context, intersect)
    found = compare(baseline, candidate, question, TextsOfItems(project, baseline, candidate))
    return found.model_copy(update={"comment": config.comment})


def diff_files(project: Project, sides: Sides, *, intersect: bool = False, most: int | None) -> Diff:
    """Hold two recorded evaluations against each other without a policy: every metric is information.

    ``most``: so many broken and so many fixed items of each task are shown; None for all of them.
    """
    baseline, candidate = read_results(sides.baseline), read_results(sides.candidate)
    from modelrelease.comparison.compare import diff
    from modelrelease.flows.texts import TextsOfItems

    return diff(baseline, candidate, TextsOfItems(project, baseline, candidate), intersect=intersect, most=most)


def _config(project: Project, policy_ref: str | None) -> tuple[Config, str]:
    if policy_ref is None:
        return project.require_config(), project.config_path
    shown = f"{policy_ref}:{project.config_path}"
    return parse_config(git.read_at(project.root, policy_ref, project.config_path), shown), shown
