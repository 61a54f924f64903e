"""Runs what a plan reconciles on data: its own pairs, an old output against a new one, or a replay.

pairs_of_plan(plan, {"orders": ..., "warehouse": ...})         source against destination
against(plan, {"warehouse": new}, {"warehouse": old})          the new pipeline against the old one
against(..., replay=True)                                      two runs over the same input
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pipelineplan.documents import dotted
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.governance import Reconciliation
from pipelineplan.quality.reconciling.comparing import END
from pipelineplan.quality.reconciling.of_plan import file_of, pair_of, parity_pair, text_columns
from pipelineplan.quality.reconciling.pair import Pair, Side
from pipelineplan.quality.reconciling.report import NotReconciled, Reconciled, ReconciliationReport
from pipelineplan.quality.reconciling.run import Compare, reconcile_files


def pairs_of_plan(
    plan: Plan, data: Mapping[str, Path], *, watermark_us: int | None = None
) -> ReconciliationReport:
    """Reconcile every pair of the plan whose source and destination both have data.

    A pair that cannot be reconciled on the data, since a column is lacking, is listed with the reason.
    """
    results: list[Reconciled] = []
    left: list[NotReconciled] = []
    for stated in plan.model.reconciliation:
        if file_of(plan, stated.source, data) is None or file_of(plan, stated.destination, data) is None:
            continue
        try:
            results.append(_pair_of_plan(plan, stated, data, watermark_us))
        except InputError as error:
            name = stated.id or f"{stated.source} -> {stated.destination}"
            path = plan.path(stated)
            reason = "; ".join(problem.message for problem in error.problems)
            left.append(NotReconciled(name, dotted(path), str(plan.position(path)), reason))
    return ReconciliationReport(tuple(results), tuple(left))


def _pair_of_plan(
    plan: Plan, stated: Reconciliation, data: Mapping[str, Path], watermark_us: int | None
) -> Reconciled:
    pair = pair_of(plan, stated)
    found = {role: file_of(plan, name, data) for role, name, _ in pair.roles}
    files = {role: path for role, path in found.items() if path is not None}
    ends = {"destination": stated.destination}
    text = {role: text_columns(plan, ends.get(role, stated.source)) for role, _, _ in pair.roles}
    return reconcile_files(pair, files, watermark_us=watermark_us, text=text)


def against_old(
    plan: Plan,
    data: Mapping[str, Path],
    old: Mapping[str, Path],
    *,
    watermark_us: int | None = None,
    replay: bool = False,
    ignored: tuple[str, ...] = (),
    compare: Compare | None = None,
) -> ReconciliationReport:
    """Reconcile the new output in `data` with the `old` one, by dataset; `ignored` columns aside.

    For a replay both are outputs of the same input, so every row counts, at once, and nothing may differ.
    `compare` is who counts, if not this process.
    Raises `InputError` for names without data, and what `reconcile_files` raises.
    """
    missing = [name for name in old if file_of(plan, name, data) is None]
    if missing:
        found = f"no data for {', '.join(map(repr, missing))} to compare with"
        raise InputError([Problem(found, Position("--against"), fix="add it to --data NAME=PATH")])
    results = []
    for name, path in old.items():
        pair = replace(parity_pair(plan, name), ignored=ignored)
        new = file_of(plan, name, data)
        files = {"source": path, "destination": new} if new is not None else {}
        text = text_columns(plan, name)
        used = _replayed(pair, name) if replay else pair
        columns = {"source": text, "destination": text}
        results.append(reconcile_files(used, files, watermark_us=watermark_us, text=columns, compare=compare))
    return ReconciliationReport(tuple(results))


def watermark_us(watermark: datetime | Literal["end"] | None) -> int | None:
    """A watermark in microseconds since 1970; an instant without a zone is UTC."""
    if watermark is None or watermark == "end":
        return None if watermark is None else END
    known = watermark if watermark.tzinfo is not None else watermark.replace(tzinfo=UTC)
    return (known - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _replayed(pair: Pair, name: str) -> Pair:
    """Everything at once: no windows to wait for, no tolerance."""
    whole = Side(None)
    return replace(
        pair,
        name=f"{name} replayed",
        source=f"{name} (first run)",
        destination=f"{name} (again)",
        source_side=whole,
        destination_side=whole,
        tolerance=0.0,
        lag_us=0,
        closes_after_us=0,
    )
