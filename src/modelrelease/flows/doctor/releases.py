"""The ledger, the tags and the target, as far as they can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from modelrelease.doctor.releases import Plan, Told
from modelrelease.doctor.section import Section
from modelrelease.errors import Unavailable
from modelrelease.flows.ledger import inspect_ledger, ledger_branch
from modelrelease.git import append_only, local
from modelrelease.git.append_only import Branch
from modelrelease.records.config import Config
from modelrelease.records.diagnosis import Check
from modelrelease.records.repository_settings import Unseen
from modelrelease.release.targets.address import HUB, Surroundings, repository_of
from modelrelease.release.versions import version_key

_HUB = Section("Hub")
_VERSION = "model_v"
MAX_WAIT = 5.0
"""Seconds in all that are spent on asking again: nobody waits for minutes to be told that there is no network."""


def read_plan(root: Path, config: Config, versions: tuple[str, ...]) -> Plan:
    """Return what is to be released, with this clone's tags of versions."""
    prefix = tag_prefix(config)
    tags = {name.removeprefix(prefix): commit for name, commit in local.tagged(root, f"{prefix}{_VERSION}").items()}
    known = {version: commit for version, commit in tags.items() if version_key(version) is not None}
    return Plan(config.release.target, config.release.bootstrap, versions, known, prefix)


def tag_prefix(config: Config) -> str:
    """Return what stands before a version in its tag."""
    return f"{config.name}/" if config.name else ""


def read_ledger(root: Path, config: Config, *, offline: bool) -> Told | Unseen:
    """Return the ledger; where its remote does not answer, what this clone saw last, and nothing where it saw none."""
    branch = ledger_branch(root, config.name, offline=offline)
    try:
        return _told(branch, old=offline and branch.remote is not None)
    except Unavailable as error:
        why = error.findings[0]
    if append_only.seen(branch) is None and append_only.unpushed(replace(branch, offline=True), None) is None:
        return Unseen(why.message, why.todo)
    return _told(replace(branch, offline=True), old=True)


def _told(branch: Branch, *, old: bool) -> Told | Unseen:
    if old and append_only.seen(branch) is None and append_only.unpushed(branch, None) is None:
        return Unseen("this clone has not read it yet", "run `modelrelease ledger verify`")
    ledger, findings = inspect_ledger(branch)
    return Told(ledger.events, ledger.state, tuple(findings), old)


def check_hub(config: Config, outside: Surroundings | None) -> Iterator[Check]:
    """Yield how the Hub's repository stands; nothing where releases go elsewhere. ``outside``: None to ask nobody."""
    if not config.release.target.startswith(HUB):
        return
    name = repository_of(config.release.target)
    yield _repository(name, config, outside)
    page = f"https://huggingface.co/{name}/settings"
    why = "the Hub tells nobody whom a repository trusts, nor what a job's token may do"
    yield _HUB.unseen("publishing rights", Unseen(why, f"look at {page}, Trusted publishers; see docs/doctor.md"))


def _repository(name: str, config: Config, outside: Surroundings | None) -> Check:
    from modelrelease.release.targets.hub_client import HubClient
    from modelrelease.release.targets.hub_failures import NotAllowed
    from modelrelease.release.targets.patience import Patience

    title, stage = f"repository {name}", config.release.stage
    if outside is None:
        return _HUB.unseen(title, Unseen("nobody was asked", "run it without `--offline`"))
    patience = Patience(outside.sleep, outside.jitter, outside.tell, left=MAX_WAIT)
    try:
        server = (outside.endpoint, outside.token, patience, outside.timeout, outside.identity)
        refs = HubClient(name, *server).refs()
    except ModuleNotFoundError:
        return _HUB.unseen(title, Unseen("huggingface_hub is not installed", "install `modelrelease[hub]`"))
    except NotAllowed as error:
        first = error.findings[0]
        why = f"it does not exist, or is not shown to this token: {first.message}"
        return _HUB.unseen(title, Unseen(why, f"create {name} on the Hub, or set HF_TOKEN to a token that may read it"))
    except Unavailable as error:
        return _HUB.unseen(title, Unseen(error.findings[0].message, error.findings[0].todo))
    live = f"stage {stage} is there" if stage in refs.branches else f"stage {stage} comes with the first release"
    released = sum(version_key(tag) is not None for tag in refs.tags)
    return _HUB.ok(title, f"can be read; {live}; {released} version{'' if released == 1 else 's'}")
