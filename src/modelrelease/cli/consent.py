"""What a promotion takes from GitHub and leaves there: who approved this run, and the release of the tag.

Both only in a job, where GitHub says which run and repository it is; elsewhere nobody can approve, and nothing is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelrelease import settings

if TYPE_CHECKING:
    from modelrelease.flows.release.subject import Subject
    from modelrelease.github.client import Client
    from modelrelease.records.announcement import Announcement
    from modelrelease.records.ledger import Approval
    from modelrelease.settings import GitHubEnvironment


def approvals_of(subject: Subject, environment: str | None) -> tuple[Approval, ...]:
    """Return the answers to this run, as the policy counts them; Refused (MR743) where it asks for one more.

    ``environment`` is the one that the job runs in. Raises Unavailable (exit 3) where GitHub does not say.
    """
    from modelrelease.errors import Refused
    from modelrelease.release.approval import judge_approvals, lacking

    policy, here = subject.grounds.config.release.approval, settings.github_environment()
    approvals: tuple[Approval, ...] = ()
    run = _run_of(here)
    if run is not None and here.repository is not None:
        from modelrelease.cli.on_github import client_of
        from modelrelease.github.approvals import authors_of, reviews_of

        client = client_of(here)
        reviews = reviews_of(client, here.repository, run)
        authors = authors_of(client, here.repository, _commits(subject)) if policy == "other" else ()
        approvals = judge_approvals(policy, reviews, authors, environment)
    if (finding := lacking(policy, approvals, environment)) is not None:
        raise Refused(finding)
    return approvals


def refuse_taken_on_github(announcement: Announcement) -> None:
    """Raise where GitHub has the tag elsewhere or a release of it that is not ours: before anything is announced.

    Refused (MR741, MR742), Unavailable (exit 3) where GitHub does not say; outside of a job nothing is asked.
    """
    place = _place()
    if place is not None:
        from modelrelease.github.releases import refuse_taken

        refuse_taken(*place, announcement)


def announce_on_github(announcement: Announcement) -> str | None:
    """Make the GitHub release of the version's tag, once, and return its address; None outside of a job."""
    place = _place()
    if place is None:
        return None
    from modelrelease.cli.on_github import sleep, tell
    from modelrelease.github.releases import announce

    return announce(*place, announcement, sleep, tell)


def _place() -> tuple[Client, str] | None:
    """Return GitHub's client and the repository of the job that this is."""
    here = settings.github_environment()
    if _run_of(here) is None or here.repository is None:
        return None
    from modelrelease.cli.on_github import client_of

    return client_of(here), here.repository


def _run_of(here: GitHubEnvironment) -> int | None:
    text = here.run_id or ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _commits(subject: Subject) -> list[str]:
    """The tag's commit, and the last one that touched the version: a merge's author is whoever merged."""
    from modelrelease import git

    tagged = subject.tree.commit
    changed = git.last_change(subject.tree.root, tagged, subject.folder)
    return list(dict.fromkeys([tagged, changed or tagged]))
