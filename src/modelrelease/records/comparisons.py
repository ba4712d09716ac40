"""A comparison, read back: by what posts it, who may hold no more of the run than this one file."""

from __future__ import annotations

from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate


def read_comparison(path: Path) -> Comparison:
    """Read a comparison.json, or the one in a folder.

    Raises InvalidInput: no file to read (MR209), a malformed document (MR2xx), and one whose decision is not what
    its first policy decides (MR208), since reports speak of both.
    """
    document = path / COMPARISON_FILE if path.is_dir() else path
    located = read_json_file(document)
    comparison = validate(Comparison, located)
    if comparison.policies and comparison.policies[0].decision != comparison.decision:
        message = f"`decision` is {comparison.decision}, and its policy decides {comparison.policies[0].decision}"
        todo = "compare again; comparison.json is not edited by hand"
        raise invalid(document, Code.INVALID_VALUE, message, todo, located.line_of(("decision",)))
    return comparison
