"""The rules, from what two trees hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.records.resolution import ChangedInput
from modelrelease.release.resolution import Facts, VersionFolder, changed_records, resolve

ONE = VersionFolder(weights="a", record="r")
TWO = VersionFolder(weights="b", record="r")
PROMPT = ChangedInput(path="prompts/qa.md", what="prompt")
ROWS = ChangedInput(path="datasets/qa.jsonl", what="dataset", detail="1 row changed")
SUITE = ChangedInput(path="evals/release.yaml", what="suite")
POLICY = ChangedInput(path="modelrelease.yaml", what="policy")


def facts(before: Mapping[str, VersionFolder], after: Mapping[str, VersionFolder], **more: Any) -> Facts:
    """Return facts; versions are given without `model_v`."""
    folders = [{f"model_v{name}": folder for name, folder in side.items()} for side in (before, after)]
    places = {"models": "models", "models_before": "models", **more}
    return Facts(merge_base="1" * 40, head="2" * 40, before=folders[0], after=folders[1], **places)


NEW = VersionFolder(weights="c")
CASES: dict[str, tuple[Facts, tuple[str, str | None, str | None, str]]] = {
    "a new version": (
        facts({"1.0": ONE}, {"1.0": ONE, "1.1": NEW}),
        ("new-version", "1.1", "1.0", "highest-version"),
    ),
    "a new version that is scored already": (
        facts({"1.0": ONE}, {"1.0": ONE, "1.1": TWO}),
        ("new-version", "1.1", "1.0", "highest-version"),
    ),
    "a new version with a lower number": (
        facts({"2.0": ONE}, {"2.0": ONE, "1.9": NEW}),
        ("new-version", "1.9", "2.0", "highest-version"),
    ),
    "a new version and changed inputs": (
        facts({"1.0": ONE}, {"1.0": ONE, "1.1": NEW}, changes=(PROMPT,)),
        ("new-version", "1.1", "1.0", "highest-version"),
    ),
    "the highest number, not the last name": (
        facts({"1.9": ONE, "1.10": TWO}, {"1.9": ONE, "1.10": TWO, "1.11": NEW}),
        ("new-version", "1.11", "1.10", "highest-version"),
    ),
    "a version without a record is not live": (
        facts({"1.0": ONE, "1.1": NEW}, {"1.0": ONE, "1.1": NEW}, changes=(PROMPT,)),
        ("changed-inputs", "1.0", "1.0", "highest-version"),
    ),
    "nothing is live": (
        facts({}, {"1.0": ONE}),
        ("new-version", "1.0", None, "none"),
    ),
    "nothing is live, though a version is there": (
        facts({"1.0": NEW}, {"1.0": NEW, "1.1": ONE}),
        ("new-version", "1.1", None, "none"),
    ),
    "a changed checkpoint": (
        facts({"1.0": ONE}, {"1.0": TWO}),
        ("changed-checkpoint", "1.0", "1.0", "highest-version"),
    ),
    "a changed checkpoint of an old version": (
        facts({"1.0": ONE, "1.1": TWO}, {"1.0": NEW, "1.1": TWO}),
        ("changed-checkpoint", "1.0", "1.1", "highest-version"),
    ),
    "a checkpoint taken out of git": (
        facts({"1.0": ONE}, {"1.0": VersionFolder(address="x", record="r")}),
        ("changed-checkpoint", "1.0", "1.0", "highest-version"),
    ),
    "another address of weights that lie elsewhere": (
        facts({"1.0": VersionFolder(address="x", record="r")}, {"1.0": VersionFolder(address="y", record="r")}),
        ("changed-checkpoint", "1.0", "1.0", "highest-version"),
    ),
    "papers alone": (
        facts({"1.0": ONE}, {"1.0": VersionFolder(weights="a", address="x", record="r", parent="model_v0.9")}),
        ("not-needed", None, None, "highest-version"),
    ),
    "a record alone": (
        facts({"1.0": VersionFolder(weights="a")}, {"1.0": ONE}),
        ("not-needed", None, None, "none"),
    ),
    "a version deleted": (
        facts({"1.0": ONE, "1.1": TWO}, {"1.0": ONE}),
        ("not-needed", None, None, "highest-version"),
    ),
    "the live version renamed": (
        facts({"1.0": ONE}, {"2.0": ONE}),
        ("new-version", "2.0", "1.0", "highest-version"),
    ),
    "a prompt": (
        facts({"1.0": ONE}, {"1.0": ONE}, changes=(PROMPT,)),
        ("changed-inputs", "1.0", "1.0", "highest-version"),
    ),
    "rows": (
        facts({"1.0": ONE}, {"1.0": ONE}, changes=(ROWS,)),
        ("changed-inputs", "1.0", "1.0", "highest-version"),
    ),
    "the suite": (
        facts({"1.0": ONE}, {"1.0": ONE}, changes=(SUITE,)),
        ("changed-inputs", "1.0", "1.0", "highest-version"),
    ),
    "the policy alone": (
        facts({"1.0": ONE}, {"1.0": ONE}, changes=(POLICY,)),
        ("not-needed", None, None, "highest-version"),
    ),
    "inputs, and nothing live": (facts({}, {}, changes=(PROMPT,)), ("not-needed", None, None, "none")),
    "nothing": (facts({"1.0": ONE}, {"1.0": ONE}), ("not-needed", None, None, "highest-version")),
    "live by the ledger": (
        facts({"1.0": ONE, "1.1": TWO}, {"1.0": ONE, "1.1": TWO, "1.2": NEW}, staged="model_v1.0"),
        ("new-version", "1.2", "1.0", "ledger"),
    ),
    "the ledger names what is not there": (
        facts({"1.0": ONE}, {"1.0": ONE, "1.2": NEW}, staged="model_v0.1"),
        ("new-version", "1.2", "1.0", "highest-version"),
    ),
    "live by a person, before the ledger": (
        facts({"1.0": ONE, "1.1": TWO}, {"1.2": NEW}, staged="model_v1.1", chosen="model_v1.0"),
        ("new-version", "1.2", "1.0", "input"),
    ),
    "a person may name a version without a record": (
        facts({"1.0": NEW, "1.1": TWO}, {"1.2": ONE}, chosen="model_v1.0"),
        ("new-version", "1.2", "1.0", "input"),
    ),
    "one of two, named": (
        facts({"1.0": ONE}, {"1.0": ONE, "1.1": NEW, "1.2": TWO}, wanted="model_v1.2"),
        ("new-version", "1.2", "1.0", "highest-version"),
    ),
    "the changed one, named beside a new one": (
        facts({"1.0": ONE}, {"1.0": TWO, "1.1": NEW}, wanted="model_v1.0"),
        ("changed-checkpoint", "1.0", "1.0", "highest-version"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_compared_with_what(name: str) -> None:
    given, (rule, candidate, baseline, live) = CASES[name]
    found = resolve(given)
    assert (found.rule, found.baseline_rule) == (rule, live)
    assert found.candidate == (f"models/model_v{candidate}" if candidate else None)
    assert found.baseline == (f"models/model_v{baseline}" if baseline else None)
    assert (found.merge_base, found.head, found.changes) == ("1" * 40, "2" * 40, given.changes)


def test_each_side_has_its_own_folder_of_versions() -> None:
    found = resolve(facts({"1.0": ONE}, {"1.0": ONE, "1.1": NEW}, models="weights"))
    assert (found.candidate, found.baseline) == ("weights/model_v1.1", "models/model_v1.0")
    found = resolve(facts({"1.0": ONE}, {"1.0": ONE}, models="weights", changes=(PROMPT,)))
    assert (found.candidate, found.baseline) == ("weights/model_v1.0", "models/model_v1.0")


@pytest.mark.parametrize(
    ("parent", "expected"),
    [("model_v0.9", "model_v0.9"), ("model_v1.0", None), ("model_v1.1", None), (None, None)],
)
def test_the_parent_is_named_where_it_is_not_the_live_version(parent: str | None, expected: str | None) -> None:
    found = resolve(facts({"1.0": ONE}, {"1.0": ONE, "1.1": VersionFolder(weights="c", parent=parent)}))
    assert found.parent == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (facts({}, {"1.0": ONE, "1.1": TWO}), "models: MR508 adds or changes the checkpoints of 2 versions: "),
        (facts({"1.0": ONE}, {"1.0": TWO, "1.1": NEW}), "2 versions: model_v1.0, model_v1.1; name one with"),
        (facts({"1.0": ONE, "1.1": NEW}, {"1.0": TWO, "1.1": TWO}), "2 versions"),
        (
            facts({"1.0": ONE}, {"1.0": ONE}, wanted="model_v1.0"),
            "model_v1.0: MR508 is not a version that this pull request adds or whose checkpoint it changes",
        ),
        (facts({}, {}, wanted="x\x1b[2J"), r"x\x1b[2J: MR508 is not a version"),
        (facts({"1.0": ONE}, {"1.1": NEW}, chosen="model_v1.1"), "model_v1.1: MR508 is no version of the merge-base"),
        (facts({}, {"1.1": NEW}, chosen="model_v1.0"), "is no version of the merge-base; leave it out"),
    ],
)
def test_what_cannot_be_told_is_said(given: Facts, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(given)
    assert message in str(caught.value)


def test_the_reason_names_what_changed() -> None:
    assert resolve(facts({"1.0": ONE}, {"1.0": ONE}, changes=(PROMPT, ROWS, PROMPT, POLICY))).reason == (
        "the prompt and dataset changed, and no version: the live one is scored again"
    )
    assert "no live version to ask" in resolve(facts({}, {}, changes=(PROMPT,))).reason
    assert resolve(facts({}, {})).reason == "no version, prompt, test or suite has changed"


def test_records_that_change_or_go_are_named() -> None:
    before = {"1.10": ONE, "1.9": ONE, "1.8": ONE, "1.7": NEW, "1.6": ONE}
    after = {"1.10": VersionFolder("a", record="s"), "1.9": VersionFolder("a"), "1.7": ONE, "1.6": ONE, "2.0": TWO}
    assert changed_records(facts(before, after)) == ["model_v1.8", "model_v1.9", "model_v1.10"]
