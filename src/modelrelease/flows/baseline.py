"""The live version's side of a pull request: its record where that covers the comparison, the rest scored again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.flows.bench import Bench
from modelrelease.flows.live import LiveRecord, read_record, uncovered
from modelrelease.flows.resolve import Resolved
from modelrelease.flows.weights import Weights
from modelrelease.records.checkpoints import Checkpoint, read_checkpoint
from modelrelease.records.comparison import ScoredAgain
from modelrelease.records.evaluation import EVAL_FILE, Evaluation, Model
from modelrelease.records.files import write_atomic
from modelrelease.records.results import Results, read_results
from modelrelease.scoring.record import describe_model
from modelrelease.scoring.suites import LoadedSuite

_OTHER_CHECKPOINT = "its record is of another checkpoint"


@dataclass(frozen=True)
class BaselineResults:
    """The baseline as it is compared; ``scored_again`` is None where its record covered everything."""

    results: Results
    scored_again: ScoredAgain | None


class Baseline:
    """Answers for the live version. ``rescore`` is the policy's ``rescore_baseline``."""

    def __init__(
        self, resolved: Resolved, folder: str, bench: Bench, weights: Weights, rescore: str, scratch: Path
    ) -> None:
        self._resolved = resolved
        self._folder = folder
        self._bench = bench
        self._weights = weights
        self._rescore = rescore
        self._scratch = scratch

    def results(self, suite: LoadedSuite, now: Evaluation, out: Path, *, own_dtype: bool) -> BaselineResults:
        """Return the live version's results on ``suite``, written into ``out``.

        ``now`` is an evaluation of this job, for its numerics; ``own_dtype``: each checkpoint is scored in its own
        type. Raises InvalidInput where it has to be scored and its weights or the merge-base's record are missing.
        """
        record = self._record
        if self._rescore == "never":
            return BaselineResults(self._as_recorded(record, out), None)
        again = uncovered(record, now, suite, always=self._rescore == "always", own_dtype=own_dtype)
        if again is not None and self._is_of_another_checkpoint(record):
            again = ScoredAgain(items=again.of, of=again.of, why=(_OTHER_CHECKPOINT,))
        if record.results is not None and (again is None or again.items < again.of):
            self._bench.remember(record.results)
        model = self._model(record, again)
        return BaselineResults(self._bench.results(model, lambda: self.checkpoint, suite, out), again)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The live checkpoint as the merge-base has it: from the work tree where that is the same, else exported.

        What git has checked out is not always what is committed: a pull request's .gitattributes can change it.
        """
        before, facts, name = self._resolved.before, self._resolved.facts, PurePosixPath(self._folder).name
        was, after = facts.before[name].weights, facts.after.get(name)
        if was is not None and after is not None and after.weights == was:
            found = read_checkpoint(before.root / facts.models / name, self._folder)
            if self._committed in {None, found.digest}:
                return found
        return self._weights.of_version(self._export(name), f"{self._folder} at {before.commit[:10]}", self._export)

    def _export(self, version: str) -> Path:
        """Return a version's folder as the merge-base has it; papers that lead to another one's lead there."""
        before, models = self._resolved.before, PurePosixPath(self._folder).parent
        if not before.entries([f"{models}/{version}/"]):
            return self._scratch / "nowhere"
        return git.export(before.root, before.commit, f"{models}/{version}", self._scratch / "merge-base")

    @cached_property
    def _committed(self) -> str | None:
        return self._resolved.before.checkpoint_digest(self._folder)

    @cached_property
    def _record(self) -> LiveRecord:
        before = self._resolved.before
        record = read_record(before, self._folder, self._scratch / "records")
        if record.results is None:
            return record
        same = self._committed in {None, record.results.evaluation.model.digest}
        return record if same else LiveRecord(None, _OTHER_CHECKPOINT)

    def _is_of_another_checkpoint(self, record: LiveRecord) -> bool:
        return record.results is not None and record.results.evaluation.model.digest != self.checkpoint.digest

    def _model(self, record: LiveRecord, again: ScoredAgain | None) -> Model:
        if again is None and record.results is not None:
            return record.results.evaluation.model
        return describe_model(self.checkpoint)

    def _as_recorded(self, record: LiveRecord, out: Path) -> Results:
        if record.results is None:
            message = f"{record.why}, and the policy says `rescore_baseline: never`"
            raise invalid(self._folder, Code.RESOLUTION, message, "score it, or let the policy say `auto`")
        write_atomic(out / record.results.evaluation.samples.path, record.results.samples_path.read_bytes())
        write_atomic(out / EVAL_FILE, record.results.evaluation.to_bytes())
        return read_results(out)
