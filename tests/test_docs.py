"""What docs say is so: generated pages, links, and every code and command named in them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from modelrelease.cli.main import COMMANDS
from modelrelease.records.config import Config
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.suite import Suite
from modelrelease.records.validation import validate

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
MODELS = {"tasks": Suite, "gate": Config}


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_what_the_code_says() -> None:
    files = generator().generated()
    stale = [str(path.relative_to(ROOT)) for path, content in files.items() if path.read_bytes() != content]
    assert stale == [], "run `make schemas`"
    assert {path.name for path in (ROOT / "docs" / "schemas").iterdir()} == {
        path.name for path in files if path.parent.name == "schemas"
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    named = re.findall(r"^\$ modelrelease (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_examples_are_valid_documents(page: Path) -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if re.search(r"^jobs:", block, re.MULTILINE):  # a workflow: tests/actions lints those
            continue
        located = read_yaml(block, page.name)
        model = next(model for key, model in MODELS.items() if key in located.value)
        assert validate(model, located).schema_version == 1
