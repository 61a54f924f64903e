"""A data contract as written: datasets, fields, quality rules and service levels, with places.

    orders.odcs.yaml
      schema[0]  orders                     -> Dataset
        properties[1]  amount (number)      -> Field, options minimum: 0
          quality[0]  nullValues mustBe 0   -> ContractRule
      slaProperties[0]  latency 4 h         -> Sla

Source: Open Data Contract Standard (ODCS) 3.1.0, Bitol, LF AI & Data, 2025.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelineplan.documents import Document, Path, dotted
from pipelineplan.errors import Position

RuleKind = Literal["library", "sql", "text", "custom"]

LOGICAL_TYPES = (
    "string",
    "date",
    "timestamp",
    "time",
    "number",
    "integer",
    "object",
    "array",
    "boolean",
)

# The second spelling of an operator is the one of other tools; both are read.
OPERATORS: Mapping[str, str] = {
    "mustBe": "=",
    "mustNotBe": "!=",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeGreaterThanOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
    "mustBeLessThanOrEqualTo": "<=",
    "mustBeBetween": "between",
    "mustNotBeBetween": "not between",
}


@dataclass(frozen=True)
class Place:
    """Where a thing stands: `path` in the document, `position` in the file."""

    path: Path
    position: Position

    def __str__(self) -> str:
        return dotted(self.path)


@dataclass(frozen=True)
class Comparison:
    """`mustBeLessThan: 5` as operator `<` and values `(5,)`; the two `between`s have two values.

    `key` is the operator as it is spelled in the contract.
    """

    key: str
    operator: str
    values: tuple[Any, ...]
    place: Place


@dataclass(frozen=True)
class ContractRule:
    """One quality rule, as written; `field` is the dotted field name, empty on a dataset.

    A rule that carries several operators must meet all of them.
    """

    kind: RuleKind
    dataset: str
    field: str
    place: Place
    name: str = ""
    description: str = ""
    dimension: str = ""
    severity: str = ""
    metric: str = ""
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    unit: str = ""
    query: str = ""
    engine: str = ""
    implementation: Any = None


@dataclass(frozen=True)
class Field:
    """A property of a dataset; `name` is dotted from the dataset (`address.zip`).

    `options` are the `logicalTypeOptions` (bounds, lengths, pattern). `column` is the name in
    the data: the physical name where the contract gives one.
    """

    name: str
    place: Place
    logical_type: str = ""
    physical_type: str = ""
    physical_name: str = ""
    description: str = ""
    classification: str = ""
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    primary_key_position: int = -1
    partitioned: bool = False
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    quality: tuple[ContractRule, ...] = ()

    @property
    def column(self) -> str:
        """The name of the column in the data."""
        return self.physical_name or self.name.rpartition(".")[2]

    @property
    def nested(self) -> bool:
        """Whether the field lies inside another one."""
        return "." in self.name


@dataclass(frozen=True)
class Relationship:
    """A foreign key: each of `from_fields` (dotted names) refers to `dataset.field` in `to`."""

    kind: str
    from_fields: tuple[str, ...]
    to: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Dataset:
    """A table, topic or file of the contract."""

    name: str
    place: Place
    physical_name: str = ""
    physical_type: str = ""
    description: str = ""
    fields: tuple[Field, ...] = ()
    quality: tuple[ContractRule, ...] = ()
    relationships: tuple[Relationship, ...] = ()

    def walk(self) -> Iterator[Field]:
        """Every field, nested ones after the one that holds them."""
        waiting = list(reversed(self.fields))
        while waiting:
            found = waiting.pop()
            yield found
            waiting.extend(reversed(found.fields))

    def find(self, name: str) -> Field | None:
        """The field `name` (dotted, or the column's name), or None."""
        return next((f for f in self.walk() if name in {f.name, f.column}), None)

    @property
    def rules(self) -> tuple[ContractRule, ...]:
        """The dataset's own quality rules, then those of its fields."""
        return (*self.quality, *(rule for f in self.walk() for rule in f.quality))


@dataclass(frozen=True)
class Sla:
    """A service level as written: `latency` of 4 `d`; `elements` are dotted names it is about."""

    name: str
    value: Any
    place: Place
    unit: str = ""
    elements: tuple[str, ...] = ()
    extended_value: Any = None
    driver: str = ""


@dataclass(frozen=True)
class Contract:
    """One version of one data contract."""

    id: str
    name: str
    version: str
    status: str
    api_version: str
    file: str
    datasets: tuple[Dataset, ...] = ()
    sla: tuple[Sla, ...] = ()
    team: str = ""
    owners: tuple[str, ...] = ()
    domain: str = ""
    description: str = ""
    document: Document | None = dataclasses.field(default=None, repr=False, compare=False)

    def dataset(self, name: str) -> Dataset | None:
        """The dataset that has `name` as its name or physical name, or None."""
        return next((d for d in self.datasets if name in {d.name, d.physical_name}), None)

    @property
    def rules(self) -> tuple[ContractRule, ...]:
        """Every quality rule of every dataset, in the order of the file."""
        return tuple(rule for dataset in self.datasets for rule in dataset.rules)
