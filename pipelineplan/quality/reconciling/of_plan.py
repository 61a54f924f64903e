"""The pairs of a plan: what its `reconciliation` section says, and what follows from the rest of it.

source, destination, keys, measures, window, tolerance, direction, escalation      as they are stated
event time     reconciliation.event_time, or the source's semantics.event_time
lag            the source's semantics.watermark.lag
closes after   reconciliation.closes_after, or the allowed lateness of the windows on the way
counted once   rows of the source with the same semantics.duplicates.key
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelineplan.documents import dotted
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.closing import closes_after_seconds, watermark_lag_seconds
from pipelineplan.plan.governance import Reconciliation
from pipelineplan.plan.semantics import windowed_above
from pipelineplan.plan.source import Source
from pipelineplan.quality.of_plan import dataset_names, suites_of
from pipelineplan.quality.reconciling.pair import TERMS, Escalation, Pair, Side
from pipelineplan.quantities import Quantity
from pipelineplan.verdicts import Severity

_HOUR_US = 3_600_000_000


def pair_of(plan: Plan, stated: Reconciliation) -> Pair:
    """The pair that one entry of the plan's `reconciliation` means.

    Raises `InputError` when it has no keys, or its rows cannot be placed in windows.
    """
    if not stated.keys:
        raise _wrong(
            plan, stated, "found no keys", "state keys: the fields that say which rows belong together"
        )
    source_time, destination_time = _event_times(plan, stated)
    truncated, grain_us = _truncated(plan, stated, source_time, destination_time)
    once_by, newest_by = _counted_once(plan, stated)
    return Pair(
        name=stated.id or f"{stated.source} -> {stated.destination}",
        source=stated.source,
        destination=stated.destination,
        keys=stated.keys,
        source_side=Side(source_time, truncated, grain_us, once_by=once_by, newest_by=newest_by),
        destination_side=Side(destination_time, records=stated.records),
        measures=stated.measures,
        window_us=_us(stated.window) or _HOUR_US,
        closes_after_us=_from_seconds(closes_after_seconds(plan, stated.destination, stated)),
        lag_us=_from_seconds(watermark_lag_seconds(plan, stated.destination)),
        tolerance=stated.tolerance.value if stated.tolerance is not None else 0.0,
        both_directions=stated.direction == "both",
        escalation=_escalation(stated),
        terms=tuple((term, name) for term in TERMS if (name := getattr(stated.balance, term, None))),
        path=dotted(plan.path(stated)),
        position=str(plan.position(plan.path(stated))),
    )


def parity_pair(plan: Plan, name: str) -> Pair:
    """The old output of the dataset `name` as the source, and the new one as the destination.

    Keys are those of its reconciliation or its sink's idempotency key; all columns that both have are
    compared. Raises `InputError` when the plan knows no keys for it.
    """
    node = _node(plan, name)
    stated = next((each for each in plan.model.reconciliation if each.destination == node), None)
    sink = next((each for each in plan.model.sinks if each.id == node), None)
    keys = (
        (stated.keys if stated else ()) or (sink.idempotency_key if sink else ()) or _primary_key(plan, node)
    )
    if not keys:
        fix = "state the sink's idempotency_key, or a reconciliation with keys"
        raise InputError([Problem(f"the plan names no keys of {name!r}", Position("--against"), fix=fix)])
    time = _event_times(plan, stated)[1] if stated else None
    acceptance = plan.model.acceptance
    parity = acceptance.parity_tolerance if acceptance is not None else None
    tolerance = stated.tolerance if stated is not None and stated.tolerance is not None else parity
    known = node in plan.graph.kinds
    return Pair(
        name=f"{name} against its predecessor",
        source=f"{name} (old)",
        destination=f"{name} (new)",
        keys=keys,
        source_side=Side(time),
        destination_side=Side(time),
        window_us=(_us(stated.window) if stated else 0) or _HOUR_US,
        closes_after_us=_from_seconds(closes_after_seconds(plan, node, stated)) if known else 0,
        lag_us=_from_seconds(watermark_lag_seconds(plan, node)) if known else 0,
        tolerance=tolerance.value if tolerance is not None else 0.0,
        escalation=_escalation(stated),
        path=dotted(plan.path(stated)) if stated else "",
        position=str(plan.position(plan.path(stated))) if stated else "",
    )


def text_columns(plan: Plan, node: str) -> tuple[str, ...]:
    """The columns that the contract of a source, sink or dataset declares to be text."""
    dataset = dataset_names(plan).get(node, node)
    suites = [suite for suite in suites_of(plan).suites if suite.dataset == dataset]
    return suites[0].text_columns if suites else ()


def file_of(plan: Plan, name: str, data: Mapping[str, Path]) -> Path | None:
    """The file given for a node, a dataset or a term, by its own name or its dataset's."""
    return data.get(name) or data.get(dataset_names(plan).get(name, name))


def _event_times(plan: Plan, stated: Reconciliation | None) -> tuple[str | None, str | None]:
    if stated is None:
        return None, None
    source = _source(plan, stated.source)
    own = source.semantics.event_time if source and source.semantics else None
    fields = stated.event_time
    first = (fields.source if fields else None) or own
    second = (fields.destination if fields else None) or first
    return (first, second) if first and second else (None, None)


def _counted_once(plan: Plan, stated: Reconciliation) -> tuple[tuple[str, ...], str | None]:
    """The fields by which rows of the source are one row, and the field that says which of them counts."""
    if stated.latest is not None:
        return stated.latest.of, stated.latest.by
    source = _source(plan, stated.source)
    duplicates = source.semantics.duplicates if source and source.semantics else None
    return duplicates.key if duplicates else (), None


def _truncated(
    plan: Plan, stated: Reconciliation, source_time: str | None, destination_time: str | None
) -> tuple[str | None, int]:
    """The key that is the start of a window: in the source it is the event time rounded down."""
    if stated.records is None or destination_time is None or destination_time == source_time:
        return None, 0
    if destination_time not in stated.keys:
        return None, 0
    windows = [stage.window for stage in windowed_above(plan, stated.destination) if stage.window is not None]
    if not windows or windows[-1].fixed is None:
        found = f"the key {destination_time!r} is the start of a window, and no fixed window leads to it"
        raise _wrong(plan, stated, found, "reconcile by keys that both sides have")
    return destination_time, _us(windows[-1].fixed)


def _escalation(stated: Reconciliation | None) -> Escalation:
    if stated is None or stated.escalation is None:
        return Escalation()
    own = stated.escalation
    return Escalation(own.after_windows, own.to, Severity(own.severity))


def _source(plan: Plan, node: str) -> Source | None:
    return plan.source(node) if plan.graph.kinds.get(node) == "source" else None


def _node(plan: Plan, name: str) -> str:
    """The source or sink that a dataset's name means; the name itself when it is one, or none is meant."""
    if name in plan.graph.kinds:
        return name
    return next((node for node, dataset in dataset_names(plan).items() if dataset == name), name)


def _primary_key(plan: Plan, node: str) -> tuple[str, ...]:
    dataset = dataset_names(plan).get(node, node)
    fields = [
        field
        for contract in plan.contracts.values()
        for each in contract.datasets
        if each.name == dataset
        for field in each.fields
        if field.primary_key
    ]
    return tuple(field.name for field in sorted(fields, key=lambda field: field.primary_key_position))


def _us(length: Quantity | None) -> int:
    return 0 if length is None else _from_seconds(length.value)


def _from_seconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _wrong(plan: Plan, stated: Reconciliation, found: str, fix: str) -> InputError:
    path = plan.path(stated)
    return InputError([Problem(found, plan.position(path), dotted(path), fix=fix)])
