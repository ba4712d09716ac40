"""Where releases go: whether what is put there outlives the job and the clone that put it there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelrelease.doctor.section import Section
from modelrelease.doctor.workflows import jobs_of, read_workflow, steps_of
from modelrelease.errors import InvalidInput
from modelrelease.records.diagnosis import Check
from modelrelease.release.targets.address import FILE, relative_folder
from modelrelease.scaffold.additions import IGNORE
from modelrelease.scaffold.lines import ignored_folder

_HERE = Section("releases")
_PROMOTE = re.compile(r"[A-Za-z0-9_-]+/modelrelease/actions/promote@.*|\./actions/promote")
# Source: https://docs.github.com/actions/reference/runners/github-hosted-runners
_HOSTED = re.compile(r"(ubuntu|windows|macos)-[\w.-]+")


def check_target(target: str, workflows: Mapping[str, bytes], *, ignored: bool) -> Iterator[Check]:
    """Yield whether a folder keeps releases; nothing where they go to the Hub.

    ``workflows``: the files that are there, by path; ``ignored``: git ignores what is in the folder.
    """
    if not target.startswith(FILE):
        return
    if (place := _hosted(workflows)) is not None:
        says = f"{target} is a folder, and {place} publishes on a machine of GitHub's, which takes it along"
        step = "set `release.target: hf://ORGANISATION/NAME`, or let the job run on a runner of your own that keeps it"
        yield _HERE.todo("target", says, step)
    else:
        yield _HERE.ok("target", f"{target}, on the machine that releases")
    folder = relative_folder(target)
    if folder is None:
        return
    if ignored:
        yield _HERE.ok(f"{folder} in git", "is ignored")
    else:
        says = "is not ignored: `git clean -fd` would take the releases, and `git add .` commit the weights again"
        yield _HERE.todo(f"{folder} in git", says, f"add the line `{ignored_folder(folder)}` to {IGNORE}")


def _hosted(workflows: Mapping[str, bytes]) -> str | None:
    """Return the file and job that publishes on a runner of GitHub's, None where none is seen to."""
    for path, data in sorted(workflows.items()):
        try:
            jobs = jobs_of(read_workflow(data, path))
        except InvalidInput:  # another check says so
            continue
        for name, job in jobs.items():
            if any(_publishes(step) for step in steps_of(job)) and _is_hosted(job.get("runs-on")):
                return f"`{name}` of {path.rpartition('/')[2]}"
    return None


def _publishes(step: dict[str, Any]) -> bool:
    given, used = step.get("with"), step.get("uses")
    only_decides = isinstance(given, dict) and str(given.get("decide", "")).lower() == "true"
    return isinstance(used, str) and _PROMOTE.fullmatch(used) is not None and not only_decides


def _is_hosted(runs_on: Any) -> bool:
    labels = runs_on if isinstance(runs_on, list) else [runs_on]
    texts = [label for label in labels if isinstance(label, str)]
    return "self-hosted" not in texts and any(_HOSTED.fullmatch(label) for label in texts)
