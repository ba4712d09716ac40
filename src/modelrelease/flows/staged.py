"""Which version the ledger names as live, as this clone knows it: a pull request waits for no server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelrelease.errors import ModelreleaseError
from modelrelease.flows.ledger import known_ledger
from modelrelease.records.config import Config


@dataclass(frozen=True)
class Staged:
    """``version`` is what the newest event of the stage names, None where nothing is released to it.

    ``warning`` says why a ledger that is here was not believed.
    """

    version: str | None = None
    warning: str | None = None


def staged_version(root: Path, config: Config) -> Staged:
    """Return what the stage of ``config`` names, by the ledger as far as this clone has it; no remote is asked.

    A ledger that is not whole is warned of and not believed: it stops releases, and no pull request.
    """
    try:
        ledger, findings = known_ledger(root, config.name)
    except ModelreleaseError as error:
        return Staged(warning=_not_believed(str(error.findings[0])))
    if findings:
        return Staged(warning=_not_believed(str(findings[0])))
    return Staged(ledger.state.live_version(config.release.target, config.release.stage))


def _not_believed(why: str) -> str:
    return f"the ledger is not asked what is live, since it is not whole; see `modelrelease ledger verify`: {why}"
