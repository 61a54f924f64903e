"""Reads the `schema` of an ODCS file: datasets, their properties, relationships, quality rules.

schema:
  - name: orders                              -> Dataset
    properties:
      - {name: amount, logicalType: number}   -> Field
    quality:
      - {metric: rowCount, mustBeGreaterThan: 0}   -> ContractRule
"""

from __future__ import annotations

from typing import Any, get_args

from pipelineplan.contracts.contract import (
    LOGICAL_TYPES,
    OPERATORS,
    Comparison,
    ContractRule,
    Dataset,
    Field,
    Relationship,
    RuleKind,
)
from pipelineplan.contracts.section import Section, shown

_ELEMENT_KEYS = (
    "id",
    "name",
    "physicalName",
    "physicalType",
    "description",
    "businessName",
    "authoritativeDefinitions",
    "tags",
    "customProperties",
    "logicalType",
    "properties",
    "relationships",
    "quality",
    "deprecated",
)
_DATASET_KEYS = (*_ELEMENT_KEYS, "dataGranularityDescription")
_FIELD_KEYS = (
    *_ELEMENT_KEYS,
    "primaryKey",
    "primaryKeyPosition",
    "logicalTypeOptions",
    "required",
    "unique",
    "partitioned",
    "partitionKeyPosition",
    "classification",
    "encryptedName",
    "transformSourceObjects",
    "transformLogic",
    "transformDescription",
    "examples",
    "criticalDataElement",
    "items",
    "enum",
)
_RULE_KEYS = (
    "id",
    "name",
    "description",
    "type",
    "metric",
    "rule",
    "arguments",
    "unit",
    "query",
    "engine",
    "implementation",
    "dimension",
    "severity",
    "method",
    "schedule",
    "scheduler",
    "businessImpact",
    "authoritativeDefinitions",
    "tags",
    "customProperties",
    "validValues",
    *OPERATORS,
)
_NEEDS = {"sql": ("query",), "custom": ("engine", "implementation"), "text": ()}


def read_dataset(section: Section) -> Dataset:
    """One element of `schema`; what is wrong goes to the section's problems."""
    section.known(_DATASET_KEYS)
    name = section.text("name", required=True)
    fields = tuple(_field(item, name, "") for item in section.sections("properties"))
    own = tuple(_relationship(item, "") for item in section.sections("relationships"))
    return Dataset(
        name=name,
        place=section.place,
        physical_name=section.text("physicalName"),
        physical_type=section.text("physicalType"),
        description=section.text("description"),
        fields=fields,
        quality=_rules(section, name, ""),
        relationships=(*own, *_field_relationships(section, "")),
    )


def _field(section: Section, dataset: str, outer: str) -> Field:
    section.known(_FIELD_KEYS)
    # The element of an array has no name of its own.
    within_array = section.path[-1] == "items"
    own = "[]" if within_array else section.text("name", required=True)
    name = f"{outer}.{own}" if outer else own
    return Field(
        name=name,
        place=section.place,
        logical_type=_logical_type(section),
        physical_type=section.text("physicalType"),
        physical_name=section.text("physicalName"),
        description=section.text("description"),
        classification=section.text("classification"),
        required=section.flag("required"),
        unique=section.flag("unique"),
        primary_key=section.flag("primaryKey"),
        primary_key_position=section.whole("primaryKeyPosition", -1),
        partitioned=section.flag("partitioned"),
        options=section.mapping("logicalTypeOptions"),
        fields=_inner_fields(section, dataset, name),
        quality=_rules(section, dataset, name),
    )


def _inner_fields(section: Section, dataset: str, name: str) -> tuple[Field, ...]:
    items = section.section("items")
    inner = [_field(item, dataset, name) for item in section.sections("properties")]
    return (*inner, *((_field(items, dataset, name),) if items else ()))


def _logical_type(section: Section) -> str:
    found = section.text("logicalType")
    if found and found not in LOGICAL_TYPES:
        section.complain("logicalType", f"found {found!r}, wanted one of {', '.join(LOGICAL_TYPES)}")
    return found


def _field_relationships(section: Section, outer: str) -> tuple[Relationship, ...]:
    """The foreign keys written at properties, whose own side is the property itself."""
    found: list[Relationship] = []
    items = section.section("items")
    for item in (*section.sections("properties"), *((items,) if items else ())):
        own = "[]" if item is items else item.value.get("name")
        name = f"{outer}.{own}" if outer else str(own)
        found += [_relationship(each, name) for each in item.sections("relationships")]
        found += _field_relationships(item, name)
    return tuple(found)


def _relationship(section: Section, field: str) -> Relationship:
    written = (field,) if field else section.texts("from", required=True)
    to = section.texts("to", required=True)
    if written and to and len(written) != len(to):
        section.complain("to", f"{len(to)} fields for {len(written)} in 'from', wanted as many")
    kind = section.text("type") or "foreignKey"
    return Relationship(kind, written, to, section.place)


def _rules(section: Section, dataset: str, field: str) -> tuple[ContractRule, ...]:
    return tuple(_rule(item, dataset, field) for item in section.sections("quality"))


def _rule(section: Section, dataset: str, field: str) -> ContractRule:
    section.known(_RULE_KEYS)
    kind = _kind(section)
    _check_needs(section, kind)
    return ContractRule(
        kind=kind,
        dataset=dataset,
        field=field,
        place=section.place,
        name=section.text("name") or section.text("id"),
        description=section.text("description"),
        dimension=section.text("dimension"),
        severity=section.text("severity"),
        metric=section.text("metric") or section.text("rule"),
        arguments=_arguments(section),
        comparisons=_comparisons(section),
        unit=section.text("unit"),
        query=section.text("query"),
        engine=section.text("engine"),
        implementation=section.value.get("implementation"),
    )


def _kind(section: Section) -> RuleKind:
    found = section.text("type") or "library"
    for kind in get_args(RuleKind):
        if found == kind:
            return kind  # type: ignore[no-any-return]
    section.complain("type", f"found {found!r}, wanted one of {', '.join(get_args(RuleKind))}")
    return "text"


def _check_needs(section: Section, kind: RuleKind) -> None:
    if kind == "library" and not section.has("metric") and not section.has("rule"):
        section.complain(None, "the key 'metric' is missing", "name one, such as 'metric: nullValues'")
    for key in _NEEDS.get(kind, ()):
        if not section.has(key):
            section.complain(None, f"the key {key!r} is missing", f"add '{key}:'")
    if kind in {"library", "sql"} and not any(key in section.value for key in OPERATORS):
        fix = "say what it must be, such as 'mustBe: 0'"
        section.complain(None, "no comparison: nothing says when this rule fails", fix)


def _arguments(section: Section) -> dict[str, Any]:
    """The arguments; version 3.0 wrote `validValues` beside the rule."""
    arguments = dict(section.mapping("arguments"))
    if "validValues" in section.value:
        arguments.setdefault("validValues", section.value["validValues"])
    return arguments


def _comparisons(section: Section) -> tuple[Comparison, ...]:
    return tuple(_comparison(section, key) for key in section.value if key in OPERATORS)


def _comparison(section: Section, key: str) -> Comparison:
    value, operator = section.value[key], OPERATORS[key]
    values = tuple(value) if isinstance(value, list) else (value,)
    if operator.endswith("between"):
        if len(values) != 2 or not all(_is_number(item) for item in values):
            section.complain(key, f"found {shown(value)}, wanted two numbers such as [0, 100]")
    elif operator not in {"=", "!="} and not _is_number(value):
        section.complain(key, f"found {shown(value)}, wanted a number")
    elif isinstance(value, list | dict):
        section.complain(key, f"found {shown(value)}, wanted one value")
    return Comparison(key, operator, values, section.place_of(key))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
