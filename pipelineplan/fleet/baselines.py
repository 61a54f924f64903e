"""The baselines of many plans, written in one go: how a repository starts on the day the tool comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelineplan.errors import Problem
from pipelineplan.fleet.baseline import New, Written, write_baseline
from pipelineplan.fleet.checking import Asked, check_plans


def write_baselines(
    plans: Sequence[Path], asked: Asked, new: New, *, jobs: int = 0
) -> tuple[list[Written], tuple[tuple[Path, Problem], ...]]:
    """Write the baseline of every plan that can be read; what was written, and the problems of the others."""
    fleet = check_plans(plans, replace(asked, baseline=False, holding=False), jobs=jobs)
    made = [
        write_baseline(one.plan, one.verdicts, new, one.fail_on)
        for one in fleet.judged
        if one.verdicts is not None
    ]
    return [one for one in made if one is not None], fleet.problems
