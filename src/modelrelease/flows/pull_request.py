"""The check of a pull request: what is to be compared, scored on both sides, judged by the target branch's policy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project, policy_digest
from modelrelease.errors import invalid
from modelrelease.flows.background import age_in_days, history, parent_note
from modelrelease.flows.baseline import Baseline
from modelrelease.flows.bench import Bench
from modelrelease.flows.governed import governed_changes
from modelrelease.flows.resolve import Range, Resolved, resolve_range
from modelrelease.flows.score import RUNS, keep_from_git, refuse_links
from modelrelease.flows.sides import Asked, suites_of_sides
from modelrelease.flows.weights import Weights
from modelrelease.numbers import show_few
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER, Checkpoint
from modelrelease.records.comparison import COMPARISON_FILE, Comparison, PastVersion
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE
from modelrelease.records.files import write_atomic
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.results import Results
from modelrelease.release.resolution import changed_records
from modelrelease.scoring.record import describe_model
from modelrelease.scoring.run import Options, Surroundings
from modelrelease.scoring.suites import LoadedSuite, load_suite

if TYPE_CHECKING:
    from modelrelease.comparison.policy import Question

_SHOWN = 4
CANDIDATE, BASELINE, BY_THE_BASE = "candidate", "baseline", "under-base-policy"
LIVE_BY = {
    "input": "named by the caller",
    "ledger": "the ledger names it as live",
    "highest-version": "the highest version with a record on the target branch",
    "none": "no version has a record on the target branch",
}


def check_pull_request(
    project: Project, wanted: Range, options: Options, surroundings: Surroundings, out: Path
) -> Comparison:
    """Resolve, score what has to be scored, compare, and write comparison.json and both evaluations below ``out``.

    The candidate's record is ``out``/candidate; what an earlier run left there is removed first. Raises InvalidInput
    where the pull request cannot be resolved or holds something malformed, Unavailable where the engine or git is.
    """
    _clear(project.root, out)
    resolved = resolve_range(project, wanted)
    with tempfile.TemporaryDirectory(prefix="modelrelease-") as scratch:
        check = _Check(project, resolved, options, surroundings, out, Path(scratch))
        comparison = check.comparison()
    if out.absolute().is_relative_to(project.root / RUNS.parent):
        keep_from_git(project.root)
    write_atomic(out / COMPARISON_FILE, comparison.to_bytes())
    return comparison


def _clear(root: Path, out: Path) -> None:
    """Remove what an earlier run, or the pull request, left: a run that fails must not leave a decision behind."""
    folders = [place / side for place in (out, out / BY_THE_BASE) for side in (CANDIDATE, BASELINE)]
    refuse_links(root, *(folder.absolute() for folder in folders))
    (out / COMPARISON_FILE).unlink(missing_ok=True)
    for folder in folders:
        for name in (EVAL_FILE, SAMPLES_FILE):
            (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Check:
    """One check. ``scratch`` is a folder that is removed afterwards."""

    project: Project
    resolved: Resolved
    options: Options
    surroundings: Surroundings
    out: Path
    scratch: Path

    def comparison(self) -> Comparison:
        resolution = self.resolved.resolution
        found = self._not_needed() if resolution.candidate is None else self._compared(resolution.candidate)
        update = {
            "name": self.config.name,
            "resolution": resolution,
            "comment": self.config.comment,
            "warnings": (*found.warnings, *self._warnings()),
            "changes": governed_changes(self.project.root, resolution, texts=self.config.comment.samples == "text"),
        }
        return found.model_copy(update=update)

    @cached_property
    def own_config(self) -> Config:
        """The pull request's own config."""
        return self.project.require_config()

    @cached_property
    def config(self) -> Config:
        """The config that decides: the merge-base's, the pull request's own where there is none yet."""
        return self.resolved.before.config or self.own_config

    @cached_property
    def bench(self) -> Bench:
        """What is scored in this job."""
        return Bench(self.options, self.surroundings)

    def _not_needed(self) -> Comparison:
        from modelrelease.comparison.nothing import not_needed

        return not_needed(self._question(self.config), self.resolved.resolution.reason)

    def _compared(self, candidate: str) -> Comparison:
        self._refuse_other_head()
        asked = suites_of_sides(self._own_suite(), self.resolved.before)
        checkpoint = self._checkpoint(candidate)

        def score(suite: LoadedSuite, place: str) -> Results:
            return self.bench.results(describe_model(checkpoint), lambda: checkpoint, suite, self.out / place)

        own = score(asked.own.candidate, CANDIDATE)
        deciding = score(asked.deciding.candidate, f"{BY_THE_BASE}/{CANDIDATE}") if asked.edited else own
        place = f"{BY_THE_BASE}/{BASELINE}" if asked.edited else BASELINE
        found = self._judged(deciding, asked.deciding.baseline, place, self.config)
        if asked.edited or policy_digest(self.config) != policy_digest(self.own_config):
            answer = self._judged(own, asked.own.baseline, BASELINE, self.own_config)
            found = found.model_copy(update={"policies": (*found.policies, *answer.policies)})
        notes, past = self._background(own, candidate)
        news = (*found.warnings, *_news(asked, self.config, has_config=self.resolved.before.config is not None))
        return found.model_copy(update={"notes": notes, "history": past, "warnings": news})

    def _checkpoint(self, candidate: str) -> Checkpoint:
        """The candidate's; where only inputs changed it is the live one, which the head may no longer have."""
        if self.resolved.resolution.rule == "changed-inputs" and self._baseline is not None:
            return self._baseline.checkpoint
        folder = self.project.root / candidate
        apart = folder / CHECKPOINT_FOLDER
        linked = any(place.is_symlink() for place in (folder, apart, folder / MODEL_FILE))
        found = None if linked else Weights.of(self.surroundings).of_version(folder, candidate)
        if found is None or found.folder == folder:
            todo = (
                f"put the checkpoint's files themselves into {candidate}/{CHECKPOINT_FOLDER}/, where changes are seen, "
                "or let its model.json say where they lie"
            )
            raise invalid(candidate, Code.CHECKPOINT, "keeps its checkpoint elsewhere", todo)
        return found

    def _judged(self, candidate: Results, suite: LoadedSuite, place: str, config: Config) -> Comparison:
        """Hold the candidate against the live version, asked ``suite``, under the policy of ``config``."""
        if self._baseline is None:
            from modelrelease.comparison.first import nothing_live

            return nothing_live(candidate, self._question(config))
        own_dtype = self.options.numerics.dtype == "auto" and not candidate.evaluation.engine.device.startswith("cpu")
        baseline = self._baseline.results(suite, candidate.evaluation, self.out / place, own_dtype=own_dtype)
        from modelrelease.comparison.compare import compare
        from modelrelease.flows.texts import TextsOfItems

        texts = TextsOfItems(self.project, baseline.results, candidate)
        found = compare(baseline.results, candidate, self._question(config), texts)
        assert found.baseline is not None
        age = age_in_days(found.baseline.started, self.surroundings.now())
        side = found.baseline.model_copy(update={"age": age, "scored_again": baseline.scored_again})
        return found.model_copy(update={"baseline": side})

    @cached_property
    def _baseline(self) -> Baseline | None:
        folder = self.resolved.resolution.baseline
        if folder is None:
            return None
        weights = Weights.of(self.surroundings)
        return Baseline(self.resolved, folder, self.bench, weights, self.config.gate.rescore_baseline, self.scratch)

    def _question(self, config: Config) -> Question:
        from modelrelease.comparison.policy import Policy, Question

        resolution = self.resolved.resolution
        decides = config is self.config and self.resolved.before.config is not None
        where = f"at {resolution.merge_base[:10]}" if decides else "of this pull request"
        policy = Policy(config.gate, f"{self.project.config_path} {where}", policy_digest(config))
        return Question(policy, "pull_request", resolved_by=(LIVE_BY[resolution.baseline_rule], resolution.reason))

    def _background(self, own: Results, candidate: str) -> tuple[tuple[str, ...], tuple[PastVersion, ...]]:
        """Return what is said beside the decision: the parent where it is not the live version, and the trend."""
        resolution, before = self.resolved.resolution, self.resolved.before
        models, left_out = self.resolved.facts.models_before, own.evaluation.model.version
        past = history(
            before, models, own.evaluation, left_out if resolution.candidate != resolution.baseline else None
        )
        if resolution.parent is None:
            return (), past
        note = parent_note(before, f"{models}/{resolution.parent}", own, self.scratch / "parent")
        return (note,), past

    def _warnings(self) -> Iterator[str]:
        yield from self.resolved.warnings
        if self.resolved.before.config is None:
            what = f"no {self.project.config_path} that can be read"
            yield f"the target branch has {what}: judged by this pull request's own policy and prompts"
        scored = self.resolved.resolution.candidate is not None
        policy = [change.detail for change in self.resolved.resolution.changes if change.what == "policy"]
        if policy and not scored:
            yield f"the policy has changed ({policy[0]}), and nothing was scored that it could be tried on"
        if scored and (newer := self.resolved.overtaken_by):
            what = f"{newer} is live on the target branch by now, and this is not held against it"
            yield f"{what}: bring the branch up to date, and it is checked again"
        if records := changed_records(self.resolved.facts):
            shown = show_few(records, _SHOWN)
            yield f"changes or removes the record of {shown}: look at it, since later versions are held against records"
        if self.surroundings.dirty:
            part = "and they are part of what was scored" if scored else "and only what is committed was looked at"
            yield f"the work tree has changes that are not committed, {part}"

    def _own_suite(self) -> LoadedSuite:
        if self.own_config.suite is None:
            todo = "add it: the file that names the tasks"
            raise invalid(self.project.config_path, Code.MISSING_FIELD, "`suite` is missing", todo)
        return load_suite(self.own_config.suite, self.project.read)

    def _refuse_other_head(self) -> None:
        head = self.resolved.resolution.head
        if git.commit_of(self.project.root, "HEAD") != head:
            message = f"{head[:10]} is not what is checked out, and weights and rows are read from the work tree"
            raise invalid("--head", Code.RESOLUTION, message, f"run `git checkout {head[:10]}`")


def _news(asked: Asked, config: Config, *, has_config: bool) -> Iterator[str]:
    """Yield a warning for each metric that the deciding policy knows nothing of, and for a suite that is not there.

    ``has_config``: the target branch has a config.
    """
    from modelrelease.comparison.policy import is_listed

    if not asked.suite_before and has_config:
        yield "the target branch has no suite that can be read: both sides are asked this pull request's, prompts too"
    for name in asked.new_metrics:
        if not is_listed(name, config.gate.metrics):
            yield f"{name} is new, and the policy does not list it: information only"
