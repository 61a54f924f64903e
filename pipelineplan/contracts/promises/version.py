"""One version of a contract among others, and its values that only the document has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.contracts.contract import Contract, Field, Place
from pipelineplan.contracts.odcs import read_odcs


@dataclass(eq=False)
class ContractVersion:
    """A contract and its `age`: how many versions are older, where that is known."""

    contract: Contract
    age: int = 0


def read_version(file: Path) -> ContractVersion:
    """The contract in `file`; raises as `read_odcs` does."""
    return ContractVersion(read_odcs(file, file.as_posix()))


def note_ages(versions: Sequence[ContractVersion]) -> None:
    """Write into each of `versions`, oldest first, how many are older."""
    for age, one in enumerate(versions):
        one.age = age


def written_at(contract: Contract, place: Place) -> dict[str, Any]:
    """The mapping at `place` as it is written."""
    found: Any = contract.document.data if contract.document else {}
    for step in place.path:
        found = found[step]
    return found if isinstance(found, dict) else {}


def allowed_values(contract: Contract, field: Field) -> list[Any] | None:
    """The values that a field may have, where the contract lists them."""
    listed = written_at(contract, field.place).get("enum", field.options.get("enum"))
    if not isinstance(listed, list):
        return None
    return [one.get("value", one.get("name")) if isinstance(one, dict) else one for one in listed]
