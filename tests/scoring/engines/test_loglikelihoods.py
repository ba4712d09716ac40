"""The engine's log-likelihoods against the plainest way to them: one whole sequence at a time, log_softmax, a sum."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from tiny_models import CONTEXT, VOCABULARY, TinyModels

from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.scoring.engines import TokenScore
from modelrelease.scoring.engines.loading import LoadedModel
from modelrelease.scoring.engines.transformers_engine import TransformersEngine
from modelrelease.scoring.requests import MAX_SCORED, Request

CAUSAL = ["llama", "gpt2", "gemma2", "cohere", "mamba", "rwkv"]


def requests(lengths: list[tuple[int, int]], seed: int = 0) -> list[Request]:
    """Requests of (length, first scored place), their tokens drawn at random; 0 (padding) and 2 (end) among them."""
    rng = Random(seed)
    return [
        Request(number, 0, tuple(rng.randrange(VOCABULARY) for _ in range(length)), start)
        for number, (length, start) in enumerate(lengths)
    ]


MIXED = requests([(2, 1), (30, 12), (17, 16), (CONTEXT + 1, 40), (17, 1), (3, 2)])


def naive(model: Any, request: Request) -> TokenScore:
    """Log-softmax in float64 over the whole sequence but its last token, alone and unpadded."""
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([request.tokens[:-1]]), use_cache=False).logits[0]
    odds = logits.double().log_softmax(-1)
    places = range(request.start, len(request.tokens))
    greedy = all(int(logits[place - 1].argmax()) == request.tokens[place] for place in places)
    return TokenScore(math.fsum(float(odds[place - 1, request.tokens[place]]) for place in places), greedy)


def close(got: list[TokenScore], expected: list[TokenScore], tolerance: float) -> bool:
    return [one.greedy for one in got] == [one.greedy for one in expected] and all(
        abs(one.loglikelihood - other.loglikelihood) <= tolerance for one, other in zip(got, expected, strict=True)
    )


@pytest.mark.parametrize("name", CAUSAL)
def test_padded_batches_give_what_each_sequence_gives_alone(tiny: TinyModels, name: str) -> None:
    engine = tiny.engine(name)
    expected = [naive(tiny.loaded(name).model, request) for request in MIXED]
    assert close(engine.loglikelihoods(MIXED), expected, 1e-4)
    assert engine.facts.path_taken == "scored_rows"


@pytest.mark.parametrize("name", CAUSAL)
def test_neither_order_nor_company_in_a_batch_matters(tiny: TinyModels, name: str) -> None:
    engine, batch = tiny.engine(name), requests([(9, 3), (30, 12), (17, 16), (4, 1), (9, 8)], seed=1)
    whole = engine.loglikelihoods(batch)
    backwards = engine.loglikelihoods(batch[::-1])[::-1]
    alone = [engine.loglikelihoods([request])[0] for request in batch]
    assert close(backwards, whole, 1e-5)
    assert close(alone, whole, 1e-5)
    assert engine.loglikelihoods(batch) == whole


def test_greedy_says_whether_every_token_is_the_most_likely_one(tiny: TinyModels) -> None:
    import torch

    engine, model = tiny.engine("llama"), tiny.loaded("llama").model
    tokens = [1, 5, 9]
    for _ in range(4):
        tokens.append(int(model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
    other = [*tokens[:-1], (tokens[-1] + 1) % VOCABULARY]
    scores = engine.loglikelihoods([Request(0, 0, tuple(tokens), 3), Request(1, 0, tuple(other), 3)])
    assert [score.greedy for score in scores] == [True, False]


def test_only_the_scored_positions_are_projected_onto_the_vocabulary(tiny: TinyModels) -> None:
    shapes = []
    head = tiny.loaded("llama").model.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, inputs, output: shapes.append(tuple(output.shape)))
    try:
        tiny.engine("llama").loglikelihoods(requests([(60, 58), (50, 49)]))
    finally:
        hook.remove()
    assert shapes == [(1, 3, VOCABULARY)]


def test_a_long_continuation_is_projected_piece_by_piece(tiny: TinyModels) -> None:
    loaded = tiny.loaded("mamba")  # has no longest context
    (request,) = requests([(2 * MAX_SCORED + 101, 100)])
    shapes = []
    hook = loaded.model.get_output_embeddings().register_forward_hook(
        lambda _, inputs, output: shapes.append(tuple(output.shape[:2]))
    )
    try:
        (score,) = tiny.engine("mamba").loglikelihoods([request])
    finally:
        hook.remove()
    assert shapes == [(1, MAX_SCORED), (1, MAX_SCORED), (1, 1)]
    assert score.loglikelihood == pytest.approx(naive(loaded.model, request).loglikelihood, abs=1e-2)


@pytest.mark.parametrize("name", ["gemma2", "cohere"])
def test_what_an_architecture_does_to_logits_afterwards_is_done(tiny: TinyModels, name: str) -> None:
    """Without soft cap or scale the numbers would be others by far."""
    import torch

    loaded = tiny.loaded(name)
    request = requests([(20, 10)])[0]
    (score,) = tiny.engine(name).loglikelihoods([request])
    with torch.inference_mode():
        hidden = loaded.model.model(input_ids=torch.tensor([request.tokens])).last_hidden_state[0]
        odds = loaded.model.get_output_embeddings()(hidden).double().log_softmax(-1)
    bare = sum(float(odds[place - 1, request.tokens[place]]) for place in range(10, 20))
    assert abs(score.loglikelihood - bare) > 1.0


def test_a_model_of_half_precision_is_summed_in_full(tiny: TinyModels) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(tiny.folder("llama"), dtype=torch.bfloat16).eval()
    model.generation_config = tiny.loaded("llama").model.generation_config
    loaded = LoadedModel(model, None, "cpu", "bfloat16", "sdpa", True, CONTEXT, VOCABULARY)
    request = requests([(40, 10)])[0]
    (score,) = TransformersEngine(loaded).loglikelihoods([request])
    assert score.loglikelihood == pytest.approx(naive(model, request).loglikelihood, abs=1e-2)


def test_a_model_that_looks_ahead_is_refused(tiny: TinyModels) -> None:
    with pytest.raises(InvalidInput, match="MR401 a token's probability depends on what comes after it"):
        TransformersEngine(tiny.loaded("bert"))


class Wrapped:
    """A model as ``LoadedModel`` holds it, with a forward or a head of its own."""

    def __init__(self, model: Any, forward: Any = None, head: Any = None) -> None:
        self.model, self.forward, self.head = model, forward or model.forward, head

    def __call__(self, **inputs: Any) -> Any:
        return self.forward(**inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def get_output_embeddings(self) -> Any:
        return self.head


@pytest.mark.parametrize("head", ["none", "one that is not called"])
def test_without_a_projection_to_hook_into_the_whole_context_is_projected(tiny: TinyModels, head: str) -> None:
    from torch.nn import Linear

    loaded = tiny.loaded("llama")
    wrapped = Wrapped(loaded.model, head=None if head == "none" else Linear(4, 4))
    engine = TransformersEngine(LoadedModel(wrapped, None, "cpu", "float32", "sdpa", True, CONTEXT, VOCABULARY))
    assert engine.facts.path_taken == "whole_context"
    batch = requests([(9, 3), (30, 12)])
    assert close(engine.loglikelihoods(batch), [naive(loaded.model, request) for request in batch], 1e-4)


def test_a_model_that_tokens_alone_are_not_enough_for_is_named(tiny: TinyModels) -> None:
    def forward(input_ids: Any, pixels: Any, **_: Any) -> Any:
        raise AssertionError

    wrapped = Wrapped(tiny.loaded("llama").model, forward)
    with pytest.raises(Unavailable, match=r"MR409 the model cannot be run on tokens alone: .*'pixels'"):
        TransformersEngine(LoadedModel(wrapped, None, "cpu", "float32", "sdpa", True, CONTEXT, VOCABULARY))


def test_a_model_of_nan_is_loaded_and_gives_nan(altered: Any) -> None:
    from modelrelease.records.checkpoints import read_checkpoint
    from modelrelease.scoring.engines.loading import Numerics, load_model

    loaded = load_model(read_checkpoint(altered(), "x"), Numerics())
    loaded.model.model.norm.weight.data[:] = math.nan
    engine = TransformersEngine(loaded)
    (score,) = engine.loglikelihoods([Request(0, 0, (1, 5, 9), 2)])
    assert math.isnan(score.loglikelihood)


def test_a_device_that_fails_is_unavailable_and_says_what_helps(tiny: TinyModels) -> None:
    loaded = tiny.loaded("llama")
    wrapped = Wrapped(loaded.model, head=loaded.model.get_output_embeddings())
    engine = TransformersEngine(LoadedModel(wrapped, None, "cpu", "float32", "sdpa", True, CONTEXT, VOCABULARY))

    def out_of_memory(**_: Any) -> Any:
        raise RuntimeError("CUDA out of memory.\nTried to allocate 1 GiB")

    wrapped.forward = out_of_memory
    with pytest.raises(Unavailable) as caught:
        engine.loglikelihoods(requests([(9, 3)]))
    assert caught.value.lines() == [
        "engine: MR409 the model failed: CUDA out of memory. Tried to allocate 1 GiB; "
        "use a smaller --batch-tokens, or another device"
    ]
