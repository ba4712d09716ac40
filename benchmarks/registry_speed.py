#!/usr/bin/env python3
"""What the registry's hook costs, as ratios of whole processes (user + system time) measured in one run.

`hooks`: one changed prompt, and a commit that touches nothing governed, beside pre-commit-hooks' check-yaml on the same
prompt. `many`: thousands of changed prompts in one call. `large`: JSONL files of growing size with 1,000 changed rows,
beside `git hash-object` on the same file; git does not compress them, since inflating is git's own cost.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAME, EMAIL = "Ada Lovelace", "ada@example.org"
CONFIG = f"schema_version: 1\nchange: {{author: {NAME}, reason: Govern prompts and test sets, date: 2026-01-01}}\n"
PROMPT = """# {number}
messages:
  - role: system
    content: |
      You answer in one sentence.
      {text}
  - role: user
    content: "Question: {{{{question}}}}"
author: {name}
reason: {reason}
date: {date}
"""
ROW = '{"id": "q%09d", "question": "%s", "answer": "It is %d."}\n'
FILLER = "Which of the following statements about the behaviour of the system is the one that holds? " * 5
CHANGED_ROWS = 1000


@dataclass(frozen=True)
class Cost:
    """User and system time in seconds, and the largest resident memory of any of the processes in bytes."""

    seconds: float
    peak: int
    code: int


def cost(command: Sequence[str], folder: Path, rounds: int = 1) -> Cost:
    """Return the least of ``rounds`` runs, all processes of the call counted."""
    return min((_cost(command, folder) for _ in range(rounds)), key=lambda run: run.seconds)


def _cost(command: Sequence[str], folder: Path) -> Cost:
    # A process of its own waits for the call, so that what is counted is this call's children and no other's.
    program = (
        "import os, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, done.returncode)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=folder, capture_output=True, check=True)
    seconds, peak, code = done.stdout.split()
    return Cost(float(seconds), int(peak), int(code))


def git(folder: Path, *arguments: str) -> None:
    """Run git."""
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def make_repository(folder: Path) -> Path:
    """Make a governed repository."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", NAME), ("user.email", EMAIL), ("core.compression", "0"), ("gc.auto", "0")):
        git(folder, "config", key, value)
    (folder / "modelrelease.yaml").write_text(CONFIG)
    (folder / "README.md").write_text("A repository.\n")
    return folder


def write_prompt(folder: Path, number: int, *, changed: bool) -> Path:
    """Write one prompt with its record."""
    place = folder / "prompts" / f"p{number:05d}.prompt.yml"
    place.parent.mkdir(exist_ok=True)
    date, reason = (
        ("2026-01-02", f"Say more, as case {number} has shown") if changed else ("2026-01-01", "Begin with it")
    )
    text = f"You say {'why' if changed else 'what'} in case {number}."
    place.write_text(PROMPT.format(number=number, text=text, name=NAME, reason=reason, date=date))
    return place


def hook() -> list[str]:
    """Return the hook's command, as pre-commit would run it."""
    return [str(Path(sys.executable).parent / "modelrelease-hook"), "modelrelease"]


def measure_hooks(folder: Path, rounds: int) -> None:
    """Print what one commit waits for."""
    make_repository(folder)
    prompt = write_prompt(folder, 1, changed=False)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    check_yaml = [str(Path(sys.executable).parent / "check-yaml"), str(prompt)]
    print("| | seconds | of check-yaml |\n| --- | ---: | ---: |")
    (folder / "README.md").write_text("Our repository.\n")
    git(folder, "add", "--all")
    nothing = [(cost(check_yaml, folder), cost(hook(), folder)) for _ in range(rounds)]
    write_prompt(folder, 1, changed=True)
    git(folder, "add", "--all")
    one = [(cost(check_yaml, folder), cost(hook(), folder)) for _ in range(rounds)]
    base = min(pair[0].seconds for pair in (*nothing, *one))
    print(f"| check-yaml on the prompt | {base:.3f} | 1.00 |")
    for name, runs in (("nothing governed", nothing), ("one changed prompt", one)):
        assert all(pair[1].code == 0 for pair in runs)
        seconds = min(pair[1].seconds for pair in runs)
        print(f"| {name} | {seconds:.3f} | {seconds / base:.2f} |")


def measure_many(folder: Path, count: int) -> None:
    """Print what ``count`` changed prompts cost in one call, and a tenth of them."""
    make_repository(folder)
    print("\n| changed prompts | seconds | peak memory |\n| ---: | ---: | ---: |")
    for number in range(count):
        write_prompt(folder, number, changed=False)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    for part in (count // 10, count):
        for number in range(part):
            write_prompt(folder, number, changed=True)
        git(folder, "add", "--all")
        run = cost(hook(), folder)
        assert run.code == 0
        print(f"| {part:,} | {run.seconds:.1f} | {run.peak / 1e6:,.0f} MB |")


def write_rows(place: Path, megabytes: int, *, changed: bool) -> int:
    """Write a JSONL file of about ``megabytes``; return its rows."""
    rows = max(CHANGED_ROWS * 2, megabytes * 1_000_000 // len(ROW % (0, FILLER, 0)))
    step = rows // CHANGED_ROWS
    with place.open("w") as stream:
        for number in range(rows):
            other = changed and number % step == step // 2 and number // step < CHANGED_ROWS
            stream.write(ROW % (number, FILLER, number + other))
    return rows


def measure_large(folder: Path, sizes: Sequence[int]) -> None:
    """Print what 1,000 changed rows cost in files of growing size."""
    print("\n| file | rows | seconds | per GB | peak memory | rate of git hash-object |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for size in sizes:
        own = make_repository(folder / str(size))
        data = own / "datasets" / "large.jsonl"
        data.parent.mkdir()
        write_rows(data, size, changed=False)
        git(own, "add", "--all")
        git(own, "commit", "--quiet", "--message", "Begin")
        rows = write_rows(data, size, changed=True)
        git(own, "add", "--all")
        stamp = [
            str(Path(sys.executable).parent / "modelrelease"),
            "stamp",
            "--reason",
            "Correct a thousand answers",
            "--add",
        ]
        subprocess.run(stamp, cwd=own, check=True, capture_output=True)
        hashed = cost(["git", "hash-object", str(data)], own)
        checked = cost(hook(), own)
        assert checked.code == 0, checked
        real = data.stat().st_size / 1e9
        ratio = hashed.seconds / checked.seconds
        print(
            f"| {real * 1000:,.0f} MB | {rows:,} | {checked.seconds:.2f} | {checked.seconds / real:.2f} | "
            f"{checked.peak / 1e6:,.0f} MB | {ratio:.2f} |",
            flush=True,
        )
        shutil.rmtree(own)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["hooks", "many", "large", []], help="default: hooks and many")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--prompts", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100, 1000, 2000], metavar="MB")
    arguments = parser.parse_args(argv)
    chosen = arguments.what or ["hooks", "many"]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a hook's environment is compiled when it is installed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "hooks" in chosen:
            measure_hooks(folder / "hooks", arguments.rounds)
        if "many" in chosen:
            measure_many(folder / "many", arguments.prompts)
        if "large" in chosen:
            measure_large(folder / "large", arguments.sizes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
