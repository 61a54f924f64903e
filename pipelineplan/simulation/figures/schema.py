"""The JSON Schema of `simulate --format json`, so that other implementations can be held to it.

Every form of the document is in it: one plan, several plans, `--solve` and `--sensitivity`. Keys that a
later version adds are allowed, as readers are asked to ignore what they do not know.
"""

from __future__ import annotations

import json
from typing import Any

from pipelineplan.simulation.figures.measures import FIGURES

_TEXT, _COUNT, _FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
_NUMBER, _MAYBE = {"type": "number"}, {"type": ["number", "null"]}
_VERDICT = {"enum": ["holds", "fails", "unknown"]}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def simulate_schema() -> dict[str, Any]:
    """The schema as plain data; draft 2020-12."""
    head = {
        "schema": {"const": "pipelineplan/simulate/v1"},
        "tool": _tool(),
        "exit_status": {"enum": [0, 1, 2, 3]},
    }
    return {
        "$schema": _DRAFT,
        "title": "pipelineplan simulate --format json",
        **_object(head),
        "oneOf": [
            {"$ref": "#/$defs/result", "required": ["scenarios"]},
            _object(
                {
                    "plans": _list({"allOf": [_ref("result"), _object({"plan": _TEXT})]}),
                    "comparison": _list(_difference()),
                }
            ),
            _object({"solution": _solution()}),
            _object({"sensitivity": _sensitivity()}),
        ],
        "$defs": {
            "result": _result(),
            "scenario": _scenario(),
            "figure": _figure(),
            "promise": _promise(),
            "phase": _phase(),
            "chance": _object({"kept": _COUNT, "runs": _COUNT, "low": _NUMBER, "high": _NUMBER}),
            "spread": _object(dict.fromkeys(("mean", "mean_low", "mean_high", "p05", "p50", "p95"), _MAYBE)),
            "replications": _replications(),
        },
    }


def simulate_schema_text() -> str:
    """The schema as JSON text, in a fixed order."""
    return json.dumps(simulate_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties, **(optional or {})}, "required": list(properties)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _tool() -> dict[str, Any]:
    return _object({"name": {"const": "pipelineplan"}, "version": _TEXT})


def _result() -> dict[str, Any]:
    return _object(
        {
            "verdict": _VERDICT,
            "seed": {"type": ["integer", "null"]},
            "scenarios": _list(_ref("scenario")),
            "not_simulated": _list(_object({"what": _TEXT, "reason": _TEXT})),
            "assumptions": _list(_TEXT),
        }
    )


def _scenario() -> dict[str, Any]:
    """Whatever is none of the named keys is a figure."""
    named = {
        "name": _TEXT,
        "title": _TEXT,
        "pipeline": _TEXT,
        "tier": {"enum": ["T1"]},
        "slo_verdicts": _list(_ref("promise")),
        "phases": _list(_ref("phase")),
        "notes": _list(_TEXT),
    }
    figures = {
        name: {"allOf": [_ref("figure"), {"properties": {"unit": {"const": unit}}}]}
        for name, (unit, _) in FIGURES.items()
    }
    return {
        **_object(
            named | figures,
            {"states": _list(_state()), "jobs": _list(_job()), "replications": _ref("replications")},
        ),
        "additionalProperties": _ref("figure"),
    }


def _figure() -> dict[str, Any]:
    ends = {"value": _MAYBE, "low": _MAYBE, "high": _MAYBE}
    return _object({**ends, "unit": _TEXT, "tier": {"enum": ["T0", "T1", "T2", "T3"]}, "error_class": _TEXT})


def _state() -> dict[str, Any]:
    sizes = dict.fromkeys(("peak_bytes", "end_bytes"), _ref("figure"))
    return _object({"stage": _TEXT, **sizes}, {"seconds_to_budget": _ref("figure")})


def _job() -> dict[str, Any]:
    return {**_object({"job": _TEXT}), "additionalProperties": _ref("figure")}


def _promise() -> dict[str, Any]:
    chances = {
        "type": "object",
        "required": ["likely"],
        "propertyNames": {"enum": ["likely", "optimistic", "pessimistic"]},
        "additionalProperties": _ref("chance"),
    }
    named = {
        "subject": _TEXT,
        "objective": _TEXT,
        "target_seconds": _MAYBE,
        "figure": _ref("figure"),
        "verdict": _VERDICT,
        "message": _TEXT,
        "path": _TEXT,
    }
    return _object(named, {"probability": chances})


def _phase() -> dict[str, Any]:
    times = (
        "start_seconds",
        "detected_seconds",
        "repaired_seconds",
        "restarted_seconds",
        "replayed_records",
        "duplicate_records",
    )
    return _object(
        {"of": _TEXT, **dict.fromkeys(times, _NUMBER), "drained_seconds": _MAYBE, "drain_seconds": _MAYBE}
    )


def _replications() -> dict[str, Any]:
    spreads = {"type": "object", "additionalProperties": _ref("spread")}
    return _object(
        {
            "runs": _COUNT,
            "seed": _COUNT,
            "confidence": _NUMBER,
            "needed_probability": _NUMBER,
            "tier": _TEXT,
            "figures": spreads,
        }
    )


def _difference() -> dict[str, Any]:
    values = dict.fromkeys(("first", "other", "low", "high"), _MAYBE)
    return _object({"plan": _TEXT, "scenario": _TEXT, "figure": _TEXT, "unit": _TEXT, **values})


def _solution() -> dict[str, Any]:
    trial = _object({"value": _TEXT, "low": _MAYBE, "high": _MAYBE, "met": _FLAG, "why": _TEXT})
    texts = dict.fromkeys(("path", "condition", "unit", "now"), _TEXT)
    return _object(
        {**texts, "found": {"type": ["string", "null"]}, "monotone": _FLAG, "trials": _list(trial)}
    )


def _sensitivity() -> dict[str, Any]:
    texts = dict.fromkeys(("path", "now", "at_low", "at_high", "why"), _TEXT)
    moved = _object(
        {**texts, "low": _MAYBE, "high": _MAYBE, "stated": _FLAG, "turns": _FLAG},
        {"first_order": _NUMBER, "total_order": _NUMBER},
    )
    return _object({"outcome": _TEXT, "unit": _TEXT, "base": _MAYBE, "inputs": _list(moved)})
