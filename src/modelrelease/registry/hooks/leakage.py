"""Test rows that also stand in a training set: the same text after normalising, or a large share of its n-grams.

Source of the n-gram test: Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C, which calls a test
item dirty that shares a 13-gram; here a share of shorter ones counts, so that short questions are seen as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modelrelease.codes import Code
from modelrelease.errors import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

N_GRAM = 8
SHARE = 0.5
MIN_WORDS = 4
_WORD = re.compile(r"\w+")


class TestTexts:
    """The texts of a test set, ready to be met by a training set of any size, line by line."""

    __test__ = False

    def __init__(self, path: str, rows: Iterable[tuple[int, Any]]) -> None:
        self.path = path
        self._exact: dict[str, list[int]] = {}
        self._grams: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}
        self._met: dict[int, tuple[int, str]] = {}
        for line, value in rows:
            words = _words(value)
            if len(words) < MIN_WORDS:
                continue
            self._exact.setdefault(" ".join(words), []).append(line)
            grams = _grams(words)
            self._sizes[line] = len(grams)
            for gram in grams:
                self._grams.setdefault(gram, []).append(line)

    def meet(self, number: int, value: Any) -> None:
        """Hold one line of the training set against all test rows."""
        words = _words(value)
        for line in self._exact.get(" ".join(words), ()):
            self._met.setdefault(line, (number, "the same text"))
        shared: dict[int, int] = {}
        for gram in _grams(words):
            for line in self._grams.get(gram, ()):
                shared[line] = shared.get(line, 0) + 1
        for line, count in shared.items():
            share = count / self._sizes[line]
            if share >= SHARE:
                self._met.setdefault(line, (number, f"{share:.0%} of its runs of {N_GRAM} words"))

    def findings(self, training: str) -> Iterator[Finding]:
        """Yield one finding (MR115) for each test row that was met."""
        for line, (number, how) in sorted(self._met.items()):
            message = f"also stands in {training}, line {number}: {how}"
            yield Finding(self.path, Code.LEAKAGE, message, "take it out of one of the two", line)


def _words(value: Any) -> list[str]:
    return _WORD.findall(" ".join(_texts(value)).casefold())


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a row, whatever their keys are called; a row's id says nothing."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key != "id":
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _grams(words: list[str]) -> set[int]:
    size = min(N_GRAM, len(words))
    return {hash(tuple(words[start : start + size])) for start in range(len(words) - size + 1)} if size else set()
