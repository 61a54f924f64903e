"""A verdict on two contracts put to the test: values that keep the one promise, held against the other.

Only fields have values to generate; keys, quality and service levels are about many records, and their
changes say so. Needs the extra `contracts` (jsonschema).
"""

from __future__ import annotations

from dataclasses import replace

from pipelineplan.contracts.evolution.change import Change
from pipelineplan.contracts.json_schema import contain, read_schema
from pipelineplan.contracts.json_schema.prove import prove as prove_values
from pipelineplan.contracts.promises.fields import value_schemas
from pipelineplan.contracts.promises.version import ContractVersion


def prove(
    reader: ContractVersion, writer: ContractVersion, changes: list[Change], records: int
) -> list[Change]:
    """`changes`, and every field whose generated values contradict that it has none."""
    found = list(changes)
    for wanted in reader.contract.datasets:
        given = next((one for one in writer.contract.datasets if one.name == wanted.name), None)
        promised = {one.name: one for one in given.walk()} if given else {}
        for field in wanted.walk():
            if field.name not in promised:
                continue
            pair = value_schemas(field, promised[field.name], reader.contract, writer.contract)
            if pair is None:
                continue
            documents = [read_schema(one) for one in pair]
            if not contain(documents[0], documents[1]):
                wrong = prove_values(documents[0], documents[1], [], records)
                found += [replace(one, path=str(field.place)) for one in wrong]
    return found
