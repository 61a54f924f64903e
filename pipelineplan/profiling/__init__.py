"""Recorded events measured: a profile that plans refer to, and what each watermark lag would cost."""

from pipelineplan.profiling.measuring import measure
from pipelineplan.profiling.tradeoff import Choices, Tradeoff, TradeoffRow, lags_of, tradeoff
from pipelineplan.sources import to_json_dict

__all__ = ["Choices", "Tradeoff", "TradeoffRow", "lags_of", "measure", "to_json_dict", "tradeoff"]
