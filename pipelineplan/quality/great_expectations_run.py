"""The one place where Great Expectations is imported: it runs the project as compiled.

The project is written to a temporary folder and loaded from there, as any user of Great
Expectations would load it, so what runs here is what runs elsewhere.
"""

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
from pipelineplan.quality.check import Suite, Suites
from pipelineplan.quality.outcome import Answer, read_answer, why
from pipelineplan.quality.project import file_names, gx_files
from pipelineplan.quality.report import CheckVerdict
from pipelineplan.quality.samples import sampled
from pipelineplan.quality.tables import Tables

_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}


def answers(
    suites: Suites, tables: Tables, refused: Mapping[str, Answer], progress: Callable[[str], None]
) -> dict[str, Answer]:
    """Answers by check id, for the datasets that have data; checks in `refused` are left out."""
    lend = _lender()
    unusable = _unusable(suites)
    left = _left(suites, tables, {*refused, *unusable})
    if not left.suites:
        return unusable
    found: dict[str, Answer] = {}
    with tempfile.TemporaryDirectory(prefix="pipelineplan-gx-") as folder, lend(tables.connection) as url:
        context = _context(left, Path(folder), url)
        names = file_names(left)
        for suite in left.suites:
            progress(suite.dataset)
            answered = _run(context, suite, names[suite.dataset])
            found |= sampled(answered, suite, tables.connection)
    return unusable | found


def _left(suites: Suites, tables: Tables, without: set[str]) -> Suites:
    """The suites that have data and something to ask, without the checks in `without`."""
    asked = (
        replace(suite, checks=tuple(check for check in suite.expectations if check.id not in without))
        for suite in suites.suites
        if suite.dataset in tables.tables
    )
    return Suites(tuple(suite for suite in asked if suite.checks), (), suites.as_of)


def _unusable(suites: Suites) -> dict[str, Answer]:
    """Checks that Great Expectations refuses; one of them would keep its whole suite from loading."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    found: dict[str, Answer] = {}
    for suite in suites.suites:
        for check in suite.expectations:
            try:
                with _quiet():
                    ExpectationConfiguration(check.expectation_type, dict(check.kwargs)).to_domain_obj()
            except Exception as error:  # noqa: BLE001 - its exceptions have no common root
                reason = f"Great Expectations refuses it: {why(str(error))}"
                found[check.id] = Answer(CheckVerdict.NOT_EVALUATED, reason=reason)
    return found


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
