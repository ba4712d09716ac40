"""Run the local Hub until it is told to stop: ``python -m fakes.hub FOLDER --repository acme/bot``, from tests/."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from fakes.hub.server import FakeHub


def main() -> None:
    """Start, print the address, and wait for SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what is there, and stays there")
    parser.add_argument("--repository", action="append", default=[], metavar="ORG/NAME", help="made where it is not")
    arguments = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with FakeHub(arguments.folder) as hub:
        for name in arguments.repository:
            hub.repository(name)
        print(hub.url, flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
