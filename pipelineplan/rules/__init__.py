"""Static judges of a plan: inequalities with numbers in them, and criteria that must be answered."""

from pipelineplan.rules import capacity, checkpoints, event_time
from pipelineplan.rules.registry import RULES, Rule, apply

__all__ = ["RULES", "Rule", "apply", "capacity", "checkpoints", "event_time", "rule_codes", "rule_page"]


def rule_codes() -> list[str]:
    """The codes of every rule, sorted."""
    return sorted(RULES)


def rule_page(code: str) -> dict[str, str] | None:
    """What a rule says about itself, by the names of its fields; None for an unknown code."""
    one = RULES.get(code)
    if one is None:
        return None
    words = ("title", "why", "formula", "bad", "good", "fix", "source", "status")
    return {"code": one.code, **{word: str(getattr(one, word)) for word in words}}
