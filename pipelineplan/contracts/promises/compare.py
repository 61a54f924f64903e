"""Whether what a reader of one contract counts on is what another contract promises.

    reader counts on            writer promises           between them
    amount: required            amount: may be null       null-in-required
    total >= 0                  total >= -100             narrowed, -100
    retention 30 d              retention 7 d             retention-tightened    (the newer promises less)
    nulls <= 0 %                nulls <= 5 %              quality-weakened

Fields and quality are judged in the direction that is asked, as records of either version may be read.
Service levels are judged from the older contract to the newer one, whoever reads: they are about now.
Source: Open Data Contract Standard 3.2, Bitol, LF AI & Data, 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.contracts.contract import Contract, Dataset, Field
from pipelineplan.contracts.evolution.change import Change, Compatibility
from pipelineplan.contracts.promises.fields import field_changes
from pipelineplan.contracts.promises.levels import level_changes
from pipelineplan.contracts.promises.quality import quality_changes
from pipelineplan.contracts.promises.version import ContractVersion, written_at


def promised(reader: ContractVersion, writer: ContractVersion) -> list[Change]:
    """Every way in which the contract of `writer` falls short of what `reader` counts on.

    Paths are those of the reader's contract, or the names of its service levels.
    """
    return list(_changes(reader, writer))


def _changes(reader: ContractVersion, writer: ContractVersion) -> Iterator[Change]:
    new, old = reader.contract, writer.contract
    for wanted in new.datasets:
        given = next((one for one in old.datasets if one.name == wanted.name), None)
        if given is None:
            reason = f"the dataset {wanted.name} is not promised"
            yield Change("dataset-missing", str(wanted.place), reason)
            continue
        yield from _dataset(wanted, given, reader, writer)
    earlier, later = (new, old) if writer.age >= reader.age else (old, new)
    yield from level_changes(earlier, later)


def _dataset(
    wanted: Dataset, given: Dataset, reader: ContractVersion, writer: ContractVersion
) -> Iterator[Change]:
    promised_fields = {one.name: one for one in given.walk()}
    missing: set[str] = set()
    for field in wanted.walk():
        if field.name.rpartition(".")[0] in missing:
            missing.add(field.name)
        elif field.name not in promised_fields:
            missing.add(field.name)
            yield from _missing(field, removed=writer.age > reader.age)
        else:
            yield from field_changes(field, promised_fields[field.name], reader.contract, writer.contract)
    yield from _keys(wanted, given)
    yield from _partitions(wanted, given, reader.contract, writer.contract)
    yield from quality_changes(wanted, given, missing)


def _missing(field: Field, *, removed: bool) -> Iterator[Change]:
    """A field that is not promised: NULL in old records, and no column at all in new ones."""
    if field.required:
        reason = f"{field.name} is counted on and not promised"
        yield Change("required-field-missing", str(field.place), reason)
    elif removed:
        reason = f"{field.name} is gone: who reads it by name fails, or reads NULL"
        yield Change("field-removed", str(field.place), reason)


def _keys(wanted: Dataset, given: Dataset) -> Iterator[Change]:
    """Rows that are unique in the promised key are unique in every key that holds it."""
    new, old = (_key(one) for one in (wanted, given))
    if new and not (old and set(old) <= set(new)):
        reason = f"the key ({', '.join(new)}) is counted on, and ({', '.join(old)}) is promised"
        reason += ": it says nothing of one record, so no record shows it"
        yield Change("key-changed", str(wanted.place), reason)


def _key(of: Dataset) -> list[str]:
    fields = [one for one in of.walk() if one.primary_key]
    return [one.name for one in sorted(fields, key=lambda one: one.primary_key_position)]


def _partitions(wanted: Dataset, given: Dataset, reader: Contract, writer: Contract) -> Iterator[Change]:
    new, old = _partition(wanted, reader), _partition(given, writer)
    if new != old:
        reason = (
            f"partitioned by ({', '.join(new)}) where it is read, by ({', '.join(old)}) where it is written"
        )
        policy = "partitioning"
        yield Change(policy, str(wanted.place), reason, Compatibility.POLICY, policy)


def _partition(of: Dataset, contract: Contract) -> list[str]:
    fields = [one for one in of.walk() if one.partitioned]
    places = {one.name: written_at(contract, one.place).get("partitionKeyPosition", 0) for one in fields}
    return sorted(places, key=lambda name: (str(places[name]), name))
