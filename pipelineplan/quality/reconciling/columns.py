"""Columns of two datasets in one type, so that equal values have equal digests.

BIGINT and BIGINT            as they are
BIGINT and DECIMAL(12,2)     DECIMAL(38,2)
DOUBLE and anything numeric  DECIMAL(38,6): the order of additions changes the last digits of doubles
TIMESTAMP, text of a time    TIMESTAMP in UTC
anything else                text
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelineplan.quality.sql import identifier

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT")
_FLOATS = ("FLOAT", "DOUBLE")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_FLOAT_DIGITS = 6
_TIMES = ("TIMESTAMP", "DATE")


def is_number(kind: str) -> bool:
    """Whether DuckDB's type `kind` holds numbers."""
    return kind in (*_INTEGERS, *_WIDE, *_FLOATS) or bool(_DECIMAL.fullmatch(kind))


def is_time(kind: str) -> bool:
    """Whether DuckDB's type `kind` holds instants or days."""
    return kind.startswith(_TIMES)


def common_type(kinds: Iterable[str]) -> str:
    """The type in which columns of `kinds` are compared."""
    several = set(kinds)
    if any(map(is_time, several)):
        return "TIMESTAMP"
    if len(several) == 1 and not several & set(_FLOATS):
        return several.pop()
    if not all(map(is_number, several)):
        return "VARCHAR"
    digits = [_digits(kind) for kind in several]
    if max(digits) == 0:
        return "HUGEINT" if several & set(_WIDE) else "BIGINT"
    return f"DECIMAL(38,{max(digits)})"


def cast(expression: str, kind: str, wanted: str) -> str:
    """`expression`, which has the type `kind`, in the type `wanted`; what cannot be read is NULL."""
    if kind == wanted:
        return expression
    if wanted == "TIMESTAMP":
        return f"make_timestamp({microseconds(expression, kind)})"
    if kind in _FLOATS and wanted.startswith("DECIMAL"):
        return f"TRY_CAST(round({expression}, {_FLOAT_DIGITS}) AS {wanted})"
    return f"TRY_CAST({expression} AS {wanted})"


def microseconds(expression: str, kind: str) -> str:
    """A time as microseconds since 1970 in UTC; numbers by their size, infinity is NULL."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({expression})"
    if is_number(kind):
        return _from_number(expression)
    return f"epoch_us(TRY_CAST({expression} AS TIMESTAMPTZ))"


def as_number(kind: str) -> str:
    """The type in which a measure of type `kind` is summed: never a double."""
    if kind in _FLOATS:
        return f"DECIMAL(38,{_FLOAT_DIGITS})"
    return kind if is_number(kind) else f"DECIMAL(38,{_FLOAT_DIGITS})"


def digits_of(kind: str) -> int:
    """The decimal places that numbers of type `kind` have."""
    return _digits(kind)


def column(name: str) -> str:
    """A column's name in SQL."""
    return identifier(name)


def _digits(kind: str) -> int:
    match = _DECIMAL.fullmatch(kind)
    return int(match[2]) if match else _FLOAT_DIGITS if kind in _FLOATS else 0


def _from_number(expression: str) -> str:
    """Seconds, ms, us or ns, each a thousand times the next, told apart by their size (1973 to 5138)."""
    size = f"abs({expression})"
    return (
        f"CASE WHEN {size} < 1e11 THEN TRY_CAST(round({expression} * 1000000) AS BIGINT) "
        f"WHEN {size} < 1e14 THEN TRY_CAST(round({expression} * 1000) AS BIGINT) "
        f"WHEN {size} < 1e17 THEN TRY_CAST({expression} AS BIGINT) "
        f"ELSE TRY_CAST({expression} // 1000 AS BIGINT) END"
    )
