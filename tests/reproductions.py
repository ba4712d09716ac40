"""Reproductions for tests of what tells of them; those of tests under act come from real runs."""

from __future__ import annotations

from typing import Any

from builders import sha

from modelrelease import __version__
from modelrelease.records.evaluation import SCORER_VERSION, Tool
from modelrelease.records.reproduction import (
    IdentityDifference,
    Mismatch,
    Outcome,
    ReproducedMetric,
    Reproduction,
)


def reproduction(outcome: Outcome = "mismatch", item_id: str = "q7", **changes: Any) -> Reproduction:
    """Return a reproduction with this outcome; a mismatch is of one item, a refusal of one row."""
    wrong = (Mismatch(task="qa", item_id=item_id, what="prediction", difference=0.25),)
    other = (IdentityDifference(what="row", where=f"qa/{item_id}", recorded=sha("a"), found=sha("b")),)
    values: dict[str, Any] = {
        "scorer_version": SCORER_VERSION,
        "tool": Tool(name="modelrelease", version=__version__),
        "eval_sha256": sha("eval"),
        "model_digest": sha("model"),
        "suite_digest": sha("suite"),
        "commit": "a" * 40,
        "outcome": outcome,
        "identity_differences": other if outcome == "refused" else (),
        "explanations": (),
        "tolerance": 0.0001,
        "max_abs_difference": {"exact": 0.0, "refused": None}.get(outcome, 0.25),
        "items": 40,
        "flip_count": 0,
        "flips": (),
        "mismatch_count": len(wrong) if outcome == "mismatch" else 0,
        "mismatches": wrong if outcome == "mismatch" else (),
        "metrics": (ReproducedMetric(task="qa", metric="acc", recorded=0.75, reproduced=0.5),),
        "noise": None,
        "provenance": None,
    }
    return Reproduction(**{**values, **changes})
