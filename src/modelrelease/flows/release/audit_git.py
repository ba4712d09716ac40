"""A release against this repository: its commit and its tag are still there and merged, and its policy was that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project, policy_digest
from modelrelease.errors import Finding
from modelrelease.flows.release.grounds import Released
from modelrelease.flows.trees import Tree
from modelrelease.git import history
from modelrelease.git.append_only import Branch
from modelrelease.git.process import Git

_FETCH = "`git fetch --tags` brings it, and `--unshallow` what a shallow clone lacks"


def audit_commits(
    project: Project, branch: Branch, known: Released, origin: Mapping[str, str] | None = None
) -> tuple[list[Finding], list[str]]:
    """Return what is wrong with a release's commit, tag and policy, and what this clone cannot tell.

    ``origin``: the commits of the tags that the remote has, None where it was not asked. What a clone lacks may be
    elsewhere, so only a repository without a remote says that it is gone.
    """
    root, facts, version = project.root, known.facts, known.receipt.version
    ref = git.default_branch(root)
    default = git.commit_of(root, ref) if ref is not None else None
    if default is None:
        return [], [f"the commits of {version}: there is no default branch here"]
    partial = history.is_shallow(Git(str(root)))
    findings: list[Finding] = []
    unknown: list[str] = []
    for what, commit in (("the commit", facts.git_sha), ("the policy's commit", facts.policy_ref)):
        if not git.is_ancestor(root, commit, default):
            if partial:
                unknown.append(f"{what} of {version}, {commit[:10]}: {_FETCH}")
            else:
                findings.append(_not_merged(known, what, commit))
    tagged = git.tag_commit(root, facts.tag)
    if tagged is None and branch.remote is not None:
        tagged = facts.git_sha  # what counts is origin's
        if origin is None:
            unknown.append(f"the tag {facts.tag}: it is not in this clone; {_FETCH}")
    findings += tag_findings(known, tagged, origin)
    if git.commit_of(root, facts.policy_ref) is not None:
        findings += _policy(project, known)
    return findings, unknown


def tag_findings(known: Released, here: str | None, origin: Mapping[str, str] | None) -> Iterator[Finding]:
    """Yield a finding for each place where a release's tag is gone, or names another commit than the released one.

    ``here`` is its commit in this repository; ``origin`` the commits of the remote's tags, None where it was not asked.
    """
    facts = known.facts
    there = facts.git_sha if origin is None else origin.get(facts.tag)
    forced = " --force" if there is not None else ""
    back = {
        "": (here, f"git tag --force {facts.tag} {facts.git_sha[:10]}"),
        " on origin": (there, f"git push{forced} origin {facts.git_sha[:10]}:refs/tags/{facts.tag}"),
    }
    for place, (commit, command) in back.items():
        if commit != facts.git_sha:
            now = f"is the tag of {commit[:10]}{place}" if commit is not None else f"is gone{place}"
            message = f"{now}, and {known.receipt.version} was released from {facts.git_sha[:10]}"
            yield Finding(facts.tag, Code.RELEASE_TAG, message, f"put it back: `{command}`")


def _not_merged(known: Released, what: str, commit: str) -> Finding:
    message = f"{what} that it was released from, {commit[:10]}, is not on the default branch any more"
    todo = "find out who rewrote the default branch, and put its history back"
    return Finding(known.receipt.version, Code.RELEASE_TAG, message, todo)


def _policy(project: Project, known: Released) -> Iterator[Finding]:
    facts = known.facts
    config = Tree(project.root, facts.policy_ref, project.config_path).config
    found = policy_digest(config) if config is not None else None
    if found != facts.policy_digest:
        is_now = f"is {found[:12]}" if found is not None else "cannot be read"
        message = f"{is_now} at {facts.policy_ref[:10]}, and {known.receipt.version} was decided by"
        todo = "find out which policy decided: see `modelrelease ledger trace`"
        where = f"{facts.policy_ref[:10]}:{project.config_path}"
        yield Finding(where, Code.LEDGER_STATE, f"{message} {facts.policy_digest[:12]}", todo)
