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
    from pipelineplan.bundle import Contents, Difference, verify, write_bundle
    from pipelineplan.contracts.evolution.from_git import versions_in_git
    from pipelineplan.contracts.evolution.from_registry import versions_in_registry
    from pipelineplan.contracts.evolution.judging import compat, compat_over_time, compat_recorded
    from pipelineplan.contracts.evolution.modes import CompatResult
    from pipelineplan.contracts.sinks.judging import compat_sink
    from pipelineplan.engines.profiling_on import profile_on
    from pipelineplan.errors import InputError, MissingExtraError, PipelinePlanError
    from pipelineplan.exchange import Dropped, Export
    from pipelineplan.facts import read_facts
    from pipelineplan.fleet import Asked, Fleet, check_plans
    from pipelineplan.fleet.changes import check_changed
    from pipelineplan.plan import Plan, read_plan
    from pipelineplan.plan.draw_up import draw_up
    from pipelineplan.plan.judged import CheckResult
    from pipelineplan.quality import MutationReport, QualityReport
    from pipelineplan.quality.reconciling import ReconciliationReport
    from pipelineplan.rules.questions import questions_of
    from pipelineplan.simulation import SimulationResult
    from pipelineplan.sources import StreamProfile
    from pipelineplan.verdicts import Finding, Verdict
    from pipelineplan.workflow import (
        calibrate,
        check,
        check_streams,
        compile_plan,
        diff,
        export,
        generate,
        mutate,
        profile,
        reconcile,
        record,
        sensitivity,
        simulate,
        solve,
        test,
        what_if,
        write,
    )
    from pipelineplan.workflow.recording import Observation, Recording

_HOMES = {
    "Asked": "pipelineplan.fleet",
    "Fleet": "pipelineplan.fleet",
    "check_changed": "pipelineplan.fleet.changes",
    "check_plans": "pipelineplan.fleet",
    "CheckResult": "pipelineplan.plan.judged",
    "CompatResult": "pipelineplan.contracts.evolution.modes",
    "Contents": "pipelineplan.bundle",
    "Difference": "pipelineplan.bundle",
    "Dropped": "pipelineplan.exchange",
    "Export": "pipelineplan.exchange",
    "Finding": "pipelineplan.verdicts",
    "InputError": "pipelineplan.errors",
    "MissingExtraError": "pipelineplan.errors",
    "PipelinePlanError": "pipelineplan.errors",
    "MutationReport": "pipelineplan.quality",
    "Plan": "pipelineplan.plan",
    "QualityReport": "pipelineplan.quality",
    "ReconciliationReport": "pipelineplan.quality.reconciling",
    "SimulationResult": "pipelineplan.simulation",
    "StreamProfile": "pipelineplan.sources",
    "Verdict": "pipelineplan.verdicts",
    "calibrate": "pipelineplan.workflow",
    "check": "pipelineplan.workflow",
    "check_streams": "pipelineplan.workflow",
    "compat": "pipelineplan.contracts.evolution.judging",
    "compat_over_time": "pipelineplan.contracts.evolution.judging",
    "compat_recorded": "pipelineplan.contracts.evolution.judging",
    "compat_sink": "pipelineplan.contracts.sinks.judging",
    "compile_plan": "pipelineplan.workflow",
    "diff": "pipelineplan.workflow",
    "draw_up": "pipelineplan.plan.draw_up",
    "export": "pipelineplan.workflow",
    "generate": "pipelineplan.workflow",
    "mutate": "pipelineplan.workflow",
    "profile": "pipelineplan.workflow",
    "profile_on": "pipelineplan.engines.profiling_on",
    "questions_of": "pipelineplan.rules.questions",
    "read_facts": "pipelineplan.facts",
    "read_plan": "pipelineplan.plan",
    "Observation": "pipelineplan.workflow.recording",
    "reconcile": "pipelineplan.workflow",
    "record": "pipelineplan.workflow",
    "Recording": "pipelineplan.workflow.recording",
    "sensitivity": "pipelineplan.workflow",
    "simulate": "pipelineplan.workflow",
    "solve": "pipelineplan.workflow",
    "test": "pipelineplan.workflow",
    "verify": "pipelineplan.bundle",
    "versions_in_git": "pipelineplan.contracts.evolution.from_git",
    "versions_in_registry": "pipelineplan.contracts.evolution.from_registry",
    "what_if": "pipelineplan.workflow",
    "write": "pipelineplan.workflow",
    "write_bundle": "pipelineplan.bundle",
}

__all__ = [
    "Asked",
    "CheckResult",
    "CompatResult",
    "Contents",
    "Difference",
    "Dropped",
    "Export",
    "Finding",
    "Fleet",
    "InputError",
    "MissingExtraError",
    "MutationReport",
    "Observation",
    "PipelinePlanError",
    "Plan",
    "QualityReport",
    "ReconciliationReport",
    "Recording",
    "SimulationResult",
    "StreamProfile",
    "Verdict",
    "calibrate",
    "check",
    "check_changed",
    "check_plans",
    "check_streams",
    "compat",
    "compat_over_time",
    "compat_recorded",
    "compat_sink",
    "compile_plan",
    "diff",
    "draw_up",
    "export",
    "generate",
    "mutate",
    "profile",
    "profile_on",
    "questions_of",
    "read_facts",
    "read_plan",
    "reconcile",
    "record",
    "sensitivity",
    "simulate",
    "solve",
    "test",
    "verify",
    "versions_in_git",
    "versions_in_registry",
    "what_if",
    "write",
    "write_bundle",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pipelineplan' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
