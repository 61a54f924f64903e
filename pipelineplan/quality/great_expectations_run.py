"""The one place where Great Expectations is imported: it runs the project as compiled.

The project is written to a temporary folder and loaded from there, as any user of Great
Expectations would load it, so what runs here is what runs elsewhere.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelineplan.errors import MissingExtraError
from pipelineplan.quality import sql
from pipelineplan.quality.check import Check, Suite, Suites
from pipelineplan.quality.outcome import MOST_SAMPLES, Answer, read_answer, shown, why
from pipelineplan.quality.project import file_names, gx_files
from pipelineplan.quality.report import CheckVerdict
from pipelineplan.quality.select_only import rendered
from pipelineplan.quality.tables import Tables

_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
_UNIQUE = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})


def answers(
    suites: Suites, tables: Tables, refused: Mapping[str, Answer], progress: Callable[[str], None]
) -> dict[str, Answer]:
    """Answers by check id, for the datasets that have data; checks in `refused` are left out."""
    ready = tuple(
        replace(suite, checks=tuple(check for check in suite.checks if check.id not in refused))
        for suite in suites.suites
        if suite.dataset in tables.tables
    )
    left = Suites(tuple(suite for suite in ready if suite.expectations), (), suites.as_of)
    if not left.suites:
        return {}
    lend = _lender()
    found: dict[str, Answer] = {}
    with tempfile.TemporaryDirectory(prefix="pipelineplan-gx-") as folder, lend(tables.connection) as url:
        context = _context(left, Path(folder), url)
        names = file_names(left)
        for suite in left.suites:
            progress(suite.dataset)
            found |= _run(context, suite, names[suite.dataset])
    return {check_id: _sampled(answer, check_id, left, tables) for check_id, answer in found.items()}


def _lender() -> Any:
    try:
        with _quiet():
            import great_expectations  # noqa: F401 - is it there at all

            from pipelineplan.quality.duckdb_dialect import lend
    except ImportError as error:
        raise MissingExtraError("running quality checks", "quality") from error
    return lend


def _context(suites: Suites, folder: Path, url: str) -> Any:
    import great_expectations

    for name, content in gx_files(suites, connection=url).items():
        file = folder / "gx" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with _quiet():
        return great_expectations.get_context(mode="file", project_root_dir=str(folder))


def _run(context: Any, suite: Suite, name: str) -> dict[str, Answer]:
    """One dataset's answers; what could not be evaluated among others is asked again alone.

    Great Expectations bundles metrics into one query, so that one column's error can take the
    answers of others with it.
    """
    try:
        with _quiet():
            definition = context.validation_definitions.get(name)
            results = definition.run(result_format=_FORMAT).results
    except Exception as error:  # noqa: BLE001 - its exceptions have no common root
        failed = Answer(CheckVerdict.NOT_EVALUATED, reason=why(str(error)))
        return {check.id: failed for check in suite.expectations}
    found = {result.expectation_config.id: read_answer(result) for result in results}
    unclear = [check_id for check_id, answer in found.items() if answer.verdict is CheckVerdict.NOT_EVALUATED]
    if len(unclear) > 1:
        found |= _one_by_one(definition, unclear)
    return found


def _one_by_one(definition: Any, check_ids: list[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    with _quiet():
        batch = definition.data.get_batch()
        for expectation in definition.suite.expectations:
            if expectation.id in check_ids:
                found[expectation.id] = read_answer(batch.validate(expectation, result_format=_FORMAT))
    return found


def _sampled(answer: Answer, check_id: str, suites: Suites, tables: Tables) -> Answer:
    """The answer with samples in a fixed order, for checks whose own order is the engine's."""
    if answer.verdict is not CheckVerdict.FAIL:
        return answer
    suite, check = next((s, c) for s in suites.suites for c in s.expectations if c.id == check_id)
    query = _sample_query(check, suite)
    if query is None:
        return answer
    cursor = tables.connection.execute(f"SELECT * FROM ({query}) AS bad ORDER BY ALL LIMIT {MOST_SAMPLES}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if names == ["observed"] and rows:
        return replace(answer, observed=shown(rows[0]["observed"]))
    if check.expectation_type in _UNIQUE:
        return replace(answer, samples=tuple(shown(row) for row in rows))
    count = int(answer.observed) if answer.observed.isdigit() else None
    return replace(answer, observed="", unexpected_count=count, samples=tuple(shown(row) for row in rows))


def _sample_query(check: Check, suite: Suite) -> str | None:
    table = sql.identifier(suite.table)
    if check.how == "sql":
        return rendered(str(check.kwargs["unexpected_rows_query"]), table)
    if check.expectation_type in _UNIQUE:
        columns = ", ".join(sql.identifier(column) for column in check.columns)
        known = " AND ".join(f"{sql.identifier(column)} IS NOT NULL" for column in check.columns)
        return f"SELECT {columns} FROM {table} WHERE {known} GROUP BY {columns} HAVING COUNT(*) > 1"
    return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Great Expectations says in passing from the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
