"""Generated text against references: exact_match, contains, regex, f1, json_valid."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from modelrelease.records.suite import MetricSpec
from modelrelease.scoring.metrics.patterns import find, matches, pattern_problem

_ARTICLES = {"a", "an", "the"}
_PUNCTUATION = str.maketrans("", "", string.punctuation)
MAX_DIGITS = 400


def normalize_text(text: str) -> str:
    """Return ``text`` lower-cased, without punctuation and English articles, its white space single.

    Source: SQuAD's evaluation script (Rajpurkar et al. 2016), which also defines ``f1`` over these words.
    """
    return " ".join(word for word in text.lower().translate(_PUNCTUATION).split() if word not in _ARTICLES)


def normalize_number(text: str) -> str | None:
    """Return a decimal number in its one shortest form: ``$1,080.50 `` → ``1080.5``. None where it is none.

    Thousands commas, a currency sign or a percent sign around it and a final full stop are dropped. No digit is:
    two numbers are equal exactly when they have the same value.
    """
    cleaned = text.strip().rstrip(".").strip("$€£% ").rstrip(".").replace(",", "")
    if not cleaned or len(cleaned) > MAX_DIGITS or not cleaned.lstrip("+-").replace(".", "", 1).isdigit():
        return None
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        return None
    # Not Decimal.normalize(), which rounds to 28 digits.
    digits = format(number, "f")
    return "0" if number == 0 else digits.rstrip("0").rstrip(".") if "." in digits else digits


class TextScorer:
    """One metric of a generate task: what it needs of the target, and the score of an output.

    ``extract``, ``take`` and ``normalize`` apply to output and references alike.
    """

    def __init__(self, spec: MetricSpec) -> None:
        self.spec = spec
        self.needs_target = spec.name in {"exact_match", "contains", "f1"} or (
            spec.name == "regex" and spec.pattern is None
        )

    def prediction(self, output: str) -> str | None:
        """Return what of ``output`` is compared; None where ``extract`` or ``normalize`` finds nothing."""
        text: str | None = output
        if self.spec.extract is not None:
            text = find(self.spec.extract, output, self.spec.take)
        return None if text is None else self._normalized(text)

    def reference_problem(self, references: Sequence[str]) -> str | None:
        """Say why no output could ever be right for ``references``; None where one could."""
        if not self.needs_target:
            return None
        if self.spec.name == "regex":
            faults = [pattern_problem(reference) for reference in references]
            return next((f"the target is no regular expression: {fault}" for fault in faults if fault), None)
        for reference in references:
            if not self.prediction(reference):
                name = self.spec.name
                return f"the target gives nothing to compare after `{name}`'s extract and normalize"
        return None

    def score(self, output: str, references: Sequence[str]) -> float:
        """Return the score of one output, the best over its references. Raises PatternTimeoutError."""
        if self.spec.name == "regex":
            patterns = [self.spec.pattern] if self.spec.pattern is not None else list(references)
            return float(any(matches(pattern, output) for pattern in patterns))
        prediction = self.prediction(output)
        if prediction is None:
            return 0.0
        if self.spec.name == "json_valid":
            return float(_is_json(prediction))
        wanted = [text for text in map(self.prediction, references) if text is not None]
        compare = {"exact_match": _equal, "contains": _contains, "f1": token_f1}[self.spec.name]
        return max((compare(prediction, reference) for reference in wanted), default=0.0)

    def _normalized(self, text: str) -> str | None:
        if self.spec.normalize == "number":
            return normalize_number(text)
        return normalize_text(text) if self.spec.normalize == "text" else text.strip()


def token_f1(prediction: str, reference: str) -> float:
    """Return the harmonic mean of precision and recall over words (SQuAD's F1, on normalised text)."""
    predicted, wanted = normalize_text(prediction).split(), normalize_text(reference).split()
    if not predicted or not wanted:
        return float(predicted == wanted)
    common = (Counter(predicted) & Counter(wanted)).total()
    return 2 * common / (len(predicted) + len(wanted))


def _equal(prediction: str, reference: str) -> float:
    return float(prediction == reference)


def _contains(prediction: str, reference: str) -> float:
    return float(reference in prediction)


def _is_json(text: str) -> bool:
    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True
