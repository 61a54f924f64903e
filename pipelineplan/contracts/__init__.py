"""Data contracts: read with positions, and checked for what no schema of a contract finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pipelineplan.contracts.contract import (
    Comparison,
    Contract,
    ContractRule,
    Dataset,
    Field,
    Place,
    Relationship,
    Sla,
)
from pipelineplan.contracts.lint import lint
from pipelineplan.contracts.odcs import contract_of, read_odcs
from pipelineplan.errors import InputError, Position, Problem

READERS: Mapping[str, Callable[[Path, str | None], Contract]] = {
    ".yaml": read_odcs,
    ".yml": read_odcs,
}


def read_contract(path: Path, shown_as: str | None = None) -> Contract:
    """The data contract in the file `path`; its positions name the file as `shown_as`.

    The ending of the file chooses the reader. Raises `InputError` with everything that keeps
    the file from being a contract: unreadable, not YAML, keys missing or of the wrong type.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        wanted = ", ".join(READERS)
        message = f"found a file that ends in {path.suffix!r}, wanted a contract ({wanted})"
        raise InputError([Problem(message, Position(shown_as or str(path)))])
    return reader(path, shown_as)


__all__ = [
    "READERS",
    "Comparison",
    "Contract",
    "ContractRule",
    "Dataset",
    "Field",
    "Place",
    "Relationship",
    "Sla",
    "contract_of",
    "lint",
    "read_contract",
    "read_odcs",
]
