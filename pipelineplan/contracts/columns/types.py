"""Columns and their types, whichever file or table they come from.

    decimal(10,2)      kind decimal, precision 10, scale 2
    timestamp[us, UTC] kind timestamp, unit us, zone UTC
    struct<a: int32>   kind struct, one column a

A dictionary is its values: an encoding, and no type of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UNITS = ("s", "ms", "us", "ns")


@dataclass(frozen=True)
class ColumnType:
    """A type. `bits` are those of int, uint and float; `size` the bytes of fixed, or the most
    characters of a string (0 for any number); `inner` the columns of a
    struct, the element of a list, the key and value of a map; `text` names a type of kind other.
    """

    kind: str
    bits: int = 0
    precision: int = 0
    scale: int = 0
    unit: str = ""
    zone: str = ""
    size: int = 0
    inner: tuple[Column, ...] = ()
    text: str = ""

    @property
    def shown(self) -> str:  # noqa: PLR0911  (one return per kind)
        """The type for a message."""
        match self.kind:
            case "int" | "uint" | "float":
                return f"{self.kind}{self.bits}"
            case "decimal":
                return f"decimal({self.precision},{self.scale})"
            case "fixed":
                return f"fixed({self.size})"
            case "string" if self.size:
                return f"string({self.size})"
            case "timestamp":
                return f"timestamp[{self.unit}{', ' + self.zone if self.zone else ''}]"
            case "time" | "duration":
                return f"{self.kind}[{self.unit}]"
            case "other":
                return self.text
        return self.kind

    @property
    def nested(self) -> bool:
        """Whether it holds other columns."""
        return self.kind in {"list", "struct", "map"}


@dataclass(frozen=True)
class Column:
    """A column, or a field inside of one; `id` is its field id, where there is one.

    `default` counts only where `has_default`: what a reader takes for records written before it.
    """

    name: str
    type: ColumnType
    path: str
    nullable: bool = True
    id: int | None = None
    has_default: bool = False
    default: Any = None


@dataclass(frozen=True, eq=False)
class ColumnSchema:
    """The columns of one version; `version` is that of the table format, `source` what it was read from."""

    file: str
    columns: tuple[Column, ...]
    version: int = 0
    source: Any = None
