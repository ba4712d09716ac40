"""Workflows held against the installed kit's templates: what is theirs to set, and what must stay as it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelrelease.doctor.section import Section
from modelrelease.errors import InvalidInput
from modelrelease.numbers import show_few
from modelrelease.records.diagnosis import Check
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.text import decode
from modelrelease.scaffold.kit import used_parts

_HERE = Section("workflows")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LEVELS = {"none": 0, "read": 1, "write": 2}
_OWN_TO_SET = ("runs-on", "timeout-minutes")
_KIT = re.compile(r"[A-Za-z0-9_-]+/modelrelease(/[\w./-]+)?")
_MAX_NAMED = 4
_MISSING = object()


@dataclass(frozen=True)
class Template:
    """One of the kit's workflows. ``parts``: what of the kit marks a file as this one (``/actions/check``).

    ``place``: where it belongs, ``step``: how it gets there; ``needed`` unless a repository can do without.
    """

    name: str
    text: str
    place: str
    parts: frozenset[str]
    step: str
    needed: bool = True


def check_workflow(template: Template, workflows: Mapping[str, bytes]) -> Iterator[Check]:
    """Yield how one of the kit's workflows stands among the files that are there, by path."""
    path = _file_of(template, workflows)
    if path is None:
        if template.needed:
            yield _HERE.todo(
                template.name, f"no file under .github/workflows is the kit's {template.name}", template.step
            )
        else:
            yield _HERE.ok(template.name, f"not used, and not needed; to have it, {template.step}")
        return
    try:
        theirs, ours = read_workflow(workflows[path], path), read_workflow(template.text.encode("utf-8"), template.name)
    except InvalidInput as error:
        yield _HERE.finding(template.name, error.findings[0], len(error.findings) - 1)
        return
    yield _content(template, path, theirs, ours)
    yield _pins(path, theirs)
    yield _concurrency(path, theirs, ours)
    yield _rights(path, theirs, ours)


def _file_of(template: Template, workflows: Mapping[str, bytes]) -> str | None:
    if template.place in workflows:
        return template.place
    for path, data in sorted(workflows.items()):
        if used_parts(data.decode("utf-8", "replace")) & template.parts:
            return path
    return None


def read_workflow(data: bytes, path: str) -> dict[str, Any]:
    """Return a workflow as a mapping, empty where it is none; InvalidInput where it is no YAML."""
    value = read_yaml(decode(data, path), path).value
    return value if isinstance(value, dict) else {}


def _content(template: Template, path: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Check:
    """Say whether a file does what the template does; runners, times and more inputs are the repository's to set."""
    differing = list(_differences(_plain(ours), _plain(theirs), ""))
    name = f"{_short(path)}: content"
    if not differing:
        return _HERE.ok(name, f"does what the installed version's {template.name} does")
    says = f"is not the installed version's {template.name}: {show_few(differing, _MAX_NAMED)}"
    step = f"move the file away, {template.step}, and put your own settings into it again"
    return _HERE.todo(name, says, step)


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    jobs = {name: _plain_job(job) for name, job in jobs_of(document).items()}
    return {**{key: value for key, value in document.items() if key not in {"name", "concurrency"}}, "jobs": jobs}


def _plain_job(job: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in job.items() if key not in _OWN_TO_SET}
    return {**kept, "steps": [_plain_step(step) for step in steps_of(job)]}


def _plain_step(step: dict[str, Any]) -> dict[str, Any]:
    uses = step.get("uses")
    if not isinstance(uses, str):
        return step
    action = uses.partition("@")[0]
    kit = _KIT.fullmatch(action)
    return {**step, "uses": f"the kit{kit[1] or ''}" if kit is not None else action}


def _differences(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """Yield the places where ``theirs`` is not ``ours``; a step may have more inputs, and a workflow more triggers."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        free = where.endswith(".with") or where == "on"
        for key in [*ours, *([] if free else [key for key in theirs if key not in ours])]:
            place = f"{where}.{key}" if where else str(key)
            if key == "system-site-packages" or place == "on.schedule":
                continue
            yield from _differences(ours.get(key, _MISSING), theirs.get(key, _MISSING), place)
    elif isinstance(ours, list) and isinstance(theirs, list) and where.endswith(".steps"):
        if len(ours) != len(theirs):
            yield f"{where} (of {len(theirs)}, not {len(ours)})"
            return
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
            yield from _differences(one, other, f"{where}.{number}")
    elif _said(ours) != _said(theirs):
        yield f"`{where}` {'is missing' if theirs is _MISSING else 'is added' if ours is _MISSING else 'differs'}"


def _said(value: Any) -> Any:
    """Return a value without the line breaks that a folded text may have elsewhere."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _pins(path: str, theirs: dict[str, Any]) -> Check:
    used = [
        step["uses"] for job in jobs_of(theirs).values() for step in steps_of(job) if isinstance(step.get("uses"), str)
    ]
    loose = [uses for uses in used if not uses.startswith("./") and not _COMMIT.fullmatch(uses.partition("@")[2])]
    name = f"{_short(path)}: pins"
    if not loose:
        return _HERE.ok(name, "every action is pinned to a commit")
    says = f"a tag or a branch can be moved to other code: {show_few(list(dict.fromkeys(loose)), _MAX_NAMED)}"
    return _HERE.todo(name, says, "write the commit after the `@`, and the version into a comment behind it")


def _concurrency(path: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Check:
    name, wanted = f"{_short(path)}: concurrency", ours.get("concurrency")
    found = theirs.get("concurrency")
    ends = isinstance(wanted, dict) and wanted.get("cancel-in-progress") is True
    if isinstance(found, dict) and "group" in found and found.get("cancel-in-progress", False) is ends:
        return _HERE.ok(name, "a newer run ends an older one" if ends else "one run after the other, none is ended")
    says = "is not the template's: " + ("older runs go on" if ends else "a run could be ended halfway, or meet another")
    group = wanted.get("group") if isinstance(wanted, dict) else None
    return _HERE.todo(
        name, says, f"write `cancel-in-progress: {str(ends).lower()}` under `concurrency`, with `group: {group}`"
    )


def _rights(path: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Check:
    name = f"{_short(path)}: permissions"
    wider = []
    if theirs.get("permissions") != {}:
        wider.append("`permissions: {}` does not stand at the top")
    for job, settings in jobs_of(theirs).items():
        allowed = _granted(jobs_of(ours).get(job, {}).get("permissions", {}))
        for right, level in _granted(settings.get("permissions", {})).items():
            if level > allowed.get(right, 0):
                wider.append(f"job `{job}` has `{right}: {[*_LEVELS][level]}`")
    if not wider:
        return _HERE.ok(name, "no job has more than the template gives it")
    return _HERE.todo(name, show_few(wider, _MAX_NAMED), "give each job what the template gives it, and no more")


def _short(path: str) -> str:
    return path.rpartition("/")[2]


def _granted(permissions: Any) -> dict[str, int]:
    if isinstance(permissions, str):  # read-all, write-all
        return {"everything": 2 if permissions.startswith("write") else 1}
    if not isinstance(permissions, dict):
        return {}
    return {str(right): _LEVELS.get(str(level), 2) for right, level in permissions.items()}


def jobs_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a workflow's jobs by name; what is no mapping is none."""
    jobs = document.get("jobs")
    found = jobs.items() if isinstance(jobs, dict) else ()
    return {str(name): job for name, job in found if isinstance(job, dict)}


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a job's steps; what is no mapping is none."""
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
