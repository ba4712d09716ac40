"""A local GitHub for tests: stateful, held to GitHub's own description of its API, and able to fail on order.

In a test::

    with FakeGitHub() as github:
        add_pull(github.repository("acme/bot"), 7, head_sha)
        …
        assert github.problems == []

As a process of its own, for runs under act: ``python -m fakes.github --state state.json`` prints its address;
``/_fake/state``, ``/_fake/faults``, ``/_fake/requests`` and ``/_fake/problems`` read and set the rest.
"""

from fakes.github.server import FakeGitHub, Request
from fakes.github.state import (
    BOT_ID,
    JOB_TOKEN,
    PERSON_TOKEN,
    User,
    add_comment,
    add_commit,
    add_issue,
    add_pull,
    add_review,
)

__all__ = [
    "BOT_ID",
    "JOB_TOKEN",
    "PERSON_TOKEN",
    "FakeGitHub",
    "Request",
    "User",
    "add_comment",
    "add_commit",
    "add_issue",
    "add_pull",
    "add_review",
]
