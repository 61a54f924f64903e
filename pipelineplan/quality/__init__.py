"""Quality rules compiled to Great Expectations, and run by it over DuckDB and other engines."""

from __future__ import annotations

from pipelineplan.quality.backends import BACKENDS, dialect_of
from pipelineplan.quality.check import Accounted, Check, Suite, Suites
from pipelineplan.quality.compile import compile_suites
from pipelineplan.quality.engine import Backend
from pipelineplan.quality.mutation import Mutant, MutationReport, mutate
from pipelineplan.quality.of_plan import data_by_dataset, dataset_names, suites_of
from pipelineplan.quality.project import gx_files, write_gx_project
from pipelineplan.quality.report import CheckResult, CheckVerdict, QualityReport
from pipelineplan.quality.rule import QualityRule, RuleCheck
from pipelineplan.quality.run import run_suites

__all__ = [
    "BACKENDS",
    "Accounted",
    "Backend",
    "Check",
    "CheckResult",
    "CheckVerdict",
    "Mutant",
    "MutationReport",
    "QualityReport",
    "QualityRule",
    "RuleCheck",
    "Suite",
    "Suites",
    "compile_suites",
    "data_by_dataset",
    "dataset_names",
    "dialect_of",
    "gx_files",
    "mutate",
    "run_suites",
    "suites_of",
    "write_gx_project",
]
