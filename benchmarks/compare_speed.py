#!/usr/bin/env python3
"""How long `modelrelease compare` takes, beside reading the same samples with Python's own json.

Two evaluations of a generation task are made: `exact_match` flips on a tenth of the items, `f1` differs on all. Both
programs run in processes of their own, in turns; what counts is processor time without imports, the least of all
rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelrelease import __version__
from modelrelease.records.canonical import canonical_json
from modelrelease.records.evaluation import (
    SAMPLES_FILE,
    SCORER_VERSION,
    Engine,
    Environment,
    Evaluation,
    Flags,
    MetricResult,
    Model,
    Provenance,
    SamplesFile,
    ScoredSuite,
    ScoredTask,
    Tool,
)
from modelrelease.stats import mean_interval, stderr

POLICY = "schema_version: 1\ngate:\n  metrics:\n    text/*: {margin: 0.02}\n"
_MEASURE = """
import json, pathlib, sys, time
sys.stdout = open({nowhere!r}, "w")
{imports}
started = time.process_time()
{work}
seconds = time.process_time() - started
status = pathlib.Path("/proc/self/status")  # getrusage would count what the parent process held
lines = status.read_text().splitlines() if status.exists() else []
peak = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
sys.stderr.write(json.dumps([seconds, peak]))
"""
_COMPARE_IMPORTS = """
import scipy.special, tabulate
import modelrelease.comparison.compare, modelrelease.flows.compare, modelrelease.flows.texts
import modelrelease.reports.markdown, modelrelease.reports.terminal
from modelrelease.cli.main import main
"""
_COMPARE = 'main(["compare", "a", "b", "--config", "modelrelease.yaml"])'
_PLAIN = f"""
for side in "ab":
    with open(side + "/{SAMPLES_FILE}", encoding="utf-8") as lines:
        for line in lines:
            json.loads(line)
"""


@dataclass(frozen=True)
class Run:
    """Processor time in seconds, and the largest resident memory in bytes (0 where the system does not tell)."""

    seconds: float
    peak: int


def main(argv: Sequence[str] | None = None) -> int:
    """Print both programs' time and memory, and the ratio of the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "modelrelease.yaml").write_text(POLICY, "utf-8")
        for side in "ab":
            write_evaluation(folder / side, side, arguments.items)
        rounds = [(measure(folder, "", _PLAIN), measure(folder, _COMPARE_IMPORTS, _COMPARE)) for _ in _times(arguments)]
    plain, compare = (min((pair[n] for pair in rounds), key=lambda run: run.seconds) for n in (0, 1))
    print(f"{arguments.items:,} items on each side\n")
    print("| | seconds | peak memory |\n| --- | ---: | ---: |")
    print(f"| json, line by line | {plain.seconds:.2f} | {plain.peak / 1e6:,.0f} MB |")
    print(f"| `modelrelease compare` | {compare.seconds:.2f} | {compare.peak / 1e6:,.0f} MB |")
    print(f"\nratio: {compare.seconds / plain.seconds:.2f}")
    return 0


def _times(arguments: argparse.Namespace) -> range:
    return range(max(1, arguments.rounds))


def measure(folder: Path, imports: str, work: str) -> Run:
    """Run ``work`` in a process of its own, in ``folder``; what it imports first does not count."""
    program = _MEASURE.format(nowhere="/dev/null", imports=imports, work=work)
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    seconds, peak = json.loads(done.stderr)
    return Run(seconds, peak)


def write_evaluation(folder: Path, side: str, items: int) -> None:
    """Write eval.json and samples.jsonl of one side, ``a`` or ``b``."""
    scores = list(_scores(side, items))
    lines = (canonical_json(_sample(side, number, *pair)) + "\n" for number, pair in enumerate(scores))
    data = "".join(lines).encode("utf-8")
    evaluation = _evaluation(side, data, scores)
    folder.mkdir(parents=True)
    (folder / SAMPLES_FILE).write_bytes(data)
    (folder / "eval.json").write_bytes(evaluation.to_bytes())


def _scores(side: str, items: int) -> Iterator[tuple[float, float]]:
    """Yield exact_match and f1: a tenth of the first flips between the sides, all of the second differ."""
    for number in range(items):
        right, flips, level, own = (_share(f"{what} {number}") for what in ("right", "flips", "level", side))
        yield float((right < 0.7) ^ (flips < 0.1 and side == "b")), 0.9 * level + 0.1 * own


def _share(text: str) -> float:
    """Return a number from 0 to 1 that looks random and is the same in every run."""
    return int(_sha(text)[:13], 16) / 16**13


def _sample(side: str, number: int, exact_match: float, f1: float) -> dict[str, object]:
    answer = f"The answer of {side} to question {number} is {f1:.6f}."
    return {
        "task": "text",
        "item_id": str(number),
        "item_digest": _sha(f"item {number}"),
        "cluster": None,
        "slices": {"category": f"category {number % 10}"},
        "repeat": 0,
        "scores": {"exact_match": exact_match, "f1": f1},
        "output": answer,
        "prediction": answer,
        "target": f"The answer to question {number}.",
        "loglikelihoods": [],
        "greedy": [],
        "prompt_tokens": 40,
        "input_digest": _sha(f"input {number}"),
        "truncated": False,
        "boundary_mismatch": False,
        "tie": False,
        "error": None,
    }


def _evaluation(side: str, data: bytes, scores: Sequence[tuple[float, float]]) -> Evaluation:
    task = ScoredTask(
        name="text",
        kind="generate",
        digest=_sha("task"),
        dataset="datasets/text.jsonl",
        dataset_digest=_sha("dataset"),
        prompt_digest=_sha("prompt"),
        items=len(scores),
        path_taken="generate",
    )
    return Evaluation(
        scorer_version=SCORER_VERSION,
        tool=Tool(version=__version__),
        model=Model(
            version=None,
            digest=_sha(side),
            files=(),
            tokenizer_digest=_sha("tokenizer"),
            chat_template_digest=None,
            source=side,
        ),
        suite=ScoredSuite(name="release", digest=_sha("suite"), tasks=(task,)),
        engine=Engine(
            name="transformers",
            dtype="float32",
            device="cpu",
            attention="sdpa",
            batch_tokens=2048,
            batch_plan_digest=_sha("plan"),
            deterministic=True,
            seed=0,
            allow_truncation=False,
            tolerance=None,
            max_length=None,
        ),
        environment=Environment(
            python="",
            torch="",
            transformers="",
            tokenizers="",
            cuda=None,
            driver=None,
            gpus=(),
            cpu="",
            machine="",
            threads=1,
            os="",
        ),
        metrics=tuple(
            _metric(name, binary, [pair[n] for pair in scores])
            for n, (name, binary) in enumerate((("exact_match", True), ("f1", False)))
        ),
        samples=SamplesFile(path=SAMPLES_FILE, sha256=hashlib.sha256(data).hexdigest(), count=len(scores)),
        flags=Flags(truncated=0, boundary_mismatch=0, ties=0, errors=0),
        provenance=Provenance(
            git_sha=None,
            dirty=None,
            started="",
            seconds=0.0,
            tokens_per_second=0.0,
            peak_memory=0,
            host="",
            run_url=None,
        ),
    )


def _metric(name: str, binary: bool, values: Sequence[float]) -> MetricResult:
    low, high = mean_interval(values, 0.95, binary=binary) or (None, None)
    return MetricResult(
        task="text",
        metric=name,
        value=math.fsum(values) / len(values),
        stderr=stderr(values),
        ci_low=low,
        ci_high=high,
        confidence=0.95,
        method="wilson" if binary else "normal",
        n=len(values),
        binary=binary,
        range=(0.0, 1.0),
        higher_is_better=True,
        version=1,
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
