"""What becomes of a value written as one kind and read as another, by the bytes between them.

    written   read     the bytes                      what is read
    int32     int64    the same varint                the same
    int64     int32    the same varint                cut to 32 bits
    sint32    int32    zigzag varint                  another number
    int32     string   another wire type              nothing: an unknown field

Source: Protocol Buffers, "Encoding" and "Updating A Message Type", Google, 2024; what a parser really
does with each pair is measured with google.protobuf in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pipelineplan.contracts.protobuf.types import ProtoField

Fate = Literal["kept", "narrowed", "unnamed", "as text", "reshaped", "misread", "not seen"]

_VARINT = {
    "bool": (0, 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "enum": (-(2**31), 2**31 - 1),
}
_OTHERS = {
    "sint32": (-(2**31), 2**31 - 1),
    "sint64": (-(2**63), 2**63 - 1),
    "fixed32": (0, 2**32 - 1),
    "sfixed32": (-(2**31), 2**31 - 1),
    "fixed64": (0, 2**64 - 1),
    "sfixed64": (-(2**63), 2**63 - 1),
}
_GROUPS = (
    frozenset(_VARINT),
    frozenset({"sint32", "sint64"}),
    frozenset({"fixed32", "sfixed32"}),
    frozenset({"fixed64", "sfixed64"}),
)
_WIRE = {
    **dict.fromkeys((*_VARINT, "sint32", "sint64"), "varint"),
    **dict.fromkeys(("fixed64", "sfixed64", "double"), "64 bits"),
    **dict.fromkeys(("fixed32", "sfixed32", "float"), "32 bits"),
    **dict.fromkeys(("string", "bytes"), "length"),
}
UNPACKABLE = frozenset({"string", "bytes", "message"})
# A value of each kind that differs from its zero, and as a number from true.
TELLING: dict[str, Any] = {
    **dict.fromkeys((*_VARINT, *_OTHERS), 2),
    "bool": True,
    "float": 1.5,
    "double": 1.5,
    "string": "a",
    "bytes": b"\xff",
}


@dataclass(frozen=True)
class Passage:
    """What becomes of values: their `fate`, and a `sample` to which it happens."""

    fate: Fate
    sample: Any = None


def range_of(kind: str) -> tuple[int, int]:
    """The least and greatest number of an integer kind."""
    return _VARINT.get(kind) or _OTHERS[kind]


def wire_of(one: ProtoField) -> str:
    """How an element of the field lies on the wire: its wire type, or that of a packed list."""
    if one.packed:
        return "length"
    if one.kind == "message":
        return "group" if one.delimited else "length"
    return _WIRE[one.kind]


def passage(reader: ProtoField, writer: ProtoField) -> Passage:
    """What becomes of one element of `writer` read by `reader`, labels set aside, messages not entered."""
    old, new = writer.kind, reader.kind
    if "message" in (old, new):
        return _messages(reader, writer)
    if old == new:
        text = old == "string" and reader.checks_text and not writer.checks_text
        return Passage("as text", "a") if text else Passage("kept")
    if old == "string" and new == "bytes":
        return Passage("kept")
    if old == "bytes" and new == "string":
        return Passage("as text", b"\xff") if reader.checks_text else Passage("kept")
    if not any(old in group and new in group for group in _GROUPS):
        same = _WIRE[old] == _WIRE[new]
        return Passage("misread" if same else "not seen", TELLING[old])
    return _numbers(reader, writer)


def _numbers(reader: ProtoField, writer: ProtoField) -> Passage:
    """Two integer kinds of one group: kept when every value that is written fits."""
    low, high = range_of(reader.kind)
    if reader.enum is not None:
        names = reader.enum.names
        written = _written(writer, len(names))
        lost = [one for one in written if not low <= one <= high] if not reader.enum.closed else []
        lost = lost or [one for one in written if one not in names]
    else:
        lost = [one for one in _written(writer, 0) if not low <= one <= high]
    if not lost:
        return Passage("kept")
    sample = bool(lost[0]) if writer.kind == "bool" else lost[0]
    inside = low <= lost[0] <= high and reader.enum is not None and not reader.enum.closed
    return Passage("unnamed" if inside else "narrowed", sample)


def _written(writer: ProtoField, known: int) -> list[int]:
    """Values that the writer may write: small ones, and just past the ends of every kind."""
    if writer.enum is not None:
        return sorted(writer.enum.names, key=abs)
    low, high = range_of(writer.kind)
    edges = [*range(max(3, known + 1)), -1, *(2**bits for bits in (31, 32, 63)), low, high]
    return [one for one in edges if low <= one <= high]


def _messages(reader: ProtoField, writer: ProtoField) -> Passage:
    """A message on one side or on both."""
    if reader.kind == writer.kind:
        return Passage("kept") if reader.delimited == writer.delimited else Passage("not seen", {})
    if writer.kind == "message":
        if writer.delimited or _WIRE[reader.kind] != "length":
            return Passage("not seen", {})
        return Passage("reshaped", {}) if reader.kind == "bytes" else Passage("misread", {})
    if reader.delimited or _WIRE[writer.kind] != "length":
        return Passage("not seen", TELLING[writer.kind])
    return Passage("misread", TELLING[writer.kind])
