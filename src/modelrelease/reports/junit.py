"""A comparison as JUnit XML, for what shows test results: one case a metric.

A gate metric that lost or keeps the decision from passing is a failure; one that could not be compared an error; one
that is not proven and blocks nothing is skipped, since it neither passed nor failed. A blocked comparison has a
failure or an error, any other has none.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.comparison import Comparison, MetricComparison
from modelrelease.reports import rows

MAX_TEXT = 2000
_NOT_COMPARED = {"error", "incomparable", "missing"}
_OUTCOMES = ("failure", "error", "skipped")


def comparison_junit(comparison: Comparison) -> str:
    """Return a comparison as a JUnit document. What XML forbids in texts stands there as an escape."""
    suite = ET.Element("testsuite", name=_text(comparison.name or "modelrelease"))
    properties = ET.SubElement(suite, "properties")
    for name, value in (("decision", comparison.decision), ("headline", comparison.headline), *rows.facts(comparison)):
        ET.SubElement(properties, "property", name=name, value=_text(value))
    suite.extend(_case(comparison, row) for row in comparison.metrics)
    suite.extend(_others(comparison))
    if comparison.decision == "block" and not (suite.findall(".//failure") or suite.findall(".//error")):
        suite.append(_decision(comparison, "failure"))
    if comparison.decision == "not-needed":
        suite.append(_decision(comparison, "skipped"))
    cases = suite.findall("testcase")
    counts = {f"{kind}s" if kind != "skipped" else kind: str(len(suite.findall(f".//{kind}"))) for kind in _OUTCOMES}
    suite.attrib.update(tests=str(len(cases)), **counts)
    document = ET.Element("testsuites", {name: suite.attrib[name] for name in ("tests", *counts)})
    document.append(suite)
    ET.indent(document)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(document, encoding="unicode")}\n'


def _case(comparison: Comparison, row: MetricComparison) -> ET.Element:
    case = ET.Element("testcase", classname=_text(row.task), name=_text(row.metric))
    outcome, message = _outcome(comparison, row)
    if outcome is not None:
        ET.SubElement(case, outcome, type=row.verdict, message=_text(message))
    cells = zip(rows.metric_header(comparison.confidence), rows.metric_row(row), strict=True)
    lines = [f"{name}: {_text(value)}" for name, value in cells] + [_text(row.reason)]
    ET.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def _outcome(comparison: Comparison, row: MetricComparison) -> tuple[str | None, str]:
    if row.role == "info":
        return None, ""
    objections = [reason for reason in comparison.reasons if _is_of(reason, row)]
    if row.verdict in _NOT_COMPARED:
        return "error", row.reason
    if row.verdict == "regressed" or (comparison.decision == "block" and objections):
        return "failure", "; ".join(objections) or row.reason
    return ("skipped", row.reason) if row.verdict in {"inconclusive", "no-baseline"} else (None, "")


def _others(comparison: Comparison) -> Iterator[ET.Element]:
    """Yield what keeps the decision from passing and is no metric's: one that the policy names and nobody has."""
    if comparison.decision != "block":
        return
    for reason in comparison.reasons:
        if not any(_is_of(reason, row) for row in comparison.metrics):
            case = ET.Element("testcase", classname="policy", name=_text(reason.partition(":")[0]))
            ET.SubElement(case, "error", type="missing", message=_text(reason))
            yield case


def _decision(comparison: Comparison, outcome: str) -> ET.Element:
    case = ET.Element("testcase", classname="modelrelease", name="decision")
    ET.SubElement(case, outcome, type=comparison.decision, message=_text(comparison.headline))
    return case


def _is_of(reason: str, row: MetricComparison) -> bool:
    return reason.startswith(f"{row.task}/{row.metric} ")


def _text(text: str) -> str:
    return escape_controls(shorten(text, MAX_TEXT))
