"""What a version is held against: the live one, as the commit that it was released from has it."""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.flows.release.grounds import Released
from modelrelease.flows.release.subject import Subject
from modelrelease.flows.resolve import Resolved
from modelrelease.flows.trees import Tree
from modelrelease.records.resolution import Resolution
from modelrelease.release.resolution import Facts


def tree_of_live(subject: Subject, live: Released | None) -> Tree | None:
    """Return the commit that the live version was released from, which this clone has to have."""
    if live is None:
        return None
    tree = Tree(subject.tree.root, live.facts.git_sha, subject.grounds.project.config_path)
    if not tree.entries([tree.config_path]):
        message = f"was released from {live.facts.git_sha[:10]}, which is not in this clone"
        raise invalid(
            live.receipt.version, Code.RESOLUTION, message, "fetch the whole history: `git fetch --unshallow`"
        )
    return tree


def folder_of_live(subject: Subject, live: Released) -> str:
    """Return the live version's folder, as the commit that it was released from names it."""
    tree = tree_of_live(subject, live)
    assert tree is not None
    return f"{(tree.config or subject.grounds.config).models}/{live.receipt.version}"


def resolution_against(subject: Subject, live: Released | None) -> Resolution:
    """Return what is held against what: the tag's version against the live one, None for the first release."""
    before = live.facts.git_sha if live is not None else subject.tree.commit
    parent = subject.record.parent
    return Resolution(
        rule="new-version",
        reason=f"the tag {subject.tag} asks for its release",
        candidate=subject.folder,
        baseline=folder_of_live(subject, live) if live is not None else None,
        baseline_rule="ledger" if live is not None else "none",
        parent=parent if live is not None and parent != live.receipt.version else None,
        merge_base=before,
        head=subject.tree.commit,
    )


def resolved_against(subject: Subject, live: Released) -> Resolved:
    """Return the live version's commit and the tag's, as if one were the merge-base of the other."""
    before = tree_of_live(subject, live)
    assert before is not None
    models = subject.folder.rpartition("/")[0]
    models_before = folder_of_live(subject, live).rpartition("/")[0]
    facts = Facts(
        merge_base=before.commit,
        head=subject.tree.commit,
        models=models,
        models_before=models_before,
        before=before.versions(models_before),
        after=subject.tree.versions(models),
    )
    return Resolved(resolution_against(subject, live), facts, before, subject.tree, subject.grounds.policy)
