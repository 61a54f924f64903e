"""Whether the default of a field is a value of the field's type, as JSON writes it.

    {"name": "n", "type": "int", "default": "0"}      no: a text is no int, and no reader can use it

Source: Apache Avro 1.12 Specification, "Complex Types: Records", table of field default values.
"""

from __future__ import annotations

from typing import Any

from pipelineplan.contracts.avro.types import AvroType

_BITS = {"int": 31, "long": 63}


def fits(of: AvroType, value: Any) -> bool:
    """Whether `value` is a default of `of`; of a union any branch will do, as since Avro 1.12."""
    match of.kind:
        case "union":
            return any(fits(branch, value) for branch in of.inner)
        case "array":
            return isinstance(value, list) and all(fits(of.inner[0], one) for one in value)
        case "map":
            return isinstance(value, dict) and all(fits(of.inner[0], one) for one in value.values())
        case "record":
            return isinstance(value, dict) and all(
                fits(one.type, value[one.name]) if one.name in value else one.has_default for one in of.fields
            )
    return _fits_plain(of, value)


def _fits_plain(of: AvroType, value: Any) -> bool:
    match of.kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole and -(2 ** _BITS[of.kind]) <= value < 2 ** _BITS[of.kind]
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "enum":
            return value in of.symbols
    return isinstance(value, str) and (of.kind != "fixed" or len(value) == of.size)
