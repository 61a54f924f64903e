"""Whether what came out is what went in: closed windows, balanced, drilled down to the keys."""

from __future__ import annotations

from pipelineplan.quality.reconciling.comparing import END, Compared, finish
from pipelineplan.quality.reconciling.escalating import Level
from pipelineplan.quality.reconciling.pair import Escalation, Pair, Side
from pipelineplan.quality.reconciling.plan_run import against_old, pairs_of_plan, watermark_us
from pipelineplan.quality.reconciling.report import Reconciled, ReconciliationReport
from pipelineplan.quality.reconciling.run import reconcile_files
from pipelineplan.quality.reconciling.segments import Partial, merge, partial

__all__ = [
    "END",
    "Compared",
    "Escalation",
    "Level",
    "Pair",
    "Partial",
    "Reconciled",
    "ReconciliationReport",
    "Side",
    "against_old",
    "finish",
    "merge",
    "pairs_of_plan",
    "partial",
    "reconcile_files",
    "watermark_us",
]
