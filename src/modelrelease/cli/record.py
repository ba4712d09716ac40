"""Write the papers of a checkpoint from elsewhere, model.json; or say more in those that a version has already."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import say, say_json

if TYPE_CHECKING:
    from modelrelease.config import Project
    from modelrelease.flows.papers import WorkTree
    from modelrelease.release.papers import Said

EXAMPLE = 'modelrelease record models/model_v1.1 --parent model_v1.0 --command "python train.py --seed 1" --seed 1'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a version folder, with checkpoint/ in it")
    add_config(parser)
    parser.add_argument("--command", dest="trained_by", metavar="C", help="the command that trained it")
    parser.add_argument("--seed", type=int, metavar="N", help="the seed of its training")
    parser.add_argument("--parent", metavar="V", help="the version that it was made from")
    parser.add_argument("--base-model", metavar="B", help="the model that it was tuned from, as org/name")
    parser.add_argument("--license", metavar="L", help="its licence, as the Hub writes it: apache-2.0, mit …")
    several = {"nargs": "+", "action": "extend", "default": [], "metavar": "PATH"}
    parser.add_argument("--dataset", **several, help="files and folders that it was trained on")  # type: ignore[arg-type]
    parser.add_argument("--log", **several, help="logs of its training; a trainer_state.json tells steps and loss")  # type: ignore[arg-type]
    parser.add_argument("--trained-here", action="store_true", help="it was trained on this machine: describe it")
    parser.add_argument("--source", metavar="URL", help="where its weights lie: hf://org/name@commit, file:///…")
    parser.add_argument("--files", type=Path, metavar="DIR", help="a local folder of what lies at --source")
    parser.add_argument("--same-as", metavar="V", help="the version whose checkpoint it shares: only prompts differ")
    parser.add_argument("--convert", action="store_true", help="make safetensors of pickled weights first, in place")
    parser.add_argument("--json", action="store_true", help="print model.json instead of a summary")


def run(arguments: argparse.Namespace) -> int:
    """Write model.json; exit 0 when it is written."""
    from modelrelease.errors import escape_controls
    from modelrelease.flows.convert import convert_checkpoint
    from modelrelease.flows.papers import find_work_tree
    from modelrelease.flows.record import Elsewhere, Here, record_version
    from modelrelease.flows.version_folder import refuse_released
    from modelrelease.reports.papers import papers_text

    project = open_project(arguments.config)
    folder = _folder(project, arguments.folder)
    tree = find_work_tree(folder)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    elsewhere = Elsewhere(arguments.source, arguments.files, arguments.same_as)
    here = Here(project, tree, lambda: now, arguments.trained_here)
    said = _said(arguments, folder, tree)
    converted = None
    if arguments.convert:
        refuse_released(folder)
        converted = convert_checkpoint(folder, escape_controls(str(folder)))
    done = record_version(folder, said, elsewhere, here, converted)
    if arguments.json:
        say_json(done.record.to_bytes())
    else:
        say(papers_text(done.record, str(folder / "model.json"), done.leftovers, done.replaced))
    return 0


def _folder(project: Project, folder: Path) -> Path:
    return folder if folder.is_absolute() or folder.exists() else project.root / folder


def _said(arguments: argparse.Namespace, folder: Path, tree: WorkTree) -> Said:
    from modelrelease.flows.papers import log_files, require_parent, trainer_progress, training_sets
    from modelrelease.flows.save import checked
    from modelrelease.release.papers import Said

    steps, epochs, loss = trainer_progress(arguments.log)
    said = Said(
        command=arguments.trained_by,
        seed=arguments.seed,
        datasets=training_sets(tree, arguments.dataset),
        logs=log_files(tree, arguments.log),
        steps=steps,
        epochs=epochs,
        final_loss=loss,
        parent=require_parent(folder, arguments.parent),
        base_model=arguments.base_model,
        license=arguments.license,
    )
    return checked(said)
