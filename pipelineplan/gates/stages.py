"""The twelve stages of a data plan, which of them each quality level requires, and whose a finding is.

    CAP201 -> W4 volume, state, performance, cost        SCH101 -> W7 contracts and schema evolution

A criterion's stage stands in the shipped `contracts/criteria.yaml`; a family of inequalities has
one stage, in the table below.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelineplan.plan.context import QualityLevel
from pipelineplan.rules.criteria import criteria, criterion_of
from pipelineplan.verdicts import Finding

TITLES: Mapping[str, str] = {
    "W1": "Context, consumers and latency goals",
    "W2": "Source inventory and event contracts",
    "W3": "Event semantics and freshness",
    "W4": "Volume, state, performance and cost",
    "W5": "Ingestion topology and orchestration",
    "W6": "Processing and layering",
    "W7": "Contracts and schema evolution",
    "W8": "Quality and reconciliation",
    "W9": "Streaming operations",
    "W10": "Backfill, replay, cutover and rollback",
    "W11": "Validation and acceptance",
    "W12": "Final bundle",
}

FAMILIES: Mapping[str, str] = {
    "EVT": "W3",
    "ORD": "W3",
    "CAP": "W4",
    "CST": "W4",
    "SIZ": "W4",
    "CHK": "W5",
    "DLV": "W5",
    "SCD": "W5",
    "FIL": "W6",
    "SCH": "W7",
    "REC": "W8",
    "ATT": "W12",
    "SLO": "W9",
    "RCV": "W9",
    "RES": "W9",
    "SEC": "W9",
    "BKF": "W10",
    "TMB": "W10",
    "CUT": "W10",
    "CDC": "W2",
    "SYN": "W2",
}

# Whether what somebody vouched for still counts: it is evidence of its criterion's gate.
VALIDITY = "ATT103"

# An experiment must know what it asks and reads; a prototype must work; from production on, all of it.
REQUIRED: Mapping[QualityLevel, frozenset[str]] = {
    "experiment": frozenset({"W1", "W2", "W3"}),
    "prototype": frozenset({"W1", "W2", "W3", "W4", "W5", "W6"}),
    "production": frozenset(TITLES),
    "secure": frozenset(TITLES),
}

# A gate is blocked by these: it would judge by numbers that are known not to hold.
#   W10 takes its thresholds from drain and capacity; W11 accepts against the promises of W3;
#   W12 compiles what the others decided.
RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "W10": ("W4",),
    "W11": ("W3",),
    "W12": tuple(f"W{number}" for number in range(1, 12)),
}


def gate_of(finding: Finding) -> str:
    """The stage gate that `finding` belongs to: that of its rule, or of the criterion that it vouches for."""
    if finding.code == VALIDITY:
        criterion = finding.subject.partition(" ")[0]
        return next((f"W{one.stage}" for one in criteria() if one.id == criterion), stage_of(finding.code))
    return stage_of(finding.code)


def stage_of(code: str) -> str:
    """The stage gate that a finding of rule `code` belongs to.

    The criterion's stage, else the rule's family's; a code that nobody placed counts for the bundle, W12.
    """
    criterion = criterion_of(code)
    if criterion is not None:
        return f"W{criterion.stage}"
    return FAMILIES.get(code[:3]) or "W12"
