"""Comparisons in which every text that can come from a model or a pull request is an attack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders import Sample, Tasks, decide, read_pair

from modelrelease.comparison.compare import diff
from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.measure import Measure
from modelrelease.records.changes import Changes, FieldChange, FileChange, Recorded, RowChange, RowCounts, Words
from modelrelease.records.comparison import Comparison, Diff, PastVersion, ScoredAgain
from modelrelease.records.resolution import ChangedInput, Resolution

ATTACKS = {
    "a fence of ten backticks": "``````````\n# out\n``````````",
    "a mention": "@everyone and @org/team",
    "an issue": "#1 org/repo#2 GH-3 gh-4",
    "an image": "![x](http://evil.example/x.png)",
    "a link": "[x](http://evil.example) <http://evil.example> http://evil.example www.evil.example",
    "a reference": "[x]: http://evil.example\n\n[x]",
    "html": "<img src=x onerror=alert(1)><!-- hidden --> </details></summary><script>",
    "the end of a comment": "--> <!-- modelrelease:comment -->",
    "pipes": "a | b \\| c \\\\| d |",
    "emphasis": "**bold** _it_ ~~no~~ `code` $x$ *",
    "colours": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m",
    "reading direction": "\u202egnp.exe \u2066x\u2069 \u200f",
    "lines": "one\ntwo\r\nthree\n\n# heading\n\n---\n\u2028four\x0bfive\x0c",
    "a list": "1. one",
    "another list": "- one\n- two",
    "a heading": "# one\n===\n---",
    "a table": "| a |\n| --- |\n| b |",
    "a block": "    code\n> quote",
    "an entity": "&lt;b&gt; &#64;x &amp;",
    "an emoji": ":tada: :x:",
    "nothing": "",
    "spaces": "  \t ",
    "half of a pair": "\U0001f600\U0001f468\u200d\U0001f469",
    "length": "x" * 5000 + "|" * 5000,
}

_TEXTS = {
    "headline",
    "reason",
    "task",
    "metric",
    "item_id",
    "input",
    "target",
    "field",
    "value",
    "what",
    "label",
    "source_ref",
    "version",
    "method",
    "git_sha",
    "resolved_by",
    "started",
    "engine",
    "environment",
    "path",
    "detail",
    "merge_base",
    "head",
    "parent",
    "author",
    "date",
    "text",
    "id",
    "problem",
    "old_path",
    "answer",
    "prediction",
    "from_ref",
    "to_ref",
}


def compared(folder: Path) -> Comparison:
    """Return a comparison with every part a report shows: metrics of all kinds, flips, slices, reasons, warnings."""

    def with_slices(sample: Sample) -> None:
        sample["slices"] = {"half": str(int(sample["item_id"]) % 2)}

    before: Tasks = {
        "qa": {"acc": [1.0] * 30 + [0.0] * 20, "acc_norm": [1.0] * 50},
        "lm": {"nll": [1.0 + number / 50 for number in range(50)]},
        "failed": {"f1": [1.0] * 50},
        "gone": {"f1": [1.0]},
    }
    after: Tasks = {
        "qa": {"acc": [0.0] * 15 + [1.0] * 35, "acc_norm": [1.0] * 50},
        "lm": {"nll": [1.0 + (number % 7) / 7 for number in range(50)]},
        "failed": {"f1": [1.0] * 49 + [None]},
    }
    metrics: dict[str, Any] = {"*": {"margin": 0.03}, "nothing/*": {"margin": 0.1}}
    edits = {"before_edit": with_slices, "after_edit": with_slices}
    return decide(folder, before, after, metrics, **edits)


def diffed(folder: Path, **options: Any) -> Diff:
    """Return a diff with every part that a report of it shows: differences, slices, items of all kinds of tasks."""
    words = ["The", "answer", "is", "below", "the", "line", "here:"]

    def edit(sample: Sample) -> None:
        sample["slices"] = {"half": str(int(sample["item_id"]) % 2)}
        if sample["task"] == "text":
            right = sample["scores"]["exact_match"]
            sample["output"] = " ".join([*words, "four" if right else "five", "of", sample["output"].split()[0]])
            sample["prediction"] = "four" if right else "five"

    before: Tasks = {
        "qa": {"acc": [1.0] * 30 + [0.0] * 20, "acc_norm": [1.0] * 50},
        "text": {"exact_match": [1.0] * 25 + [0.0] * 25},
        "lm": {"nll": [1.0 + number / 50 for number in range(50)]},
        "gone": {"f1": [1.0]},
    }
    after: Tasks = {
        "qa": {"acc": [0.0] * 15 + [1.0] * 35, "acc_norm": [0.0] + [1.0] * 49},
        "text": {"exact_match": [0.0] * 2 + [1.0] * 30 + [0.0] * 18},
        "lm": {"nll": [1.0 + (number % 7) / 7 for number in range(50)]},
    }
    sides = read_pair(folder, before, after, before_edit=edit, after_edit=edit, **options)

    def look_up(measured: Measure, place: int) -> SampleTexts:
        one, other = (results.sample(measured.info.task, place) for results in sides)
        return SampleTexts(f"What is {place}?", one, other, 1 if measured.info.task == "qa" else None)

    return diff(*sides, look_up)


RESOLUTION = Resolution(
    rule="new-version",
    reason="models/model_v1.1 is new",
    candidate="models/model_v1.1",
    baseline="models/model_v1.0",
    baseline_rule="highest-version",
    merge_base="a" * 40,
    head="b" * 40,
    changes=(
        ChangedInput(path="prompts/qa.txt", what="prompt"),
        ChangedInput(path="datasets/qa.jsonl", what="dataset", detail="1 row changed, 2 added"),
    ),
)


CHANGES = Changes(
    from_ref="a" * 40,
    to_ref="b" * 40,
    files=(
        FileChange(
            path="prompts/qa.txt",
            kind="changed",
            records=(Recorded(author="Ada", reason="Ask for one word", date="2026-01-02"),),
            fields=(
                FieldChange(
                    field="text",
                    words=(
                        Words(kind="removed", text="Q:"),
                        Words(kind="added", text="A:"),
                        Words(kind="same", text=" x"),
                    ),
                ),
            ),
        ),
        FileChange(
            path="datasets/other.jsonl",
            old_path="datasets/old.jsonl",
            kind="renamed",
            rows=RowCounts(
                added=0,
                changed=1,
                removed=0,
                shown=(RowChange(id="q1", kind="changed", before={"answer": "1"}, after={"answer": "2"}),),
            ),
        ),
        FileChange(path="prompts/gone.md", kind="deleted", problem="is a link"),
    ),
    left_out=2,
)


def pull_request(comparison: Comparison, **changes: Any) -> Comparison:
    """Return the comparison as a pull request's: resolved, scored again in part, judged twice, with a history."""
    assert comparison.baseline is not None
    again = ScoredAgain(items=3, of=2000, why=("test set changed",))
    own = comparison.policies[0].model_copy(update={"source_ref": "own.yaml", "headline": "Promote: by its own."})
    values = {"qa/acc": 0.5, "lm/nll": 1.5}
    given = {
        "context": "pull_request",
        "resolution": RESOLUTION,
        "baseline": comparison.baseline.model_copy(update={"scored_again": again, "age": 12.4}),
        "policies": (*comparison.policies, own),
        "notes": ("Its parent model_v0.9 had the same.",),
        "changes": CHANGES,
        "history": tuple(PastVersion(version=f"model_v0.{n}", values=values) for n in range(3)),
    }
    return comparison.model_copy(update={**given, **changes})


def hostile(document: Diff, attack: str) -> Any:
    """Return the document with ``attack`` in the place of every free text."""
    plain = _replaced(json.loads(document.to_bytes()), attack)
    return type(document).model_validate_json(json.dumps(plain))


def _replaced(value: Any, attack: str) -> Any:
    if isinstance(value, list):
        return [attack if isinstance(item, str) else _replaced(item, attack) for item in value]
    if isinstance(value, dict):
        return {key: _field(key, item, attack) for key, item in value.items()}
    return value


def _field(key: str, item: Any, attack: str) -> Any:
    # Of closed sets, and the names of metrics, of which only known ones are drawn.
    inputs = {"suite", "prompt", "dataset", "policy"}
    if key in {"subject", "values"} or (key == "what" and item in inputs):
        return item
    if key in {"candidate", "baseline"} and isinstance(item, str) and item.startswith("models/"):
        return f"{item}{attack}"
    if key in {"before", "after"} and isinstance(item, dict):
        return {attack: attack}
    answers = {"baseline", "candidate"}
    if isinstance(item, str) and (key in _TEXTS or key in answers):
        return attack
    return _replaced(item, attack)
