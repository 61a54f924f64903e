"""Runs compiled suites over data files: Great Expectations asks, an engine answers.

    suites + {"orders": orders.parquet}
      -> locked DuckDB views -> column types -> engine -> Great Expectations -> QualityReport

DuckDB reads the files whatever the engine; what a column cannot be asked is decided by its type
there, so that every engine is asked the same.

Nothing is printed, nothing reaches the network, and nothing is written but a temporary project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelineplan.quality.backends import ENGINES, dialect_of
from pipelineplan.quality.check import Check, Suite, Suites
from pipelineplan.quality.engine import Backend, FrameEngine, SqlEngine
from pipelineplan.quality.great_expectations_run import answers, require, without
from pipelineplan.quality.outcome import Answer, result_of
from pipelineplan.quality.report import CheckResult, CheckVerdict, NotExecuted, QualityReport
from pipelineplan.quality.select_only import why_not_select
from pipelineplan.quality.suited import aligned, unsuited
from pipelineplan.quality.tables import Table, Tables, open_tables
from pipelineplan.quality.types import has_type

Progress = Callable[[str], None]


def run_suites(
    suites: Suites,
    data: Mapping[str, Path],
    progress: Progress | None = None,
    backend: Backend = "duckdb",
) -> QualityReport:
    """Every check of `suites` on `data`, which gives each dataset's file, folder or glob.

    A dataset without data has checks that could not be evaluated. `progress` is told the name
    of each dataset before it is checked. `backend` is the engine that answers. Raises `InputError`
    when data cannot be read or has a name that no suite has, `MissingExtraError` without the extra
    that the engine needs, `ValueError` for suites in another engine's dialect.
    """
    if suites.dialect != dialect_of(backend):
        raise ValueError(f"suites compiled in the {suites.dialect} dialect do not run on {backend}")
    tables = open_tables(suites, data)
    try:
        require()
        found = _found(suites, tables, backend, progress or _silent)
        results = [result for suite in suites.suites for result in _results(suite, tables, found)]
    finally:
        tables.connection.close()
    rows = {name: table.row_count for name, table in tables.tables.items()}
    return QualityReport(rows, tuple(results), _not_executed(suites))


def _found(suites: Suites, tables: Tables, backend: Backend, progress: Progress) -> dict[str, Answer]:
    refused = _refused(suites, tables)
    with ENGINES[backend](suites, tables) as engine:
        database = engine.database if isinstance(engine, FrameEngine) else engine
        refused |= _inexact(suites, database)
        return refused | answers(without(_with_data(suites, tables), refused), engine, progress)


def _with_data(suites: Suites, tables: Tables) -> Suites:
    """The suites that have data, each bound in its column's kind of time."""
    return replace(
        suites,
        suites=tuple(
            replace(
                suite,
                checks=tuple(aligned(check, tables.tables[suite.dataset].columns) for check in suite.checks),
            )
            for suite in suites.suites
            if suite.dataset in tables.tables
        ),
    )


def _inexact(suites: Suites, engine: SqlEngine) -> dict[str, Answer]:
    """The checks of columns that the engine cannot hold exactly, but those that only count NULLs."""
    return {
        check.id: Answer(CheckVerdict.NOT_EVALUATED, reason=f"{column}: {reason}")
        for (dataset, column), reason in engine.inexact.items()
        for suite in suites.suites
        if suite.dataset == dataset
        for check in suite.expectations
        if column in check.columns and check.expectation_type != "expect_column_values_to_not_be_null"
    }


def _refused(suites: Suites, tables: Tables) -> dict[str, Answer]:
    """The checks that never reach the engine: no single SELECT, or nothing for such a column."""
    refused: dict[str, Answer] = {}
    for suite in suites.suites:
        table = tables.tables.get(suite.dataset)
        for check in suite.expectations:
            reason = why_not_select(tables.connection, check)
            reason = reason or (unsuited(check, table.columns) if table else "")
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
