"""Logical types of Avro, which no checker compares: readers disagree about what was written.

    writer timestamp-millis 1_700_000_000_000     reader timestamp-micros
      a Python reader converts by the writer's type: 2023; a Java reader by its own: 20 January 1970

Source: Apache Avro 1.12 Specification, "Logical Types"; GenericDatumReader of Avro Java 1.12, which
converts with the reader's logical type, and fastavro 1.13, which converts with the writer's.
"""

from __future__ import annotations

from pipelineplan.contracts.avro.types import AvroType
from pipelineplan.contracts.evolution.change import Change, Compatibility

_KNOWN = {
    "date": {"int"},
    "time-millis": {"int"},
    "time-micros": {"long"},
    "timestamp-millis": {"long"},
    "timestamp-micros": {"long"},
    "timestamp-nanos": {"long"},
    "local-timestamp-millis": {"long"},
    "local-timestamp-micros": {"long"},
    "local-timestamp-nanos": {"long"},
    "decimal": {"bytes", "fixed"},
    "uuid": {"string", "fixed"},
    "duration": {"fixed"},
}


def logical_changes(reader: AvroType, writer: AvroType) -> list[Change]:
    """What the logical types of two types that resolve have to say; at most one change."""
    old, new = _effective(writer), _effective(reader)
    if old == new == "decimal":
        return _decimals(reader, writer)
    if old == new:
        return []
    if old and new:
        reason = f"written as {old} and read as {new}: the same number means another thing"
        return [_change("logical-type", reader, reason)]
    came = f"{new} is read where plain {writer.kind} is written"
    went = f"{old} is written and plain {reader.kind} is read"
    return [_change("logical-annotation", reader, came if new else went)]


def _effective(of: AvroType) -> str:
    """The logical type, unless it does not belong on its plain type: then it must be ignored."""
    return of.logical if of.kind in _KNOWN.get(of.logical, set()) else ""


def _decimals(reader: AvroType, writer: AvroType) -> list[Change]:
    (old_precision, old_scale), (new_precision, new_scale) = _numbers(writer), _numbers(reader)
    old, new = f"decimal({old_precision},{old_scale})", f"decimal({new_precision},{new_scale})"
    if old_scale != new_scale:
        factor = 10 ** min(abs(new_scale - old_scale), 99)
        reason = f"{old} read as {new}: off by a factor of {factor} where the reader's scale is used"
        return [_change("logical-type", reader, reason)]
    if new_precision < old_precision:
        return [_change("logical-type", reader, f"{old} read as {new}: large numbers do not fit")]
    if new_precision > old_precision:
        reason = f"{old} read as {new}: wider at the same scale"
        return [_change("logical-annotation", reader, reason)]
    return []


def _numbers(of: AvroType) -> tuple[int, int]:
    precision, scale = of.options.get("precision"), of.options.get("scale", 0)
    return (precision if isinstance(precision, int) else 0, scale if isinstance(scale, int) else 0)


def _change(policy: str, reader: AvroType, reason: str) -> Change:
    return Change(policy, reader.path, reason, Compatibility.POLICY, policy)
