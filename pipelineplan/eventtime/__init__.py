"""Watermarks and windows, exactly: which record is on time, late or dropped, and when windows fire.

What is imported here needs no numpy. The array part is in the modules `watermarks`, `windows`
and `timeliness`, for those who have records to classify.
"""

from pipelineplan.eventtime.completeness import Completeness, completeness, patience_for, share_within
from pipelineplan.eventtime.disorder import Bounds, Disorder, DisorderError
from pipelineplan.eventtime.engine_rules import EngineRule, Instants

__all__ = [
    "Bounds",
    "Completeness",
    "Disorder",
    "DisorderError",
    "EngineRule",
    "Instants",
    "completeness",
    "patience_for",
    "share_within",
]
