"""Random pairs of column schemas: a writer, and a reader that somebody changed from it."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from pipelineplan.contracts.columns.types import Column, ColumnSchema, ColumnType

INTEGERS = [ColumnType(kind, bits=bits) for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
FLOATS = [ColumnType("float", bits=bits) for bits in (32, 64)]
DECIMALS = [
    ColumnType("decimal", precision=p, scale=s) for p, s in ((5, 2), (7, 2), (7, 4), (12, 3), (30, 2))
]
MOMENTS = [
    ColumnType("timestamp", unit=unit, zone=zone) for unit in ("ms", "us", "ns") for zone in ("", "UTC")
]
PLAIN = [ColumnType(kind) for kind in ("bool", "string", "binary", "date")]
OTHERS = [ColumnType("time", unit="ms"), ColumnType("time", unit="us"), ColumnType("fixed", size=4)]
ALL = [*INTEGERS, *FLOATS, *DECIMALS, *MOMENTS, *PLAIN, *OTHERS]
ICEBERG = [
    ColumnType("int", bits=32),
    ColumnType("int", bits=64),
    *FLOATS,
    *DECIMALS,
    *PLAIN,
    ColumnType("timestamp", unit="us"),
    ColumnType("timestamp", unit="us", zone="UTC"),
]


class Maker:
    """Columns with ids that are never given twice; `types` are the plain ones."""

    def __init__(self, source: random.Random, types: list[ColumnType]) -> None:
        self.source, self.types, self.last = source, types, 0

    def id(self) -> int:
        self.last += 1
        return self.last

    def column(self, name: str, depth: int) -> Column:
        return Column(name, self.type(depth), f"$.{name}", self.source.random() < 0.7, self.id())

    def type(self, depth: int) -> ColumnType:
        kind = self.source.choice(["plain"] * 6 + ["struct", "list", "map"])
        if depth == 0 or kind == "plain":
            return self.source.choice(self.types)
        if kind == "struct":
            return ColumnType("struct", inner=self.columns(depth - 1))
        if kind == "list":
            return ColumnType("list", inner=(self.column("element", depth - 1),))
        key = Column("key", ColumnType("string"), "$", nullable=False, id=self.id())
        return ColumnType("map", inner=(key, self.column("value", depth - 1)))

    def columns(self, depth: int) -> tuple[Column, ...]:
        return tuple(self.column(f"c{self.id()}", depth) for _ in range(self.source.randrange(1, 4)))

    def changed(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        made = list(columns)
        for _ in range(self.source.randrange(1, 3)):
            self.edit(made)
        return tuple({one.name: one for one in made}.values())

    def edit(self, made: list[Column]) -> None:
        at = self.source.randrange(len(made))
        one = made[at]
        match self.source.randrange(7):
            case 0:
                made[at] = dataclasses.replace(one, type=self.source.choice(self.types))
            case 1:
                made[at] = dataclasses.replace(one, nullable=not one.nullable)
            case 2 if len(made) > 1:
                made.pop(at)
            case 3:
                made.append(self.column(f"new{self.id()}", 1))
            case 4:
                made[at] = dataclasses.replace(one, name=one.name + "x")
            case _:
                made[at] = dataclasses.replace(one, type=self.inside(one.type))

    def inside(self, of: ColumnType) -> ColumnType:
        if of.kind == "struct":
            return dataclasses.replace(of, inner=self.changed(of.inner))
        if of.nested:
            last = of.inner[-1]
            return dataclasses.replace(
                of, inner=(*of.inner[:-1], dataclasses.replace(last, type=self.inside(last.type)))
            )
        alike = [one for one in self.types if one.kind == of.kind]
        return self.source.choice(alike or self.types)


def pair(source: random.Random, *, iceberg: bool) -> tuple[Any, Any]:
    """Reader and writer; without ids unless they are Iceberg's."""
    maker = Maker(source, ICEBERG if iceberg else ALL)
    writer = maker.columns(2)
    reader = maker.changed(writer)
    made = [ColumnSchema(name, one, 2) for name, one in (("reader", reader), ("writer", writer))]
    return (made[0], made[1]) if iceberg else (without_ids(made[0]), without_ids(made[1]))


def without_ids(of: ColumnSchema) -> ColumnSchema:
    return dataclasses.replace(of, columns=tuple(_bare(one) for one in of.columns))


def _bare(one: Column) -> Column:
    inner = tuple(_bare(each) for each in one.type.inner)
    return dataclasses.replace(one, id=None, type=dataclasses.replace(one.type, inner=inner))
