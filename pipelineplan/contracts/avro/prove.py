"""A verdict on Avro schemas put to the test: records written by the one and read by the other schema.

    witness {"id": 0}   written with v1   read with v3   ->   fastavro refuses: no default value for region

Needs the extra `contracts` (fastavro).
"""

from __future__ import annotations

import io
import random
from dataclasses import replace
from typing import Any

from pipelineplan.contracts.avro.sample import random_record
from pipelineplan.contracts.avro.types import AvroType
from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.evolution.shown import NoRecordError
from pipelineplan.errors import MissingExtraError

_SEED = "records that prove a verdict on Avro schemas"


def prove(reader: AvroType, writer: AvroType, changes: list[Change], records: int) -> list[Change]:
    """`changes` with what fastavro does to each witness; without changes, `records` random records.

    A generated record that is not read although no change says so becomes a change that is UNKNOWN.
    Raises `MissingExtraError` without fastavro.
    """
    wire = _Wire(reader.source, writer.source)
    if any(change.verdict is not Compatibility.POLICY for change in changes):
        return [_tried(change, wire) for change in changes]
    source = random.Random(_SEED)  # noqa: S311  (records to read back, no secrets)
    for _ in range(records):
        try:
            record = random_record(writer, source)
        except NoRecordError:
            break
        refusal = wire.refusal(record)
        if refusal and not any(change.policy == "lossy-promotion" for change in changes):
            witness = Witness(record, refusal)
            reason = "a generated record is not read, although schema resolution says it is"
            return [*changes, Change("not-proved", "$", reason, Compatibility.UNKNOWN, witness=witness)]
    return [_tried(change, wire) for change in changes]


def _tried(change: Change, wire: _Wire) -> Change:
    if change.witness is None:
        return change
    refusal = wire.refusal(change.witness.record)
    outcome = f"fastavro {refusal}" if refusal else f"fastavro reads it; {change.witness.outcome}"
    return replace(change, witness=replace(change.witness, outcome=outcome))


class _Wire:
    """Bytes between a writer's and a reader's schema."""

    def __init__(self, reader: Any, writer: Any) -> None:
        try:
            import fastavro
        except ImportError:
            raise MissingExtraError("proving a verdict on Avro schemas", "contracts") from None
        self.fastavro = fastavro
        self.reader, self.writer = reader, writer

    def refusal(self, record: Any) -> str:
        """Why `record`, written with the writer's schema, is not read; empty when it is."""
        try:
            writer, reader = self.fastavro.parse_schema(self.writer), self.fastavro.parse_schema(self.reader)
            stream = io.BytesIO()
            self.fastavro.schemaless_writer(stream, writer, record)
        except Exception as error:  # noqa: BLE001  (whatever a codec raises, it is its answer)
            return f"cannot write it: {_said(error)}"
        stream.seek(0)
        try:
            self.fastavro.schemaless_reader(stream, writer, reader)
        except Exception as error:  # noqa: BLE001  (see above)
            return f"refuses: {_said(error)}"
        return ""


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
