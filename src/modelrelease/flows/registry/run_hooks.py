"""One hook, or all of them, over what is staged, pushed or, where nothing is, everything."""

from __future__ import annotations

from modelrelease.errors import Finding
from modelrelease.flows.registry.hooks import HOOKS, Changes, dataset_rows
from modelrelease.flows.registry.scope import Scope, nothing_governed


def run_hook(name: str, scope: Scope, leakage_against: str | None = None) -> list[str]:
    """Run a hook and return what is worth a word though it passes.

    Raises Refused (exit 1) or InvalidInput (exit 2) with every finding.
    """
    findings: dict[Finding, None] = {}
    everything = not scope.deltas and scope.range is None
    changes = Changes(scope, everything=everything)
    if name in ("change-metadata", "modelrelease"):
        findings.update(dict.fromkeys(_change_metadata(changes, read_rows=name == "modelrelease")))
    for own, check in HOOKS.items():
        if name in (own, "modelrelease"):
            found = dataset_rows(changes, leakage_against) if check is dataset_rows else check(changes)
            findings.update(dict.fromkeys(found))
    if not findings:
        return changes.notes
    from modelrelease.flows.registry.check import verdict

    raise verdict(list(findings))


def _change_metadata(changes: Changes, *, read_rows: bool) -> list[Finding]:
    """Apply the rule; ``read_rows``: judge the rows of datasets in the same pass."""
    scope = changes.scope
    if not changes.everything and nothing_governed(scope):
        return []
    from modelrelease.flows.registry.check import check_changes, today

    if not changes.everything:
        reader = None
        if read_rows and any(path.lower().endswith(".jsonl") for path in changes.governed()):
            from modelrelease.flows.registry.dataset_rows import RowReader

            reader = RowReader(changes)
        return check_changes(scope, today(), reader).findings
    from modelrelease.flows.registry.standing import check_index

    return check_index(scope, today()).findings
