"""What a contract says of one record at a time, as SQL: why a record is a dead letter, or nothing.

    {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
      ->  amount is null; amount is no number; amount is below 0

Types, required fields, keys, bounds, lengths and patterns are about one record. What is about many
(unique, shares, freshness) is `pipelineplan test --data`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.contracts import Dataset, Field
from pipelineplan.profiling.files import literal, quoted

_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "time": "TIME",
    "boolean": "BOOLEAN",
}
_BOUNDS = {
    "minimum": ("<", "is below"),
    "maximum": (">", "is above"),
    "exclusiveMinimum": ("<=", "is not above"),
    "exclusiveMaximum": (">=", "is not below"),
}
_LENGTHS = {"minLength": ("<", "is shorter than"), "maxLength": (">", "is longer than")}

# A condition in SQL that holds for a broken record, and what is then said of it.
Check = tuple[str, str]


def checked_columns(dataset: Dataset | None, event_time: str) -> tuple[str, ...]:
    """The columns that the checks of a dataset read."""
    return tuple(field.column for field in _fields(dataset, event_time) if list(_checks(field)))


def reasons(dataset: Dataset | None, event_time: str) -> str:
    """An SQL expression: what is wrong with a row, reason by reason, or NULL.

    The column `event_time` is left out: whether it is a time is for those to say who read it.
    """
    checks = [check for field in _fields(dataset, event_time) for check in _checks(field)]
    if not checks:
        return "NULL::VARCHAR"
    said = ", ".join(f"CASE WHEN {broken} THEN {literal(why)} END" for broken, why in checks)
    return f"nullif(concat_ws('; ', {said}), '')"


def _fields(dataset: Dataset | None, event_time: str) -> list[Field]:
    fields = [] if dataset is None else dataset.walk()
    return [field for field in fields if not field.nested and field.column != event_time]


def _checks(field: Field) -> Iterator[Check]:
    name, column = field.column, quoted(field.column)
    if field.required or field.primary_key:
        yield f"{column} IS NULL", f"{name} is null"
    typed = _TYPES.get(field.logical_type)
    # Trimmed text keeps DuckDB from casting while it reads a CSV file, where a bad value ends the row.
    value = column if typed is None else f"try_cast(trim({column}::VARCHAR) AS {typed})"
    if typed is not None:
        article = "an" if field.logical_type == "integer" else "a"
        yield f"{column} IS NOT NULL AND {value} IS NULL", f"{name} is not {article} {field.logical_type}"
    for option, wanted in field.options.items():
        yield from _option(field, value, option, wanted)


def _option(field: Field, value: str, option: str, wanted: object) -> Iterator[Check]:
    name, text = field.column, f"{quoted(field.column)}::VARCHAR"
    number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    if option in _BOUNDS and (number or isinstance(wanted, str)):
        operator, words = _BOUNDS[option]
        # A bound of times is written as text, and read as what the field is.
        bound = (
            str(wanted)
            if number
            else f"try_cast({literal(str(wanted))} AS {_TYPES.get(field.logical_type, 'VARCHAR')})"
        )
        yield f"{value} {operator} {bound}", f"{name} {words} {wanted}"
    elif option in _LENGTHS and number:
        operator, words = _LENGTHS[option]
        yield f"length({text}) {operator} {wanted}", f"{name} {words} {wanted}"
    elif option == "pattern" and isinstance(wanted, str):
        yield f"NOT regexp_matches({text}, {literal(wanted)})", f"{name} does not match {wanted}"
    elif option == "multipleOf" and number:
        yield f"{value} % {wanted} <> 0", f"{name} is not a multiple of {wanted}"
