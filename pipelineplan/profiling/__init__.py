"""Recorded events measured: a profile that plans refer to, and what each watermark lag would cost."""

from pipelineplan.profiling.measuring import measure
from pipelineplan.sources import to_json_dict

__all__ = ["measure", "to_json_dict"]
