"""A verdict on JSON Schemas put to the test by another validator, on witnesses and generated records.

    witness {"a": 10}   valid under the writer's schema   refused by the reader's   ->  jsonschema agrees

Needs the extra `contracts` (jsonschema).
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.json_schema.document import SchemaDocument
from pipelineplan.contracts.json_schema.generate import records_of
from pipelineplan.errors import MissingExtraError

_SEED = "records that prove a verdict on JSON Schemas"


def prove(
    reader: SchemaDocument, writer: SchemaDocument, changes: list[Change], records: int
) -> list[Change]:
    """`changes` with what jsonschema says of each witness; without changes, of `records` records.

    A generated record that the writer's schema accepts and the reader's does not, although no change
    says so, becomes a change that is UNKNOWN. Raises `MissingExtraError` without jsonschema.
    """
    check = _validators(reader, writer)
    if any(change.policy != "lossy-promotion" for change in changes):
        return [_tried(change, *check) for change in changes]
    source = random.Random(_SEED)  # noqa: S311  (records to check, no secrets)
    for record in records_of(writer.data, reader.data, source, records):
        if check[1](record) is True and check[0](record) is False:
            reason = "a generated record is refused, although containment says it is accepted"
            witness = Witness(record, "jsonschema refuses it")
            return [*changes, Change("not-proved", "$", reason, Compatibility.UNKNOWN, witness=witness)]
    return changes


def _tried(change: Change, reads: Any, writes: Any) -> Change:
    if change.witness is None or change.policy == "lossy-promotion":
        return change
    written, read = writes(change.witness.record), reads(change.witness.record)
    agrees = "jsonschema agrees" if (written, read) == (True, False) else "jsonschema could not confirm it"
    return replace(change, witness=replace(change.witness, outcome=f"{change.witness.outcome}; {agrees}"))


def _validators(reader: SchemaDocument, writer: SchemaDocument) -> tuple[Any, Any]:
    try:
        from jsonschema import validators
    except ImportError:
        raise MissingExtraError("proving a verdict on JSON Schemas", "contracts") from None

    def of(document: SchemaDocument) -> Any:
        draft = validators.validator_for(document.data)
        validator = draft(document.data)

        def valid(record: Any) -> bool | None:
            try:
                return bool(validator.is_valid(record))
            except Exception:  # noqa: BLE001  (a reference that it cannot follow, a recursion without end)
                return None

        return valid

    return of(reader), of(writer)
