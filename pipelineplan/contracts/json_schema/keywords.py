"""The keywords of JSON Schema, each as a formula.

    {"dependencies": {"card": ["cvc"]}}    or( absent(card), required(cvc) )
    {"if": I, "then": T}                   or( not I, T )

What is not read here (`$dynamicRef`, `unevaluatedProperties`, a reference to elsewhere) becomes an
opaque statement: equal to itself, and otherwise not decided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipelineplan.contracts.json_schema.formula import And, Formula, Leaf, Or, exactly_one, negation
from pipelineplan.contracts.json_schema.regular import finds_everything
from pipelineplan.contracts.json_schema.values import exact, value_of
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.contracts.json_schema.document import Nodes, SchemaDocument

_TYPES = {
    "null": ("null",),
    "boolean": ("boolean",),
    "integer": ("integer",),
    "number": ("integer", "fraction"),
    "string": ("string",),
    "array": ("array",),
    "object": ("object",),
    "any": ("null", "boolean", "integer", "fraction", "string", "array", "object"),
}
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_WORDS = ("format", "contentEncoding", "contentMediaType")
_OPAQUE = ("$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems", "contentSchema")


def leaf(word: str, detail: Any) -> Leaf:
    """The statement `word` with `detail`, holding."""
    return Leaf(True, word, detail)  # noqa: FBT003  (a sign, not a switch)


def formula_of(raw: dict[str, Any], document: SchemaDocument, nodes: Nodes) -> Formula:
    """What the schema object `raw` says; raises `InputError` for keywords of the wrong type."""
    try:
        if "$ref" in raw and not document.modern:
            return _reference(raw, document, nodes)
        return And(tuple(_parts(raw, document, nodes)))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        shown = json.dumps(raw)[:120]
        message = f"a keyword has a value of the wrong type in {shown} ({error})"
        raise InputError([Problem(message, Position(document.file))]) from None


def _reference(raw: dict[str, Any], document: SchemaDocument, nodes: Nodes) -> Formula:
    base = document.bases.get(id(raw), "")
    try:
        target = document.target(base, raw["$ref"])
    except (KeyError, IndexError, ValueError, TypeError):
        return leaf("opaque", ("$ref", raw["$ref"]))
    return nodes.literal(target, document) if isinstance(target, dict | bool) else leaf("opaque", raw["$ref"])


def _parts(raw: dict[str, Any], document: SchemaDocument, nodes: Nodes) -> Iterator[Formula]:
    def sub(inner: Any) -> Formula:
        if not isinstance(inner, dict | bool):
            raise TypeError(f"wanted a schema, found {json.dumps(inner)[:60]}")
        return nodes.literal(inner, document)

    if "$ref" in raw:
        yield _reference(raw, document, nodes)
    yield from _any_kind(raw)
    yield from _numbers(raw)
    yield from _texts(raw)
    yield from _logic(raw, sub)
    yield from _arrays(raw, sub)
    yield from _objects(raw, sub)
    yield from _dependencies(raw, sub)
    for word in _OPAQUE:
        if word in raw and raw[word] is not True:
            yield leaf("opaque", (word, json.dumps(raw, sort_keys=True)))


def _any_kind(raw: dict[str, Any]) -> Iterator[Formula]:
    if "type" in raw:
        names = raw["type"] if isinstance(raw["type"], list) else [raw["type"]]
        yield leaf("type", frozenset(kind for name in names for kind in _TYPES[name]))
    if "enum" in raw:
        yield leaf("among", frozenset(value_of(one) for one in raw["enum"]))
    if "const" in raw:
        yield leaf("among", frozenset({value_of(raw["const"])}))


def _numbers(raw: dict[str, Any]) -> Iterator[Formula]:
    for plain, strict, word, strict_word in (
        ("minimum", "exclusiveMinimum", "minimum", "above"),
        ("maximum", "exclusiveMaximum", "maximum", "below"),
    ):
        # In draft-04 the exclusive keyword is a flag of the other one.
        if plain in raw:
            yield leaf(strict_word if raw.get(strict) is True else word, exact(raw[plain]))
        if strict in raw and not isinstance(raw[strict], bool):
            yield leaf(strict_word, exact(raw[strict]))
    if "multipleOf" in raw:
        if raw["multipleOf"] <= 0:
            raise ValueError("multipleOf wants a number above 0")
        yield leaf("multipleOf", exact(raw["multipleOf"]))


def _texts(raw: dict[str, Any]) -> Iterator[Formula]:
    for word in _COUNTS:
        if word in raw:
            if exact(raw[word]).denominator != 1 or raw[word] < 0:
                raise ValueError(f"{word} wants a whole number")
            yield leaf(word, int(raw[word]))
    if "pattern" in raw:
        pattern = str(raw["pattern"])
        yield leaf("pattern", pattern)
        if finds_everything(pattern):
            yield leaf("format", ("pattern", pattern))
    for word in _WORDS:
        if word in raw:
            yield leaf("format", (word, json.dumps(raw[word])))


def _logic(raw: dict[str, Any], sub: Any) -> Iterator[Formula]:
    if "allOf" in raw:
        yield from (sub(one) for one in raw["allOf"])
    if "anyOf" in raw:
        yield Or(tuple(sub(one) for one in raw["anyOf"]))
    if "oneOf" in raw:
        yield exactly_one(sub(one) for one in raw["oneOf"])
    if "not" in raw:
        yield negation(sub(raw["not"]))
    if "if" in raw and ("then" in raw or "else" in raw):
        condition = sub(raw["if"])
        yield Or((negation(condition), sub(raw.get("then", True))))
        yield Or((condition, sub(raw.get("else", True))))


def _arrays(raw: dict[str, Any], sub: Any) -> Iterator[Formula]:
    items = raw.get("items", True)
    prefix = raw.get("prefixItems", items if isinstance(items, list) else [])
    rest = raw.get("additionalItems", True) if isinstance(items, list) else items
    yield from (leaf("item", (i, sub(one))) for i, one in enumerate(prefix))
    if rest is not True:
        yield leaf("rest", (len(prefix), sub(rest)))
    if raw.get("uniqueItems") is True:
        yield leaf("unique", ())
    if "contains" in raw:
        low, high = raw.get("minContains", 1), raw.get("maxContains")
        if (low, high) == (1, None):
            yield leaf("contains", sub(raw["contains"]))
        elif (low, high) != (0, None):
            yield leaf("opaque", ("contains", json.dumps(raw, sort_keys=True)))


def _objects(raw: dict[str, Any], sub: Any) -> Iterator[Formula]:
    declared, patterns = raw.get("properties", {}), raw.get("patternProperties", {})
    yield from (leaf("prop", (name, sub(one))) for name, one in declared.items())
    yield from (leaf("patterned", (pattern, sub(one))) for pattern, one in patterns.items())
    named = (frozenset(declared), frozenset(patterns))
    if raw.get("additionalProperties", True) is not True:
        yield leaf("extra", (*named, sub(raw["additionalProperties"])))
    elif declared and "additionalProperties" not in raw:
        yield leaf("declared", named)
    if isinstance(raw.get("required"), list):
        yield from (leaf("required", str(name)) for name in raw["required"])
    if "propertyNames" in raw:
        yield leaf("names", sub(raw["propertyNames"]))


def _dependencies(raw: dict[str, Any], sub: Any) -> Iterator[Formula]:
    for word in ("dependencies", "dependentRequired", "dependentSchemas"):
        for name, wanted in raw.get(word, {}).items():
            if isinstance(wanted, list):
                then: Formula = And(tuple(leaf("required", str(one)) for one in wanted))
            else:
                then = sub(wanted)
            yield Or((leaf("absent", name), then))
