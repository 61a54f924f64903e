"""SCH: are the fields that the plan counts on in its contracts, with types that can do the work?

sources[].semantics.event_time: updated_at   ->  contract of the source: a field, a time, always there
sinks[].idempotency_key: [store_id, minute]  ->  contract of the sink
consumers: {finance: {needs: [amount]}}      ->  contract of what they read
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipelineplan.contracts import Dataset, Field
from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.succession import successions
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.registry import BY_LEVEL, rule

_TIMES = frozenset({"timestamp", "date"})
_MANY = frozenset({"object", "array"})
# A column of the second type holds every value of the first.
_HOLDS = {("integer", "number"), ("date", "timestamp")}


@dataclass(frozen=True)
class Use:
    """A field of a contract that the plan counts on: where, what for, and what it has to be."""

    field: str
    path: Path
    role: str
    is_time: bool = False
    is_key: bool = False


def dataset_of(plan: Plan, node: Source | Sink) -> Dataset | None:
    """The dataset of its contract that a source or sink stands for; None without one, or with several."""
    contract = plan.contracts.get(node.contract or "")
    if contract is None:
        return None
    found = contract.dataset(node.dataset or node.id)
    return found or (contract.datasets[0] if len(contract.datasets) == 1 else None)


def _nodes(plan: Plan) -> list[Source | Sink]:
    return [*plan.model.sources, *plan.model.sinks]


def uses(plan: Plan, node: Source | Sink) -> Iterator[Use]:
    """The fields of the contract of `node` that the plan itself names."""
    if isinstance(node, Sink):
        path = plan.path(node, "idempotency_key")
        yield from _each(node.idempotency_key, path, "the idempotency key", is_key=True)
        return
    semantics, keys, cdc = node.semantics, node.keys, node.cdc
    if semantics is not None and semantics.event_time is not None:
        path = plan.path(semantics, "event_time")
        yield Use(semantics.event_time, path, "the event time", is_time=True)
    if semantics is not None and semantics.duplicates is not None:
        path = plan.path(semantics.duplicates, "key")
        yield from _each(semantics.duplicates.key, path, "the key that finds duplicates", is_key=True)
    if keys is not None and keys.field is not None:
        yield Use(keys.field, plan.path(keys, "field"), "the partition key", is_key=True)
    if cdc is not None:
        yield from _each(cdc.primary_key, plan.path(cdc, "primary_key"), "the primary key", is_key=True)
        if cdc.version is not None:
            yield Use(cdc.version, plan.path(cdc, "version"), "the order of changes", is_key=True)


def _each(fields: Iterable[str], path: Path, role: str, *, is_key: bool) -> Iterator[Use]:
    for number, field in enumerate(fields):
        yield Use(field, (*path, number), role, is_key=is_key)


@rule(
    "SCH301",
    title="Fields that the plan counts on are in the contract",
    why="A key or event time that the contract does not promise may go with the next version, and nothing "
    "refuses it.",
    formula="fields that the plan names for event time, keys and versions, and the contract lacks = 0",
    bad="event_time: occured_at, and the contract has occurred_at",
    good="event_time: occurred_at",
    fix="name the field as the contract does, or have the owner of the contract add it",
    source="the plan's own contracts",
    severity=BY_LEVEL,
)
def fields_are_promised(plan: Plan) -> Iterator[Claim]:
    """Every field that a source or sink names, looked up in its contract."""
    for node in _nodes(plan):
        dataset = dataset_of(plan, node)
        if dataset is None or not dataset.fields:
            continue
        for use in uses(plan, node):
            there = dataset.find(use.field) is not None
            found = "is in" if there else "is not in"
            yield _statement(
                use, node, f"{use.role} {use.field!r} {found} the contract of {node.id!r}", true=there
            )


@rule(
    "SCH302",
    title="Event time is a time, and keys are always there",
    why="An event time that is text needs a parser that nobody promised; a key that may be missing puts all "
    "such records into one partition, and they are no longer told apart.",
    formula="event times that are no time, and key fields that may be missing or are no single value = 0",
    bad="the partition key customer_id has required: false",
    good="customer_id has required: true and logicalType: string",
    fix="have the contract state the type, and required: true for keys",
    source="Apache Kafka documentation, producer configuration partitioner.class: records without a key",
    severity=BY_LEVEL,
)
def types_do_the_work(plan: Plan) -> Iterator[Claim]:
    """Type and presence of every field that the plan counts on and the contract has."""
    for node in _nodes(plan):
        dataset = dataset_of(plan, node)
        for use in uses(plan, node) if dataset is not None else ():
            field = dataset.find(use.field) if dataset is not None else None
            if field is not None:
                wrong = " and ".join(_wrong(use, field))
                what = f"{use.role} {use.field!r} of {node.id!r} {wrong or 'can do its work'}"
                yield _statement(use, node, what, true=not wrong)


def _wrong(use: Use, field: Field) -> Iterator[str]:
    kind = field.logical_type
    if use.is_time and kind and kind not in _TIMES:
        yield f"is of type {kind}, wanted a timestamp"
    if not field.required and not field.primary_key:
        yield "may be missing, wanted required: true"
    if use.is_key and kind in _MANY:
        yield f"is of type {kind}, wanted a single value"


@rule(
    "SCH303",
    title="The contract promises what consumers need",
    why="A consumer that reads a field nobody promised learns of its removal on the day of it.",
    formula="fields that a consumer needs, and the contract lacks or is about to remove = 0",
    bad="finance needs amount_cents, and the contract calls it amount",
    good="finance needs amount, which is in the contract and in no deprecation",
    fix="promise the field in the contract, or move the consumer before it goes",
    source="the plan's own contracts",
    severity=BY_LEVEL,
)
def consumers_get_what_they_need(plan: Plan) -> Iterator[Claim]:
    """The fields that each consumer needs, in the contract of what it reads, and in no deprecation."""
    for one in successions(plan):
        node = one.source or one.sink
        dataset = dataset_of(plan, node) if node is not None else None
        if dataset is None or not dataset.fields:
            continue
        going = {gone.field: gone.removed for gone in one.policy.deprecations if gone.field is not None}
        for name, reader in one.policy.consumers.items():
            if not reader.needs:
                continue
            lacks = [
                f"{field!r}, which is not in it" for field in reader.needs if dataset.find(field) is None
            ]
            lacks += [
                f"{field!r}, which goes{f' on {going[field]}' if going[field] else ''}"
                for field in reader.needs
                if field in going
            ]
            found = f"needs {', '.join(lacks)}" if lacks else f"gets its {len(reader.needs)} fields"
            what = f"{name} {found} (contract of {one.dataset!r})"
            yield _claim(plan.path(reader, "needs"), name, what, true=not lacks)


@rule(
    "SCH304",
    title="A column holds what the field of its name holds",
    why="A value that does not fit is cut, becomes NULL without a word, or stops the load.",
    formula="columns of the sink narrower than the source's field of the same name, or required while that "
    "field is not = 0",
    bad="the source's amount is a number, the table's amount an integer",
    good="the source's count is an integer, the table's count a number",
    fix="widen the column, or state a stage that converts the field under another name",
    source="Apache Iceberg table specification v2, Schema Evolution: valid type promotions",
    severity=BY_LEVEL,
)
def columns_hold_fields(plan: Plan) -> Iterator[Claim]:
    """Every column of a sink against the field of its name in a source whose records reach it."""
    for sink in plan.model.sinks:
        columns = dataset_of(plan, sink)
        above = plan.graph.above(sink.id)
        for source in plan.model.sources if columns is not None else ():
            fields = dataset_of(plan, source)
            if columns is None or fields is None or source.id not in above:
                continue
            for column in columns.fields:
                field = fields.find(column.name)
                if field is not None and not _aggregated(plan, sink, column):
                    yield _column_claim(plan, sink, source, field, column)


def _aggregated(plan: Plan, sink: Sink, column: Field) -> bool:
    """Whether the column is computed over a window, so that only keys still are what they were."""
    stages = [plan.stage(name) for name in plan.graph.above(sink.id) if plan.graph.kinds[name] == "stage"]
    return any(stage.window is not None for stage in stages) and not column.primary_key


def _column_claim(plan: Plan, sink: Sink, source: Source, field: Field, column: Field) -> Claim:
    was, now = field.logical_type, column.logical_type
    narrow = bool(was and now) and was != now and (was, now) not in _HOLDS
    missing = column.required and not field.required and not field.primary_key
    wrong = [f"is {now} where {source.id!r} writes {was}"] if narrow else []
    wrong += [f"must be there, and {source.id!r} may leave it out"] if missing else []
    what = (
        f"column {column.name!r} of {sink.id!r} {' and '.join(wrong) or f'holds what {source.id!r} writes'}"
    )
    return _claim(plan.path(sink, "contract"), f"{sink.id}.{column.name}", what, true=not wrong)


def _statement(use: Use, node: Source | Sink, what: str, *, true: bool) -> Claim:
    return _claim(use.path, f"{node.id}.{use.field}", what, true=true)


def _claim(path: Path, subject: str, what: str, *, true: bool) -> Claim:
    count = 0.0 if true else 1.0
    return Claim(path, subject, left=lambda _: (count, count), says=lambda _: what)
