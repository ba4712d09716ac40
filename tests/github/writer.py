"""One run that posts its comment, as a process of its own: ``python writer.py URL TOKEN RUN SETTLE``."""

from __future__ import annotations

import sys
import time

from modelrelease.github.client import Client
from modelrelease.github.comments import BOT_ID, Marker, Mine, Run
from modelrelease.github.patience import Patience
from modelrelease.github.sticky import Posted, Thread, post


def write(url: str, token: str, run: int, settle: float) -> Posted:
    """Post run ``run``'s report under pull request 7 of acme/bot, without pauses between requests."""
    patience = Patience(time.sleep, time.time, lambda _: None)
    thread = Thread(Client(url, token, patience, pause=0), "acme/bot", 7)
    mine = Mine(Marker(None, Run(run, 1), "a" * 40), f"report of {run}", BOT_ID)
    return post(thread, mine, time.sleep, lambda _: None, settle=settle)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(write(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])).outcome)
