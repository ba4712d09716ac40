"""Run the local GitHub until it is told to stop: ``python -m fakes.github --state FILE``, from tests/."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from fakes.github.server import FakeGitHub
from fakes.github.state import world_of


def main() -> None:
    """Start, print the address, and wait for SIGTERM or SIGINT; with ``--state`` the world is written back then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--state", type=Path, help="JSON: what is there at first, and where it is written at the end")
    parser.add_argument("--socket", type=Path, help="a socket file to answer on too, for gh")
    arguments = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    seeded = arguments.state is not None and arguments.state.exists()
    world = world_of(json.loads(arguments.state.read_text("utf-8")) if seeded else {})
    with FakeGitHub(world, arguments.port) as github:
        if arguments.socket is not None:
            github.listen_on(arguments.socket)
        print(github.url, flush=True)
        stop.wait()
        if arguments.state is not None:
            arguments.state.write_text(json.dumps(github.world.plain(), indent=2), "utf-8")


if __name__ == "__main__":
    main()
