"""Generated text against the plainest loop: the whole sequence through the model, one token more, again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tiny_models import VOCABULARY, TinyModels, make_tokenizer

from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.scoring.engines import Generation
from modelrelease.scoring.engines.decoding import RowSampler, StopTexts, cut_at_stop
from modelrelease.scoring.engines.loading import LoadedModel, Numerics, load_model
from modelrelease.scoring.engines.padding import padding_is_harmless
from modelrelease.scoring.engines.transformers_engine import TransformersEngine
from modelrelease.scoring.requests import Request

CAUSAL = ["llama", "gpt2", "gemma2", "cohere", "mamba", "rwkv"]
NEW = 8
EOS = 2
GREEDY = Generation()


def prompts(lengths: list[int], seed: int = 0, new: int = NEW) -> list[Request]:
    rng = Random(seed)
    tokens = [tuple(rng.randrange(3, VOCABULARY) for _ in range(length)) for length in lengths]
    return [Request(number, 0, ids, len(ids), new) for number, ids in enumerate(tokens)]


BATCH = prompts([3, 20, 1, 12, 12])
SEEDS = [11, 12, 13, 14, 15]


def continuation(model: Any, request: Request, ends: tuple[int, ...] = (EOS,)) -> list[int]:
    """The most likely tokens one by one, without a cache, up to an end token."""
    import torch

    tokens = list(request.tokens)
    for _ in range(request.max_new_tokens):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1]
        best = int(logits.argmax())
        if best in ends:
            break
        tokens.append(best)
    return tokens[len(request.tokens) :]


def text_of(loaded: LoadedModel, tokens: list[int]) -> str:
    return str(loaded.tokenizer.decode(tokens, skip_special_tokens=True))


def load(folder: Path) -> LoadedModel:
    return load_model(read_checkpoint(folder, "shown"), Numerics(device="cpu"))


@pytest.mark.parametrize("name", CAUSAL)
def test_greedy_text_is_the_plain_loops_whatever_it_is_batched_with(tiny: TinyModels, name: str) -> None:
    loaded, engine = tiny.loaded(name), tiny.engine(name)
    expected = [text_of(loaded, continuation(loaded.model, request)) for request in BATCH]
    assert engine.generate(BATCH, GREEDY, SEEDS) == expected
    assert engine.generate(BATCH[::-1], GREEDY, SEEDS) == expected[::-1]
    assert [engine.generate([request], GREEDY, [0])[0] for request in BATCH] == expected
    assert len(set(expected)) > 3


@pytest.mark.parametrize(("name", "harmless"), [("llama", True), ("gpt2", True), ("mamba", True), ("rwkv", False)])
def test_prompts_are_padded_where_the_model_shows_that_it_does_no_harm(
    tiny: TinyModels, name: str, harmless: bool
) -> None:
    import torch

    assert padding_is_harmless(torch, tiny.loaded(name)) is harmless


def test_an_end_token_ends_a_row_and_the_others_go_on(tiny: TinyModels, altered: Callable[..., Path]) -> None:
    plain = tiny.loaded("llama").model
    end = continuation(plain, BATCH[1])[4]
    other = continuation(plain, BATCH[3])[2]
    loaded = load(altered(generation_config={"eos_token_id": [end, other]}))
    expected = [continuation(plain, request, (end, other)) for request in BATCH]
    assert [len(tokens) for tokens in expected][1] <= 4
    assert max(len(tokens) for tokens in expected) == NEW
    engine = TransformersEngine(loaded)
    assert engine.generate(BATCH, GREEDY, SEEDS) == [text_of(loaded, tokens) for tokens in expected]


def test_the_checkpoints_own_generation_settings_have_no_influence(
    tiny: TinyModels, altered: Callable[..., Path]
) -> None:
    settings = {
        "do_sample": True,
        "temperature": 5.0,
        "top_k": 3,
        "repetition_penalty": 9.0,
        "no_repeat_ngram_size": 1,
        "forced_bos_token_id": 7,
        "forced_eos_token_id": 9,
        "suppress_tokens": list(range(100, VOCABULARY)),
        "begin_suppress_tokens": list(range(3, 200)),
        "bad_words_ids": [[5], [6]],
        "min_new_tokens": 6,
        "max_length": 4,
        "num_beams": 3,
        "num_return_sequences": 2,
        "cache_implementation": "static",
        "stop_strings": ["a"],
    }
    engine = TransformersEngine(load(altered(generation_config=settings, config=settings)))
    assert engine.generate(BATCH, GREEDY, SEEDS) == tiny.engine("llama").generate(BATCH, GREEDY, SEEDS)


@pytest.mark.parametrize(
    ("eos", "expected"),
    [
        ("abc", [EOS]),
        ([], [EOS]),
        (10**9, [EOS]),
        (-1, [EOS]),
        ([[1]], [EOS]),
        (None, [EOS]),
        (1.5, [EOS]),
        ([3, "x"], [3]),
    ],
)
def test_end_tokens_that_are_no_ids_are_left_out(altered: Callable[..., Path], eos: Any, expected: list[int]) -> None:
    assert load(altered(generation_config={"eos_token_id": eos})).model.generation_config.eos_token_id == expected


def test_without_padding_and_end_tokens_batches_still_give_the_same(
    tiny: TinyModels, altered: Callable[..., Path]
) -> None:
    folder = altered(
        config={"eos_token_id": None, "pad_token_id": None},
        generation_config={"eos_token_id": None, "pad_token_id": None},
        tokenizer_config={"eos_token": None, "pad_token": None},
    )
    loaded = load(folder)
    config = loaded.model.generation_config
    assert (config.eos_token_id, config.pad_token_id) == (None, 0)
    expected = [text_of(loaded, continuation(tiny.loaded("llama").model, request, ())) for request in BATCH]
    assert TransformersEngine(loaded).generate(BATCH, GREEDY, SEEDS) == expected


def test_a_padding_token_without_an_embedding_is_not_used(tiny: TinyModels, tmp_path: Path) -> None:
    """As in checkpoints whose tokenizer was given a [PAD] and whose embeddings were never resized."""
    import shutil

    shutil.copytree(tiny.folder("llama"), tmp_path / "checkpoint")
    tokenizer = make_tokenizer(bos=True)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    assert tokenizer.pad_token_id == VOCABULARY
    tokenizer.save_pretrained(tmp_path / "checkpoint")
    engine = TransformersEngine(load(tmp_path / "checkpoint"))
    assert engine.generate(BATCH, GREEDY, SEEDS) == tiny.engine("llama").generate(BATCH, GREEDY, SEEDS)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_stop_text_is_cut_off_wherever_it_lies_in_the_tokens(tiny: TinyModels, name: str) -> None:
    loaded, engine = tiny.loaded(name), tiny.engine(name)
    for request, whole in zip(BATCH, engine.generate(BATCH, GREEDY, SEEDS), strict=True):
        assert whole is not None
        for begin in range(len(whole)):
            stop = whole[begin : begin + 3]
            if "\ufffd" in stop:
                continue
            (cut,) = engine.generate([request], Generation(stop=("never", stop)), [0])
            assert cut == whole[: whole.index(stop)]
    assert loaded.tokenizer.decode(5) != ""


def test_a_stop_text_ends_its_row_early_and_no_other(tiny: TinyModels) -> None:
    engine = tiny.engine("llama")
    whole = engine.generate(BATCH, GREEDY, SEEDS)
    assert whole[0] is not None
    stop = whole[0][1:3]
    steps = []
    hook = tiny.loaded("llama").model.register_forward_hook(lambda *_: steps.append(1))
    try:
        alone = engine.generate(BATCH[:1], Generation(stop=(stop,)), SEEDS[:1])
    finally:
        hook.remove()
    assert alone == [whole[0][:1]]
    assert len(steps) < NEW
    together = engine.generate(BATCH, Generation(stop=(stop,)), SEEDS)
    assert together == [cut_at_stop(text or "", (stop,)) for text in whole]


def test_a_stop_text_that_is_a_special_token_ends_the_text_without_any_end_token(
    tiny: TinyModels, altered: Callable[..., Path]
) -> None:
    """Such a token is not in the decoded text, so the place where it came has to be remembered."""
    folder = altered(
        config={"eos_token_id": None},
        generation_config={"eos_token_id": None},
        tokenizer_config={"eos_token": None, "pad_token": None},
    )
    loaded = load(folder)
    tokens = [continuation(tiny.loaded("llama").model, request, ()) for request in BATCH]
    words = {loaded.tokenizer.convert_ids_to_tokens(token): token for ids in tokens for token in ids}
    word = next(word for word in words if word.isascii() and word.isalpha() and len(word) == 3)
    loaded.tokenizer.add_special_tokens({"additional_special_tokens": [word]})
    loaded.model.generation_config.pad_token_id = loaded.tokenizer.convert_tokens_to_ids("A")
    ended = [ids[: ids.index(words[word])] if words[word] in ids else ids for ids in tokens]
    assert {len(ids) for ids in ended} >= {NEW, 0}
    got = TransformersEngine(loaded).generate(BATCH, Generation(stop=(word,)), SEEDS)
    assert got == [text_of(loaded, ids) for ids in ended]


SAMPLING = Generation(temperature=1.0)


def test_a_rows_sample_depends_on_its_own_seed_alone(tiny: TinyModels) -> None:
    engine = tiny.engine("llama")
    together = engine.generate(BATCH, SAMPLING, SEEDS)
    assert engine.generate(BATCH[::-1], SAMPLING, SEEDS[::-1])[::-1] == together
    assert [engine.generate([r], SAMPLING, [seed])[0] for r, seed in zip(BATCH, SEEDS, strict=True)] == together
    assert engine.generate(BATCH, SAMPLING, SEEDS) == together


def test_other_seeds_give_other_texts_and_twins_in_a_batch_are_not_alike(tiny: TinyModels) -> None:
    engine = tiny.engine("llama")
    texts = engine.generate([BATCH[0]] * 8, SAMPLING, list(range(8)))
    assert len(set(texts)) >= 6
    assert engine.generate([BATCH[0]] * 2, SAMPLING, [3, 3]) == [texts[3], texts[3]]


@pytest.mark.parametrize(
    "settings",
    [
        Generation(temperature=1e-3),
        Generation(temperature=1e-308),
        Generation(temperature=5e-324),
        Generation(temperature=1.0, top_k=1),
        Generation(temperature=1.0, top_p=1e-9),
    ],
)
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_sampling_becomes_greedy_in_its_limits(tiny: TinyModels, name: str, settings: Generation) -> None:
    engine = tiny.engine(name)
    assert engine.generate(BATCH, settings, SEEDS) == engine.generate(BATCH, GREEDY, SEEDS)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Generation(temperature=1.0), [0.5, 0.25, 0.125, 0.125]),
        (Generation(temperature=0.5), [0.7273, 0.1818, 0.0455, 0.0455]),
        (Generation(temperature=1.0, top_k=2), [2 / 3, 1 / 3, 0.0, 0.0]),
        (Generation(temperature=1.0, top_p=0.5), [1.0, 0.0, 0.0, 0.0]),
        (Generation(temperature=1.0, top_p=0.51), [2 / 3, 1 / 3, 0.0, 0.0]),
        (Generation(temperature=1.0, top_k=3, top_p=0.8), [2 / 3, 1 / 3, 0.0, 0.0]),
    ],
)
def test_the_sampler_draws_from_the_distribution_it_is_asked_for(
    tiny: TinyModels, settings: Generation, expected: list[float]
) -> None:
    import torch

    logits = torch.tensor([[0.125, 0.5, 0.25, 0.125]]).log().repeat(4000, 1)
    sampler = RowSampler(torch, settings, list(range(4000)))
    chosen = sampler(torch.zeros(4000, 1), logits)
    assert chosen.argmax(dim=1).shape == (4000,)
    assert torch.isneginf(chosen).sum(dim=1).tolist() == [3] * 4000
    counts = chosen.argmax(dim=1).bincount(minlength=4) / 4000
    for share, wanted in zip(counts[[1, 2, 0, 3]].tolist(), expected, strict=True):
        assert share == pytest.approx(wanted, abs=0.03 if wanted not in (0.0, 1.0) else 0.0)


def test_a_model_of_nan_gives_no_text(altered: Callable[..., Path]) -> None:
    loaded = load(altered())
    loaded.model.model.norm.weight.data[:] = float("nan")
    engine = TransformersEngine(loaded)
    assert engine.generate(BATCH[:2], GREEDY, [0, 0]) == [None, None]
    assert engine.generate(BATCH[:2], SAMPLING, [0, 0]) == [None, None]


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("a b c", (), "a b c"),
        ("a b c", ("x",), "a b c"),
        ("a b c", ("c", "b"), "a "),
        ("a b c", ("a",), ""),
        ("aab", ("ab", "aab"), ""),
    ],
)
def test_text_is_cut_at_the_first_of_the_stop_texts(text: str, stops: tuple[str, ...], expected: str) -> None:
    assert cut_at_stop(text, stops) == expected


def test_a_stop_text_in_the_prompt_ends_nothing(tiny: TinyModels) -> None:
    import torch

    tokenizer = make_tokenizer(bos=True)
    prompt = tokenizer("the cat?", add_special_tokens=False)["input_ids"]
    criterion = StopTexts(torch, tokenizer, ("?",), len(prompt), 2)
    more = tokenizer("no", add_special_tokens=False)["input_ids"]
    mark = tokenizer("?x", add_special_tokens=False)["input_ids"]
    assert len(more) == len(mark)
    assert criterion(torch.tensor([[*prompt, *more], [*prompt, *mark]]), None).tolist() == [False, True]
    assert criterion.widths == [None, len(prompt) + len(mark)]
