"""What becomes of the values of one type that are read as another: kept, or a value that is not.

    int32 -> int64          kept
    int64 -> float64        lossy       2^53 + 1
    int64 -> int32          narrowed    2^31
    timestamp[us] -> [ms]   narrowed    one microsecond
    timestamp -> [.., UTC]  zone        the same digits, another instant
    int32 -> string         recast      one engine writes '1', another refuses

What pyarrow does with each pair of types was measured with pyarrow 25 and is held to in the tests.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pipelineplan.contracts.columns.types import UNITS, ColumnType

Fate = Literal["kept", "lossy", "narrowed", "zone", "recast", "mismatch", "not decided"]
_EXACT_BITS = {16: 11, 32: 24, 64: 53}
_TEXTS = frozenset({"string", "binary", "fixed"})
_NEVER_TEXT = frozenset({"list", "struct", "map", "binary", "other", "null"})


@dataclass(frozen=True)
class Passage:
    """What becomes of values, and a `sample` to which it happens."""

    fate: Fate
    sample: Any = None


KEPT = Passage("kept")


def passage(  # noqa: C901, PLR0911  (one return per kind)
    reader: ColumnType, writer: ColumnType
) -> Passage:
    """What becomes of a value of `writer` read as `reader`; nested types are not entered."""
    if writer.kind == "null" or (reader == writer and not reader.nested):
        return KEPT
    if "other" in (reader.kind, writer.kind):
        return Passage("not decided")
    if writer.nested or reader.nested:
        return KEPT if writer.kind == reader.kind else Passage("mismatch", telling(writer))
    match writer.kind:
        case "int" | "uint":
            return _from_integer(reader, writer)
        case "float" if reader.kind == "float":
            return (
                KEPT
                if reader.bits >= writer.bits
                else Passage("narrowed", 0.1 if writer.bits == 64 else 2.0**20 + 1)
            )
        case "float" if reader.kind == "decimal":
            return Passage("mismatch", 2.0**-40)
        case "decimal":
            return _from_decimal(reader, writer)
        case "timestamp" if reader.kind == "timestamp":
            return _timestamps(reader, writer)
        case "time" | "duration" if reader.kind == writer.kind:
            return _units(reader, writer)
        case "date" if reader.kind == "timestamp":
            late = Passage("lossy", dt.date(9999, 1, 1)) if reader.unit == "ns" else KEPT
            return Passage("zone", telling(writer)) if reader.zone else late
        case "string" | "binary" | "fixed" if reader.kind in _TEXTS:
            return _texts(reader, writer)
        case "uuid" if reader.kind == "fixed" and reader.size == 16:
            return KEPT
    return _recast(reader, writer)


def _recast(reader: ColumnType, writer: ColumnType) -> Passage:
    """Another kind of type: pyarrow writes it as text where others refuse; else it is refused or misread."""
    castable = reader.kind == "string" and writer.kind not in _NEVER_TEXT
    castable = castable or (writer.kind == "bool" and reader.kind in {"int", "uint", "float"})
    return Passage("recast" if castable else "mismatch", telling(writer))


def limits(of: ColumnType) -> tuple[int, int]:
    """The least and greatest number of an integer type."""
    if of.kind == "uint":
        return 0, 2**of.bits - 1
    return -(2 ** (of.bits - 1)), 2 ** (of.bits - 1) - 1


def _from_integer(reader: ColumnType, writer: ColumnType) -> Passage:
    low, high = limits(writer)
    match reader.kind:
        case "int" | "uint":
            least, greatest = limits(reader)
            if least <= low and high <= greatest:
                return KEPT
            return Passage("narrowed", greatest + 1 if high > greatest else -1)
        case "float":
            exact = 2 ** _EXACT_BITS[reader.bits]
            return KEPT if high <= exact else Passage("lossy", exact + 1)
        case "decimal":
            most = 10 ** (reader.precision - reader.scale) - 1
            return KEPT if most >= max(high, -low) else Passage("narrowed", high)
    return _recast(reader, writer)


def _from_decimal(reader: ColumnType, writer: ColumnType) -> Passage:
    if reader.kind == "float":
        return Passage("lossy", _greatest(writer))
    if reader.kind != "decimal":
        return _recast(reader, writer)
    if reader.scale < writer.scale:
        return Passage("narrowed", decimal_of(1, writer))
    if reader.precision - reader.scale < writer.precision - writer.scale:
        return Passage("narrowed", _greatest(writer))
    return KEPT


def _greatest(of: ColumnType) -> Decimal:
    return decimal_of(10**of.precision - 1, of)


def decimal_of(unscaled: int, of: ColumnType) -> Decimal:
    """The decimal with these digits, whatever their number: contexts of arithmetic round at 28."""
    return Decimal((int(unscaled < 0), tuple(int(digit) for digit in str(abs(unscaled))), -of.scale))


def _timestamps(reader: ColumnType, writer: ColumnType) -> Passage:
    if bool(reader.zone) != bool(writer.zone):
        return Passage("zone", telling(writer))
    found = _units(reader, writer)
    if found is KEPT and reader.unit == "ns" and writer.unit != "ns":
        return Passage("lossy", dt.datetime(9999, 1, 1, tzinfo=dt.UTC if writer.zone else None))
    return found


def _units(reader: ColumnType, writer: ColumnType) -> Passage:
    """The same clock in another unit: a finer one holds it, a coarser one cuts."""
    if UNITS.index(reader.unit) >= UNITS.index(writer.unit):
        return KEPT
    return Passage("narrowed", 1 if writer.unit == "ns" else telling(writer))


def _texts(reader: ColumnType, writer: ColumnType) -> Passage:
    if reader.kind == writer.kind == "string":
        fits = not reader.size or 0 < writer.size <= reader.size
        return KEPT if fits else Passage("narrowed", "x" * (reader.size + 1))
    if reader.kind == "string":
        return Passage("lossy", b"\xff" * max(writer.size, 1))
    if reader.kind == "fixed":
        return Passage("narrowed", telling(writer))
    return KEPT


def telling(of: ColumnType) -> Any:  # noqa: C901, PLR0911  (one return per kind)
    """A small value of a plain type that is not its zero, with the finest part that the type has."""
    smallest = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}.get(of.unit, 1)
    match of.kind:
        case "int" | "uint":
            return 2
        case "float":
            return 1.5
        case "decimal":
            return decimal_of(1, of)
        case "date":
            return dt.date(2020, 1, 2)
        case "timestamp":
            moment = dt.datetime(2020, 1, 2, tzinfo=dt.UTC if of.zone else None)
            return moment + dt.timedelta(microseconds=smallest)
        case "time":
            return (dt.datetime(2020, 1, 2) + dt.timedelta(microseconds=smallest)).time()  # noqa: DTZ001
        case "duration":
            return dt.timedelta(microseconds=smallest)
        case "fixed" | "uuid":
            return b"\xff" * (of.size or 16)
        case "list" | "map":
            return []
        case "struct":
            return {}
    return {"bool": True, "string": "a", "binary": b"\xff"}.get(of.kind)
