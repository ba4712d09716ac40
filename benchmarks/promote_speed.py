#!/usr/bin/env python3
"""What `promote` and `rollback` cost as commands, beside plain huggingface_hub, measured in one run.

Three versions lead a life on a local Hub, each command a process of its own, from Python's start to the ledger's
receipt: the first release (on an empty Hub), other weights, and only another prompt; then the stage goes back, to other
prompts and to other weights, and forward again. `promote` reads what another job has scored. Beside each release the
same folder is uploaded by `create_commit` and by `upload_folder`, whole processes too, to Hubs with the same life.

Then a model of a few megabytes leads that life: the difference is what grows with the weights.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from fakes.hub import WRITE_TOKEN, FakeHub  # noqa: E402
from papers import write_papers  # noqa: E402
from publish_speed import QUIET, run  # noqa: E402
from releases import CARD, CONFIG  # noqa: E402
from repositories import Repository, create, rows  # noqa: E402

NAME, STAGE = "acme/bot", "production"
ONE, TWO, THREE = VERSIONS = ("model_v1.0", "model_v1.1", "model_v1.2")
WHAT = {ONE: "the first release", TWO: "other weights", THREE: "another prompt only"}
WIDTH, INNER = 512, 1408
LAYER = 2 * (4 * WIDTH**2 + 3 * WIDTH * INNER) / 1e6
"""Megabytes of one layer in bfloat16."""
# A process of ten megabytes: what is started from a larger one has its size in ru_maxrss.
TIMED = """
import os, subprocess, sys, time
begun = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
seconds = time.perf_counter() - begun
unit = 1 if sys.platform == "darwin" else 1024
print(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""
PLAIN = """
import sys
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi
what, folder, version = sys.argv[1:]
api = HfApi()
if what == "upload_folder":
    api.upload_folder(repo_id="acme/bot", folder_path=folder, commit_message=version)
else:
    files = {path.relative_to(folder).as_posix(): path for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    api.create_commit("acme/bot", [CommitOperationAdd(*file) for file in files.items()], commit_message=version)
"""
CHECKPOINT = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
from tiny_models import _ENDS, VOCABULARY, make_tokenizer
folder, layers, width, inner = sys.argv[1], *map(int, sys.argv[2:])
torch.manual_seed(1)
torch.set_default_dtype(torch.bfloat16)
heads = {"num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 256}
sizes = {"vocab_size": VOCABULARY, "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
LlamaForCausalLM(LlamaConfig(**sizes, **heads, **_ENDS, dtype="bfloat16")).save_pretrained(folder)
make_tokenizer(bos=True).save_pretrained(folder)
"""


@dataclass(frozen=True)
class Cost:
    """What one process took, its children (git) included: seconds, seconds of processor, the largest one's bytes.

    ``moved`` and ``requests`` are the Hub's bytes, received and sent, and how often it was asked.
    """

    seconds: float
    processor: float
    peak: float
    moved: int = 0
    requests: int = 0


Costs = dict[str, list[Cost]]


def timed(command: Sequence[str], hub: FakeHub, cwd: Path, home: Path) -> Cost:
    """Run a command against a Hub to its end; raise where it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "HF_", "GIT_"))}
    quiet = {f"HF_HUB_DISABLE_{name}": "1" for name in QUIET}
    mine = {"HF_ENDPOINT": hub.url, "HF_TOKEN": WRITE_TOKEN, "HF_HOME": str(home / "hf")}
    environment = {**kept, **quiet, **mine, "MODELRELEASE_CACHE": str(home / "cache")}
    os.sync()  # what others have left to be written would be waited for here
    asked, moved = len(hub.requests), hub.moved()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", TIMED, *command],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    seconds, processor, peak = map(float, done.stdout.split())
    return Cost(seconds, processor, peak, hub.moved() - moved, len(hub.requests) - asked)


def modelrelease(*arguments: str) -> list[str]:
    """Return the command, as it is installed."""
    return [sys.executable, "-m", "modelrelease", *arguments]


def plain(what: str, folder: Path, version: str) -> list[str]:
    """Return the upload of a folder by huggingface_hub alone."""
    return [sys.executable, "-W", "ignore", "-c", PLAIN, what, str(folder), version]


@dataclass
class World:
    """A remote, a clone of it for each version as each release job has one, and what was scored of each."""

    folder: Path
    _refs: dict[Path, dict[str, str]] = field(default_factory=dict)

    def clone(self, version: str) -> Path:
        """Return the clone in which a version's tag is checked out."""
        return self.folder / version

    def decided(self, version: str) -> Path:
        """Return what a scoring job has left of a version, unused."""
        out = self.folder / "decided" / version
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.folder / "scored" / version, out)
        return out

    def promotion(self, version: str) -> list[str]:
        """Return the command of the job that publishes."""
        return modelrelease("promote", version, "--decided", str(self.decided(version)))

    def keep_refs(self) -> None:
        """Let this be what every round begins with."""
        for root in self._repositories():
            self._refs[root] = self._shown(root)

    def restore_refs(self) -> None:
        """Take back what a round has written to git: the ledger."""
        for root in self._repositories():
            for ref in self._shown(root).keys() - self._refs[root].keys():
                git(root, "update-ref", "-d", ref)
            assert self._shown(root) == self._refs[root]

    def _repositories(self) -> list[Path]:
        return [self.folder / "remote.git", *(self.clone(version) for version in VERSIONS)]

    def _shown(self, root: Path) -> dict[str, str]:
        lines = git(root, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split() for line in lines)  # type: ignore[misc]


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person does."""
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_checkpoint(folder: Path, megabytes: int) -> Path:
    """Make a Llama of that size with random weights and a tiny vocabulary."""
    layers = str(max(1, round(megabytes / LAYER)))
    command = [sys.executable, "-W", "ignore", "-c", CHECKPOINT, str(folder), layers, str(WIDTH), str(INNER)]
    subprocess.run(command, cwd=HERE.parent / "tests", check=True, capture_output=True)
    return folder


def train_on(checkpoint: Path, into: Path) -> Path:
    """Copy a checkpoint and change one weight by its last bit: all of it has to be published again."""
    shutil.copytree(checkpoint, into)
    with (into / "model.safetensors").open("r+b") as stream:
        begin = 8 + int.from_bytes(stream.read(8), "little")
        stream.seek(begin)
        (byte,) = stream.read(1)
        stream.seek(begin)
        stream.write(bytes((byte ^ 1,)))
    return into


def build(root: Path, checkpoint: Path, items: int) -> World:
    """Commit and tag three versions, push them, and clone each."""
    repository = create(root / "made")
    git(repository.root, "config", "core.looseCompression", "0")  # weights do not become smaller
    repository.write("modelrelease.yaml", CONFIG.replace("TARGET", f"hf://{NAME}"))
    repository.write_rows(rows(items))
    repository.commit("Begin")
    add_version(repository, ONE, checkpoint)
    add_version(repository, TWO, train_on(checkpoint, root / "trained"), parent=ONE)
    shutil.rmtree(root / "trained")
    repository.replace("prompts/say.txt", "Say", "Please say")
    folder = repository.root / "models" / THREE
    write_papers(folder, repository.root / "models" / TWO / "checkpoint", parent=TWO, same_as=TWO)
    finish_version(repository, THREE)
    git(root, "clone", "--quiet", "--bare", "made", "remote.git")
    shutil.rmtree(repository.root)
    for version in VERSIONS:
        git(root, "clone", "--quiet", "--no-checkout", "remote.git", version)
        git(root / version, "checkout", "--quiet", "--detach", f"refs/tags/{version}")
    return World(root)


def add_version(repository: Repository, version: str, checkpoint: Path, parent: str | None = None) -> None:
    """Commit and tag a version with weights of its own."""
    repository.add_version(f"models/{version}", checkpoint)
    write_papers(repository.root / "models" / version, checkpoint, parent=parent)
    finish_version(repository, version)


def finish_version(repository: Repository, version: str) -> None:
    """Add the card, commit and tag."""
    repository.write(f"models/{version}/README.md", CARD)
    repository.commit(f"Add {version}")
    repository.git("tag", version)


def score(world: World, home: Path) -> None:
    """Score and decide each version, and release it, so that the next is decided against it; keep what was scored.

    What was published is put together as the folders that are uploaded beside: ``plain/VERSION``.
    """
    world.keep_refs()
    with FakeHub(world.folder / "hub") as hub:
        hub.repository(NAME)
        for version in VERSIONS:
            out, clone = world.folder / "scored" / version, world.clone(version)
            decide = modelrelease("promote", version, "--decide", "--out", str(out), "--device", "cpu")
            timed(decide, hub, clone, home)
            timed(world.promotion(version), hub, clone, home)
            folder = world.folder / "plain" / version
            shutil.copytree(world.folder / "decided" / version / "release", folder)
            weights = clone / "models" / (TWO if version == THREE else version) / "checkpoint"
            for path in weights.iterdir():
                if not (folder / path.name).exists():
                    shutil.copyfile(path, folder / path.name)  # a link would make git look at all of it again
            tree = hub.repository(NAME).tree(hub.repository(NAME).refs()[f"refs/tags/{version}"])
            published = {one.path for one in tree if not one.folder} - {".gitattributes"}
            assert published == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    shutil.rmtree(world.folder / "hub")
    world.restore_refs()


@contextmanager
def hubs(folder: Path, names: Sequence[str]) -> Iterator[dict[str, FakeHub]]:
    """Run empty local Hubs; what was asked of them that no Hub has is an error."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(FakeHub(folder / name)) for name in names}
        for hub in found.values():
            hub.repository(NAME)
        yield found
        for hub in found.values():
            assert hub.problems == []
    shutil.rmtree(folder)


PEERS = ("create_commit", "upload_folder")


def live(world: World, home: Path, number: int, costs: dict[str, Costs], stages: list[tuple[float, ...]]) -> None:
    """Lead one life on fresh Hubs, and note what everything cost. Who comes first changes with ``number``."""
    with hubs(world.folder / "hubs", ("promote", *PEERS)) as found:
        for version in VERSIONS:
            commands = {"promote": world.promotion(version)}
            commands |= {what: plain(what, world.folder / "plain" / version, version) for what in PEERS}
            order = [*commands] if number % 2 == 0 else [*reversed(commands)]
            for what in order:
                cost = timed(commands[what], found[what], world.clone(version), home)
                costs[version].setdefault(what, []).append(cost)
        hub, clone = found["promote"], world.clone(THREE)
        for name, command in MOVES.items():
            costs["moves"].setdefault(name, []).append(timed(modelrelease(*command), hub, clone, home))
        stages.append(run("stage", hub.url, WRITE_TOKEN, str(clone), "-")[:-1])
    world.restore_refs()


REASON = ("--reason", "Answers in German are cut off")
MOVES = {
    "rollback to other prompts": ("rollback", "--to", TWO, *REASON),
    "rollback to other weights": ("rollback", "--to", ONE, *REASON),
    "forward again (promote)": ("promote", THREE),
}


def print_releases(costs: dict[str, Costs]) -> None:
    """Print what each release cost beside plain uploads."""
    print("| release | | seconds | of create_commit | processor | peak memory | bytes with the Hub |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for version in VERSIONS:
        base = least(costs[version]["create_commit"]).seconds
        for what, found in costs[version].items():
            best = least(found)
            shown = f"{best.seconds:.2f} | {best.seconds / base:.2f} | {best.processor:.2f}"
            print(f"| {WHAT[version]} | {what} | {shown} | {best.peak / 1e6:,.0f} MB | {best.moved:,} |")


def print_moves(costs: Costs, stages: Sequence[tuple[float, ...]]) -> None:
    """Print what moving the stage cost."""
    print("\n| whole command | seconds | processor | peak memory | requests | bytes with the Hub |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, found in costs.items():
        best = least(found)
        shown = f"{best.seconds:.2f} | {best.processor:.2f} | {best.peak / 1e6:,.0f} MB"
        print(f"| {name} | {shown} | {best.requests} | {best.moved:,} |")
    moved = min(max(times) for times in stages)
    print(f"\nIn a process that is there, what is published inspected and the stage moved: {moved:.2f} s.")


def print_growth(large: dict[str, Costs], small: dict[str, Costs], megabytes: tuple[float, float]) -> None:
    """Print what depends on the size of the weights, and what does not, of a release with other weights."""
    print(f"\n| other weights | {megabytes[1]:,.0f} MB | {megabytes[0]:,.0f} MB | what grows | of create_commit's |")
    print("| --- | ---: | ---: | ---: | ---: |")
    found = {what: (least(small[TWO][what]).seconds, least(large[TWO][what]).seconds) for what in large[TWO]}
    base = found["create_commit"][1] - found["create_commit"][0]
    for what, (few, many) in found.items():
        print(f"| {what} | {few:.2f} s | {many:.2f} s | {many - few:.2f} s | {(many - few) / base:.2f} |")


def least(found: Sequence[Cost]) -> Cost:
    """Return the least time and processor time, since what a busy machine adds is not ours, and the largest peak."""
    seconds, processor = min(one.seconds for one in found), min(one.processor for one in found)
    return Cost(seconds, processor, max(one.peak for one in found), found[-1].moved, found[-1].requests)


def measure(checkpoint: Path, root: Path, items: int, rounds: int) -> tuple[dict[str, Costs], list[tuple[float, ...]]]:
    """Lead the lives of a checkpoint's versions; return what each command cost, by version or ``moves``, and stages."""
    (root / "world").mkdir(parents=True)
    world = build(root / "world", checkpoint, items)
    score(world, root / "home")
    costs: dict[str, Costs] = {key: {} for key in (*VERSIONS, "moves")}
    stages: list[tuple[float, ...]] = []
    for number in range(rounds):
        live(world, root / "home", number, costs, stages)
    shutil.rmtree(root)
    return costs, stages


def size_of(folder: Path) -> float:
    """Return the megabytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=270)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=16, help="rows of the test set")
    parser.add_argument("--checkpoint", type=Path, help="a real folder instead of a model with random weights")
    parser.add_argument("--alone", action="store_true", help="without the small model, so without what grows")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = arguments.checkpoint or make_checkpoint(folder / "large", arguments.megabytes)
        print(f"{size_of(large):,.0f} MB, {arguments.rounds} rounds, the least of each\n", flush=True)
        costs, stages = measure(large, folder / "one", arguments.items, arguments.rounds)
        print_releases(costs)
        print_moves(costs["moves"], stages)
        if arguments.alone:
            return 0
        small = make_checkpoint(folder / "small", 1)
        few, _ = measure(small, folder / "other", arguments.items, arguments.rounds)
        print_growth(costs, few, (size_of(large), size_of(small)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
