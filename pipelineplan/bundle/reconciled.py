"""What a report shows of a reconciliation: a row per pair, in words that Markdown and HTML both take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.quality.reconciling.report import Reconciled, ReconciliationReport

RECONCILED = ("reconciliation", "verdict", "windows", "balance", "keys that differ", "drift")


def reconciled_rows(report: ReconciliationReport) -> Iterator[tuple[str, str, str, str, str, str]]:
    """One row of plain text per pair, in the order of `RECONCILED`; what could not be evaluated last."""
    for pair in report.pairs:
        keys = [f"{count:,} {kind}" for kind, count in pair.differing_keys.items() if count]
        yield (
            pair.pair.name,
            str(pair.verdict),
            f"{pair.closed:,} closed, {pair.open:,} open",
            balance(pair),
            ", ".join(keys) or "none",
            _drift(pair),
        )
    for left in report.not_evaluated:
        yield (left.name, "could not evaluate", left.reason, "", "", "")


def balance(pair: Reconciled) -> str:
    """Records of the closed windows: source = destination + what the plan accounts for."""
    terms = [f"{pair.totals.get(term, 0):,} {term}" for term, _ in pair.pair.terms]
    right = " + ".join([f"{pair.totals.get('destination', 0):,} {pair.pair.destination}", *terms])
    source = pair.totals.get("source", 0)
    equal = source == sum(count for role, count in pair.totals.items() if role != "source")
    return f"{source:,} {pair.pair.source} {'=' if equal else '<>'} {right}"


def _drift(pair: Reconciled) -> str:
    at = pair.escalated_at
    return f"{pair.level}: {at.reason}" if at is not None else str(pair.level)
