"""Runs compiled suites over data files: Great Expectations asks, DuckDB answers.

    suites + {"orders": orders.parquet}
      -> locked DuckDB views -> column types -> Great Expectations -> QualityReport

Nothing is printed, nothing reaches the network, and nothing is written but a temporary project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pipelineplan.quality.check import Check, Suite, Suites
from pipelineplan.quality.great_expectations_run import answers
from pipelineplan.quality.outcome import Answer, result_of
from pipelineplan.quality.report import CheckResult, CheckVerdict, NotExecuted, QualityReport
from pipelineplan.quality.select_only import why_not_select
from pipelineplan.quality.tables import Table, Tables, open_tables
from pipelineplan.quality.types import has_type

Progress = Callable[[str], None]


def run_suites(suites: Suites, data: Mapping[str, Path], progress: Progress | None = None) -> QualityReport:
    """Every check of `suites` on `data`, which gives each dataset's file, folder or glob.

    A dataset without data has checks that could not be evaluated. `progress` is told the name
    of each dataset before it is checked. Raises `InputError` when data cannot be read or has a
    name that no suite has, `MissingExtraError` without the extra `quality`.
    """
    tables = open_tables(suites, data)
    try:
        refused = _refused(suites, tables)
        answered = answers(suites, tables, refused, progress or _silent)
        results = [
            result for suite in suites.suites for result in _results(suite, tables, refused | answered)
        ]
    finally:
        tables.connection.close()
    rows = {name: table.row_count for name, table in tables.tables.items()}
    return QualityReport(rows, tuple(results), _not_executed(suites))


def _refused(suites: Suites, tables: Tables) -> dict[str, Answer]:
    """The checks whose SQL is not a single SELECT: they never reach the database."""
    refused: dict[str, Answer] = {}
    for check in suites.checks:
        reason = why_not_select(tables.connection, check)
        if reason:
            refused[check.id] = Answer(CheckVerdict.NOT_EVALUATED, reason=reason)
    return refused


def _results(suite: Suite, tables: Tables, answered: Mapping[str, Answer]) -> list[CheckResult]:
    table = tables.tables.get(suite.dataset)
    rows = table.row_count if table else None
    return [result_of(check, _answer(check, table, answered), rows) for check in suite.checks]


def _answer(check: Check, table: Table | None, answered: Mapping[str, Answer]) -> Answer:
    if table is None:
        return Answer(CheckVerdict.NOT_EVALUATED, reason="no data was given for this dataset")
    if check.how == "schema":
        return _schema_answer(check, table)
    missing = Answer(CheckVerdict.NOT_EVALUATED, reason="Great Expectations gave no result")
    return answered.get(check.id, missing)


def _schema_answer(check: Check, table: Table) -> Answer:
    """Whether the column is there with its type; names of columns have no case to DuckDB."""
    types = {name.lower(): kind for name, kind in table.columns.items()}
    found = types.get(str(check.kwargs["column"]).lower())
    if found is None:
        return Answer(CheckVerdict.FAIL, observed="no such column")
    fits = has_type(found, str(check.kwargs["logical_type"]))
    return Answer(CheckVerdict.PASS if fits else CheckVerdict.FAIL, observed=found)


def _not_executed(suites: Suites) -> tuple[NotExecuted, ...]:
    return tuple(
        NotExecuted(entry.dataset, entry.rule, str(entry.place), entry.place.position, entry.reason)
        for entry in suites.not_executable
    )


def _silent(_: str) -> None:
    """Tell nobody."""
