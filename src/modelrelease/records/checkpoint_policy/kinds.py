"""The allow-list: which kinds of files a version publishes, by the names under which they are read.

The name says what a file has to be; contents.py looks whether it is that. Whatever has no kind is not published.
"""

from __future__ import annotations

import re
from enum import Enum


class Kind(Enum):
    """What a published file can be; the value is how findings call it."""

    WEIGHTS = "safetensors"
    INDEX = "an index of weights"
    CONFIG = "a configuration in JSON"
    VOCABULARY = "a vocabulary in JSON"
    PIECES = "a vocabulary of sentencepiece or tiktoken"
    TEXT = "a text"
    RECORD = "a record in JSON"
    ROWS = "a record in lines of JSON"


# Source of the names: transformers' utils/__init__.py, tokenization_utils_base.py, each tokenizer's VOCAB_FILES_NAMES.
_NAMES: tuple[tuple[str, Kind], ...] = (
    (r"[^/]+\.safetensors", Kind.WEIGHTS),
    (r"[^/]+\.safetensors\.index\.json", Kind.INDEX),
    (
        r"(?:generation_|tokenizer_|preprocessor_|processor_|image_processor_|video_preprocessor_|quantize_"
        r"|feature_extractor_|audio_tokenizer_)?config\.json"
        r"|special_tokens_map\.json|chat_template\.json",
        Kind.CONFIG,
    ),
    (r"tokenizer\.json|vocab\.json|added_tokens\.json|tekken\.json", Kind.VOCABULARY),
    (
        r"tokenizer\.model|spiece\.model|sentencepiece(?:\.bpe)?\.model|(?:source|target)\.spm|[^/]+\.tiktoken",
        Kind.PIECES,
    ),
    (r"merges\.txt|vocab\.txt|vocab\.bpe|bpe\.codes", Kind.TEXT),
    (r"chat_template\.jinja|additional_chat_templates/[^/]+\.jinja", Kind.TEXT),
    (r"README\.md|changelog\.md|CHANGELOG\.md|(?:LICEN[CS]E|NOTICE|USE_POLICY|COPYING)(?:\.md|\.txt)?", Kind.TEXT),
    (r"\.gitattributes", Kind.TEXT),
    (r"(?:model|eval|comparison|reproduction|release)\.json", Kind.RECORD),
    (r"samples\.jsonl", Kind.ROWS),
    (r"prompts/.+\.(?:ya?ml|md|txt|prompty|json)", Kind.TEXT),
    (r"prompts/.+\.changes\.jsonl", Kind.ROWS),
)
_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _NAMES)

LIMITS = {
    Kind.INDEX: 64 << 20,
    Kind.CONFIG: 8 << 20,
    Kind.VOCABULARY: 256 << 20,
    Kind.PIECES: 64 << 20,
    Kind.TEXT: 64 << 20,
    Kind.RECORD: 256 << 20,
}
"""The most bytes that a file of a kind may have; weights and rows are read in pieces and have no bound."""


def kind_of(path: str) -> Kind | None:
    """Return what a published file of this path has to be; None where nothing of this path is published."""
    if any(part in ("", ".", "..") for part in path.split("/")):
        return None
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(path)), None)
