"""What the verbs are given: a plan, read already or by the path of its file, and whom to tell of progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelineplan.plan import Plan, read_plan

Progress = Callable[[str], None]


def as_plan(plan: Plan | Path | str, env: str | None) -> Plan:
    """`plan` itself, or what its file holds with the overlay of `env`; raises `InputError`."""
    return plan if isinstance(plan, Plan) else read_plan(plan, env)
