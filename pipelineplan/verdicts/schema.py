"""The JSON Schema of what `check --format json` prints, and of a finding wherever one is printed."""

from __future__ import annotations

import json
from typing import Any

from pipelineplan.quantities import Dimension
from pipelineplan.verdicts.finding import Basis, Severity, Verdict

_TEXT = {"type": "string"}
_MAYBE = {"type": ["number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_DAY = {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2})?$"}
_PLACE = {"file": _TEXT, "line": _COUNT, "column": _COUNT}
_TEXTS = {"type": "array", "items": _TEXT}


def check_schema() -> dict[str, Any]:
    """The schema as plain data; draft 2020-12. Keys that are not named may come with a newer version."""
    document = _object(
        {
            "schema": {"const": "pipelineplan/check/v1"},
            "tool": _object({"name": {"const": "pipelineplan"}, "version": _TEXT}),
            "exit_status": {"enum": [0, 1, 2]},
            "as_of": _DAY,
            "plans": {"type": "array", "items": {"$ref": "#/$defs/plan"}},
            "problems": {"type": "array", "items": {"$ref": "#/$defs/problem"}},
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What check --format json prints",
        **document,
        "$defs": {
            "plan": _plan(),
            "problem": _object({"message": _TEXT, "path": _TEXT, **_PLACE, "fix": _TEXT}),
            "finding": _finding(),
            "operand": _operand(),
            "accepted": _accepted(),
        },
    }


def check_schema_text() -> str:
    """The schema as JSON text, in a fixed order."""
    return json.dumps(check_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _one_of(values: Any) -> dict[str, Any]:
    return {"enum": [value.value for value in values]}


def _plan() -> dict[str, Any]:
    counts = _object(dict.fromkeys((*(verdict.value for verdict in Verdict), "accepted"), _COUNT))
    return _object(
        {
            "plan": _TEXT,
            "file": _TEXT,
            "owner": _TEXT,
            "quality_level": _TEXT,
            "counts": counts,
            "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
        }
    )


def _finding() -> dict[str, Any]:
    return _object(
        {
            "code": {"type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$"},
            "verdict": _one_of(Verdict),
            "severity": {**_one_of(Severity), "description": "What it counts as."},
            "rule_severity": {
                **_one_of(Severity),
                "description": "What the rule says at this quality level; an unknown verdict counts as less.",
            },
            "title": _TEXT,
            "message": _TEXT,
            "subject": _TEXT,
            "path": {"type": "string", "pattern": r"^\$"},
            **_PLACE,
            "formula": _TEXT,
            "operands": {"type": "array", "items": {"$ref": "#/$defs/operand"}},
            "rests_on": {**_TEXTS, "description": "Symbols of assumed operands that would turn the verdict."},
            "nearest": {**_TEXTS, "description": "Changes any one of which would make it hold."},
            "fix": _TEXT,
            "fingerprint": {
                "type": "string",
                "pattern": "^[0-9a-f]{16}$",
                "description": "Rule and object, without lines: it stays when the file is edited above.",
            },
            "accepted": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/accepted"}]},
            "source_line": _TEXT,
        }
    )


def _operand() -> dict[str, Any]:
    units = ["", *(dimension.value for dimension in Dimension)]
    return _object(
        {
            "symbol": _TEXT,
            "name": _TEXT,
            "value": {**_MAYBE, "description": "In the unit; null where it is not finite."},
            "low": _MAYBE,
            "high": _MAYBE,
            "unit": {"enum": units},
            "shown": _TEXT,
            "basis": _one_of(Basis),
            "path": _TEXT,
            **_PLACE,
        }
    )


def _accepted() -> dict[str, Any]:
    by = {
        "enum": ["comment", "baseline", "base"],
        "description": "A comment in the plan, its baseline, or: it was there at the base of the change.",
    }
    return _object({"by": by, "reason": _TEXT, "owner": _TEXT, "until": _DAY, **_PLACE})
