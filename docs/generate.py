#!/usr/bin/env python3
"""Write what of the documentation follows from the code: docs/schemas and docs/errors.md. A test keeps them equal."""

from pathlib import Path

from modelrelease.codes import MEANING
from modelrelease.records.schemas import DOCUMENTS, schema_bytes

DOCS = Path(__file__).resolve().parent

INTRODUCTION = """# Codes of findings

Every finding is one line: `path:line: CODE what is wrong; what to do`. A code's meaning never changes.
MR1xx are the registry's, MR2xx documents, MR3xx suites, prompts and datasets, MR4xx models and scoring, MR5xx results
and comparison, MR6xx use and surroundings, MR7xx releases.

| code | meaning |
| --- | --- |
"""


def generated() -> dict[Path, bytes]:
    """Return every generated file with its content."""
    rows = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANING.items())
    files = {DOCS / "errors.md": (INTRODUCTION + rows).encode("utf-8")}
    return files | {DOCS / "schemas" / f"{name}.schema.json": schema_bytes(name) for name in DOCUMENTS}


if __name__ == "__main__":
    for path, content in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
