"""What every release stands on: the default branch and its policy, the ledger, the target."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.flows.ledger import Ledger, ledger_branch, open_ledger
from modelrelease.flows.trees import Tree
from modelrelease.git.local import learning_default_branch
from modelrelease.records.config import Config
from modelrelease.records.ledger import Event, Person, ReleaseFacts
from modelrelease.release.targets.target import FileDigest, Target
from modelrelease.release.versions import version_key


@dataclass(frozen=True)
class Grounds:
    """The default branch's newest commit, and what it says about releases.

    A version's own config is not asked: it could name another target, or another margin.
    """

    project: Project
    branch: str
    policy: Tree
    config: Config

    @property
    def stage(self) -> tuple[str, str]:
        """The target and the name of the stage there: what names a live version in the ledger."""
        return self.config.release.target, self.config.release.stage

    def tag_of(self, version: str) -> str:
        """Return the git tag of a version; with the model's name where there are several."""
        return f"{self.config.name}/{version}" if self.config.name else version

    def ledger(self) -> Ledger:
        """Return the ledger; Refused where it is not whole, Unavailable where its remote does not answer."""
        return open_ledger(ledger_branch(self.project.root, self.config.name))


@dataclass(frozen=True)
class Doer:
    """Who does it, when and where, and how the target is reached. ``tell`` says to people what is done next."""

    by: Person
    now: Callable[[], str]
    run_url: str | None
    open_target: Callable[[str], Target]
    tell: Callable[[str], object] = field(default=lambda _: None)

    def event(self, grounds: Grounds, **facts: object) -> Event:
        """Return an event of ours; its place in the ledger is set when it is added."""
        target, stage = grounds.stage
        common = {"sequence": 1, "previous": None, "at": self.now(), "by": self.by, "run_url": self.run_url}
        return Event.model_validate({**common, "target": target, "stage": stage, **facts})


@dataclass(frozen=True)
class Released:
    """A version as the ledger has it: its receipt, and what was announced with it."""

    receipt: Event
    intent: Event

    @property
    def facts(self) -> ReleaseFacts:
        """What was released, and on what grounds."""
        assert self.intent.release is not None
        return self.intent.release

    @property
    def commit(self) -> str:
        """What names it for good at the target."""
        assert self.receipt.receipt is not None
        return self.receipt.receipt.target_commit

    @property
    def digests(self) -> tuple[FileDigest, ...]:
        """What its files have to be."""
        return digests_of(self.facts)


def digests_of(facts: ReleaseFacts) -> tuple[FileDigest, ...]:
    """Return what the files of a release have to be, as targets compare them."""
    return tuple(FileDigest(file.path, file.size, file.sha256, file.blob) for file in facts.files)


def open_grounds(project: Project) -> Grounds:
    """Return the default branch and its policy.

    Raises InvalidInput: MR601 outside of a git work tree, MR508 where there is no default branch, or this clone does
    not have that of its origin, MR209 where it has no modelrelease.yaml that can be read.
    """
    git.work_tree(project.root)
    ref = git.default_branch(project.root)
    commit = git.commit_of(project.root, ref) if ref is not None else None
    if ref is None or commit is None:
        has_remote = git.remote_url(project.root) is not None
        todo = f"run `{learning_default_branch(project.root)}`" if has_remote else "commit to `main`"
        raise invalid(str(project.root), Code.RESOLUTION, "there is no default branch, whose policy decides", todo)
    if ref == f"refs/heads/{git.short_name(ref)}" and git.remote_url(project.root) is not None:
        message = "is known here from no remote, though there is origin: what is only here was not reviewed"
        todo = (
            f"run `{learning_default_branch(project.root)}`; where origin has no branch yet, push {git.short_name(ref)}"
        )
        raise invalid(f"the default branch {git.short_name(ref)}", Code.RESOLUTION, message, todo)
    policy, branch = Tree(project.root, commit, project.config_path), git.short_name(ref)
    if policy.config is None:
        message = f"is not on the default branch {branch}, or cannot be read there"
        raise invalid(project.config_path, Code.UNREADABLE, message, "merge the policy before a release")
    return Grounds(project, branch, policy, policy.config)


def version_name(version: str) -> str:
    """Return the name of a version that is given by name or by folder; InvalidInput (MR706) where it is none."""
    name = version.rstrip("/").rpartition("/")[2]
    if version_key(name) is None:
        raise invalid(version, Code.RELEASE_NAME, "is no version", "write it like model_v1.0")
    return name


def released(ledger: Ledger, target: str, version: str) -> Released | None:
    """Return a version's release at a target, None where it was never released there."""
    receipt = ledger.state.released.get((target, version))
    if receipt is None or receipt.receipt is None:
        return None
    return Released(receipt, ledger.events[receipt.receipt.intent - 1])


def require_released(ledger: Ledger, target: str, version: str) -> Released:
    """Return a version's release; Refused (MR710) where it was never released, or was revoked at whatever target."""
    found = released(ledger, target, version)
    if found is None:
        state = ledger.state
        known = sorted(name for place, name in state.released if place == target and state.revocation(name) is None)
        todo = f"name one of {', '.join(known[:6])}" if known else "promote a version first"
        raise Refused(Finding(version, Code.NOT_RELEASED, f"was never released to {target}", todo))
    refuse_revoked(ledger, version, found.receipt.model_digest, found.facts.prompts)
    return found


def refuse_revoked(ledger: Ledger, version: str, digest: str, prompts: Set[str]) -> None:
    """Refuse (MR710) a version that was revoked, or that would bring back one that was; see :meth:`State.barred`."""
    event = ledger.state.barred(version, digest, prompts)
    if event is not None:
        raise Refused(Finding(version, Code.NOT_RELEASED, revocation_text(version, event), "name another version"))


def revocation_text(version: str, event: Event) -> str:
    """Return who revoked a version and why, or another one that it would bring back."""
    person = event.by.login or event.by.name or "somebody"
    if event.version == version:
        return f"was revoked by {person}: {event.reason}"
    return f"has the weights and prompts of {event.version}, which was revoked by {person}: {event.reason}"


def live(ledger: Ledger, grounds: Grounds) -> Released | None:
    """Return the release of the version that the stage names, None where nothing was released to it yet."""
    target, stage = grounds.stage
    version = ledger.state.live_version(target, stage)
    return released(ledger, target, version) if version is not None else None
