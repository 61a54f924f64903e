"""The plan: read from YAML with positions, checked for shape, and ready for its judges."""

from pipelineplan.plan.data_plan import API_VERSION, DataPlan
from pipelineplan.plan.graph import Edge, Graph
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.reading import read_plan

__all__ = ["API_VERSION", "DataPlan", "Edge", "Graph", "Plan", "read_plan"]
