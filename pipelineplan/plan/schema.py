"""The plan language as a JSON Schema: what editors complete and explain.

    window: Window | None                    {$ref: Window} or null          {type: [object, null], ...}
    rate: Rate, for which `4_000/s` stands   {$ref: Rate}                    {type: [string, object], ...}

The schema is the model's own, made open where the language is (short forms of sections, keys that
start with `x-`, quantiles beside `profile`), and then laid flat: every reference and every choice of
types becomes one schema with a list of types. An editor that has to choose between branches
forgets the field's own words, completes `null`, and calls a mistyped key a wrong type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelineplan.plan.data_plan import DataPlan
from pipelineplan.plan.snippets import SNIPPETS

Schema = dict[str, Any]


def _text(example: str) -> Schema:
    return {"type": "string", "examples": [example]}


# A number may be written as `40_000_000`, which is a text to an editor that reads YAML 1.2.
_NUMBERS: Mapping[str, Schema] = {
    "integer": {
        "type": ["integer", "string"],
        "pattern": r"^\d{1,3}(_\d{3})+$",
        "patternErrorMessage": "wanted a whole number such as 12 or 40_000",
    },
    "number": {
        "type": ["number", "string"],
        "pattern": r"^\d{1,3}(_\d{3})+(\.\d+)?$",
        "patternErrorMessage": "wanted a number such as 1.5 or 40_000",
    },
}
# Sections for which one value may stand.
_SHORT_FORMS: Mapping[str, Schema] = {
    "Rate": _text("4_000/s"),
    "Retention": _text("7 d"),
    "Parallelism": {**_NUMBERS["integer"], "examples": [8]},
    "Mutation": _text("append"),
    "Ttl": _text("36 h"),
    "SinkGuarantee": _text("transactional"),
    "ContractPolicy": _text("BACKWARD"),
    "Reader": _text("1.0.0"),
    "Input": _text("clicks"),
    "FactFiles": {"type": "array", "items": {"type": "string"}, "examples": [["kafka/topics.yaml"]]},
}
_USUAL_QUANTILES = ("p50", "p90", "p95", "p99", "p99.9")


def plan_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of a plan file."""
    model = DataPlan.model_json_schema(by_alias=True)
    definitions = model.pop("$defs")
    whole = _flat(_opened("DataPlan", model), definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pipelineplan DataPlan v1",
        **{key: value for key, value in whole.items() if key != "title"},
    }


def plan_schema_text() -> str:
    """The schema as the text of `contracts/plan.schema.json`."""
    return json.dumps(plan_schema(), indent=1, ensure_ascii=False) + "\n"


def _flat(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """`schema` without references, and with one list of types in place of alternatives."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        own = {key: value for key, value in schema.items() if key != "$ref"}
        return _flat(_explained(_opened(name, definitions[name]), own), definitions)
    if "anyOf" in schema:
        own = {key: value for key, value in schema.items() if key != "anyOf"}
        branches = [_flat(branch, definitions) for branch in schema["anyOf"]]
        return _without_nothing(_explained(_either(branches), own))
    flat = {key: _flat_keyword(key, value, definitions) for key, value in schema.items()}
    kind = flat.get("type")
    return _without_nothing({**flat, **(_NUMBERS.get(kind, {}) if isinstance(kind, str) else {})})


def _without_nothing(schema: Schema) -> Schema:
    """`schema` without a default that is `null`, `[]` or `{}`: nobody wants such a value completed."""
    nothing = schema.get("default", 0) in (None, [], {})
    return {key: value for key, value in schema.items() if not (nothing and key == "default")}


def _flat_keyword(key: str, value: Any, definitions: Mapping[str, Schema]) -> Any:
    if key in {"properties", "patternProperties"}:
        return {name: _property(one, definitions) for name, one in value.items()}
    if key in {"items", "additionalProperties"} and isinstance(value, dict):
        return _flat(value, definitions)
    return value


def _property(schema: Any, definitions: Mapping[str, Schema]) -> Any:
    """A field's schema; a field has no title of its own, so that an editor shows its section's."""
    if not isinstance(schema, dict):
        return schema
    section = "$ref" in schema
    return _flat({key: value for key, value in schema.items() if section or key != "title"}, definitions)


def _explained(schema: Schema, own: Schema) -> Schema:
    """`schema` as a field uses it: the field's words first, then what kind of thing it is."""
    said = [text for text in (own.get("description"), schema.get("description")) if text]
    words = {"description": " ".join(dict.fromkeys(said))} if said else {}
    return {**schema, **own, **words}


def _either(branches: list[Schema]) -> Schema:
    """One schema for what any of `branches` takes; they differ in type, or in what they say of one."""
    kinds = [_types(branch) for branch in branches]
    merged: Schema = {"type": list(dict.fromkeys(kind for each in kinds for kind in each))}
    for branch, types in zip(branches, kinds, strict=True):
        alike = [other for other, also in zip(branches, kinds, strict=True) if set(types) & set(also)]
        for key, value in branch.items():
            if key == "examples":
                merged[key] = [*merged.get(key, ()), *value]
            elif key != "type" and all(other.get(key) == value for other in alike):
                merged[key] = value
    if "enum" in merged and "null" in merged["type"]:
        merged["enum"] = [*merged["enum"], None]
    return merged


def _types(schema: Schema) -> list[str]:
    kinds = schema["type"]
    return kinds if isinstance(kinds, list) else [kinds]


def _opened(name: str, definition: Schema) -> Schema:
    """A section as the file has it: with the short form, the open keys and the snippets of its name."""
    if definition.get("type") != "object":
        return definition
    section = {**definition, "properties": dict(definition["properties"])}
    if section.get("additionalProperties") is False:
        section["patternProperties"] = {"^x-": True}
    _open_by_name(name, section)
    if name in _SHORT_FORMS:
        short = _SHORT_FORMS[name]
        section |= {**short, "type": [*_types(short), "object"]}
    if name in SNIPPETS:
        section["defaultSnippets"] = list(SNIPPETS[name])
    return section


def _open_by_name(name: str, section: Schema) -> None:
    """Where a section's keys in the file are not the model's fields."""
    properties = section["properties"]
    if name == "Quantiles":
        quantile = properties["quantiles"]["additionalProperties"]
        properties["quantiles"] = {**properties["quantiles"], "doNotSuggest": True}
        properties |= {key: _explained(quantile, _quantile(key)) for key in _USUAL_QUANTILES}
        any_other = _explained(quantile, {"description": "A quantile, such as p99.99."})
        section["patternProperties"] = {"^x-": True, r"^p\d{1,2}(\.\d{1,6})?$": any_other}
    if name == "Contracts":  # in the file policies stand beside `rollout`, by dataset
        del properties["policies"]
        section["additionalProperties"] = {"$ref": "#/$defs/ContractPolicy"}
    if name == "QualityCheck":
        fields = properties["fields"]
        properties["fields"] = {**fields, "type": ["string", "array"], "examples": ["order_id"]}


def _quantile(name: str) -> Schema:
    return {"description": f"The seconds that {name[1:]} % of the records do not exceed."}
