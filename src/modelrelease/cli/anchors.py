"""The ledger's heads that GitHub's releases hold: what `ledger verify` holds the ledger against, where it can ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelrelease import settings

if TYPE_CHECKING:
    from modelrelease.release.ledger.chain import Anchor


def github_anchors(name: str | None) -> Callable[[], list[Anchor]] | None:
    """Return what asks GitHub for the heads of the model ``name``; None where no repository or no token is known."""
    environment = settings.github_environment()
    repository = environment.repository
    if repository is None or environment.token is None:
        return None

    def ask() -> list[Anchor]:
        from modelrelease.cli.on_github import client_of
        from modelrelease.github.releases import anchors
        from modelrelease.release.ledger.chain import Anchor

        found = anchors(client_of(environment), repository)
        return [Anchor(where, commit) for where, commit in found if _model_of(where) == name]

    return ask


def _model_of(where: str) -> str | None:
    """Several models in one repository have a ledger each; their tags begin with the model's name."""
    tag = where.rpartition(" ")[2]
    return tag.rpartition("/")[0] or None
