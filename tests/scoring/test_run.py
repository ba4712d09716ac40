"""Whole scoring runs on a tiny checkpoint, in this process; ``test_commands`` starts the command itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import CONTEXT, QUESTIONS, TEXTS, TinyModels, as_jsonl, write_project

from modelrelease.config import tree_reader
from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.results import read_results
from modelrelease.records.sample_lines import Sample
from modelrelease.scoring.engines.loading import Numerics
from modelrelease.scoring.execution import item_seed
from modelrelease.scoring.requests import Request, windows
from modelrelease.scoring.run import Options, ScoredRun, Surroundings, score
from modelrelease.scoring.suites import load_suite

BOS = 1


def run(root: Path, checkpoint: Path, suite: str = "evals/release.yaml", **options: Any) -> ScoredRun:
    chosen = Options(Numerics(device="cpu"), **{"batch_tokens": 256, **options})
    loaded = load_suite(suite, tree_reader(root))
    return score(read_checkpoint(checkpoint, "models/model_v1.0"), loaded, chosen, Surroundings())


def samples_of(scored: ScoredRun, task: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in scored.samples.decode("utf-8").splitlines()]
    return [line for line in lines if line["task"] == task]


@pytest.fixture(scope="module")
def scored(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> ScoredRun:
    """The small repository's suite on the tiny Llama."""
    return run(write_project(tmp_path_factory.mktemp("scored")), tiny.folder("llama"))


def plain(tiny: TinyModels, text: str) -> list[int]:
    return list(tiny.loaded("llama").tokenizer(text, add_special_tokens=False)["input_ids"])


def loglikelihood(tiny: TinyModels, tokens: list[int], start: int) -> float:
    import torch

    with torch.inference_mode():
        logits = tiny.loaded("llama").model(input_ids=torch.tensor([tokens[:-1]])).logits[0]
    odds = logits.double().log_softmax(-1)
    return math.fsum(float(odds[place - 1, tokens[place]]) for place in range(start, len(tokens)))


def chat(tiny: TinyModels, question: str) -> list[int]:
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": question}]
    tokenizer = tiny.loaded("llama").tokenizer
    return list(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)["input_ids"])


def test_choices_after_a_text_prompt_have_the_plain_log_likelihoods(tiny: TinyModels, scored: ScoredRun) -> None:
    for sample, (question, choices, answer, topic) in zip(samples_of(scored, "pick"), QUESTIONS, strict=True):
        context = [BOS, *plain(tiny, f"Q: {question}\nA:")]
        wholes = [[BOS, *plain(tiny, f"Q: {question}\nA: {choice}")] for choice in choices]
        expected = [loglikelihood(tiny, whole, len(context)) for whole in wholes]
        assert sample["loglikelihoods"] == pytest.approx(expected, abs=1e-4)
        right = choices.index(answer) if isinstance(answer, str) else answer
        best = expected.index(max(expected))
        each = [value / len(choice) for value, choice in zip(expected, choices, strict=True)]
        norm = each.index(max(each))
        assert sample["scores"] == {"acc": float(best == right), "acc_norm": float(norm == right)}
        assert (sample["prediction"], sample["target"], sample["slices"]) == (best, right, {"topic": topic})
        assert sample["input_digest"] == digest_of(wholes)
        assert sample["prompt_tokens"] == len(context)


def test_choices_after_a_chat_prompt_follow_the_template_without_a_second_bos(
    tiny: TinyModels, scored: ScoredRun
) -> None:
    for sample, (question, choices, _, _) in zip(samples_of(scored, "pick-chat"), QUESTIONS, strict=True):
        context = chat(tiny, question)
        assert context.count(BOS) == 1
        # The template ends with a space, which goes to the choice.
        text = tiny.loaded("llama").tokenizer.decode(context)
        wholes = [plain(tiny, text + choice) for choice in choices]
        start = len(plain(tiny, text.rstrip()))
        assert sample["prompt_tokens"] == start
        expected = [loglikelihood(tiny, whole, start) for whole in wholes]
        assert sample["loglikelihoods"] == pytest.approx(expected, abs=1e-4)


def test_generated_text_is_the_engines_with_each_items_own_seed(tiny: TinyModels, scored: ScoredRun) -> None:
    from modelrelease.scoring.engines import Generation

    engine = tiny.engine("llama")
    for number, (greedy, sampled) in enumerate(
        zip(samples_of(scored, "say"), samples_of(scored, "say-chat"), strict=True)
    ):
        question = QUESTIONS[number][0]
        prompt = (BOS, *plain(tiny, f"Q: {question}\nA:"))
        assert engine.generate([Request(0, 0, prompt, len(prompt), 6)], Generation(("?",)), [0]) == [greedy["output"]]
        turns = tuple(chat(tiny, question))
        settings = Generation(temperature=0.8, top_p=0.9)
        seed = item_seed(7, "say-chat", str(number))
        assert engine.generate([Request(0, 0, turns, len(turns), 5)], settings, [seed]) == [sampled["output"]]
        assert sampled["input_digest"] == digest_of([list(turns)])
        assert greedy["scores"].keys() == {"exact_match", "f1", "contains"}


def test_a_texts_nll_is_the_models_own_loss(tiny: TinyModels, scored: ScoredRun) -> None:
    import torch

    for sample, text in zip(samples_of(scored, "read"), TEXTS, strict=True):
        tokens = [BOS, *plain(tiny, text)]
        if len(tokens) > CONTEXT:
            continue
        ids = torch.tensor([tokens])
        with torch.inference_mode():
            loss = float(tiny.loaded("llama").model(input_ids=ids, labels=ids).loss)
        assert sample["scores"]["nll"] == pytest.approx(loss, abs=1e-5)
        assert sample["scores"]["perplexity"] == pytest.approx(math.exp(loss), rel=1e-5)
        bits = loss * (len(tokens) - 1) / math.log(2) / len(text.encode("utf-8"))
        assert sample["scores"]["bits_per_byte"] == pytest.approx(bits, rel=1e-5)


def test_a_text_longer_than_the_context_is_scored_window_by_window(tiny: TinyModels, scored: ScoredRun) -> None:
    tokens = [BOS, *plain(tiny, TEXTS[1])]
    assert len(tokens) > 3 * CONTEXT
    cut = list(windows(Request(0, 0, tuple(tokens), 1), CONTEXT))
    total = sum(loglikelihood(tiny, list(window.tokens), window.start) for window in cut)
    (sample,) = [one for one in samples_of(scored, "read") if one["item_id"] == "t1"]
    assert sample["loglikelihoods"] == [pytest.approx(total, abs=1e-3)]
    assert sample["scores"]["nll"] == pytest.approx(-total / (len(tokens) - 1), rel=1e-6)
    assert sample["input_digest"] == digest_of([window.tokens for window in cut])
    assert not sample["truncated"]


def test_the_record_says_what_was_scored_with_what(tiny: TinyModels, scored: ScoredRun, tmp_path: Path) -> None:
    evaluation = scored.evaluation
    assert [(t.name, t.kind, t.items, t.path_taken) for t in evaluation.suite.tasks] == [
        ("pick", "multiple_choice", 5, "scored_rows"),
        ("pick-chat", "multiple_choice", 5, "scored_rows"),
        ("say", "generate", 5, "scored_rows"),
        ("say-chat", "generate", 5, "scored_rows"),
        ("read", "perplexity", 3, "scored_rows"),
    ]
    engine = evaluation.engine
    assert (engine.name, engine.dtype, engine.device, engine.attention) == ("transformers", "float32", "cpu", "sdpa")
    assert (engine.batch_tokens, engine.max_length, engine.deterministic) == (256, CONTEXT, True)
    assert evaluation.model.source == "models/model_v1.0"
    assert evaluation.samples.count == 23
    assert evaluation.flags.errors == 0
    (tmp_path / EVAL_FILE).write_bytes(evaluation.to_bytes())
    (tmp_path / evaluation.samples.path).write_bytes(scored.samples)
    results = read_results(tmp_path)
    assert {name: len(task.ids) for name, task in results.tasks.items()}["read"] == 3
    for line in scored.samples.splitlines():
        Sample.model_validate_json(line)


def test_two_runs_give_the_same_bytes(tiny: TinyModels, scored: ScoredRun, project: Path) -> None:
    again = run(project, tiny.folder("llama"))
    assert again.samples == scored.samples
    assert again.key == scored.key
    one, other = (run.evaluation.plain() for run in (scored, again))
    assert {**one, "provenance": None} == {**other, "provenance": None}


def test_other_batches_give_the_same_scores_and_another_plan(
    tiny: TinyModels, scored: ScoredRun, project: Path
) -> None:
    single = run(project, tiny.folder("llama"), batch_tokens=1)
    assert single.evaluation.engine.batch_plan_digest != scored.evaluation.engine.batch_plan_digest
    assert single.key != scored.key
    for task in ("pick", "pick-chat", "say", "say-chat", "read"):
        for one, other in zip(samples_of(single, task), samples_of(scored, task), strict=True):
            assert one["loglikelihoods"] == pytest.approx(other["loglikelihoods"], abs=1e-4)
            assert {**one, "loglikelihoods": [], "scores": {}} == {**other, "loglikelihoods": [], "scores": {}}
            assert one["scores"] == pytest.approx(other["scores"], rel=1e-4)


def small(root: Path, task: str, rows: list[dict[str, Any]], prompt: str = "{{q}}") -> str:
    """Write a suite of one task into ``root`` and return its path."""
    suite = f"schema_version: 1\nname: small\ntasks:\n  - {{name: a, dataset: datasets/d.jsonl, {task}}}\n"
    for name, text in (("evals/s.yaml", suite), ("datasets/d.jsonl", as_jsonl(rows)), ("prompts/p.txt", prompt)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return "evals/s.yaml"


SAY = "kind: generate, prompt: prompts/p.txt, max_new_tokens: 4"
READ = "kind: perplexity, target: t, metrics: [nll]"


def test_runs_over_the_same_rows_in_another_order_do_not_share_a_key(tiny: TinyModels, tmp_path: Path) -> None:
    """The dataset's digest is the same, the samples are not: sampled answers to one prompt, under two ids."""
    rows = [{"id": "x", "q": "the cat"}, {"id": "y", "q": "the cat"}]
    task = f"{SAY}, temperature: 1.0, metrics: [json_valid]"
    one = run(tmp_path, tiny.folder("llama"), small(tmp_path, task, rows))
    other = run(tmp_path, tiny.folder("llama"), small(tmp_path, task, rows[::-1]))
    digests = [r.evaluation.suite.tasks[0].dataset_digest for r in (one, other)]
    assert digests[0] == digests[1]
    assert one.evaluation.engine.batch_plan_digest == other.evaluation.engine.batch_plan_digest
    assert sorted(one.samples.splitlines()) == sorted(other.samples.splitlines())
    assert one.samples != other.samples
    assert one.key != other.key


def test_a_prompt_that_is_too_long_is_an_error_unless_truncation_is_allowed(tiny: TinyModels, tmp_path: Path) -> None:
    rows = [{"id": "a", "q": "the cat"}, {"id": "b", "q": "the cat sat " * 40}]
    suite = small(tmp_path, f"{SAY}, metrics: [json_valid]", rows)
    with pytest.raises(InvalidInput) as caught:
        run(tmp_path, tiny.folder("llama"), suite)
    needed = 1 + len(plain(tiny, rows[1]["q"])) + 4
    assert caught.value.lines() == [
        f"datasets/d.jsonl:2: MR407 item 'b' of task `a` needs {needed} tokens, max_new_tokens of 4 included, and the "
        f"model takes {CONTEXT}; shorten the prompt, or pass --allow-truncation to drop its beginning"
    ]
    scored = run(tmp_path, tiny.folder("llama"), suite, allow_truncation=True)
    assert [sample["truncated"] for sample in samples_of(scored, "a")] == [False, True]
    assert (scored.evaluation.flags.truncated, scored.evaluation.engine.allow_truncation) == (1, True)


def test_items_that_cannot_be_scored_are_errors_and_no_wrong_answers(
    altered: Callable[..., Path], tmp_path: Path
) -> None:
    """GPT-2 has no BOS; without an end token either, nothing stands before a text's first token."""
    checkpoint = altered("gpt2", tokenizer_config={"eos_token": None})
    task = f"{READ}, slices: [s]"
    scored = run(tmp_path, checkpoint, small(tmp_path, task, [{"id": n, "t": "the cat", "s": "v"} for n in range(3)]))
    error = "a text to score has no tokens of its own, or nothing stands before it"
    assert [(s["error"], s["scores"]) for s in samples_of(scored, "a")] == [(error, {})] * 3
    (metric,) = scored.evaluation.metrics
    assert (metric.value, metric.n, metric.ci_low, metric.slices) == (None, 0, None, ())
    assert scored.evaluation.flags.errors == 3


def test_a_model_of_nan_gives_errors_and_no_scores(altered: Callable[..., Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    checkpoint = altered()
    weights = load_file(checkpoint / "model.safetensors")
    weights["model.norm.weight"][:] = math.nan
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    rows = [{"id": 1, "q": "the cat", "t": "sat"}]
    read = run(tmp_path, checkpoint, small(tmp_path, READ, rows))
    assert samples_of(read, "a")[0]["error"] == "the model gave no finite log-likelihood"
    say = run(tmp_path, checkpoint, small(tmp_path, f"{SAY}, metrics: [json_valid]", rows))
    assert samples_of(say, "a")[0]["error"] == "the model gave NaN instead of a next token"
    assert say.evaluation.metrics[0].value is None


def test_a_tokenizer_of_another_model_is_found_before_anything_is_scored(
    tiny: TinyModels, altered: Callable[..., Path], tmp_path: Path
) -> None:
    checkpoint = altered()
    file = checkpoint / "tokenizer.json"
    tokenizer = json.loads(file.read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["ue"] = 500, vocabulary["a"]
    file.write_text(json.dumps(tokenizer), "utf-8")
    suite = small(tmp_path, f"{SAY}, metrics: [json_valid]", [{"id": 1, "q": "a"}])
    with pytest.raises(InvalidInput, match="MR402 the tokenizer gives id 500 and the model has 300 embeddings"):
        run(tmp_path, checkpoint, suite)


def test_no_progress_is_lost_when_a_run_is_interrupted(tiny: TinyModels, tmp_path: Path) -> None:
    """The second run finds the first one's batches, gives the same bytes, and its watcher hears of it."""

    class Interrupting:
        def __init__(self, after: int | None) -> None:
            self.already, self.done, self.after = -1, 0, after

        def start(self, items: int, already: int) -> None:
            self.already = already

        def advance(self, items: int) -> None:
            self.done += items
            if self.after is not None and self.done >= self.after:
                raise KeyboardInterrupt

        def finish(self) -> None: ...

    path = small(tmp_path, READ, [{"id": n, "t": "the cat " * (n + 1)} for n in range(20)])

    def with_watcher(watcher: Interrupting) -> ScoredRun:
        suite = load_suite(path, tree_reader(tmp_path))
        surroundings = Surroundings(journal=tmp_path / "partial", progress=watcher)
        options = Options(Numerics(device="cpu"), batch_tokens=32)
        return score(read_checkpoint(tiny.folder("llama"), "models/model_v1.0"), suite, options, surroundings)

    with pytest.raises(KeyboardInterrupt):
        with_watcher(Interrupting(4))
    second = Interrupting(None)
    again = with_watcher(second)
    assert again.samples == run(tmp_path, tiny.folder("llama"), path, batch_tokens=32).samples
    assert second.already >= 4
    assert second.already + second.done == 20
