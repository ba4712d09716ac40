"""What people read of a reproduction, outcome by outcome; and that a hostile record only shows."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import ATTACKS
from inertness import assert_inert

from modelrelease.records.evaluation import Provenance, Tool
from modelrelease.records.reproduction import (
    CloseFlip,
    Explanation,
    IdentityDifference,
    Mismatch,
    NoiseFloor,
    ReproducedMetric,
    Reproduction,
)
from modelrelease.reports.reproduction import reproduction_markdown, reproduction_table

DIGEST, OTHER = "a" * 64, "b" * 64
RUN = Provenance(
    git_sha=None, dirty=None, started="", seconds=1.5, tokens_per_second=1.0, peak_memory=1, host="h", run_url=None
)
METRIC = ReproducedMetric(task="qa", metric="acc", recorded=0.32, reproduced=0.31)
THREADS = Explanation(what="threads", recorded="4", found="1")


def reproduction(**values: Any) -> Reproduction:
    plain: dict[str, Any] = {
        "scorer_version": 1,
        "tool": Tool(version="0"),
        "eval_sha256": DIGEST,
        "model_digest": DIGEST,
        "suite_digest": DIGEST,
        "commit": "c" * 40,
        "inputs": "commit",
        "outcome": "exact",
        "identity_differences": (),
        "explanations": (),
        "tolerance": 1e-3,
        "max_abs_difference": 0.0,
        "items": 1100,
        "flip_count": 0,
        "flips": (),
        "mismatch_count": 0,
        "mismatches": (),
        "metrics": (METRIC,),
        "noise": None,
        "provenance": RUN,
    }
    return Reproduction(**{**plain, **values})


ROW = IdentityDifference(what="row", where="datasets/x.jsonl:17 (id q16)", recorded=DIGEST, found=OTHER)
REFUSED = {"outcome": "refused", "provenance": None, "max_abs_difference": None, "metrics": ()}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "exact": ({}, ["exact: all of 1,100 items came out bit for bit as recorded", "qa/acc"]),
    "exact with other threads": ({"explanations": (THREADS,)}, ["other than recorded, to no effect", "threads: 4 → 1"]),
    "equivalent": (
        {"outcome": "equivalent", "explanations": (THREADS,), "max_abs_difference": 3e-5},
        ["every difference within the tolerance", "what explains it", "largest difference 3e-05 nats, tolerance 0.001"],
    ),
    "documented": (
        {"outcome": "variance-documented", "flip_count": 1, "flips": (CloseFlip(task="qa", item_id="q1", gap=1.2e-5),)},
        ["1 of 1,100 items flipped, all of them too close to call", "qa q1: its choices were 1.2e-05 nats apart"],
    ),
    "a mismatch that nothing explains": (
        {
            "outcome": "mismatch",
            "mismatch_count": 250,
            "mismatches": (Mismatch(task="qa", item_id="q1", what="log-likelihood", difference=0.5),),
        },
        [
            "250 of 1,100 items differ",
            "by 0.5 nats",
            "and 249 more",
            "nothing recorded explains it",
            "--permute-batches",
        ],
    ),
    "refused": (
        {**REFUSED, "identity_differences": (ROW,), "identity_difference_count": 1},
        ["refused: this is not", "row datasets/x.jsonl:17 (id q16) changed: aaaaaaaaaaaa → bbbbbbbbbbbb"],
    ),
    "something that is gone": (
        {**REFUSED, "identity_differences": (ROW.model_copy(update={"found": None}),)},
        ["(id q16) is gone"],
    ),
    "something new": (
        {**REFUSED, "identity_differences": (ROW.model_copy(update={"recorded": None}),)},
        ["(id q16) is new"],
    ),
    "noise": ({"noise": NoiseFloor(plans=3, max_abs_difference=4e-5)}, ["4e-05 nats (3 other batch plans)"]),
    "information": (
        {"information": (Explanation(what="Python", recorded="3.10.1", found="3.12.2"),)},
        ["also different, and no cause", "Python: 3.10.1 → 3.12.2"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str) -> None:
    values, expected = CASES[name]
    table = " ".join(reproduction_table(reproduction(**values), "out/reproduction.json").split())
    assert [text for text in expected if " ".join(text.split()) not in table] == []
    markdown = reproduction_markdown(reproduction(**values), "model_v1.0")
    shown = markdown.replace("\\", "").replace("\u200b", "").replace("&#35;", "#")
    assert [text for text in expected if text not in shown] == []
    assert_inert(markdown)


def test_the_last_line_says_where_it_is() -> None:
    assert reproduction_table(reproduction(), "a/b.json").endswith("written to a/b.json\n")
    assert reproduction_table(reproduction(**REFUSED), None).endswith("nothing was run, nothing written\n")


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_record_only_shows(name: str) -> None:
    text = ATTACKS[name].encode("utf-8", "replace").decode("utf-8")
    hostile = reproduction(
        outcome="mismatch",
        identity_differences=(IdentityDifference(what=text, where=text, recorded=text, found=text),),
        explanations=(Explanation(what=text, recorded=text, found=text),),
        information=(Explanation(what=text, recorded=text, found=None),),
        flip_count=1,
        flips=(CloseFlip(task=text, item_id=text, gap=None),),
        mismatch_count=1,
        mismatches=(Mismatch(task=text, item_id=text, what=text, difference=None),),
        metrics=(ReproducedMetric(task=text, metric=text, recorded=1.0, reproduced=None),),
        provenance=RUN.model_copy(update={"host": text}),
    )
    assert_inert(reproduction_markdown(hostile, text))
    table = reproduction_table(hostile, "out")
    assert all(line.isprintable() for line in table.splitlines())


def test_long_lists_are_folded_and_bounded() -> None:
    many = tuple(Mismatch(task="qa", item_id=f"q{n}", what="log-likelihood", difference=1.0) for n in range(100))
    found = reproduction(outcome="mismatch", mismatch_count=5000, mismatches=many)
    markdown = reproduction_markdown(found, "model_v1.0")
    assert "<details><summary>mismatches (31 shown)</summary>" in markdown
    assert "and 4,970 more" in markdown
    assert len(markdown) < 5000
    assert reproduction_table(found, "out").count("log-likelihood") == 10


def test_what_the_model_said_is_for_the_terminal_alone() -> None:
    said = Mismatch(
        task="qa", item_id="q1", what="another prediction", difference=None, recorded="'SECRET'", found="'OTHER'"
    )
    found = reproduction(outcome="mismatch", mismatch_count=1, mismatches=(said,))
    assert "qa q1: another prediction: 'SECRET' → 'OTHER'" in reproduction_table(found)
    markdown = reproduction_markdown(found)
    assert "another prediction" in markdown
    assert "SECRET" not in markdown
    assert "OTHER" not in markdown
