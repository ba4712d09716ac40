"""What a pull request asks to be compared with what, and by which rule: what ``modelrelease resolve`` prints."""

from __future__ import annotations

from typing import Literal

from modelrelease.records.base import Document, Part

Rule = Literal["new-version", "changed-checkpoint", "changed-inputs", "not-needed"]
LiveRule = Literal["input", "ledger", "highest-version", "none"]


class ChangedInput(Part):
    """A file whose content decides numbers or verdicts and differs between merge-base and head.

    ``detail`` says how, where more can be said than that it did: ``1 row changed, 2 added``.
    """

    path: str
    what: Literal["suite", "prompt", "dataset", "policy"]
    detail: str | None = None


class Resolution(Document):
    """Candidate and baseline. Both are version folders relative to the repository's root.

    ``candidate`` is None where nothing has to be scored, ``baseline`` where nothing is live yet. Where only inputs
    changed both are the live version: the candidate with head's prompts, the baseline with the merge-base's.
    ``parent`` is the version that the candidate's model.json names, where that is another one than the baseline.
    """

    schema_version: Literal[1] = 1
    rule: Rule
    reason: str
    candidate: str | None
    baseline: str | None
    baseline_rule: LiveRule
    parent: str | None = None
    merge_base: str
    head: str
    changes: tuple[ChangedInput, ...] = ()
