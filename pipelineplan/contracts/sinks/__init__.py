"""Sinks: which column a type becomes in a table, and whether the table survives a change of the type."""

from pipelineplan.contracts.sinks.columns_of import columns_of
from pipelineplan.contracts.sinks.lattice import SINKS, sink_changes

__all__ = ["SINKS", "columns_of", "sink_changes"]
