"""Static judges of a plan: inequalities with numbers in them, and criteria that must be answered."""

from pipelineplan.rules import capacity, checkpoints, event_time
from pipelineplan.rules.registry import RULES, Rule, apply

__all__ = ["RULES", "Rule", "apply", "capacity", "checkpoints", "event_time"]
