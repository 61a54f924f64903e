"""pipelineplan: tells whether a data-pipeline plan holds, before it is built or switched over.

    >>> from pipelineplan import read_plan, check
    >>> result = check(read_plan("plan.yaml"))
    >>> [finding.code for finding in result.failing]

Names are imported when they are first used, so that `import pipelineplan` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pipelineplan.errors import InputError, MissingExtraError, PipelinePlanError
    from pipelineplan.plan import Plan, read_plan
    from pipelineplan.verdicts import Finding, Verdict
    from pipelineplan.workflow import CheckResult, check

_HOMES = {
    "CheckResult": "pipelineplan.workflow",
    "Finding": "pipelineplan.verdicts",
    "InputError": "pipelineplan.errors",
    "MissingExtraError": "pipelineplan.errors",
    "PipelinePlanError": "pipelineplan.errors",
    "Plan": "pipelineplan.plan",
    "Verdict": "pipelineplan.verdicts",
    "check": "pipelineplan.workflow",
    "read_plan": "pipelineplan.plan",
}

__all__ = [
    "CheckResult",
    "Finding",
    "InputError",
    "MissingExtraError",
    "PipelinePlanError",
    "Plan",
    "Verdict",
    "check",
    "read_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipelineplan' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
