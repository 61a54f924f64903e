"""Checks from what a contract says of its fields: type, required, unique, keys, bounds, links.

{name: age, logicalType: integer, required: true, logicalTypeOptions: {minimum: 18}}
  -> age is an integer; age is not null; age is at least 18
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from pipelineplan.contracts import Dataset, Field, Place, Relationship
from pipelineplan.quality import sql
from pipelineplan.quality.draft import (
    Draft,
    Drafted,
    Reason,
    broken_rows,
    expectation,
    foreign_key,
    in_set,
    not_null,
    unique,
)
from pipelineplan.quality.formats import format_checks
from pipelineplan.quality.sql import Dialect

Named = tuple[str, Place, Drafted]

_NESTED = Reason("a field inside another one: checks run on the columns of a table")
_BETWEEN = "expect_column_values_to_be_between"
_LENGTH = "expect_column_value_lengths_to_be_between"
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "minimum": ("min_value", "at least"),
    "maximum": ("max_value", "at most"),
    "exclusiveMinimum": ("min_value", "more than"),
    "exclusiveMaximum": ("max_value", "less than"),
}
_COMPARE = {"minimum": "<", "maximum": ">", "exclusiveMinimum": "<=", "exclusiveMaximum": ">="}


def field_checks(field: Field, dialect: Dialect, allowed: Sequence[Any] | None = None) -> Iterator[Named]:
    """Rule name, place and drafts of everything that `field` says of its own values.

    `allowed` are the values of its `enum`, which stands beside the options or among them.
    """
    yield "logicalType", field.place, _NESTED if field.nested else (schema(field),)
    if field.required:
        yield "required", field.place, _NESTED if field.nested else (not_null(field.column),)
    if field.unique:
        yield "unique", field.place, _NESTED if field.nested else (unique((field.column,)),)
    if allowed is not None:
        yield "enum", field.place, _NESTED if field.nested else _enum(field.column, allowed)
    for name, value in field.options.items():
        if name == "enum" and allowed is not None:
            continue
        place = Place((*field.place.path, "logicalTypeOptions", name), field.place.position)
        yield name, place, _NESTED if field.nested else _option(field, name, value, dialect)


def _enum(column: str, allowed: Sequence[Any]) -> Drafted:
    values = [value for value in allowed if value is not None]
    if not values or any(isinstance(value, list | dict) for value in values):
        return Reason("the enum has no value, or one that is a list or a mapping")
    return (in_set(column, values),)


def schema(field: Field) -> Draft:
    """The column is there and has the logical type; read from the data's schema."""
    what = f"is {_article(field.logical_type)}" if field.logical_type else "is there"
    kwargs = {"column": field.column, "logical_type": field.logical_type}
    return Draft(f"{field.column} {what}", "conformity", "schema", kwargs, "schema", (field.column,))


def key_checks(dataset: Dataset) -> Drafted:
    """The primary key: no two rows share it, and none of its columns is null."""
    fields = [field for field in dataset.walk() if field.primary_key]
    if any(field.nested for field in fields):
        return _NESTED
    ordered = sorted(fields, key=lambda field: field.primary_key_position)
    nulls = [not_null(field.column) for field in ordered if not field.required]
    alone = len(ordered) == 1 and ordered[0].unique
    return (*nulls, *(() if alone else (unique(tuple(f.column for f in ordered)),)))


def relationship_checks(
    dataset: Dataset, relation: Relationship, others: Mapping[str, tuple[Dataset, str]]
) -> Drafted:
    """The foreign key of `relation`; `others` has every known dataset with its table's name."""
    if relation.kind != "foreignKey":
        return Reason(f"a relationship of type {relation.kind!r} says nothing that data can break")
    names = [_split(target) for target in relation.to]
    if None in names or len({name[0] for name in names if name}) != 1:
        return Reason("the target is not written as dataset.field")
    parent = next(name[0] for name in names if name)
    if parent not in others:
        return Reason(f"no contract here has the dataset {parent!r}")
    there, table = others[parent]
    own = [dataset.find(name.removeprefix(f"{dataset.name}.")) for name in relation.from_fields]
    theirs = [there.find(name[1]) for name in names if name]
    if None in own or None in theirs:
        return Reason("one of its fields is in no dataset")
    if any(field.nested for field in (*own, *theirs) if field):
        return _NESTED
    return (foreign_key(_columns(own), table, _columns(theirs), 0.0),)


def _option(field: Field, name: str, value: Any, dialect: Dialect) -> Drafted:  # noqa: PLR0911 - one for each option
    column, numeric = field.column, isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "minLength" if numeric:
            title = f"{column} has at least {value} characters"
            return (expectation(title, "conformity", _LENGTH, column, min_value=value),)
        case "maxLength" if numeric:
            title = f"{column} has at most {value} characters"
            return (expectation(title, "conformity", _LENGTH, column, max_value=value),)
        case "pattern" if isinstance(value, str):
            kind = "expect_column_values_to_match_regex"
            return (expectation(f"{column} matches {value}", "conformity", kind, column, regex=value),)
        case "multipleOf" if numeric and value > 0:
            predicate = _no_multiple(field, value)
            return (broken_rows(f"{column} is a multiple of {value}", "conformity", predicate, 0.0, column),)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return _bound(field, name, value, dialect)
        case "format" if isinstance(value, str):
            return format_checks(column, field.logical_type, value)
        case "timezone" | "defaultTimezone":
            return Reason(f"{name} describes the values and sets no bound on them")
        case _:
            return Reason(f"{name} of {field.logical_type or 'an untyped field'} has no check")


def _no_multiple(field: Field, value: float) -> str:
    """Exact among whole numbers; else the quotient may be off a whole number by what floats are off."""
    name = sql.identifier(field.column)
    if field.logical_type == "integer" and isinstance(value, int):
        return f"{name} % {value} <> 0"
    quotient = f"1.0 * {name} / {sql.literal(value)}"
    return f"ABS({quotient} - ROUND({quotient})) > 0.000001"


def _bound(field: Field, name: str, value: Any, dialect: Dialect) -> Drafted:
    """A bound; version 3.0 wrote an exclusive one as `exclusiveMinimum: true` beside `minimum`."""
    if isinstance(value, bool):
        return Reason(f"{name} is a yes or no, wanted the bound itself (since version 3.1)")
    end, words = _BOUNDS[name]
    strict = {f"strict_{end[:3]}": True} if name.startswith("exclusive") else {}
    title = f"{field.column} is {words} {value}"
    if isinstance(value, int | float):
        return (expectation(title, "accuracy", _BETWEEN, field.column, **{end: value}, **strict),)
    if field.logical_type == "time":
        return _time_bound(field, name, str(value), title, dialect)
    instant = _instant(value)
    if instant is None:
        return Reason(f"{value!r} is not a date or time in ISO 8601")
    return (expectation(title, "accuracy", _BETWEEN, field.column, **{end: instant}, **strict),)


def _time_bound(field: Field, name: str, value: str, title: str, dialect: Dialect) -> Drafted:
    try:
        bound = time.fromisoformat(value)
    except ValueError:
        return Reason(f"{value!r} is not a time of day in ISO 8601")
    predicate = f"{sql.identifier(field.column)} {_COMPARE[name]} {sql.literal(bound, dialect)}"
    return (broken_rows(title, "accuracy", predicate, 0.0, field.column),)


def _instant(value: Any) -> str | None:
    """A date as it is, a time with its T, as text in ISO 8601; None when it is neither.

    With a zone it is told in UTC, as some engines drop the zone of a bound.
    """
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) == 10:
        return value
    return (read.astimezone(UTC) if read.tzinfo else read).isoformat()


def _split(target: str) -> tuple[str, str] | None:
    dataset, dot, field = target.partition(".")
    return (dataset, field) if dot and dataset and field and not target.startswith("/") else None


def _columns(fields: list[Field | None]) -> tuple[str, ...]:
    return tuple(field.column for field in fields if field)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
