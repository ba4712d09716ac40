"""What is larger than memory should hold goes through in pieces, and comes to the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from commands import Ran
from governed_repository import REASON, Repository, jsonl

import modelrelease.flows.registry.dataset_rows as rows_flow
import modelrelease.flows.registry.examine as examine_flow
import modelrelease.flows.registry.scope as scope_flow
import modelrelease.flows.registry.stamp_plan as stamp_flow
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git
from modelrelease.registry.hooks.dataset import find_ids

DATA = "datasets/large.jsonl"


def rows(count: int, changed: int = -1) -> str:
    return jsonl([{"id": str(n), "x": "other" if n == changed else "same" * 20} for n in range(count)])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything over a kilobyte count as large."""
    for module in (scope_flow, rows_flow, examine_flow, stamp_flow):
        monkeypatch.setattr(module, "SMALL", 1000)


def test_a_large_dataset_is_stamped_and_checked_in_pieces(
    repository: Repository, modelrelease: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write(DATA, rows(20_000))
    repository.stage()
    whole: list[int] = []
    read = Objects.read
    monkeypatch.setattr(
        Objects, "read", lambda self, name: whole.append(len(found := read(self, name) or b"")) or found
    )
    assert modelrelease("stamp", "--reason", REASON, "--add").code == 0
    assert modelrelease("check", "--staged").code == 0
    repository.commit()
    repository.write(DATA, rows(20_000, changed=15_000))
    repository.stage()
    assert "changed (1 row changed)" in modelrelease("check", "--staged").err
    assert modelrelease("stamp", "--reason", "That row held the answer of another", "--add").code == 0
    assert modelrelease("check", "--staged").code == 0
    repository.commit()
    assert "rows: 1 changed" in modelrelease("changes", "--from-ref", "HEAD~").out
    assert modelrelease("snapshot", "large", DATA).code == 0
    assert max(whole) < 10_000


def test_a_blob_is_read_in_pieces_or_as_far_as_is_asked(repository: Repository) -> None:
    data = bytes(range(256)) * 20_000
    repository.write("a.bin", data)
    repository.stage()
    objects = Objects(Git(str(repository.folder)))
    oid = repository.git("rev-parse", ":a.bin").strip()
    assert b"".join(objects.stream(oid, 1000)) == data
    assert next(objects.stream(oid)) == data[: 1 << 20]  # and nobody waits for the rest
    assert objects.head(oid, 10) == data[:10]
    assert objects.head("0" * 40, 10) == b""
    assert objects.read(":a.bin") == data
    assert objects.read("HEAD:nowhere") is None
    assert objects.sizes([oid, "0" * 40]) == {oid: len(data)}
    objects.close()
    objects.close()


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_ids_are_found_in_pieces(size: int) -> None:
    lines = ['{"id": "a"}', '{"x": {"id": "b"}, "id" : "c"}', '{"id": 7}', '{"id": "\\u0062"}', "no", '{"id": "a"}']
    data = "\n".join(lines).encode()
    found = find_ids((data[start : start + size] for start in range(0, len(data), size)), {"a", "b", "7"})
    assert found == [("a", 1), ("7", 3), ("b", 4), ("a", 6)]
