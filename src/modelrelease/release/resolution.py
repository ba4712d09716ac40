"""What is compared with what: the rules, from what git says of two trees. Pure.

Source: the design's page on the gate, "What is compared with what".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid
from modelrelease.numbers import show_few
from modelrelease.records.resolution import ChangedInput, LiveRule, Resolution, Rule
from modelrelease.release.versions import sorted_versions

_SHOWN = 6


@dataclass(frozen=True)
class VersionFolder:
    """A version folder as one tree has it.

    ``weights`` stands for the content of its ``checkpoint/`` without the card, ``address`` for what model.json says
    of weights that lie elsewhere, ``record`` for its eval.json; None where there is no such thing.
    """

    weights: str | None = None
    address: str | None = None
    record: str | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the merge-base and the head of a pull request hold.

    ``models`` is the folder of version folders at the head, ``models_before`` the one at the merge-base. ``changes``:
    what the suite reaches, and the policy, where their content differs. ``wanted`` and ``chosen`` are the versions
    that a person named as candidate and as live; ``staged`` is the one that the ledger names as live.
    """

    merge_base: str
    head: str
    models: str
    models_before: str
    before: Mapping[str, VersionFolder]
    after: Mapping[str, VersionFolder]
    changes: tuple[ChangedInput, ...] = ()
    wanted: str | None = None
    chosen: str | None = None
    staged: str | None = None

    @property
    def scored_inputs(self) -> tuple[ChangedInput, ...]:
        """The changes that can change a score; the policy only decides about scores."""
        return tuple(change for change in self.changes if change.what != "policy")


def resolve(facts: Facts) -> Resolution:
    """Return candidate, baseline and the rule that chose them.

    Raises InvalidInput: MR508 where several versions are new or a named version is not there.
    """
    live, live_rule = _live(facts)
    rule, reason, candidate = _candidate(facts, live)
    parent = facts.after[candidate].parent if candidate is not None and candidate in facts.after else None
    return Resolution(
        rule=rule,
        reason=reason,
        candidate=f"{facts.models}/{candidate}" if candidate is not None else None,
        baseline=f"{facts.models_before}/{live}" if live is not None and rule != "not-needed" else None,
        baseline_rule=live_rule,
        parent=parent if parent not in {live, candidate} else None,
        merge_base=facts.merge_base,
        head=facts.head,
        changes=facts.changes,
    )


def changed_records(facts: Facts) -> list[str]:
    """Return the versions whose record at the merge-base is another one at the head, or gone, lowest first.

    Nothing here is held against such a record, but what comes later is.
    """
    kept = {name: folder.record for name, folder in facts.after.items()}
    names = (name for name, folder in facts.before.items() if folder.record not in {None, kept.get(name)})
    return sorted_versions(names)


def _candidate(facts: Facts, live: str | None) -> tuple[Rule, str, str | None]:
    added = sorted_versions(name for name in facts.after if name not in facts.before)
    changed = sorted_versions(
        name for name, folder in facts.after.items() if name in facts.before and not _same(facts.before[name], folder)
    )
    if facts.wanted is not None:
        added, changed = [n for n in added if n == facts.wanted], [n for n in changed if n == facts.wanted]
        if not added + changed:
            todo = (
                f"name one of {show_few(sorted_versions(facts.after), _SHOWN)}"
                if facts.after
                else "add a version folder"
            )
            message = "is not a version that this pull request adds or whose checkpoint it changes"
            raise invalid(facts.wanted, Code.RESOLUTION, message, todo)
    if len(added + changed) > 1:
        raise _several(facts, sorted_versions(added + changed))
    if added:
        return "new-version", f"{facts.models}/{added[0]} is new", added[0]
    if changed:
        return "changed-checkpoint", f"the checkpoint of {facts.models}/{changed[0]} has changed", changed[0]
    if facts.scored_inputs and live is not None:
        kinds = " and ".join(dict.fromkeys(change.what for change in facts.scored_inputs))
        return "changed-inputs", f"the {kinds} changed, and no version: the live one is scored again", live
    if facts.scored_inputs:
        return "not-needed", "what is asked has changed, and there is no live version to ask", None
    return "not-needed", "no version, prompt, test or suite has changed", None


def _several(facts: Facts, names: list[str]) -> InvalidInput:
    message = f"adds or changes the checkpoints of {len(names)} versions: {show_few(names, _SHOWN)}"
    return invalid(facts.models, Code.RESOLUTION, message, "name one with --candidate, or split the pull request")


def _live(facts: Facts) -> tuple[str | None, LiveRule]:
    """Return the live version: the first that exists of what a person, the ledger and the merge-base's records say."""
    if facts.chosen is not None:
        if facts.chosen not in facts.before:
            todo = f"name one of {show_few(sorted_versions(facts.before), _SHOWN)}" if facts.before else "leave it out"
            raise invalid(facts.chosen, Code.RESOLUTION, "is no version of the merge-base", todo)
        return facts.chosen, "input"
    if facts.staged is not None and facts.staged in facts.before:
        return facts.staged, "ledger"
    highest = highest_scored(facts.before)
    return (highest, "highest-version") if highest is not None else (None, "none")


def highest_scored(versions: Mapping[str, VersionFolder]) -> str | None:
    """Return the highest version that has a record, None where none has."""
    scored = sorted_versions(name for name, folder in versions.items() if folder.record is not None)
    return scored[-1] if scored else None


def _same(before: VersionFolder, after: VersionFolder) -> bool:
    """Say whether two trees' checkpoints are one; a model.json written later changes no weights."""
    if before.weights is not None and after.weights is not None:
        return before.weights == after.weights
    return (before.weights, before.address) == (after.weights, after.address)
