"""Avro: schemas read, resolved as the specification says, and proved on real records."""

from pipelineplan.contracts.avro.resolve import resolve
from pipelineplan.contracts.avro.types import AvroType, avro_of

__all__ = ["AvroType", "avro_of", "resolve"]
