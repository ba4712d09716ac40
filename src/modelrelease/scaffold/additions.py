"""What of the kit goes into files that a repository may have already. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelrelease.scaffold.file_plan import FilePlan, created, kept
from modelrelease.scaffold.kit import Kit, pinned, used_parts
from modelrelease.scaffold.lines import (
    IGNORED,
    UNION,
    ignored_folder,
    with_folder_ignored,
    with_ignored,
    with_union,
)
from modelrelease.scaffold.precommit import HOOK, PRECOMMIT, has_hook, hook_lines, new_precommit, with_hook

WORKFLOWS = ".github/workflows"
WORKFLOW = f"{WORKFLOWS}/modelrelease.yml"
REPRODUCE_WORKFLOW = f"{WORKFLOWS}/modelrelease-reproduce.yml"
RELEASE_WORKFLOW = f"{WORKFLOWS}/modelrelease-release.yml"
ROLLBACK_WORKFLOW = f"{WORKFLOWS}/modelrelease-rollback.yml"
_NOT_OF_PULL_REQUESTS = {f"/actions/{name}" for name in ("reproduce", "issue", "promote", "rollback")}
ATTRIBUTES, IGNORE = ".gitattributes", ".gitignore"


def attributes_plan(before: bytes | None) -> FilePlan:
    """Return what becomes of .gitattributes."""
    why = "two branches' change logs merge without conflict"
    return _line_plan(ATTRIBUTES, before, with_union(before or b""), UNION, why)


def ignore_plan(before: bytes | None, releases: str | None = None) -> FilePlan:
    """Return what becomes of .gitignore; ``releases`` is the folder in the repository that releases go to, if any."""
    own = with_ignored(before or b"")
    lines, after = ([IGNORED] if own is not None else []), own
    if releases is not None and (both := with_folder_ignored(own or before or b"", releases)) is not None:
        lines, after = [*lines, ignored_folder(releases)], both
    why = "what commands write for themselves" + ("" if releases is None else ", and releases")
    return _line_plan(IGNORE, before, after, "\n".join(lines), why)


def hook_plan(before: bytes | None, kit: Kit) -> FilePlan:
    """Return what becomes of .pre-commit-config.yaml."""
    why = "a change says who, why and when before it is committed"
    lines = "\n".join(hook_lines(kit, 2)) + "\n"
    if before is None:
        return created(PRECOMMIT, new_precommit(kit).decode("utf-8"), why)
    if has_hook(before):
        return FilePlan(PRECOMMIT, "complete", f"it has the hook `{HOOK}`", before)
    after = with_hook(before, kit)
    if after is not None:
        return FilePlan(PRECOMMIT, "added-to", why, before, after, lines)
    reason = "it has no list under `repos:` that lines can safely be added to; paste them yourself"
    return FilePlan(PRECOMMIT, "by-hand", reason, before, None, lines)


def workflow_plan(template: str, kit: Kit, workflows: Mapping[str, bytes]) -> FilePlan:
    """Return what becomes of the pull requests' workflow; ``workflows`` are the files that stand in its folder."""
    plan = _workflow(WORKFLOW, workflows, lambda part: part not in _NOT_OF_PULL_REQUESTS)
    return plan or created(WORKFLOW, pinned(template, kit), f"checks every pull request with {kit}")


def reproduce_plan(template: str, kit: Kit, workflows: Mapping[str, bytes]) -> FilePlan:
    """Return what becomes of the workflow that runs the live version again; ``workflows`` likewise."""
    plan = _workflow(REPRODUCE_WORKFLOW, workflows, lambda part: part == "/actions/reproduce")
    why = f"runs the live version's evaluation again once a week with {kit}"
    return plan or created(REPRODUCE_WORKFLOW, pinned(template, kit), why)


def release_plan(template: str, kit: Kit, workflows: Mapping[str, bytes]) -> FilePlan:
    """Return what becomes of the workflow that releases a version whose tag is pushed; ``workflows`` likewise."""
    plan = _workflow(RELEASE_WORKFLOW, workflows, lambda part: part == "/actions/promote")
    return plan or created(RELEASE_WORKFLOW, pinned(template, kit), f"releases the version of a pushed tag with {kit}")


def rollback_plan(template: str, kit: Kit, workflows: Mapping[str, bytes]) -> FilePlan:
    """Return what becomes of the workflow that goes back to an earlier release; ``workflows`` likewise."""
    plan = _workflow(ROLLBACK_WORKFLOW, workflows, lambda part: part == "/actions/rollback")
    return plan or created(ROLLBACK_WORKFLOW, pinned(template, kit), f"goes back to an earlier release with {kit}")


def _workflow(path: str, workflows: Mapping[str, bytes], is_its: Callable[[str], bool]) -> FilePlan | None:
    """The file that does already what ``path`` would; ``is_its`` knows it by what it uses of the kit."""
    if (before := workflows.get(path)) is not None:
        return kept(path, before, "it is there already")
    for other, data in workflows.items():
        if any(is_its(part) for part in used_parts(data.decode("utf-8", "replace"))):
            return kept(other, data, "it uses the kit already")
    return None


def _line_plan(path: str, before: bytes | None, after: bytes | None, line: str, why: str) -> FilePlan:
    if after is None:
        return FilePlan(path, "complete", "it says so already", before)
    return FilePlan(path, "created" if before is None else "added-to", why, before, after, f"{line}\n")
