from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from builders import decide, table
from hostile import ATTACKS, compared, hostile, pull_request
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.comparison import Comparison
from modelrelease.reports.junit import comparison_junit

# What the readers of JUnit agree on: element, its attributes, its children.
SHAPE: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"tests", "failures", "errors", "skipped"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"properties", "testcase"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"classname", "name"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}


def read(comparison: Comparison) -> ET.Element:
    """Return the document's suite, its shape and its counts checked."""
    document = ET.fromstring(comparison_junit(comparison).encode())
    assert document.tag == "testsuites"
    for element in document.iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    (suite,) = document
    cases = suite.findall("testcase")
    for case in cases:
        assert len([child for child in case if child.tag != "system-out"]) <= 1
    counted = {"tests": len(cases)}
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        counted[name] = len(suite.findall(f"testcase/{kind}"))
    for element in (document, suite):
        assert {name: int(element.attrib[name]) for name in counted} == counted
    assert (counted["failures"] + counted["errors"] > 0) == (comparison.decision == "block")
    return suite


def outcomes(suite: ET.Element) -> dict[str, tuple[str, str] | None]:
    found: dict[str, tuple[str, str] | None] = {}
    for case in suite.findall("testcase"):
        (told,) = [child for child in case if child.tag != "system-out"] or [None]
        name = f"{case.attrib['classname']}/{case.attrib['name']}"
        found[name] = None if told is None else (told.tag, told.attrib["message"])
    return found


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    return pull_request(compared(tmp_path_factory.mktemp("junit")))


def test_a_metric_is_a_case_and_its_verdict_the_outcome(comparison: Comparison) -> None:
    found = outcomes(read(comparison))
    assert list(found) == ["qa/acc", "qa/acc_norm", "lm/nll", "failed/f1", "gone/f1", "policy/nothing/*"]
    assert found["lm/nll"] is None
    assert found["failed/f1"] == ("error", "1 item could not be scored: 50")
    assert found["gone/f1"] == ("error", "the candidate was not scored on task `gone`")
    assert found["policy/nothing/*"] == ("error", "nothing/*: the policy names it, and neither side has it")
    assert found["qa/acc"] is not None  # a release: what is not proven blocks
    assert found["qa/acc"][0] == "failure"


def test_the_numbers_stand_in_the_case(comparison: Comparison) -> None:
    case = read(comparison).findall("testcase")[0]
    assert (case.findtext("system-out") or "").startswith("metric: qa/acc\nrole: gate\nn: 50\nbaseline: 60.0\n")


def made(folder: Path, counts: dict[str, int], policy: dict[str, Any], **options: Any) -> Comparison:
    before, after = table(**counts)
    return decide(folder, {"qa": {"acc": before}}, {"qa": {"acc": after}}, {"qa/acc": policy}, **options)


@pytest.mark.parametrize(
    ("counts", "policy", "context", "outcome"),
    [
        ({"both": 60, "lost": 4, "gained": 3, "neither": 33}, {"margin": 0.03}, "pull_request", "skipped"),
        ({"both": 60, "lost": 4, "gained": 3, "neither": 33}, {"margin": 0.03}, "release", "failure"),
        ({"both": 60, "lost": 40}, {"margin": 0.03}, "pull_request", "failure"),
        ({"both": 60, "gained": 40}, {"margin": 0.03}, "pull_request", None),
        ({"both": 60, "gained": 40}, {"margin": 0.03, "min": 0.99}, "pull_request", "failure"),
        ({"both": 900, "gained": 1, "lost": 1}, {"margin": 0.1, "require": "better"}, "pull_request", "failure"),
    ],
)
def test_what_does_not_pass_fails_and_what_is_not_proven_is_skipped(
    tmp_path: Path, counts: dict[str, int], policy: dict[str, Any], context: Any, outcome: str | None
) -> None:
    told = outcomes(read(made(tmp_path, counts, policy, context=context)))["qa/acc"]
    assert (told[0] if told else None) == outcome


def test_where_nothing_was_compared_the_decision_is_the_case(comparison: Comparison) -> None:
    bare = {"metrics": (), "candidate": None, "baseline": None, "reasons": (), "headline": "Nothing to score; merge."}
    nothing = comparison.model_copy(update={**bare, "decision": "not-needed"})
    assert outcomes(read(nothing)) == {"modelrelease/decision": ("skipped", "Nothing to score; merge.")}
    blocked = nothing.model_copy(update={"decision": "block", "headline": "Blocked."})
    assert outcomes(read(blocked)) == {"modelrelease/decision": ("failure", "Blocked.")}


@pytest.mark.parametrize("attack", [*ATTACKS.values(), "]]>", "\x00\ufffe\ud800", "<?xml?>", "\t\n\r"])
def test_any_text_is_data(comparison: Comparison, attack: str) -> None:
    safe = attack.replace("\ud800", "")
    suite = read(hostile(comparison, safe))
    assert len(suite.findall("testcase")) >= len(comparison.metrics)
    assert read(comparison.model_copy(update={"headline": attack})).find("properties") is not None


@given(attack=st.text(max_size=60))
def test_every_text_gives_a_document(comparison: Comparison, attack: str) -> None:
    read(hostile(comparison, attack))
