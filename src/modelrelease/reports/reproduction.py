"""A reproduction as people read it: on a terminal, and as Markdown for a summary or an issue."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from modelrelease.errors import escape_controls, shorten
from modelrelease.numbers import show_count, show_items
from modelrelease.records.reproduction import Explanation, IdentityDifference, Mismatch, Reproduction
from modelrelease.reports.inert import FOLD_END, bullet, escape, fold_head, table_head, table_row

_WIDTH = 110
_FEW, _MOST = 10, 30
_DIGEST = 12
_UNEXPLAINED = (
    "nothing recorded explains it: dtype, device, attention, batch plan, libraries, CPU and threads are the same",
    "`--permute-batches` measures how far this machine's own numbers move",
)
_HEADER, _ALIGN = ("metric", "recorded", "reproduced"), ("left", "right", "right")


def reproduction_table(reproduction: Reproduction, path: str | None = None) -> str:
    """Return a reproduction as text for a terminal; ``path`` is where it was written, None where that is not said."""
    lines = [headline(reproduction), ""]
    rows = [[escape_controls(cell) for cell in row] for row in _metrics(reproduction)]
    if rows:
        lines += [*tabulate(rows, headers=_HEADER, disable_numparse=True, colalign=_ALIGN).splitlines(), ""]
    for title, sentences in _sections(reproduction, _FEW, texts=True):
        lines.append(f"{title}:")
        for sentence in sentences:
            text = escape_controls(sentence)
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
        lines.append("")
    lines += _facts(reproduction)
    if reproduction.outcome == "refused":
        lines.append("nothing was run, nothing written")
    elif path is not None:
        lines.append(f"written to {path}")
    return "\n".join(escape_controls(line) for line in lines) + "\n"


def reproduction_markdown(reproduction: Reproduction, name: str | None = None) -> str:
    """Return a reproduction as GitHub Markdown that does nothing but show; ``name`` is the model's, for people.

    What the model said is left out: more people read an issue than may see a test set.
    """
    told = escape(headline(reproduction))
    lines = [f"**{escape(name)}: {told}**" if name is not None else f"**{told}**", ""]
    rows = _metrics(reproduction)
    if rows:
        lines += [*table_head(_HEADER, _ALIGN), *map(table_row, rows), ""]
    for title, sentences in _sections(reproduction, _MOST, texts=False):
        long = len(sentences) > _FEW
        lines += [fold_head(f"{title} ({len(sentences)} shown)") if long else f"**{escape(title)}**", ""]
        lines += [*map(bullet, sentences), *([FOLD_END] if long else []), ""]
    lines.append(" · ".join(escape(fact) for fact in _facts(reproduction)))
    return "\n".join(lines) + "\n"


def headline(reproduction: Reproduction) -> str:
    """Return the outcome and what it means, in one sentence."""
    count, items = reproduction.flip_count, show_items(reproduction.items)
    told = {
        "exact": f"all of {items} came out bit for bit as recorded",
        "equivalent": f"the same predictions on {items}, every difference within the tolerance",
        "variance-documented": f"{show_count(count)} of {items} flipped, all of them too close to call",
        "mismatch": f"{show_count(reproduction.mismatch_count)} of {items} differ by more than the tolerance",
        "refused": "this is not the experiment that was recorded",
    }
    return f"{reproduction.outcome}: {told[reproduction.outcome]}"


def _metrics(reproduction: Reproduction) -> list[tuple[str, str, str]]:
    return [(f"{m.task}/{m.metric}", _value(m.recorded), _value(m.reproduced)) for m in reproduction.metrics]


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.8g}"


def _sections(reproduction: Reproduction, most: int, *, texts: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield what is to be said besides the metrics, each as a title and its sentences."""
    identity = [_identity(one) for one in reproduction.identity_differences]
    flips = [_flip(flip.task, flip.item_id, flip.gap, reproduction) for flip in reproduction.flips]
    wrong = [
        f"{m.task} {m.item_id}: {m.what}{_by(m.difference)}{_said(m) if texts else ''}" for m in reproduction.mismatches
    ]
    told = (
        ("not as recorded", identity, max(reproduction.identity_difference_count, len(identity))),
        ("mismatches", wrong, reproduction.mismatch_count),
        ("flips", flips, reproduction.flip_count),
    )
    for title, sentences, count in told:
        if sentences:
            yield title, _cut(sentences, count, most)
    yield from _causes(reproduction)


def _causes(reproduction: Reproduction) -> Iterator[tuple[str, list[str]]]:
    causes = [_changed(one) for one in reproduction.explanations]
    if causes:
        moved = reproduction.outcome != "exact"
        yield ("what explains it (recorded → found)" if moved else "other than recorded, to no effect", causes)
    elif reproduction.outcome not in {"exact", "refused"}:
        yield "what explains it", list(_UNEXPLAINED)
    information = [_changed(one) for one in reproduction.information]
    if information:
        yield "also different, and no cause", information


def _cut(sentences: Sequence[str], count: int, most: int) -> list[str]:
    shown = list(sentences[:most])
    rest = count - len(shown)
    return [*shown, f"and {show_count(rest)} more"] if rest > 0 else shown


def _identity(one: IdentityDifference) -> str:
    what = one.what + (f" {one.where}" if one.where else "")
    if one.found is None:
        return f"{what} is gone"
    if one.recorded is None:
        return f"{what} is new"
    return f"{what} changed: {_short(one.recorded)} → {_short(one.found)}"


def _flip(task: str, item_id: str, gap: float | None, reproduction: Reproduction) -> str:
    how = f"its choices were {gap:.2g} nats apart" if gap is not None else "its choices were close"
    return f"{task} {item_id}: {how}"


def _said(one: Mismatch) -> str:
    return f": {one.recorded or 'none'} → {one.found or 'none'}" if one.recorded or one.found else ""


def _by(difference: float | None) -> str:
    return f", by {difference:.2g} nats" if difference is not None else ""


def _changed(one: Explanation) -> str:
    return f"{one.what}: {one.recorded or 'none'} → {one.found or 'none'}"


def _short(text: str) -> str:
    """A digest by its first digits; names in full."""
    is_digest = len(text) == 64 and not set(text) - set("0123456789abcdef")
    return text[:_DIGEST] if is_digest else shorten(text, 200)


def _facts(reproduction: Reproduction) -> list[str]:
    facts = []
    if reproduction.max_abs_difference is not None:
        largest = f"largest difference {reproduction.max_abs_difference:.2g} nats"
        facts.append(f"{largest}, tolerance {reproduction.tolerance:.2g}")
    if reproduction.noise is not None:
        noise = reproduction.noise
        plans = f"{noise.plans} other batch plan{'' if noise.plans == 1 else 's'}"
        facts.append(f"noise floor of this machine {noise.max_abs_difference:.2g} nats ({plans})")
    if reproduction.inputs is not None:
        recorded = f"recorded at commit {reproduction.commit[:12]}" if reproduction.commit else "recorded at no commit"
        facts.append(f"{recorded}, inputs from the {reproduction.inputs}")
    if reproduction.provenance is not None:
        facts.append(f"{reproduction.provenance.seconds:.1f} s on {reproduction.provenance.host}")
    return facts
