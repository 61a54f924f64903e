"""Checks of streams in a form that everybody can run: a table of metrics per window, and limits on it."""

from __future__ import annotations

from pipelineplan.quality.streaming.counting import Counted, Stream, count_stream
from pipelineplan.quality.streaming.flags import Flagged, Records, flagged
from pipelineplan.quality.streaming.metrics import WindowMetrics, merge, partial
from pipelineplan.quality.streaming.of_plan import StreamChecked, StreamReport, check_streams
from pipelineplan.quality.streaming.suite import Limit, stream_suites

__all__ = [
    "Counted",
    "Flagged",
    "Limit",
    "Records",
    "Stream",
    "StreamChecked",
    "StreamReport",
    "WindowMetrics",
    "check_streams",
    "count_stream",
    "flagged",
    "merge",
    "partial",
    "stream_suites",
]
