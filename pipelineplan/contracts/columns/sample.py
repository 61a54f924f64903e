"""Random values of a column type, their edges often: limits, short lists, nulls where they may be."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from pipelineplan.contracts.columns.lattice import decimal_of, limits
from pipelineplan.contracts.columns.types import Column, ColumnType

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  (moments without a zone are among the values)
_STEP = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}


def random_record(columns: tuple[Column, ...], source: random.Random) -> dict[str, Any]:
    """A random record of `columns`."""
    return {one.name: _value(one, source) for one in columns}


def _value(one: Column, source: random.Random) -> Any:
    if one.nullable and source.random() < 0.15:
        return None
    return _of_type(one.type, source)


def _of_type(of: ColumnType, source: random.Random) -> Any:  # noqa: PLR0911  (one return per kind)
    match of.kind:
        case "struct":
            return random_record(of.inner, source)
        case "list":
            return [_value(of.inner[0], source) for _ in range(source.randrange(3))]
        case "map":
            pairs = [tuple(_value(one, source) for one in of.inner) for _ in range(source.randrange(3))]
            return list({repr(pair[0]): pair for pair in pairs}.values())
        case "int" | "uint":
            low, high = limits(of)
            return source.choice([low, high, 0, source.randrange(low, high + 1)])
        case "decimal":
            most = 10**of.precision - 1
            return decimal_of(source.choice([0, most, -most, source.randrange(most + 1)]), of)
        case "timestamp" | "date" | "time" | "duration":
            return _moment(of, source)
    return _plain(of, source)


def _moment(of: ColumnType, source: random.Random) -> Any:
    step = _STEP.get(of.unit, 1)
    since = dt.timedelta(microseconds=source.randrange(2**52) // step * step)
    match of.kind:
        case "date":
            return (_EPOCH + since).date()
        case "time":
            return (
                _EPOCH + dt.timedelta(microseconds=source.randrange(86_400_000_000) // step * step)
            ).time()
        case "duration":
            return since
    return (_EPOCH + since).replace(tzinfo=dt.UTC if of.zone else None)


def _plain(of: ColumnType, source: random.Random) -> Any:
    match of.kind:
        case "bool":
            return source.random() < 0.5
        case "float":
            return source.choice([0.0, -1.5, 1024.0, source.randrange(1000) / 8])
        case "string":
            return source.choice(["", "a", "é", "long " * 5])
        case "binary":
            return source.choice([b"", b"a", b"\xff"])
        case "fixed" | "uuid":
            return source.randbytes(of.size or 16)
    return None
