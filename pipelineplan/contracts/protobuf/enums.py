"""Two enums behind one number: which values a reader does not know, or knows under another name.

    writer  NEW = 0  PAID = 1  SENT = 2        reader  NEW = 0  SENT = 1
      1   PAID is read as SENT                 enum-value-moved
      2   kept as a number without a name      unknown-enum-value    (closed: dropped)

Source: Protocol Buffers, "Enum Behavior", Google, 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from pipelineplan.contracts.evolution.shown import Finding
from pipelineplan.contracts.protobuf.finding import broken, minded
from pipelineplan.contracts.protobuf.types import ProtoEnum

_MOST_NAMED = 5


def enum_findings(reader: ProtoEnum, writer: ProtoEnum) -> Iterable[Finding]:
    """What becomes of the writer's values; each record is the number of one."""
    missing = [number for number in writer.names if number not in reader.names]
    if missing:
        yield _missing(reader, writer, missing)
    here, there = ({one for names in of.names.values() for one in names} for of in (reader, writer))
    for number, names in writer.names.items():
        known = reader.names.get(number, names)
        if set(known) & set(names):
            continue
        said = f"{number} is {names[0]} to the writer and {known[0]} to the reader"
        record = partial(int, number)
        if here & set(names) or there & set(known):
            yield broken("enum-value-moved", f"{reader.path}.{known[0]}", said, record)
        else:
            yield minded(
                "renamed", "renamed", f"{reader.path}.{known[0]}", f"{said}: a rename, or another value"
            )


def _missing(reader: ProtoEnum, writer: ProtoEnum, missing: list[int]) -> Finding:
    named = ", ".join(writer.names[one][0] for one in missing[:_MOST_NAMED])
    named += ", ..." if len(missing) > _MOST_NAMED else ""
    record = partial(int, missing[0])
    if reader.closed:
        reason = f"the reader knows no {named}, and a closed enum drops what it does not know"
        return broken("enum-value-missing", reader.path, reason, record)
    reason = f"the reader knows no {named}, and keeps a number without a name"
    policy = "unknown-enum-value"
    return minded(policy, policy, reader.path, reason, record, "read as a number without a name")
