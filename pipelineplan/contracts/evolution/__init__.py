"""How schemas change over time: one change model, the modes of a registry, and named policies."""

from pipelineplan.contracts.evolution.change import (
    POLICIES,
    Change,
    Choices,
    Compatibility,
    Judgement,
    Policy,
    Witness,
    judgement_of,
)
from pipelineplan.contracts.evolution.modes import CompatResult, Mode, Pair, Version, judge_mode
from pipelineplan.contracts.evolution.schemas import FORMATS, Format, format_of

__all__ = [
    "FORMATS",
    "POLICIES",
    "Change",
    "Choices",
    "CompatResult",
    "Compatibility",
    "Format",
    "Judgement",
    "Mode",
    "Pair",
    "Policy",
    "Version",
    "Witness",
    "format_of",
    "judge_mode",
    "judgement_of",
]
