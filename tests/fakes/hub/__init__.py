"""A local Hugging Face Hub for tests: bare git repositories behind HTTP, and able to fail on order.

In a test::

    with FakeHub(tmp_path / "hub") as hub:
        hub.repository("acme/bot")
        api = HfApi(endpoint=hub.url, token=WRITE_TOKEN)
        …
        assert hub.problems == []

What huggingface_hub reads at import (``HF_HUB_DISABLE_XET`` and the like) has to be set before it is imported;
tests/conftest.py does. Weights are kept as files on disk and never held in memory.
"""

from fakes.hub.auth import EXPIRED_TOKEN, JOB_IDENTITY, READ_TOKEN, WRITE_TOKEN, Token
from fakes.hub.faults import Fault, error
from fakes.hub.server import FakeHub, Request

__all__ = [
    "EXPIRED_TOKEN",
    "JOB_IDENTITY",
    "READ_TOKEN",
    "WRITE_TOKEN",
    "FakeHub",
    "Fault",
    "Request",
    "Token",
    "error",
]
