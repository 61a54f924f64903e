"""The plan language as a JSON Schema: what editors complete and explain.

The schema is the model's own, made open where the language is: short forms of sections
(`retention: 7 d`), keys that start with `x-`, quantiles beside `profile`.
"""

from __future__ import annotations

import json
from typing import Any

from pipelineplan.plan.data_plan import DataPlan

_SHORT_FORMS: dict[str, str | int] = {
    "Rate": "4_000/s",
    "Retention": "7 d",
    "Parallelism": 8,
    "Mutation": "append",
    "Ttl": "36 h",
    "SinkGuarantee": "transactional",
    "ContractPolicy": "BACKWARD",
    "Reader": "1.0.0",
    "Input": "clicks",
}
_QUANTILES = {"^p\\d{1,2}(\\.\\d{1,6})?$": {"type": "string", "description": "A quantile: p99: 40 s"}}


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a plan file."""
    schema = DataPlan.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    for name, definition in [*definitions.items(), ("DataPlan", schema)]:
        if definition.get("type") == "object" and definition.get("additionalProperties") is False:
            definition["patternProperties"] = {"^x-": True}
        if name == "Quantiles":
            definition["patternProperties"] = {"^x-": True, **_QUANTILES}
        if name == "Contracts":
            definition["additionalProperties"] = {"$ref": "#/$defs/ContractPolicy"}
            del definition["properties"]["policies"]  # in the file they stand beside `rollout`
        if name == "FactFiles":
            definitions[name] = _or_list(definition)
        if name == "QualityCheck":
            fields = definition["properties"]["fields"]
            definition["properties"]["fields"] = _or_short(fields, "order_id")
    for name, example in _SHORT_FORMS.items():
        if name in definitions:
            definitions[name] = _or_short(definitions[name], example)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipelineplan DataPlan v1",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def plan_schema_text() -> str:
    """The schema as the text of `contracts/plan.schema.json`."""
    return json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def _or_list(definition: dict[str, Any]) -> dict[str, Any]:
    """A list of files stands for the section that has nothing but them."""
    return {"anyOf": [definition["properties"]["files"], definition]}


def _or_short(definition: dict[str, Any], example: str | int) -> dict[str, Any]:
    kind = "integer" if isinstance(example, int) else "string"
    short = {"type": kind, "examples": [example], "description": "The short form."}
    said = {"description": definition["description"]} if "description" in definition else {}
    return {**said, "anyOf": [short, definition]}
