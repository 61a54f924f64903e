"""bundle.json: everything that a bundle says, as versioned plain data.

    {"schema": "pipelineplan/bundle/v1", "plan": {"name": ...}, "verdict": "fails", "gates": [...], ...}

Numbers are in base units; what is not finite is null; objects keep a fixed order.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from pipelineplan.bundle.checklist import Checklist
from pipelineplan.bundle.what_if import grid_of
from pipelineplan.documents.redaction import redacted_tree
from pipelineplan.errors import Position
from pipelineplan.plan.section import Section
from pipelineplan.verdicts import Finding
from pipelineplan.verdicts.plain import finding_json

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents

SCHEMA = "pipelineplan/bundle/v1"


def as_json(contents: Contents) -> str:
    """The bundle's data as JSON text."""
    return as_text(as_data(contents))


def as_text(data: Any) -> str:
    """Plain data as JSON text, as every JSON file of a bundle is written."""
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_data(contents: Contents) -> dict[str, Any]:
    """The bundle's data as plain values; credentials in it are redacted."""
    plan, grid = contents.plan, grid_of(contents)
    data = {
        "schema": SCHEMA,
        "tool": {"name": "pipelineplan", "version": contents.version},
        "as_of": contents.as_of,
        "seed": contents.seed,
        "strict": contents.strict,
        "verdict": contents.verdict,
        "plan": {
            "file": plan.file,
            "env": plan.env,
            "name": plan.name,
            "facts": plan.model,
        },
        "gates": contents.gates,
        "findings": [finding_json(finding, strict=contents.strict) for finding in contents.findings],
        "simulation": contents.simulated.to_json_dict() if contents.simulated is not None else None,
        "what_if": grid.to_json_dict() if grid is not None else None,
        "quality": contents.quality.to_json_dict() if contents.quality is not None else None,
        "reconciliation": contents.reconciled.to_json_dict() if contents.reconciled is not None else None,
        "checklists": [checklist_json(each) for each in contents.checklists],
    }
    redacted: dict[str, Any] = redacted_tree(as_plain(data))
    return redacted


def checklist_json(checklist: Checklist) -> dict[str, Any]:
    """One runbook as plain values."""
    data: dict[str, Any] = redacted_tree(as_plain(checklist))
    return {**data, "open_points": redacted_tree(list(checklist.open_points))}


def as_plain(value: Any) -> Any:  # noqa: PLR0911 - one line per kind of value reads best
    """`value` as what JSON can say: frozen things become objects, what is not finite becomes None."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Position):
        return {"file": value.file, "line": value.line, "column": value.column}
    if isinstance(value, Finding):
        return finding_json(value, strict=False)
    if isinstance(value, Section):
        fields = type(value).model_fields
        return {fields[name].alias or name: as_plain(getattr(value, name)) for name in fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
