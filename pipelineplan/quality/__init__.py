"""Quality rules compiled to Great Expectations, and run by it over DuckDB and other engines."""

from __future__ import annotations

from pipelineplan.quality.backends import BACKENDS, dialect_of
from pipelineplan.quality.check import Accounted, Check, Suite, Suites
from pipelineplan.quality.compile import compile_suites
from pipelineplan.quality.engine import Backend
from pipelineplan.quality.generate import Generated, Stream, generate, write_tables
from pipelineplan.quality.mutation import Mutant, MutationReport, mutate
from pipelineplan.quality.of_plan import data_by_dataset, dataset_names, generate_for, suites_of
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
    "Generated",
    "Mutant",
    "MutationReport",
    "QualityReport",
    "QualityRule",
    "RuleCheck",
    "Stream",
    "Suite",
    "Suites",
    "compile_suites",
    "data_by_dataset",
    "dataset_names",
    "dialect_of",
    "generate",
    "generate_for",
    "gx_files",
    "mutate",
    "run_suites",
    "suites_of",
    "write_gx_project",
    "write_tables",
]
