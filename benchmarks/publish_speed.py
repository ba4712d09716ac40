#!/usr/bin/env python3
"""What publishing costs beside plain huggingface_hub, as ratios measured in one run against a local Hub.

Each client is a process of its own and each upload goes to an empty Hub. `publish` plans (hashes), uploads, commits,
compares what arrived and tags; its peers only upload and commit the same folder. Then a stage is made, moved to
another version and moved back; and the same release is published into a folder, beside a copy and `sha256sum`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
TOKEN = "hf_write0123456789abcdefghijklmnopq"  # noqa: S105  the local Hub's
COMMON = """
import re, resource, sys, time
from pathlib import Path
endpoint, token, folder, version = sys.argv[1:]
folder = Path(folder)
files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}

def report(*seconds):
    # Linux counts into ru_maxrss what the process was before it became this program.
    status = Path("/proc/self/status")
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) if status.exists() else \\
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(*seconds, peak * 1024)
"""
PLAIN = """
from huggingface_hub import CommitOperationAdd, HfApi
api = HfApi(endpoint=endpoint, token=token)
api.repo_info("acme/bot")
begun = time.perf_counter()
"""
PROGRAMS = {
    "create_commit": f"""{COMMON}{PLAIN}
api.create_commit("acme/bot", [CommitOperationAdd(name, path) for name, path in files.items()], commit_message=version)
report(time.perf_counter() - begun)
""",
    "upload_folder": f"""{COMMON}{PLAIN}
api.upload_folder(repo_id="acme/bot", folder_path=folder, commit_message=version)
report(time.perf_counter() - begun)
""",
    "publish": f"""{COMMON}
from modelrelease.release.targets.address import Surroundings, open_target
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedRelease
target = open_target("hf://acme/bot", Surroundings(folder, endpoint=endpoint, token=token))
target.versions()
begun = time.perf_counter()
target.publish(PlannedRelease(version, tuple(planned_file(name, path) for name, path in files.items())))
report(time.perf_counter() - begun)
""",
    "stage": f"""{COMMON}
from modelrelease.release.targets.address import Surroundings, open_target
target = open_target("hf://acme/bot", Surroundings(folder, endpoint=endpoint, token=token))
target.versions()

def move(version):
    begun = time.perf_counter()
    target.move_stage("production", target.inspect(version), target.stage("production"))
    return time.perf_counter() - begun

report(move("model_v1.0"), move("model_v1.1"), move("model_v1.0"))
""",
    "folder": f"""{COMMON}
from modelrelease.release.targets.address import Surroundings, open_target
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedRelease
target = open_target("file://" + endpoint, Surroundings(folder))
begun = time.perf_counter()
target.publish(PlannedRelease(version, tuple(planned_file(name, path) for name, path in files.items())))
published = time.perf_counter() - begun
begun = time.perf_counter()
target.move_stage("production", target.inspect(version), target.stage("production"))
report(published, time.perf_counter() - begun)
""",
}
QUIET = ("XET", "TELEMETRY", "UPDATE_CHECK", "PROGRESS_BARS")


def run(what: str, *arguments: str) -> tuple[float, ...]:
    """Run one client; return its seconds, and last the peak of its memory in bytes."""
    quiet = {f"HF_HUB_DISABLE_{name}": "1" for name in QUIET}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAMS[what], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **quiet})
    return tuple(float(number) for number in done.stdout.split())


@contextmanager
def hub() -> Iterator[str]:
    """Run an empty local Hub in a process of its own, and return its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fakes.hub", folder, "--repository", "acme/bot"]
        server = subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def write_version(folder: Path, megabytes: int, seed: int) -> Path:
    """Write a checkpoint of one weights file with what lies around it."""
    rng = random.Random(seed)  # noqa: S311
    (folder / "prompts").mkdir(parents=True)
    with (folder / "model.safetensors").open("wb") as stream:
        for _ in range(megabytes):
            stream.write(rng.randbytes(1_000_000))
    for name, size in (("tokenizer.json", 2_000_000), ("samples.jsonl", 3_000_000), ("config.json", 700)):
        (folder / name).write_bytes(rng.randbytes(size // 2).hex().encode())
    (folder / "README.md").write_text(f"---\nlicense: apache-2.0\n---\n# Version {seed}\n")
    (folder / "prompts" / "support.prompt.yml").write_text(f"# {seed}\nmessages: []\n")
    return folder


def measure_uploads(version: Path, rounds: int) -> None:
    """Print what one publication costs, beside its peers."""
    runs: dict[str, list[tuple[float, ...]]] = {name: [] for name in ("create_commit", "upload_folder", "publish")}
    for _ in range(rounds):
        for name, found in runs.items():
            with hub() as endpoint:
                found.append(run(name, endpoint, TOKEN, str(version), "model_v1.0"))
    print("| | seconds | of create_commit | peak memory |\n| --- | ---: | ---: | ---: |")
    base = min(runs["create_commit"])[0]
    for name, found in runs.items():
        seconds, peak = min(found)[0], max(one[-1] for one in found)
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {peak / 1e6:,.0f} MB |")


def measure_stages(first: Path, second: Path) -> None:
    """Print what moving a stage costs."""
    with hub() as endpoint:
        for version, folder in (("model_v1.0", first), ("model_v1.1", second)):
            run("publish", endpoint, TOKEN, str(folder), version)
        made, moved, back, peak = run("stage", endpoint, TOKEN, str(first), "-")
    print("\n| stage on the Hub, inspected and moved | seconds |\n| --- | ---: |")
    print(f"| made | {made:.2f} |\n| moved | {moved:.2f} |\n| moved back | {back:.2f} |")
    print(f"\npeak memory {peak / 1e6:,.0f} MB")


def measure_folder(version: Path, scratch: Path) -> None:
    """Print what publishing into a folder costs, beside copying and hashing."""
    published, moved, peak = run("folder", str(scratch / "out"), TOKEN, str(version), "model_v1.0")
    program = (
        f"cp -r {version} {scratch}/copy && find {scratch}/copy -type f -exec sha256sum {{}} + && sync {scratch}/copy/*"
    )
    timed = [sys.executable, "-c", f"import subprocess, time; b = time.perf_counter(); subprocess.run({program!r}, "
             "shell=True, check=True, stdout=subprocess.DEVNULL); print(time.perf_counter() - b)"]  # fmt: skip
    peer = float(subprocess.run(timed, capture_output=True, text=True, check=True).stdout)
    print("\n| folder | seconds | of cp, sync and sha256sum | peak memory |\n| --- | ---: | ---: | ---: |")
    print(f"| published | {published:.2f} | {published / peer:.2f} | {peak / 1e6:,.0f} MB |")
    print(f"| stage moved, the version hashed | {moved:.2f} | | |")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=270)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkpoint", type=Path, help="a real folder instead of one of random weights")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = arguments.checkpoint or write_version(folder / "one", arguments.megabytes, 1)
        second = write_version(folder / "two", arguments.megabytes, 2)
        size = sum(path.stat().st_size for path in first.rglob("*") if path.is_file())
        print(f"{size / 1e6:,.0f} MB\n")
        measure_uploads(first, arguments.rounds)
        measure_stages(first, second)
        measure_folder(first, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
