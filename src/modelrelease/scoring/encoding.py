"""From text to the token ids a model is given: beginning-of-sequence once, boundaries by one rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import invalid, shorten


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Context and continuation as one sequence of ids; the continuation begins at ``start``.

    ``mismatch``: the context's own ids are no prefix of the whole, so the boundary lies inside a token.
    """

    tokens: list[int]
    start: int
    mismatch: bool


class Codec:
    """Encodes with a fast or slow transformers tokenizer, passed in already loaded.

    Raises InvalidInput (MR402) where the tokenizer fails, as one without a token for the unknown does.
    Special tokens are added here and never by the tokenizer: those that it would put in front (beginning of
    sequence), once; never an end token, which would make the model believe the text is over.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._front = _added_in_front(tokenizer)

    @property
    def start_token(self) -> int | None:
        """What stands before a text without context: beginning of sequence, else end of sequence."""
        for name in ("bos_token_id", "eos_token_id"):
            token = getattr(self._tokenizer, name, None)
            if token is not None:
                return int(token)
        return None

    def encode(self, texts: Sequence[str], *, special: bool) -> list[list[int]]:
        """Return the ids of each text. ``special``: with what belongs in front, once."""
        if not texts:
            return []
        encoded = _ids(self._tokenizer, list(texts), special=False)
        front = self._front if special else []
        return [list(ids) if ids[: len(front)] == front else [*front, *ids] for ids in encoded]

    def encode_pairs(self, pairs: Sequence[tuple[str, str]], *, special: bool) -> list[EncodedPair]:
        """Return each (context, continuation) as one sequence with its boundary.

        The rule is lm-evaluation-harness': white space at the context's end goes to the continuation, the
        two are encoded as one text and split where the context's own ids end; a context without ids becomes
        the start token.
        """
        moved = [_move_spaces(context, continuation) for context, continuation in pairs]
        contexts = sorted({context for context, _ in moved})
        ids = dict(zip(contexts, self.encode(contexts, special=special), strict=True))
        wholes = self.encode([context + continuation for context, continuation in moved], special=special)
        return [self._pair(ids[context], whole) for (context, _), whole in zip(moved, wholes, strict=True)]

    def _pair(self, context: list[int], whole: list[int]) -> EncodedPair:
        if not context and self.start_token is not None:
            return EncodedPair([self.start_token, *whole], 1, False)
        return EncodedPair(whole, len(context), whole[: len(context)] != context)


def _move_spaces(context: str, continuation: str) -> tuple[str, str]:
    kept = context.rstrip()
    return kept, context[len(kept) :] + continuation


def _ids(tokenizer: Any, texts: list[str], *, special: bool) -> list[list[int]]:
    """Return what the tokenizer makes of ``texts``; InvalidInput (MR402) where it cannot."""
    try:
        return list(tokenizer(texts, add_special_tokens=special, return_attention_mask=False)["input_ids"])
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the tokenizers library panics, which is no Exception, on a runaway expression
        message = f"the tokenizer fails on a text: {shorten(str(error), 200)}"
        raise invalid("tokenizer", Code.TOKENIZER, message, "use the one that the model was trained with") from error


def _added_in_front(tokenizer: Any) -> list[int]:
    """Return the ids that the tokenizer puts in front of a text by itself: mostly none or one, for GLM two."""
    plain, full = (_ids(tokenizer, ["a"], special=special)[0] for special in (False, True))
    places = (place for place in range(len(full)) if full[place : place + len(plain)] == plain)
    return list(full[: next(places, 0)])
