"""Which versions a pull request asks to be compared, from git."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import invalid
from modelrelease.flows.changes import changed_inputs
from modelrelease.flows.staged import staged_version
from modelrelease.flows.trees import Tree
from modelrelease.records.resolution import Resolution
from modelrelease.release.resolution import Facts, highest_scored, resolve


@dataclass(frozen=True)
class Range:
    """What a person, or the event that started a job, says of the two ends; None leaves it to the rules.

    ``base`` and ``head`` are git refs, ``candidate`` and ``baseline`` versions or their folders.
    """

    base: str | None = None
    head: str | None = None
    candidate: str | None = None
    baseline: str | None = None


@dataclass(frozen=True)
class Resolved:
    """The answer, what it follows from, and the trees that it is about: the merge-base's, the head's, the target's.

    ``warnings``: what could not be asked for it.
    """

    resolution: Resolution
    facts: Facts
    before: Tree
    after: Tree
    target: Tree
    warnings: tuple[str, ...] = ()

    @property
    def overtaken_by(self) -> str | None:
        """The version that the target has as live where the merge-base has another one, None where it is the same."""
        if self.target.commit == self.before.commit or self.resolution.baseline_rule != "highest-version":
            return None
        models = self.target.config.models if self.target.config else self.facts.models_before
        there, staged = self.target.versions(models), self.facts.staged
        then, now = highest_scored(self.facts.before), staged if staged in there else highest_scored(there)
        return now if now != then else None


def resolve_range(project: Project, wanted: Range) -> Resolved:
    """Return what the commits between the merge-base and the head ask to be compared.

    ``base`` is the default branch unless named, ``head`` the commit that is checked out. Raises InvalidInput (MR508)
    where a ref names no commit, history ends before the merge-base, or several versions are new.
    """
    own = project.require_config()
    base, head = ends(project.root, wanted)
    merge_base = git.merge_base(project.root, base, head)
    if merge_base is None:
        message = f"{wanted.base or base[:10]} and {head[:10]} have no common ancestor here"
        raise invalid("--base", Code.RESOLUTION, message, "fetch the whole history (`fetch-depth: 0` in a workflow)")
    before = Tree(project.root, merge_base, project.config_path)
    after = Tree(project.root, head, project.config_path)
    models = (after.config or own).models
    models_before = before.config.models if before.config else models
    if models in after.entries([models]):
        todo = "put the folder itself there"
        raise invalid(models, Code.RESOLUTION, "is a link or a file, and the versions' history is not behind it", todo)
    target = Tree(project.root, base, project.config_path)
    # What is merged into says where releases go: a pull request could name another stage.
    staged = staged_version(project.root, target.config or before.config or own)
    facts = Facts(
        merge_base=merge_base,
        head=head,
        models=models,
        models_before=models_before,
        before=before.versions(models_before),
        after=after.versions(models),
        changes=changed_inputs(before, after),
        wanted=_name(wanted.candidate),
        chosen=_name(wanted.baseline),
        staged=staged.version,
    )
    warnings = (staged.warning,) if staged.warning is not None else ()
    return Resolved(resolve(facts), facts, before, after, target, warnings)


def live_version(project: Project, tell: Callable[[str], object] = lambda _: None) -> str | None:
    """Return the folder of the version that is live at the commit that is checked out; None where nothing is live.

    As for a comparison, that is what the ledger names, where that has a record here, else the highest one with a
    record; ``tell`` is told why the ledger's is not taken. Raises InvalidInput (MR508) where nothing is committed.
    """
    own = project.require_config()
    tree = Tree(project.root, _commit(project.root, "HEAD", "HEAD", "commit first"), project.config_path)
    config = tree.config or own
    versions, staged = tree.versions(config.models), staged_version(project.root, config)
    live = highest_scored(versions)
    if staged.warning is not None:
        tell(staged.warning)
    if staged.version is not None:
        folder = versions.get(staged.version)
        if folder is not None and folder.record is not None:
            live = staged.version
        else:
            tell(f"the ledger names {staged.version} as live, which has no record in this commit")
    return f"{config.models}/{live}" if live is not None else None


def ends(root: Path, wanted: Range) -> tuple[str, str]:
    """Return the commits of base and head: of the default branch and of the work tree unless named.

    Raises InvalidInput (MR508) where a ref names no commit.
    """
    head = _commit(root, wanted.head or "HEAD", "--head", "commit first, or name an existing ref")
    base_ref = wanted.base or git.default_branch(root)
    if base_ref is None:
        raise invalid("--base", Code.RESOLUTION, "there is no default branch", "name what to merge into with --base")
    return _branch(root, base_ref) or _commit(root, base_ref, "--base", "fetch it, or name another ref"), head


def _branch(root: Path, ref: str) -> str | None:
    """A branch of this name before a tag: git would take the tag, which more people may push."""
    names = (f"refs/remotes/{ref}", f"refs/heads/{ref}")
    return next((commit for name in names if (commit := git.commit_of(root, name))), None)


def _commit(root: Path, ref: str, option: str, todo: str) -> str:
    commit = git.commit_of(root, ref)
    if commit is None:
        raise invalid(option, Code.RESOLUTION, f"{ref!r} names no commit", todo)
    return commit


def _name(version: str | None) -> str | None:
    """A version may be given as its folder."""
    return PurePosixPath(version).name if version else None
