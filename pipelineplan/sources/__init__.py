"""What arrives: recorded rates over time, and profiles measured on recorded events."""

from pipelineplan.sources.measured import (
    Bursts,
    ClockSkew,
    Duplicates,
    Fit,
    Future,
    Gaps,
    Idle,
    MeasuredRate,
    OutOfOrder,
    Split,
    Spread,
    StreamProfile,
    Unreadable,
    WithinPartitions,
    read_profile,
    to_json_dict,
    to_yaml,
)
from pipelineplan.sources.trace import RateTrace, read_trace

__all__ = [
    "Bursts",
    "ClockSkew",
    "Duplicates",
    "Fit",
    "Future",
    "Gaps",
    "Idle",
    "MeasuredRate",
    "OutOfOrder",
    "RateTrace",
    "Split",
    "Spread",
    "StreamProfile",
    "Unreadable",
    "WithinPartitions",
    "read_profile",
    "read_trace",
    "to_json_dict",
    "to_yaml",
]
