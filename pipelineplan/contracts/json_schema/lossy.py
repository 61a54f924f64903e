"""Integers that are read as numbers: every validator accepts them, and not every reader keeps them.

    writer {"n": {"type": "integer"}}     reader {"n": {"type": "number"}}
      9007199254740993 is accepted, and a reader that takes numbers for doubles has 9007199254740992

Source: The JavaScript Object Notation (JSON) Data Interchange Format, T. Bray (ed.), RFC 8259, 2017,
section 6, on the range in which implementations agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.json_schema.document import SchemaDocument

MOST_EXACT = 2**53
_MOST_DEPTH = 50


def lossy(reader: SchemaDocument, writer: SchemaDocument) -> list[Change]:
    """A change for each property and item that is an integer to the writer and a number to the reader.

    Places behind references and combinations are not looked at: this only ever adds to a verdict.
    """
    return list(_places(reader.data, writer.data, "$", 0))


def _places(new: Any, old: Any, path: str, depth: int) -> Iterator[Change]:
    if not isinstance(new, dict) or not isinstance(old, dict) or depth > _MOST_DEPTH:
        return
    if "integer" in _types(old) and "number" in _types(new) - _types(old) and not _small(old):
        reason = f"integer read as number: a reader that takes it for a double does not keep {MOST_EXACT + 1}"
        policy = "lossy-promotion"
        witness = Witness(MOST_EXACT + 1, "accepted by both schemas; rounded where numbers are doubles")
        yield Change(policy, path, reason, Compatibility.POLICY, policy, witness=witness)
    inner, written = new.get("properties"), old.get("properties")
    if isinstance(inner, dict) and isinstance(written, dict):
        for name in (name for name in inner if name in written):
            yield from _places(inner[name], written[name], f"{path}.{name}", depth + 1)
    yield from _places(new.get("items"), old.get("items"), f"{path}[*]", depth + 1)


def _types(schema: dict[str, Any]) -> set[str]:
    found = schema.get("type")
    return {one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)}


def _small(schema: dict[str, Any]) -> bool:
    """Whether the bounds keep every integer where doubles are exact."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return -MOST_EXACT <= low <= high <= MOST_EXACT
