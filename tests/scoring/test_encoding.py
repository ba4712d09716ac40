from __future__ import annotations

from typing import Any

import pytest
from tiny_models import TinyModels, make_tokenizer

from modelrelease.errors import InvalidInput
from modelrelease.scoring.encoding import Codec

PAD, BOS, EOS = 0, 1, 2


@pytest.fixture(scope="module")
def with_bos(tiny: TinyModels) -> Any:
    return make_tokenizer(bos=True)


@pytest.fixture(scope="module")
def without_bos(tiny: TinyModels) -> Any:
    return make_tokenizer(bos=False)


def plain(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("text", ["the cat", "<bos>the cat"])
def test_the_beginning_of_sequence_stands_in_front_exactly_once(with_bos: Any, text: str) -> None:
    assert Codec(with_bos).encode([text], special=True) == [[BOS, *plain(with_bos, "the cat")]]


def test_nothing_is_added_after_a_chat_template(with_bos: Any) -> None:
    codec = Codec(with_bos)
    assert codec.encode(["the cat"], special=False) == [plain(with_bos, "the cat")]
    assert codec.encode(["<bos>the cat"], special=False) == [[BOS, *plain(with_bos, "the cat")]]


def test_a_tokenizer_without_a_beginning_of_sequence_gets_none(without_bos: Any) -> None:
    assert Codec(without_bos).encode(["the cat"], special=True) == [plain(without_bos, "the cat")]


@pytest.mark.parametrize(
    ("single", "front"),
    [
        ("$A <eos>", []),
        ("<bos> $A <eos>", [BOS]),
        ("<bos> $A", [BOS]),
        ("$A", []),
        ("<pad> <bos> $A <eos>", [PAD, BOS]),
    ],
)
def test_what_the_tokenizer_puts_behind_a_text_is_left_out(tiny: TinyModels, single: str, front: list[int]) -> None:
    from tokenizers import processors

    tokenizer = make_tokenizer(bos=True)
    named = [("<pad>", PAD), ("<bos>", BOS), ("<eos>", EOS)]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=named)
    encoded = Codec(tokenizer).encode(["the cat", ""], special=True)
    assert encoded == [[*front, *plain(tokenizer, "the cat")], front]


def test_truncation_and_padding_written_into_a_tokenizer_have_no_influence(tiny: TinyModels) -> None:
    tokenizer = make_tokenizer(bos=True)
    whole = plain(tokenizer, "the cat sat on the mat.")
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    assert Codec(tokenizer).encode(["the cat sat on the mat."], special=True) == [[BOS, *whole]]


@pytest.mark.parametrize(
    ("context", "continuation", "tokens_of", "start_of"),
    [
        ("the cat", " sat", "the cat sat", "the cat"),
        ("the cat ", "sat", "the cat sat", "the cat"),
        ("the cat \n", "sat", "the cat \nsat", "the cat"),
        ("  ", "sat", "  sat", ""),
    ],
)
def test_white_space_at_the_end_of_the_context_goes_to_the_continuation(
    with_bos: Any, context: str, continuation: str, tokens_of: str, start_of: str
) -> None:
    pair = Codec(with_bos).encode_pairs([(context, continuation)], special=True)[0]
    assert pair.tokens == [BOS, *plain(with_bos, tokens_of)]
    assert pair.start == 1 + len(plain(with_bos, start_of))
    assert not pair.mismatch


def test_a_boundary_inside_a_token_is_split_at_the_contexts_own_length_and_flagged(with_bos: Any) -> None:
    assert len(plain(with_bos, " c")) == 1
    assert plain(with_bos, " cat")[0] != plain(with_bos, " c")[0]
    (pair,) = Codec(with_bos).encode_pairs([("sat on c", "at sat")], special=True)
    assert pair.tokens == [BOS, *plain(with_bos, "sat on cat sat")]
    assert pair.start == 1 + len(plain(with_bos, "sat on c"))
    assert pair.mismatch


def test_an_empty_context_becomes_the_start_token(with_bos: Any, without_bos: Any) -> None:
    (first,) = Codec(with_bos).encode_pairs([("", "the cat")], special=True)
    assert (first.tokens, first.start) == ([BOS, *plain(with_bos, "the cat")], 1)
    (chat,) = Codec(with_bos).encode_pairs([("", "the cat")], special=False)
    assert (chat.tokens, chat.start) == ([BOS, *plain(with_bos, "the cat")], 1)
    (end,) = Codec(without_bos).encode_pairs([("", "the cat")], special=True)
    assert (end.tokens, end.start, end.mismatch) == ([EOS, *plain(without_bos, "the cat")], 1, False)


def test_without_any_start_token_an_empty_context_stays_empty(tiny: TinyModels) -> None:
    tokenizer = make_tokenizer(bos=False)
    tokenizer.eos_token = None
    codec = Codec(tokenizer)
    assert codec.start_token is None
    (pair,) = codec.encode_pairs([("", "the cat")], special=True)
    assert (pair.tokens, pair.start) == (plain(tokenizer, "the cat"), 0)


def test_many_pairs_come_back_in_order(with_bos: Any) -> None:
    codec = Codec(with_bos)
    pairs = [("the cat", " sat"), ("a dog", " ran"), ("the cat", " ran"), ("", "four")]
    assert codec.encode_pairs(pairs, special=True) == [codec.encode_pairs([pair], special=True)[0] for pair in pairs]
    assert codec.encode_pairs([], special=True) == []


def test_a_tokenizer_that_fails_on_a_text_is_a_finding(tiny: TinyModels) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"a": 0, "cat": 1}))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    codec = Codec(PreTrainedTokenizerFast(tokenizer_object=words))
    assert codec.encode(["a cat"], special=True) == [[0, 1]]
    with pytest.raises(InvalidInput) as caught:
        codec.encode(["a cat", "a dog"], special=True)
    assert caught.value.lines() == [
        "tokenizer: MR402 the tokenizer fails on a text: WordLevel error: Missing [UNK] token from the vocabulary; "
        "use the one that the model was trained with"
    ]
