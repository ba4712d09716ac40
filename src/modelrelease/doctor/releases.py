"""Tags, the ledger and GitHub's releases, held against each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from modelrelease.doctor.section import Section
from modelrelease.errors import Finding
from modelrelease.numbers import show_few
from modelrelease.records.diagnosis import Check
from modelrelease.records.ledger import Event
from modelrelease.records.repository_settings import Unseen
from modelrelease.release.ledger.state import State
from modelrelease.release.versions import sorted_versions

_HERE = Section("releases")
_FEW = 4


@dataclass(frozen=True)
class Told:
    """The ledger as it was read, what its events add up to, and what is wrong with it.

    ``old``: it is what this clone saw last, since nobody was asked or nobody answered.
    """

    events: tuple[Event, ...]
    state: State
    findings: tuple[Finding, ...]
    old: bool


@dataclass(frozen=True)
class Plan:
    """What is to be released. ``tags``: the commit of every version's tag in this clone, by version.

    ``versions``: the version folders that are there; ``prefix``: what stands before a version in its tag.
    """

    target: str
    bootstrap: str | None
    versions: tuple[str, ...]
    tags: Mapping[str, str]
    prefix: str


def check_releases(plan: Plan, ledger: Told | Unseen, github: frozenset[str] | Unseen | None) -> Iterator[Check]:
    """Yield how tags, ledger and releases agree; ``github``: the tags of releases there, None where nobody knows."""
    if isinstance(ledger, Unseen):
        yield _HERE.unseen("ledger", ledger)
        yield _HERE.unseen("bootstrap", ledger)
        yield _HERE.unseen("tags", ledger)
        return
    yield _ledger(ledger)
    if ledger.findings:
        return
    yield _bootstrap(plan, ledger.state)
    yield from _tags(plan, ledger)
    if isinstance(github, Unseen):
        yield _HERE.unseen("GitHub releases", github)
    elif github is not None:
        yield _on_github(plan, ledger.state, github)


def _ledger(ledger: Told) -> Check:
    if ledger.findings:
        return _HERE.finding("ledger", ledger.findings[0], len(ledger.findings) - 1)
    count = f"{len(ledger.events):,} event{'' if len(ledger.events) == 1 else 's'}, whole"
    return _HERE.ok("ledger", count + (", as this clone saw it last" if ledger.old else ""))


def _bootstrap(plan: Plan, state: State) -> Check:
    name = "bootstrap"
    if released := _released(plan, state):
        return _HERE.ok(name, f"not needed any more: {show_few(list(released), _FEW)} released at {plan.target}")
    if plan.bootstrap is None:
        newest = plan.versions[-1] if plan.versions else "model_v1.0"
        step = f"add `bootstrap: {newest}` under `release` in modelrelease.yaml, on the default branch"
        return _HERE.todo(name, "nothing is released yet, and the first release would be blocked", step)
    if plan.bootstrap not in plan.versions:
        step = f"name a version that is there: {show_few(list(plan.versions), _FEW)}" if plan.versions else "add it"
        return _HERE.todo(name, f"`release.bootstrap` names {plan.bootstrap}, which is no version here", step)
    return _HERE.ok(name, f"{plan.bootstrap} is to be the first release")


def _tags(plan: Plan, ledger: Told) -> Iterator[Check]:
    state, commits = ledger.state, _commits(plan, ledger)
    released = _released(plan, state)
    ended = {version for version in plan.tags if state.revocation(version) is not None}
    unreleased = [version for version in sorted_versions(plan.tags) if version not in ended | released.keys()]
    untagged = [version for version in released if version not in plan.tags]
    moved = [version for version, commit in commits.items() if plan.tags.get(version, commit) != commit]
    if unreleased:
        says = f"tags without a release: {_named(plan, unreleased)}"
        yield _HERE.todo("tags", says, f"run `modelrelease promote {unreleased[0]}`, or remove the tag")
    if untagged:
        commit = commits.get(untagged[0])
        again = f", or set it again: `git tag {plan.prefix}{untagged[0]} {commit}`" if commit else ""
        says = f"releases without a tag in this clone: {_named(plan, untagged)}"
        yield _HERE.todo("tags", says, f"run `git fetch --tags`{again}")
    if moved:
        step = f"find out who moved it; `git tag --force {plan.prefix}{moved[0]} {commits[moved[0]]}` puts it back"
        yield _HERE.todo("tags", f"tags that name another commit than was released: {_named(plan, moved)}", step)
    if not (unreleased or untagged or moved):
        yield _HERE.ok("tags", "every release has its tag at the recorded commit, and every tag its release")
    if begun := [version for (target, version) in state.open if target == plan.target and version not in released]:
        step = f"run `modelrelease promote {begun[0]}` again, which completes it"
        yield _HERE.todo(
            "begun releases", f"announced, and not completed: {show_few(sorted_versions(begun), _FEW)}", step
        )


def _on_github(plan: Plan, state: State, found: frozenset[str]) -> Check:
    released, name = _released(plan, state), "GitHub releases"
    missing = [version for version in released if f"{plan.prefix}{version}" not in found]
    there = sorted_versions(tag.removeprefix(plan.prefix) for tag in found if tag.startswith(plan.prefix))
    if missing:
        says = f"released, without a release on GitHub: {_named(plan, missing)}"
        return _HERE.todo(name, says, f"run `modelrelease promote {missing[0]}` again, which completes it")
    if unknown := [version for version in there if version not in released]:
        says = f"releases on GitHub that the ledger does not know: {_named(plan, unknown)}"
        return _HERE.todo(name, says, f"run `modelrelease promote {unknown[0]}`, or remove the release")
    return _HERE.ok(name, f"{len(released)}, as the ledger says")


def _released(plan: Plan, state: State) -> dict[str, Event]:
    found = {version: event for (target, version), event in state.released.items() if target == plan.target}
    return {version: found[version] for version in sorted_versions(found)}


def _commits(plan: Plan, ledger: Told) -> dict[str, str]:
    """The commit that the intent of each release names."""
    intents = {event.sequence: event.release for event in ledger.events}
    receipts = {version: event.receipt for version, event in _released(plan, ledger.state).items()}
    facts = {version: intents.get(receipt.intent) for version, receipt in receipts.items() if receipt is not None}
    return {version: release.git_sha for version, release in facts.items() if release is not None}


def _named(plan: Plan, versions: list[str]) -> str:
    return show_few([f"{plan.prefix}{version}" for version in versions], _FEW)
