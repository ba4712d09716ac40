"""Pickles by content, under any name: walked, never loaded.

A pickle is a program for a stack machine: what it can do to a reader is import something and call it. So a file is one
when its bytes are such a program up to its end, or up to the first call of something imported: what follows that is of
no interest to an attacker, and a broken end saves nobody. Source of the table: pickletools of Python's standard
library, which a test holds it against, and which takes longer to import than a hook may run.
"""

from __future__ import annotations

HEAD = 1 << 16
"""Bytes of a file's beginning that are looked at."""
_ENOUGH = 20
_SHORTEST = 4
_IMPORTS = "ci\x93\x82\x83\x84"
_CALLS = "Rbio\x81\x92"

# Opcode, argument, what it takes from the stack, what it puts there. An argument is a number of bytes; after `+`, a
# length of so many bytes and what it counts; `n`, a line; `nn`, two. `m`: the last mark and everything above it.
_TABLE = """
I n 0 1|J 4 0 1|K 1 0 1|M 2 0 1|L n 0 1|\x8a +1 0 1|\x8b +4 0 1|S n 0 1|T +4 0 1|U +1 0 1|B +4 0 1|C +1 0 1|\x8e +8 0 1
\x96 +8 0 1|\x97 0 0 1|\x98 0 1 1|N 0 0 1|\x88 0 0 1|\x89 0 0 1|V n 0 1|\x8c +1 0 1|X +4 0 1|\x8d +8 0 1|F n 0 1|G 8 0 1
] 0 0 1|a 0 2 1|e 0 m 0|l 0 m 1|) 0 0 1|t 0 m 1|\x85 0 1 1|\x86 0 2 1|\x87 0 3 1|} 0 0 1|d 0 m 1|s 0 3 1|u 0 m 0
\x8f 0 0 1|\x90 0 m 0|\x91 0 m 1|0 0 1 0|2 0 1 2|( 0 0 (|1 0 m 0|g n 0 1|h 1 0 1|j 4 0 1|p n 1 1|q 1 1 1|r 4 1 1
\x94 0 1 1|\x82 1 0 1|\x83 2 0 1|\x84 4 0 1|c nn 0 1|\x93 0 2 1|R 0 2 1|b 0 2 1|i nn m 1|o 0 m 1|\x81 0 2 1|\x92 0 3 1
\x80 1 0 0|. 0 1 0|\x95 8 0 0|P n 0 1|Q 0 1 1
"""
_OPCODES = {row[0]: tuple(row[2:].split(" ")) for line in _TABLE.strip("\n").split("\n") for row in line.split("|")}


def is_pickle(head: bytes, *, whole: bool) -> bool:
    """Return whether a file that begins with ``head`` is a pickle; ``whole`` says that this is all of it."""
    walk = _Walk(head)
    ended = walk.run()
    if walk.called:
        return True
    known = head[:1] == b"\x80" or walk.imported  # from protocol 2 on; before it, a pickle is text like other text
    if ended:
        return known or (whole and walk.place == len(head) and walk.seen >= _SHORTEST)
    return not whole and known and walk.cut and walk.seen >= _ENOUGH


class _Walk:
    """One way through a pickle. The stack is a list of heights: each mark's part of it, the last one on top."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.place = 0
        self.seen = 0
        self.heights = [0]
        self.imported = False
        self.called = False
        self.cut = False

    def run(self) -> bool:
        """Go on while it makes sense; return whether the pickle's own end was reached."""
        while self.place < len(self.head) and not self.called:
            opcode = chr(self.head[self.place])
            row = _OPCODES.get(opcode)
            if row is None or not self._argument(opcode, row[0]) or not self._stack(opcode, row[1], row[2]):
                return False
            self.seen += 1
            self.imported = self.imported or opcode in _IMPORTS
            self.called = self.imported and opcode in _CALLS
            if opcode == ".":
                return True
        self.cut = True
        return False

    def _argument(self, opcode: str, kind: str) -> bool:
        start = self.place + 1
        if kind[0] == "n":
            return self._lines(start, len(kind))
        if kind[0] == "+":
            width = int(kind[1])
            self.place = start + width + int.from_bytes(self.head[start : start + width], "little")
        else:
            self.place = start + int(kind)
        self.cut = self.place > len(self.head)
        protocol = opcode == "\x80" and self.head[start : start + 1] > b"\x05"
        return not self.cut and not protocol

    def _lines(self, start: int, count: int) -> bool:
        for _ in range(count):
            end = self.head.find(b"\n", start)
            if end < 0:
                self.cut = True
                return False
            line = self.head[start:end]
            if count == 2 and not _is_dotted_name(line):
                return False
            start = end + 1
        self.place = start
        return True

    def _stack(self, opcode: str, takes: str, puts: str) -> bool:
        if takes == "m" or (opcode == "0" and self.heights[-1] == 0):  # a pop takes a mark that is on top
            if len(self.heights) == 1:
                return False
            self.heights.pop()
        elif self.heights[-1] < int(takes):
            return False
        else:
            self.heights[-1] -= int(takes)
        if puts == "(":
            self.heights.append(0)
        else:
            self.heights[-1] += int(puts)
        return True


def _is_dotted_name(line: bytes) -> bool:
    try:
        text = line.decode("utf-8")
    except ValueError:
        return False
    return all(part.isidentifier() for part in text.split("."))
