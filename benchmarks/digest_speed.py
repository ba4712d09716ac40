#!/usr/bin/env python3
"""How fast checkpoints are digested, as ratios to coreutils' `sha256sum` on the same files in the same run.

One large file; a gigabyte in eight files, digested together; the same again, remembered. The files are read once
before, so that nobody waits for the disk, and the programs take turns; what is printed is each one's best. Many builds
of `sha256sum` leave the processor's own instructions for SHA-256 alone, so `openssl dgst` stands beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from modelrelease.records.hash_memory import HashMemory
from modelrelease.records.hashing import hash_files

GIGABYTE = 1_000_000_000
PIECE = 8 << 20
PARTS = 8
LATER = 10_000_000_000
"""Nanoseconds: files that were just written are remembered here as if they had been there for a while."""


def write(place: Path, size: int) -> Path:
    """Write a file of ``size`` bytes that no file system can make small."""
    block = os.urandom(PIECE)
    with place.open("wb") as stream:
        while size > 0:
            size -= stream.write(block[: min(size, PIECE)])
    return place


def peer(*command: str) -> list[str]:
    """Return what a program that prints a line a file, the digest its first word, says of each."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [line.split()[0].removeprefix("\\") for line in done.stdout.splitlines()]


def best_of(rounds: int, *programs: Callable[[], list[str]]) -> list[float]:
    """Return each program's least wall time in seconds; they take turns, and have to agree."""
    times: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        answers = []
        for own, program in zip(times, programs, strict=True):
            start = time.perf_counter()
            answers.append(program())
            own.append(time.perf_counter() - start)
        assert all(answer == answers[0] for answer in answers), "the digests differ"
    return [min(own) for own in times]


def measure(name: str, paths: Sequence[Path], memory: HashMemory, rounds: int) -> None:
    """Print a row for hashing, and one for remembering, the same files."""
    names = [str(path) for path in paths]
    peer("sha256sum", *names)  # into the page cache
    size = sum(path.stat().st_size for path in paths)
    base, other, ours = best_of(
        rounds,
        lambda: peer("sha256sum", *names),
        lambda: peer("openssl", "dgst", "-sha256", "-r", *names),
        lambda: [sha256 for _, sha256 in hash_files(paths)],
    )
    print(
        f"| {name} | {ours:.2f} s | {size / ours / 1e6:,.0f} MB/s | {base / ours:.2f} | {other / ours:.2f} |",
        flush=True,
    )
    hash_files(paths, memory)
    base, again = best_of(
        1, lambda: peer("sha256sum", *names), lambda: [sha256 for _, sha256 in hash_files(paths, memory)]
    )
    print(f"| {name}, remembered | {again * 1000:.1f} ms | | {base / again:,.0f} | |", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of the one file")
    parser.add_argument("--parts-gigabytes", type=float, default=1.0, help="of the eight files together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files are written, and removed again")
    arguments = parser.parse_args(argv)
    print(f"{os.cpu_count()} cores\n\n| files | time | rate | of sha256sum's | of openssl's |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        memory = HashMemory(folder / "memory", now=lambda: time.time_ns() + LATER)
        size = int(arguments.gigabytes * GIGABYTE)
        one = write(folder / "one", size)
        measure(f"one of {arguments.gigabytes:g} GB", [one], memory, arguments.rounds)
        one.unlink()
        part = int(arguments.parts_gigabytes * GIGABYTE) // PARTS
        several = [write(folder / f"part{number}", part) for number in range(PARTS)]
        measure(f"{PARTS} of {arguments.parts_gigabytes:g} GB in all", several, memory, arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
