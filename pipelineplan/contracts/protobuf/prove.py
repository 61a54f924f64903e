"""A verdict on Protobuf schemas put to the test: written by the one and read by the other, in bytes.

    written {"Order": {"id": 2147483648}}    read {"Order": {"id": -2147483648}}    misread

Messages are made from the descriptors at run time, by google.protobuf (extra `contracts`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.evolution.shown import NoRecordError
from pipelineplan.contracts.protobuf.sample import random_record
from pipelineplan.contracts.protobuf.types import ProtoSchema
from pipelineplan.errors import MissingExtraError

# Policies about names and absence: every value still arrives.
_READ_AS_MEANT = frozenset({"renamed", "presence", "unknown-enum-value"})
_SEED = "records that prove a verdict on Protobuf schemas"


def prove(reader: ProtoSchema, writer: ProtoSchema, changes: list[Change], records: int) -> list[Change]:
    """`changes` with what google.protobuf does to each witness; where none is misread, random records.

    A generated record that is misread although no change says so becomes a change that is UNKNOWN.
    Raises `MissingExtraError` without protobuf.
    """
    wire = Wire(reader, writer)
    tried = [_tried(change, wire) for change in changes]
    if any(change.policy not in _READ_AS_MEANT for change in changes):
        return tried
    source = random.Random(_SEED)  # noqa: S311  (records to read back, no secrets)
    for name in writer.records:
        for _ in range(records if name in reader.messages else 0):
            try:
                record = {name: random_record(writer.messages[name], source)}
            except NoRecordError:
                break
            seen = wire.misreading(record)
            if seen:
                reason = "a generated record is misread, although the rules say it is read"
                witness = Witness(record, seen)
                return [*tried, Change("not-proved", "$", reason, Compatibility.UNKNOWN, witness=witness)]
    return tried


def _tried(change: Change, wire: Wire) -> Change:
    if change.witness is None:
        return change
    seen = wire.misreading(change.witness.record)
    outcome = f"google.protobuf {seen}" if seen else f"google.protobuf reads it; {change.witness.outcome}"
    return replace(change, witness=replace(change.witness, outcome=outcome))


class Wire:
    """Bytes between a writer's and a reader's messages, made at run time."""

    def __init__(self, reader: ProtoSchema, writer: ProtoSchema) -> None:
        """Make the classes of both schemas."""
        self.read_as, self.written_as = _classes(reader), _classes(writer)

    def misreading(self, record: Any) -> str:
        """What goes wrong with `record`, one message by its name; empty when it is read as meant."""
        ((name, value),) = record.items()
        if name not in self.read_as:
            return f"has no message {name} to read it with"
        written = self.written_as[name]()
        try:
            _set(written, value)
            data = written.SerializeToString()
        except Exception as error:  # noqa: BLE001  (whatever a codec raises, it is its answer)
            return f"cannot write it: {_said(error)}"
        read = self.read_as[name]()
        try:
            read.ParseFromString(data)
        except Exception as error:  # noqa: BLE001  (see above)
            return f"refuses: {_said(error)}"
        if not read.IsInitialized():
            return f"refuses: missing required fields: {', '.join(read.FindInitializationErrors())}"
        wrong = next(_differences(written, read), "")
        return f"misreads: {wrong}" if wrong else ""


def _classes(schema: ProtoSchema) -> dict[str, Any]:
    """A class for each message of the schema's own files."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError:
        raise MissingExtraError("proving a verdict on Protobuf schemas", "contracts") from None
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet.FromString(schema.source)
    for one in files.file:
        pool.Add(one)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(one.full_name))
        for name, one in schema.messages.items()
    }


def _set(message: Any, value: dict[str, Any]) -> None:
    fields = message.DESCRIPTOR.fields_by_name
    for name, inner in value.items():
        of = fields[name]
        if _is_map(of):
            for pair in inner:
                _set_pair(getattr(message, name), of, pair)
        elif of.is_repeated:
            _set_list(getattr(message, name), of, inner)
        elif of.message_type is not None:
            getattr(message, name).SetInParent()
            _set(getattr(message, name), inner)
        else:
            setattr(message, name, inner)


def _set_list(into: Any, of: Any, values: list[Any]) -> None:
    for value in values:
        if of.message_type is not None:
            _set(into.add(), value)
        else:
            into.append(value)


def _set_pair(into: Any, of: Any, pair: dict[str, Any]) -> None:
    """One entry of a map; what is left out is the zero of its type."""
    fields = of.message_type.fields_by_name
    key = pair.get("key", fields["key"].default_value)
    if fields["value"].message_type is not None:
        _set(into[key], pair.get("value", {}))
    else:
        into[key] = pair.get("value", fields["value"].default_value)


def _is_map(of: Any) -> bool:
    return of.message_type is not None and of.message_type.GetOptions().map_entry


def _differences(written: Any, read: Any) -> Iterator[str]:
    """How what is read differs from what was written, by number; what the reader does not know is let be."""
    known = read.DESCRIPTOR.fields_by_number
    for of in written.DESCRIPTOR.fields:
        other = known.get(of.number)
        if other is None:
            continue
        old, new = _value(written, of), _value(read, other)
        if of.has_presence and not written.HasField(of.name) and (other.is_repeated or not _plain(other)):
            old = [] if other.is_repeated else None
        if _swapped(written, of, read, other) and old not in (None, [], {}, of.default_value):
            yield f"{of.name} {_short(old)} is read under the name {other.name}"
        if not _same(old, new, of, other):
            yield f"{of.name} {_short(old)} is read as {_short(new)}"


def _swapped(written: Any, of: Any, read: Any, other: Any) -> bool:
    """Whether one of the two names is at another number on the other side."""
    if of.name == other.name:
        return False
    return of.name in read.DESCRIPTOR.fields_by_name or other.name in written.DESCRIPTOR.fields_by_name


def _plain(of: Any) -> bool:
    return of.message_type is None


def _value(message: Any, of: Any) -> Any:
    """The value of a field: lists as lists, maps as mappings, an absent message as None."""
    value = getattr(message, of.name)
    if _is_map(of):
        return {key: value[key] for key in value}
    if of.is_repeated:
        return list(value)
    if of.message_type is not None:
        return value if message.HasField(of.name) else None
    return value


def _same(old: Any, new: Any, of: Any, other: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        fields = [one.message_type.fields_by_name["value"] for one in (of, other)]
        return old.keys() == new.keys() and all(_same_one(old[key], new[key], *fields) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(
            _same_one(*pair, of, other) for pair in zip(old, new, strict=True)
        )
    if isinstance(old, list | dict) or isinstance(new, list | dict):
        return not old and not new
    return _same_one(old, new, of, other)


def _same_one(old: Any, new: Any, of: Any, other: Any) -> bool:
    if hasattr(old, "DESCRIPTOR") and hasattr(new, "DESCRIPTOR"):
        return not any(_differences(old, new))
    if isinstance(old, str | bytes) and isinstance(new, str | bytes):
        first, second = (one.encode() if isinstance(one, str) else one for one in (old, new))
        return first == second
    if isinstance(old, bool | int | float) and isinstance(new, bool | int | float):
        return old == new and _same_name(old, of, other)
    return old is None and new is None


def _same_name(number: float, of: Any, other: Any) -> bool:
    """Whether the number of an enum has not become the number of another value."""
    if of.enum_type is None or other.enum_type is None:
        return True
    old, new = (one.enum_type.values_by_number.get(number) for one in (of, other))
    if old is None or new is None:
        return True
    names = [{v.name for v in one.enum_type.values if v.number == number} for one in (of, other)]
    if names[0] & names[1]:
        return True
    moved = any(name in other.enum_type.values_by_name for name in names[0])
    return not moved and not any(name in of.enum_type.values_by_name for name in names[1])


def _short(value: Any) -> str:
    text = " ".join(str(value).split()) if hasattr(value, "DESCRIPTOR") else repr(value)
    return text if len(text) <= 80 else text[:80] + "..."


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
