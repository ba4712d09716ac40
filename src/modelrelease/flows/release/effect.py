"""What a rollback changes for users: numbers, prompts, weights, from what both releases recorded."""

from __future__ import annotations

from modelrelease.errors import InvalidInput
from modelrelease.flows.live import read_evaluation_at
from modelrelease.flows.release.grounds import Grounds, Released, released
from modelrelease.flows.release.stages import StagePlan
from modelrelease.flows.trees import Tree
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.ledger import PROMPTS
from modelrelease.records.release_plan import MetricMove, RollbackPlan


def effect_of(grounds: Grounds, plan: StagePlan) -> RollbackPlan:
    """Return what is another one for users once the stage names the plan's version."""
    target, stage = grounds.stage
    before = released(plan.ledger, target, plan.before) if plan.before is not None else None
    same = before is not None and before.receipt.model_digest == plan.release.receipt.model_digest
    return RollbackPlan(
        version=plan.version,
        before=plan.before,
        target=target,
        stage=stage,
        done=plan.done,
        metrics=_metrics(grounds, before, plan.release) if before is not None else (),
        prompts=_prompts(before, plan.release) if before is not None else (),
        same_checkpoint=same,
    )


def _prompts(before: Released, after: Released) -> tuple[str, ...]:
    was, now = (
        {file.path: file.sha256 for file in release.facts.files if file.path.startswith(PROMPTS)}
        for release in (before, after)
    )
    return tuple(sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path)))


def _metrics(grounds: Grounds, before: Released, after: Released) -> tuple[MetricMove, ...]:
    """The numbers that each version's commit has; one that was scored only when it was released has none there."""
    was, now = (_evaluation(grounds, release) for release in (before, after))
    if was is None or now is None:
        return ()
    asked = [{task.name: (task.digest, task.dataset_digest) for task in one.suite.tasks} for one in (was, now)]
    values = [{(m.task, m.metric): m.value for m in one.metrics} for one in (was, now)]
    ranges = {(m.task, m.metric): m.range for one in (was, now) for m in one.metrics}
    return tuple(
        MetricMove(
            metric=f"{task}/{metric}",
            before=values[0].get((task, metric)),
            after=values[1].get((task, metric)),
            same_items=asked[0].get(task) == asked[1].get(task),
            range=ranges[task, metric],
        )
        for task, metric in dict.fromkeys([*values[0], *values[1]])
    )


def _evaluation(grounds: Grounds, release: Released) -> Evaluation | None:
    tree = Tree(grounds.project.root, release.facts.git_sha, grounds.project.config_path)
    try:
        folder = f"{(tree.config or grounds.config).models}/{release.receipt.version}"
        return read_evaluation_at(tree, folder)
    except InvalidInput:
        return None
