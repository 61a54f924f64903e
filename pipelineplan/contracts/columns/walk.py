"""Two lists of columns, matched by what identifies a column, and walked to their leaves.

reader  a: int64 not null   b: string          writer  a: int32   c: string
  a   widened, but may be null in the writer            null-in-required
  b   not written: NULL, while c is read by nobody      silent-null
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.contracts.columns.finding import Finding, broken, of_fate, record_of, whole
from pipelineplan.contracts.columns.lattice import Passage
from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType
from pipelineplan.contracts.evolution.change import Change

_MOST_WITNESSES = 20

Columns = tuple[Column, ...]


@dataclass(frozen=True)
class Rules:
    """How a format matches columns and converts types.

    `match(reader, writer)` gives for each of the reader's columns the writer's, or None; `convert` what
    becomes of the values of two types; `missing(column, writer, matched)` what an unmatched column means.
    """

    match: Callable[[Columns, Columns], list[tuple[Column, Column | None]]]
    convert: Callable[[ColumnType, ColumnType], Passage]
    missing: Callable[[Column, Columns, Columns], list[Finding]]


def changes_of(reader: ColumnSchema, writer: ColumnSchema, rules: Rules) -> list[Change]:
    """Every change that keeps `reader` from reading all records of `writer`, the first ones with a record."""
    found = list(_columns(reader.columns, writer.columns, rules))
    return [one.shown(one.value) if i < _MOST_WITNESSES else one.change for i, one in enumerate(found)]


def _columns(reader: Columns, writer: Columns, rules: Rules) -> Iterator[Finding]:
    """The findings of two lists of columns; each value is a record of the writer's list."""
    pairs = rules.match(reader, writer)
    used = {id(old) for _, old in pairs if old is not None}
    unread = tuple(one for one in writer if id(one) not in used)
    for new, old in pairs:
        if old is None:
            yield from (_in(writer, one) for one in rules.missing(new, unread, writer))
        else:
            for one in _column(new, old, rules):
                yield one.around(record_of(writer, old, one.value))


def _in(writer: Columns, one: Finding) -> Finding:
    """A finding about a column that is not written: its value is one of another column, by name."""
    named = next((each for each in writer if isinstance(one.value, dict) and each.name in one.value), None)
    return one.around(record_of(writer, named, one.value[named.name] if named else None))


def _column(new: Column, old: Column, rules: Rules) -> Iterator[Finding]:
    """The findings of one column; each value is one of the writer's column."""
    if old.nullable and not new.nullable:
        reason = f"{old.name} may be null where it is written, and never where it is read"
        yield broken("null-in-required", new.path, reason, None)
    found = rules.convert(new.type, old.type)
    yield from of_fate(found, new, old)
    if found.fate == "kept" and new.type.nested and new.type.kind == old.type.kind:
        yield from _inside(new, old, rules)


def _inside(new: Column, old: Column, rules: Rules) -> Iterator[Finding]:
    if new.type.kind == "struct":
        yield from _columns(new.type.inner, old.type.inner, rules)
        return
    for i, (one, other) in enumerate(zip(new.type.inner, old.type.inner, strict=False)):
        for found in _column(one, other, rules):
            yield found.around(_held(old.type, i, found.value))


def _held(of: ColumnType, at: int, value: Any) -> Any:
    """`value` as an element of a list, or as the key or value of a map."""
    if of.kind == "list":
        return [value]
    pair = [whole(one.type) for one in of.inner]
    pair[at] = value
    return [tuple(pair)]
