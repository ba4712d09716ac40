"""Whether a checkpoint folder may be published: the policy on all of its files, and every weight a finite number."""

from __future__ import annotations

from pathlib import Path

from modelrelease.errors import Finding
from modelrelease.records.checkpoint_policy.judge import judge, refuse
from modelrelease.records.checkpoints import all_files, contents_of
from modelrelease.records.finite import find_not_finite


def refuse_unpublishable(folder: Path) -> None:
    """Raise InvalidInput (exit 2) where a file in ``folder`` is malformed, Refused (exit 1) where one is not published.

    ``folder``: a checkpoint, or a version as it is about to be published. All weights are read once, at several
    gigabytes a second. What a Trainer left is refused too (MR417): nobody publishes it.
    """
    paths = all_files(folder)
    judged = judge(contents_of(paths), "publishable")
    findings: list[Finding] = list(judged.findings)
    for name, header in judged.headers.items():
        findings += find_not_finite(paths[name], header, paths[name])
    refuse(findings)
