"""What the numbers have to be on real models and real test sets. Minutes, not seconds: `make acceptance`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import modelrelease, rows_of

pytestmark = pytest.mark.real_models

Project = Callable[[str, list[dict[str, Any]], dict[str, Any]], Path]
CHOOSE = {"kind": "multiple_choice", "choices": "choices", "target": "label", "metrics": ["acc", "acc_norm"]}


@pytest.fixture(scope="module")
def short(data: Path, project: Project) -> Path:
    rows = rows_of(data / "lm_eval_ref" / "tqa_mc1_short.jsonl")
    return project("truthfulqa", rows, {**CHOOSE, "prompt": "{{ctx}}"})


@pytest.fixture(scope="module")
def scored(short: Path, stories: Path, smollm2: Path) -> Path:
    for name, model in (("stories260k", stories), ("smollm2", smollm2)):
        modelrelease(short, "score", str(model), "--out", name)
    return short


@pytest.mark.parametrize(("name", "acc", "acc_norm"), [("smollm2", 0.32, 0.29), ("stories260k", 0.27, 0.29)])
def test_scores_agree_with_lm_evaluation_harness(
    scored: Path, data: Path, name: str, acc: float, acc_norm: float
) -> None:
    values = {m["metric"]: m["value"] for m in json.loads((scored / name / "eval.json").read_text())["metrics"]}
    assert values == {"acc": pytest.approx(acc), "acc_norm": pytest.approx(acc_norm)}
    reference = next((data / "lm_eval_ref" / name).glob("samples_tqa_mc1_short_*.jsonl"))
    theirs = {str(sample["doc"]["id"]): sample for sample in rows_of(reference)}
    largest = 0.0
    for sample in rows_of(scored / name / "samples.jsonl"):
        other = theirs[sample["item_id"]]
        expected = [float(value) for value, _ in other["filtered_resps"]]
        differences = [abs(a - b) for a, b in zip(sample["loglikelihoods"], expected, strict=True)]
        largest = max(largest, *differences)
        assert sample["scores"] == {"acc": other["acc"], "acc_norm": other["acc_norm"]}
    print(f"\n{name}: largest difference of a log-likelihood from lm-evaluation-harness: {largest:.1e}")
    assert largest < 1e-3


def test_a_hundred_items_cannot_tell_the_two_apart(scored: Path) -> None:
    modelrelease(scored, "compare", "stories260k", "smollm2", expect=1)
    document = json.loads(modelrelease(scored, "compare", "stories260k", "smollm2", "--json", expect=1))
    metric = document["metrics"][0]
    assert (metric["verdict"], metric["flips"]["fixed"], metric["flips"]["broken"]) == ("inconclusive", 21, 16)
    assert metric["p_exact"] == pytest.approx(0.511, abs=5e-4)
    assert 100 < metric["power"]["items_needed_low"] < metric["power"]["items_needed_high"]
    assert document["decision"] == "block"


def test_a_pull_request_is_warned_and_not_blocked(scored: Path) -> None:
    arguments = ("compare", "stories260k", "smollm2", "--context", "pull_request")
    modelrelease(scored, *arguments)
    document = json.loads(modelrelease(scored, *arguments, "--json"))
    assert document["decision"] == "promote"
    assert "a release would block" in document["warnings"][0]


def test_two_runs_give_the_same_bytes(scored: Path, stories: Path) -> None:
    modelrelease(scored, "score", str(stories), "--out", "again")
    assert (scored / "again" / "samples.jsonl").read_bytes() == (scored / "stories260k" / "samples.jsonl").read_bytes()


def test_piqa_agrees_with_a_direct_computation(data: Path, project: Project, smollm2: Path) -> None:
    labels = (data / "piqa" / "valid-labels.lst").read_text().split()
    pairs = list(zip(rows_of(data / "piqa" / "valid.jsonl"), labels, strict=True))[:200]
    rows = [
        {"id": n, "goal": row["goal"], "choices": [row["sol1"], row["sol2"]], "label": int(label)}
        for n, (row, label) in enumerate(pairs)
    ]
    root = project("piqa", rows, {**CHOOSE, "prompt": "Question: {{goal}}\nAnswer:"})
    modelrelease(root, "score", str(smollm2), "--out", "out")
    samples = rows_of(root / "out" / "samples.jsonl")
    assert len(samples) == 200
    naive = _Naive(smollm2)
    for row, sample in list(zip(rows, samples, strict=True))[:20]:
        context = f"Question: {row['goal']}\nAnswer:"
        expected = [naive.loglikelihood(context, f" {choice}") for choice in row["choices"]]
        assert sample["loglikelihoods"] == pytest.approx(expected, abs=1e-3)


def test_gsm8k_is_generated_and_scored(data: Path, project: Project, smollm2: Path) -> None:
    rows = [{"id": n, **row} for n, row in enumerate(rows_of(data / "gsm8k" / "test.jsonl")[:20])]
    extract = {"name": "exact_match", "extract": "(-?[\\d.,]*\\d)", "take": "last", "normalize": "number"}
    task = {
        "kind": "generate",
        "prompt": "Question: {{question}}\nAnswer:",
        "target": "answer",
        "max_new_tokens": 128,
        "stop": ["\n\n", "Question:"],
        "metrics": [extract],
    }
    root = project("gsm8k", rows, task)
    modelrelease(root, "score", str(smollm2), "--out", "out")
    samples = rows_of(root / "out" / "samples.jsonl")
    for row, sample in zip(rows, samples, strict=True):
        assert "\n\n" not in sample["output"]
        truth = row["answer"].rpartition("#### ")[2].replace(",", "")
        assert sample["scores"]["exact_match"] == float(sample["prediction"] == truth)
    naive = _Naive(smollm2)
    for row, sample in list(zip(rows, samples, strict=True))[:2]:
        whole = naive.greedy(f"Question: {row['question']}\nAnswer:", 128)
        assert sample["output"] == whole.split("\n\n")[0].split("Question:")[0]


def test_perplexity_is_what_transformers_computes(data: Path, project: Project, smollm2: Path) -> None:
    rows = [{"id": n, "text": row["answer"]} for n, row in enumerate(rows_of(data / "gsm8k" / "test.jsonl")[:50])]
    task = {"kind": "perplexity", "target": "text", "metrics": ["nll", "perplexity", "bits_per_byte"]}
    root = project("answers", rows, task)
    modelrelease(root, "score", str(smollm2), "--out", "out")
    naive = _Naive(smollm2)
    largest = 0.0
    for row, sample in zip(rows, rows_of(root / "out" / "samples.jsonl"), strict=True):
        nll = naive.nll(row["text"])
        largest = max(largest, abs(nll - sample["scores"]["nll"]))
        assert sample["scores"]["perplexity"] == pytest.approx(math.exp(nll), rel=1e-4)
    print(f"\nlargest difference of an answer's nll from transformers' own loss: {largest:.1e}")
    assert largest < 1e-4


class _Naive:
    """The plainest computation with transformers: one sequence at a time, every position projected."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def loglikelihood(self, context: str, continuation: str) -> float:
        start = len(self.tokenizer(context)["input_ids"])
        ids = self.torch.tensor([self.tokenizer(context + continuation)["input_ids"]])
        with self.torch.no_grad():
            scores = self.model(ids).logits[0].log_softmax(-1)
        return sum(scores[place - 1, ids[0, place]].item() for place in range(start, ids.shape[1]))

    def nll(self, text: str) -> float:
        ids = self.torch.tensor([[self.tokenizer.bos_token_id, *self.tokenizer(text)["input_ids"]]])
        with self.torch.no_grad():
            return self.model(ids, labels=ids).loss.item()

    def greedy(self, prompt: str, tokens: int) -> str:
        ids = self.torch.tensor([self.tokenizer(prompt)["input_ids"]])
        length = ids.shape[1]
        with self.torch.no_grad():
            for _ in range(tokens):
                best = self.model(ids).logits[0, -1].argmax()
                if best.item() == self.model.generation_config.eos_token_id:
                    break
                ids = self.torch.cat([ids, best[None, None]], dim=1)
        return self.tokenizer.decode(ids[0, length:], skip_special_tokens=True)
