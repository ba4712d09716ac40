"""What is a version, and which comes first."""

from __future__ import annotations

import pytest

from modelrelease.release.versions import sorted_versions, version_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("model_v1.0", (1, 0, 0)),
        ("model_v1.0.0", (1, 0, 0)),
        ("model_v10.20.30", (10, 20, 30)),
        ("model_v0.1", (0, 1, 0)),
        ("model_v1", None),
        ("model_v1.0.0.0", None),
        ("model_v01.0", None),
        ("model_v1.00", None),
        ("model_v1.0 ", None),
        ("model_v1.0\n", None),
        ("model_v1.0-rc1", None),
        ("Model_v1.0", None),
        ("support/model_v1.0", None),
        ("model_v\N{ARABIC-INDIC DIGIT ONE}.0", None),
        ("model_v" + "9" * 11 + ".0", None),
        ("model_v-1.0", None),
        ("", None),
    ],
)
def test_a_version_s_name(name: str, key: tuple[int, int, int] | None) -> None:
    assert version_key(name) == key


def test_versions_are_ordered_by_their_numbers() -> None:
    names = ["model_v1.10", "README.md", "model_v1.9", "model_v2.0", "model_v1.9.1", "model_v1.0.0", "model_v1.0"]
    expected = ["model_v1.0", "model_v1.0.0", "model_v1.9", "model_v1.9.1", "model_v1.10", "model_v2.0"]
    assert sorted_versions(names) == expected
