"""Is what the card is made from as the tag has it? All else that is published is read from the tag; the card is not."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused
from modelrelease.flows.release.subject import Subject
from modelrelease.records.checkpoints import CARD
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.reproduction import REPRODUCTION_FILE
from modelrelease.release.versions import version_key


def refuse_untagged_papers(subject: Subject) -> None:
    """Refuse (MR708, exit 1) what the card tells of and nobody has reviewed.

    That is what differs between the work tree and the commit of the tag, which is checked out, or is in one of them
    alone. Filters such as Git LFS are git's to apply. An evaluation that lies about uncommitted is not asked for: this
    release is scored on its own.
    """
    paths = list(_read_here(subject))
    if git.are_committed(subject.grounds.project.root, [path for path in paths if _is_here(subject, path)]):
        paths = [path for path in paths if not _is_here(subject, path)]  # else git is asked which of them it is
    findings = [_finding(subject, path) for path in paths if not _as_tagged(subject, path)]
    if findings:
        raise Refused(findings)


def _read_here(subject: Subject) -> Iterator[str]:
    yield subject.grounds.project.config_path
    yield from (f"{subject.folder}/{name}" for name in (CARD, MODEL_FILE, REPRODUCTION_FILE))
    if (subject.grounds.project.root / subject.folder / REPRODUCTION_FILE).exists():
        yield f"{subject.folder}/{EVAL_FILE}"  # which says whether the reproduction is of the present record
    parent = subject.record.parent
    if parent is not None and version_key(parent) is not None:
        # The samples are held by the digest that eval.json has of them.
        place = f"{subject.folder.rpartition('/')[0]}/{parent}"
        yield from (f"{place}/{name}" for name in (MODEL_FILE, EVAL_FILE))


def _as_tagged(subject: Subject, path: str) -> bool:
    if not _is_here(subject, path):
        return not subject.tree.entries([path])
    return git.is_committed(subject.grounds.project.root, path)


def _is_here(subject: Subject, path: str) -> bool:
    here = subject.grounds.project.root / path
    return here.exists() or here.is_symlink()


def _finding(subject: Subject, path: str) -> Finding:
    message = f"is not as {subject.tag} has it, and the card would tell of it"
    undo = (
        "take it away" if not subject.tree.entries([path]) else f"put it back: `git checkout {subject.tag} -- {path}`"
    )
    todo = f"{undo}; or commit it, merge that, and release it as the next patch version"
    return Finding(path, Code.RELEASE_TAG, message, todo)
