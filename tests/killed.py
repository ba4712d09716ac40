"""A step that writes files, killed before each of its file operations in turn: ``python killed.py STEP FOLDER``.

For every kill a line of JSON says what stood in the version folder then, and what after the step ran again. The step
runs in a process of its own, forked from this one, and dies by SIGKILL: nothing of it is cleaned up.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from version_folders import Pretrained, write_checkpoint

from modelrelease.cli.main import main
from modelrelease.errors import ModelreleaseError
from modelrelease.flows.papers import WorkTree
from modelrelease.flows.save import Saving, save_checkpoint, update_papers
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.model import TRAINER_STATE, read_model_record
from modelrelease.release.papers import Said

OLD, NEW = 1, 2
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_OPERATIONS = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.chmod"}


def writes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Say whether an audit event is of an operation that changes the disk."""
    return event in _OPERATIONS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING != 0)


def run(step: Callable[[], object], last: int | None) -> bool:
    """Run ``step`` in a process of its own, killed when it has made ``last`` operations; return whether it ended."""
    pid = os.fork()
    if pid == 0:
        made = 0

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal made
            if writes(event, arguments):
                made += 1
                if last is not None and made > last:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            step()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in {0, -signal.SIGKILL}, status
    return status == 0


def look(folder: Path) -> dict[str, Any]:
    """Return what stands in a version folder: names, the document's digest, the checkpoint's; None for what is not."""
    document = (folder / "model.json").exists()
    weights = (folder / "checkpoint").exists()
    try:
        return {
            "names": sorted(path.name for path in folder.iterdir()) if folder.exists() else [],
            "document": read_model_record(folder).checkpoint.digest if document else None,
            "command": read_model_record(folder).training.command if document else None,
            "checkpoint": read_checkpoint(folder / "checkpoint", "checkpoint").digest if weights else None,
        }
    except ModelreleaseError as error:
        return {"broken": str(error)}


def prepare(folder: Path, *, old: bool) -> None:
    """Put the version folder into its state before the step."""
    shutil.rmtree(folder, ignore_errors=True)
    if old:
        save_checkpoint(Pretrained(OLD), None, folder, command="old")


def quiet(*arguments: str) -> None:
    """Run the command line, its output nowhere."""
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    assert main(list(arguments)) == 0


def steps(folder: Path) -> dict[str, tuple[bool, Callable[[], object]]]:
    """Return each step, and whether the folder has an older version before it."""
    told = Saving(Said(command="new"), "trainer", WorkTree(None, None), lambda _: None, {TRAINER_STATE: b"{}"})
    return {
        "save": (False, lambda: save_checkpoint(Pretrained(NEW), None, folder, command="new")),
        "replace": (True, lambda: save_checkpoint(Pretrained(NEW), None, folder, command="new")),
        "record": (True, lambda: quiet("record", str(folder), "--command", "new")),
        "papers": (True, lambda: update_papers(folder, told)),
        "record-others": (True, lambda: quiet("record", str(folder), "--command", "new")),
    }


if __name__ == "__main__":
    name, place = sys.argv[1], Path(sys.argv[2])
    old, step = steps(place)[name]
    operations, ended = 0, False
    while not ended:
        prepare(place, old=old)
        if name == "record-others":
            write_checkpoint(place / "checkpoint", NEW)
        ended = run(step, operations)
        killed = look(place)
        mended = None
        if killed.get("document") is not None and name in {"save", "replace"}:
            copy = place.parent / "mended" / place.name
            shutil.rmtree(copy.parent, ignore_errors=True)
            shutil.copytree(place, copy, symlinks=True)
            run(partial(quiet, "record", str(copy)), None)
            mended = look(copy)
        run(step, None)
        print(json.dumps({"killed": killed, "mended": mended, "again": look(place), "ended": ended}))
        operations += 1
