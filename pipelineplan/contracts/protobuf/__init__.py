"""Protobuf: what a reader's numbers make of a writer's bytes, and the rules of those who check it."""

from pipelineplan.contracts.protobuf.profiles import confluent, wire, wire_json
from pipelineplan.contracts.protobuf.read import read_descriptors, read_proto
from pipelineplan.contracts.protobuf.resolve import resolve

__all__ = ["confluent", "read_descriptors", "read_proto", "resolve", "wire", "wire_json"]
