"""The papers of what a transformers.Trainer trains, written on every save of it. Imports transformers."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.flows.papers import (
    WorkTree,
    find_work_tree,
    log_files,
    require_parent,
    several,
    shown_path,
    training_sets,
)
from modelrelease.flows.save import (
    PathLike,
    Saving,
    checked,
    own_command,
    refuse_adapter,
    save_version,
    settings_digest,
    update_papers,
    write_pretrained,
)
from modelrelease.flows.version_folder import refuse_released
from modelrelease.records.checkpoints import in_digest
from modelrelease.records.model import TRAINER_STATE, LogFile, TrainingSet
from modelrelease.release.papers import Said

# What DeepSpeed and FSDP put beside the weights to go on from.
_PARTS = re.compile(r"(?:global_step|optimizer_|pytorch_model_fsdp_)\d+|latest|zero_to_fp32\.py", re.ASCII)
# Settings that say where a run writes and reports to, and not how it trains.
_PLACES = frozenset({"output_dir", "logging_dir", "run_name", "local_rank", "hub_model_id", "report_to"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Begun:
    """What was so when training began: the code that runs is that of then."""

    tree: WorkTree
    command: str
    parent: str | None
    datasets: tuple[TrainingSet, ...]


class PapersCallback(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Keeps ``folder``, a version folder (``models/model_v1.1``), at what a Trainer has saved last, with its papers.

    On every save the Trainer's new ``checkpoint-N`` is copied to ``folder/checkpoint``, without what is there to go on
    from (optimizer, schedule, random states), and model.json is written beside it: the two are replaced together, or
    not at all. At the end of training it is the best checkpoint where the Trainer loads that, else the last. Steps,
    epochs, last loss, seed and the digest of the training arguments come from the Trainer; its state is kept as
    ``trainer_state.json`` beside model.json. Only the world's process zero writes.

    ``tokenizer`` is saved with the model where the Trainer does not do it (it does with its ``processing_class``). The
    other arguments are those of :func:`modelrelease.save_checkpoint`. What cannot be saved so (MR209, MR401, MR410,
    MR411, MR601) is refused when training begins.
    """

    def __init__(
        self,
        folder: PathLike,
        *,
        tokenizer: Any = None,
        command: str | None = None,
        parent: PathLike | None = None,
        datasets: PathLike | Iterable[PathLike] = (),
        logs: PathLike | Iterable[PathLike] = (),
        base_model: str | None = None,
        license: str | None = None,  # noqa: A002
    ) -> None:
        self._folder = Path(folder)
        self._tokenizer = tokenizer
        self._parent = parent
        self._paths = (tuple(several(datasets)), tuple(several(logs)))
        self._said = checked(Said(command=command, base_model=base_model, license=license))
        self._begun: _Begun | None = None
        self._saved: int | None = None

    def on_init_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Refuse where the Trainer cannot begin: a repository's own folder stands in the place of a library."""
        _refuse_hidden_library()

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Refuse what could not be saved, and note what is so now."""
        if state.is_world_process_zero:
            refuse_released(self._folder)
            _refuse_unsaveable(args, state, model)
            self._begun, self._saved = self._begin(), None

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Copy what the Trainer has just saved, and write its papers."""
        if state.is_world_process_zero:
            saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            write = self._copy(saved) if saved.is_dir() else self._write(model, others)
            self._save(args, state, state.global_step, write)

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Leave the version at the best checkpoint where the Trainer has loaded it, else at the last weights."""
        if not state.is_world_process_zero:
            return
        for path in (path for path in self._paths[1] if not Path(path).is_file()):
            _log.warning("%s is no file: model.json does not name it as a log", path)
        if args.load_best_model_at_end and state.best_model_checkpoint is not None:
            best = Path(state.best_model_checkpoint)
            self._save(args, state, state.best_global_step or _step_of(best), self._copy(best))
        elif self._saved is not None and (_value(args.save_strategy) == "best" or _is_sharded(model)):
            self._save(args, state, self._saved, None)
        else:
            self._save(args, state, state.global_step, self._write(model, others))

    def _save(self, args: Any, state: Any, step: int, write: Callable[[Path], object] | None) -> None:
        """Write the version; only its papers where ``step`` is what it holds already."""
        begun, text = self._begun or self._begin(), _state_bytes(state)  # added in the middle, it begins here
        path = shown_path(begun.tree, self._folder / TRAINER_STATE)
        logs = log_files(begun.tree, (path for path in self._paths[1] if Path(path).is_file()))
        epochs, loss = _progress(state, step)
        said = Said(
            command=begun.command,
            seed=args.seed,
            config_digest=_args_digest(args),
            datasets=begun.datasets,
            logs=(LogFile(path=path, sha256=hashlib.sha256(text).hexdigest()), *logs),
            steps=step,
            epochs=epochs,
            final_loss=loss,
            parent=begun.parent,
            base_model=self._said.base_model,
            license=self._said.license,
        )
        if write is None or step == self._saved:
            update_papers(self._folder, Saving(said, "trainer", begun.tree, _nothing, {TRAINER_STATE: text}))
        else:
            save_version(self._folder, Saving(said, "trainer", begun.tree, write, {TRAINER_STATE: text}))
            self._saved = step

    def _begin(self) -> _Begun:
        tree = find_work_tree(self._folder, Path.cwd())
        parent, datasets = require_parent(self._folder, self._parent), training_sets(tree, self._paths[0])
        return _Begun(tree, self._said.command or own_command(), parent, datasets)

    def _copy(self, saved: Path) -> Callable[[Path], object]:
        def write(new: Path) -> None:
            refuse_adapter(saved)
            shutil.copytree(saved, new, ignore=_not_part, symlinks=True)
            if self._tokenizer is not None:
                self._tokenizer.save_pretrained(new)

        return write

    def _write(self, model: Any, others: dict[str, Any]) -> Callable[[Path], object]:
        tokenizer = self._tokenizer if self._tokenizer is not None else others.get("processing_class")
        return lambda new: write_pretrained(model, tokenizer, new)


def _refuse_hidden_library() -> None:
    """A folder `datasets/` beside the script is imported as the library, and the Trainer asks that for its classes."""
    found = sys.modules.get("datasets")
    if found is not None and getattr(found, "__file__", None) is None:
        place = next(iter(getattr(found, "__path__", ())), "datasets")
        todo = "run the script with `python -P` or PYTHONSAFEPATH=1, or `pip install datasets`"
        raise invalid(place, Code.USAGE, "hides the library `datasets`, which the Trainer looks for", todo)


def _refuse_unsaveable(args: Any, state: Any, model: Any) -> None:
    if hasattr(model, "peft_config"):
        todo = "train without this callback, `merge_and_unload`, then call modelrelease.save_checkpoint"
        raise invalid("model", Code.CHECKPOINT, "an adapter is trained, and is no model without its own", todo)
    if state.is_hyper_param_search:
        todo = "train the best settings again with it"
        raise invalid("PapersCallback", Code.USAGE, "a search over settings makes many models, a version is one", todo)
    if _value(args.save_strategy) == "no" and (getattr(args, "fsdp", None) or getattr(args, "deepspeed", None)):
        todo = "choose another `save_strategy`"
        raise invalid("PapersCallback", Code.USAGE, "only the Trainer can put sharded weights together", todo)


def _not_part(folder: str, names: list[str]) -> set[str]:
    """Files of a Trainer's checkpoint folder that are no part of the checkpoint; all of them stand at its top."""
    return {name for name in names if not in_digest(name) or _PARTS.fullmatch(name)}


def _progress(state: Any, step: int) -> tuple[float | None, float | None]:
    """Return how many epochs ``step`` steps were, and the last loss that was logged by then."""
    until = [entry for entry in state.log_history if entry.get("step", 0) <= step]
    losses = [entry["loss"] for entry in until if isinstance(entry.get("loss"), float | int)]
    at = [entry["epoch"] for entry in until if entry.get("step") == step and "epoch" in entry]
    epochs = state.epoch if step == state.global_step else next(iter(at), None)
    loss = float(losses[-1]) if losses else None
    return epochs, loss if loss is not None and math.isfinite(loss) else None


def _args_digest(args: Any) -> str:
    plain = {name: value for name, value in args.to_dict().items() if name not in _PLACES}
    return settings_digest(json.loads(json.dumps(plain, default=str), parse_constant=str)) or ""


def _state_bytes(state: Any) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / TRAINER_STATE
        state.save_to_json(str(path))
        return path.read_bytes()


def _is_sharded(model: Any) -> bool:
    """Say whether this process holds only a part of the weights, as under FSDP and DeepSpeed's third stage."""
    return any(hasattr(p, "ds_id") or hasattr(p, "full_tensor") or p.numel() == 0 for p in model.parameters())


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _value(strategy: Any) -> str:
    return str(getattr(strategy, "value", strategy))


def _nothing(_: Path) -> None:
    """The checkpoint is there already."""
