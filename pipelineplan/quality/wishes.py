"""What every rule wants of a dataset's values, gathered by column: what sample data has to meet.

    {name: amount, logicalType: number, minimum: 0}, range between 1 and 5
      -> Wish("amount", "number", lows=[0, 1], highs=[5], ...)

A rule that is a query of its own, or a custom expectation, cannot be followed by construction; it is
listed with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelineplan.contracts import Contract, ContractRule, Dataset, Field
from pipelineplan.contracts.sla import duration_seconds
from pipelineplan.quality.formats import PATTERNS, WIDTHS
from pipelineplan.quality.rule import QualityRule

_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    datetime: "timestamp",
    date: "date",
}


@dataclass
class Wish:
    """What is wanted of one column. Bounds are pairs of the bound and whether it is excluded."""

    column: str
    logical_type: str = ""
    lows: list[tuple[Any, bool]] = field(default_factory=list)
    highs: list[tuple[Any, bool]] = field(default_factory=list)
    multiple_of: Decimal | None = None
    values: list[list[Any]] = field(default_factory=list)
    shares: tuple[tuple[Any, float], ...] = ()
    missing: list[Any] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    least_length: int = 0
    most_length: int | None = None
    most_nulls: float = 1.0
    fresh_seconds: float | None = None


@dataclass
class TableWish:
    """What is wanted of one dataset; `keys` must not repeat, `links` are (columns, parent, its columns)."""

    dataset: str
    columns: dict[str, Wish] = field(default_factory=dict)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    links: list[tuple[tuple[str, ...], str, tuple[str, ...]]] = field(default_factory=list)
    least_rows: int = 0
    most_rows: int | None = None
    event_and_arrival: tuple[str, str | None] | None = None
    not_followed: list[str] = field(default_factory=list)

    def column(self, name: str) -> Wish:
        """The wish for a column, new when there is none yet."""
        return self.columns.setdefault(name, Wish(name))


def table_wishes(contracts: Sequence[Contract], rules: Iterable[QualityRule]) -> dict[str, TableWish]:
    """The wishes of all datasets of `contracts` and `rules`, by dataset."""
    found: dict[str, TableWish] = {}
    datasets = {dataset.name: dataset for contract in contracts for dataset in contract.datasets}
    for dataset in datasets.values():
        found[dataset.name] = _of_dataset(dataset, datasets)
    for contract in contracts:
        for sla in contract.sla:
            seconds = duration_seconds(sla)
            if sla.name.lower() == "latency" and seconds is not None:
                for element in sla.elements:
                    _fresh(found, contract, element, float(seconds))
    for rule in rules:
        wish = found.setdefault(rule.dataset, TableWish(rule.dataset))
        _of_rule(wish, rule, datasets.get(rule.dataset))
    return found


def _of_dataset(dataset: Dataset, datasets: Mapping[str, Dataset]) -> TableWish:
    wish = TableWish(dataset.name)
    for each in dataset.fields:
        _of_field(wish, each)
    key = sorted((f for f in dataset.fields if f.primary_key), key=lambda f: f.primary_key_position)
    if key:
        wish.keys.append(tuple(each.column for each in key))
        for each in key:
            wish.column(each.column).most_nulls = 0
    for relation in dataset.relationships:
        parents = [target.partition(".") for target in relation.to]
        other = datasets.get(parents[0][0]) if parents else None
        own = [dataset.find(name.removeprefix(f"{dataset.name}.")) for name in relation.from_fields]
        theirs = [other.find(name) for _, _, name in parents] if other else [None]
        if relation.kind == "foreignKey" and other and None not in own and None not in theirs:
            columns = tuple(f.column for f in own if f)
            wish.links.append((columns, other.name, tuple(f.column for f in theirs if f)))
    for written in dataset.rules:
        _of_contract_rule(wish, written, dataset)
    return wish


def _of_field(wish: TableWish, each: Field) -> None:
    column = wish.column(each.column)
    column.logical_type = each.logical_type
    if each.required:
        column.most_nulls = 0
    if each.unique:
        wish.keys.append((each.column,))
    for name, value in each.options.items():
        _of_option(column, name, value)


def _of_option(column: Wish, name: str, value: Any) -> None:
    match name:
        case "minimum" | "exclusiveMinimum" if not isinstance(value, bool):
            column.lows.append((value, name.startswith("exclusive")))
        case "maximum" | "exclusiveMaximum" if not isinstance(value, bool):
            column.highs.append((value, name.startswith("exclusive")))
        case "multipleOf":
            column.multiple_of = Decimal(str(value))
        case "pattern":
            column.patterns.append(str(value))
        case "minLength":
            column.least_length = int(value)
        case "maxLength":
            column.most_length = int(value)
        case "format" if value in PATTERNS:
            column.patterns.append(PATTERNS[value])
        case "format" if value in WIDTHS:
            low, high = WIDTHS[value]
            column.lows.append((low, False))
            column.highs.append((high, False))


def _of_contract_rule(wish: TableWish, rule: ContractRule, dataset: Dataset) -> None:
    if rule.kind in {"sql", "custom"}:
        wish.not_followed.append(f"{rule.place}: {rule.name or rule.kind}")
        return
    if rule.kind != "library" or "." in rule.field:
        return
    names = [rule.field] if rule.field else list(rule.arguments.get("properties") or ())
    fields = [dataset.find(str(name)) for name in names]
    columns = tuple(f.column for f in fields if f)
    match rule.metric:
        case "rowCount":
            _of_row_count(wish, rule)
        case "duplicateValues" | "duplicateCount" if columns:
            wish.keys.append(columns)
        case "nullValues" | "nullCheck" | "missingValues" if columns:
            wish.column(columns[0]).most_nulls = 0
            wish.column(columns[0]).missing += rule.arguments.get("missingValues") or []
        case "invalidValues" | "validValues" if columns:
            valid = rule.arguments.get("validValues")
            if isinstance(valid, list):
                wish.column(columns[0]).values.append([value for value in valid if value is not None])
            if isinstance(rule.arguments.get("pattern"), str):
                wish.column(columns[0]).patterns.append(rule.arguments["pattern"])


def _of_row_count(wish: TableWish, rule: ContractRule) -> None:
    for each in rule.comparisons:
        first, last = each.values[0], each.values[-1]
        if each.operator in {"=", ">=", ">", "between"}:
            wish.least_rows = max(wish.least_rows, int(first) + (each.operator == ">"))
        if each.operator in {"=", "<=", "<", "between"}:
            high = int(last) - (each.operator == "<")
            wish.most_rows = high if wish.most_rows is None else min(wish.most_rows, high)


def _fresh(found: Mapping[str, TableWish], contract: Contract, element: str, seconds: float) -> None:
    name, _, field_name = element.partition(".")
    dataset = contract.dataset(name)
    column = dataset.find(field_name) if dataset and field_name else None
    if dataset and column:
        _freshest(found[dataset.name].column(column.column), seconds)


def _freshest(column: Wish, seconds: float) -> None:
    column.fresh_seconds = seconds if column.fresh_seconds is None else min(seconds, column.fresh_seconds)
    column.logical_type = column.logical_type or "timestamp"
    column.most_nulls = 0


def _of_rule(wish: TableWish, rule: QualityRule, dataset: Dataset | None) -> None:  # noqa: C901, PLR0912 - one case each
    columns = tuple(_column(dataset, name) for name in rule.fields)
    match rule.check:
        case "null":
            for column in columns:
                wish.column(column).most_nulls = 0
        case "unique" | "duplicate":
            keyed = columns[:-1] if rule.within_seconds is not None else columns
            wish.keys.append(keyed)
        case "domain":
            for column in columns:
                wish.column(column).values.append(list(rule.values))
                _typed(wish.column(column), rule.values[0] if rule.values else "")
        case "range":
            for column in columns:
                _ranged(wish.column(column), rule)
        case "regex":
            for column in columns:
                wish.column(column).patterns.append(rule.pattern)
        case "referential":
            parent = rule.references.partition(".")[0]
            keys = tuple(part.strip().rpartition(".")[2] for part in rule.references.split(","))
            wish.links.append((columns, parent, keys))
        case "freshness":
            if rule.within_seconds is not None:
                _freshest(wish.column(columns[0]), rule.within_seconds)
        case "volume":
            wish.least_rows = max(wish.least_rows, int(rule.low or 0))
            if rule.high is not None:
                most = int(rule.high)
                wish.most_rows = most if wish.most_rows is None else min(wish.most_rows, most)
        case "drift":
            wish.column(columns[0]).shares = rule.shares
            _typed(wish.column(columns[0]), rule.shares[0][0] if rule.shares else "")
        case "out_of_order":
            wish.event_and_arrival = (columns[0], columns[1])
        case "sql":
            wish.not_followed.append(f"{rule.place}: {rule.title or 'sql'}")


def _ranged(column: Wish, rule: QualityRule) -> None:
    for bounds, bound in ((column.lows, rule.low), (column.highs, rule.high)):
        if bound is not None:
            bounds.append((bound, False))
            _typed(column, bound)


def _typed(column: Wish, example: Any) -> None:
    column.logical_type = column.logical_type or _TYPES.get(type(example), "string")


def _column(dataset: Dataset | None, name: str) -> str:
    found = dataset.find(name) if dataset else None
    return found.column if found else name
