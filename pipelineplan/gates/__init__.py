"""Stage gates: what the evidence about a plan decides, and what is still open."""

from pipelineplan.gates.decision import GateDecision, GateState, Recorded, decide, overall
from pipelineplan.gates.schema_changes import with_simulated
from pipelineplan.gates.stages import (
    FAMILIES,
    REQUIRED,
    TITLES,
    stage_of,
)

__all__ = [
    "FAMILIES",
    "REQUIRED",
    "TITLES",
    "GateDecision",
    "GateState",
    "Recorded",
    "decide",
    "overall",
    "stage_of",
    "with_simulated",
]
