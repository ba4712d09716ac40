"""The JSON Schemas of the documents; docs/schemas holds them as files."""

from __future__ import annotations

from modelrelease.records.base import Document
from modelrelease.records.canonical import document_bytes
from modelrelease.records.changes import Changes
from modelrelease.records.comparison import Comparison, Diff
from modelrelease.records.config import Config
from modelrelease.records.diagnosis import Diagnosis
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.ledger import Event
from modelrelease.records.model import ModelRecord
from modelrelease.records.release_plan import PromotionPlan, RollbackPlan
from modelrelease.records.reproduction import Reproduction
from modelrelease.records.resolution import Resolution
from modelrelease.records.setup import Setup
from modelrelease.records.suite import Suite
from modelrelease.records.trace import Trace

DOCUMENTS: dict[str, type[Document]] = {
    "changes": Changes,
    "comparison": Comparison,
    "config": Config,
    "diagnosis": Diagnosis,
    "diff": Diff,
    "eval": Evaluation,
    "event": Event,
    "model": ModelRecord,
    "promotion-plan": PromotionPlan,
    "reproduction": Reproduction,
    "resolution": Resolution,
    "rollback-plan": RollbackPlan,
    "setup": Setup,
    "suite": Suite,
    "trace": Trace,
}


def schema_bytes(name: str) -> bytes:
    """Return the JSON Schema (2020-12) of the document ``name``, as it stands in docs/schemas."""
    schema = DOCUMENTS[name].model_json_schema()
    return document_bytes({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
