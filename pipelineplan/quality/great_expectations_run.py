"""The one place where Great Expectations is imported: it runs the project as compiled.

The project is written to a temporary folder and loaded from there, as any user of Great
Expectations would load it, so what runs here is what runs elsewhere. Data frames cannot be asked
in SQL, and not safely for patterns: they get the other expectations, one suite at a time.
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
from typing import Any, assert_never

from pipelineplan.errors import MissingExtraError
from pipelineplan.quality.check import Check, Suite, Suites
from pipelineplan.quality.draft import wants_unique
from pipelineplan.quality.engine import Engine, FrameEngine, SqlEngine
from pipelineplan.quality.outcome import Answer, read_answer, why
from pipelineplan.quality.project import file_names, gx_files, suite_json
from pipelineplan.quality.report import CheckVerdict
from pipelineplan.quality.samples import sampled

# First only yes or no: for more, Great Expectations looks for bad rows of checks that have none.
_YES_OR_NO = {"result_format": "BOOLEAN_ONLY"}
_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
# Of these a yes without `mostly` says that no row is bad.
_BY_ROW = (
    "expect_column_values_",
    "expect_column_value_lengths_",
    "expect_compound_columns_",
    "expect_column_pair_values_",
    "expect_multicolumn_values_",
)

Progress = Callable[[str], None]


def require() -> None:
    """Raises `MissingExtraError` where Great Expectations is not installed; importing takes seconds."""
    try:
        with _quiet():
            import great_expectations
            import sqlalchemy  # noqa: F401 - is it there at all
    except ImportError as error:
        raise MissingExtraError("running quality checks", "quality") from error
    del great_expectations


def answers(suites: Suites, engine: Engine, progress: Progress) -> dict[str, Answer]:
    """Answers by check id of every expectation of `suites`, all of whose datasets `engine` has."""
    unusable = _unusable(suites)
    left = without(suites, unusable)
    if not left.suites:
        return unusable
    match engine:
        case SqlEngine():
            return unusable | _in_database(left, engine, progress)
        case FrameEngine():
            in_sql = [check.id for check in left.checks if _for_database(check)]
            others = [check.id for check in left.checks if not _for_database(check)]
            found = _in_frames(without(left, in_sql), engine, progress)
            return unusable | found | _in_database(without(left, others), engine.database, progress)
        case _:
            assert_never(engine)


def _for_database(check: Check) -> bool:
    """SQL, and patterns: to Python a `$` comes before a last line break, and some patterns never end."""
    return check.how == "sql" or "regex" in check.expectation_type


def without(suites: Suites, check_ids: Mapping[str, Answer] | list[str]) -> Suites:
    """`suites` without some checks, and without the suites that have nothing else to ask."""
    gone = set(check_ids)
    asked = (
        replace(suite, checks=tuple(check for check in suite.expectations if check.id not in gone))
        for suite in suites.suites
    )
    return replace(suites, suites=tuple(suite for suite in asked if suite.checks), account=())


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


def _in_database(suites: Suites, engine: SqlEngine, progress: Progress) -> dict[str, Answer]:
    if not suites.suites:
        return {}
    found: dict[str, Answer] = {}
    with tempfile.TemporaryDirectory(prefix="pipelineplan-gx-") as folder:
        context = _context(suites, Path(folder), engine.url)
        names = file_names(suites)
        for suite in suites.suites:
            progress(suite.dataset)
            found |= sampled(_asked(_Definition(context, names[suite.dataset]), suite), suite, engine.ask)
    return found


def _in_frames(suites: Suites, engine: FrameEngine, progress: Progress) -> dict[str, Answer]:
    if not suites.suites:
        return {}
    import great_expectations

    found: dict[str, Answer] = {}
    with _quiet():
        source = great_expectations.get_context(mode="ephemeral").data_sources.add_pandas("data")
    names = file_names(suites)
    for suite in suites.suites:
        progress(suite.dataset)
        frame = _Frame(source, names[suite.dataset], engine.frames[suite.dataset], suite)
        found |= sampled(_asked(frame, suite), suite, engine.database.ask)
    return found


class _Definition:
    """A validation of the compiled project, on a table."""

    def __init__(self, context: Any, name: str) -> None:
        self._context, self._name = context, name

    def run(self) -> Any:
        definition = self._context.validation_definitions.get(self._name)
        return definition.run(result_format=_YES_OR_NO).results

    def parts(self) -> tuple[Any, Any]:
        definition = self._context.validation_definitions.get(self._name)
        return definition.data.get_batch(), definition.suite


class _Frame:
    """The compiled suite, on a data frame."""

    def __init__(self, source: Any, name: str, frame: Any, suite: Suite) -> None:
        self._source, self._name, self._frame, self._suite = source, name, frame, suite

    def run(self) -> Any:
        batch, suite = self.parts()
        return batch.validate(suite, result_format=_YES_OR_NO).results

    def parts(self) -> tuple[Any, Any]:
        from great_expectations import ExpectationSuite

        if self._name not in {asset.name for asset in self._source.assets}:
            self._source.add_dataframe_asset(self._name).add_batch_definition_whole_dataframe("whole")
        whole = self._source.get_asset(self._name).get_batch_definition("whole")
        batch = whole.get_batch(batch_parameters={"dataframe": self._frame})
        return batch, ExpectationSuite(**suite_json(self._suite, self._name, []))


def _context(suites: Suites, folder: Path, url: str) -> Any:
    import great_expectations

    for name, content in gx_files(suites, connection=url).items():
        file = folder / "gx" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with _quiet():
        return great_expectations.get_context(mode="file", project_root_dir=str(folder))


def _asked(asked: _Definition | _Frame, suite: Suite) -> dict[str, Answer]:
    """One dataset's answers; what has more to say than yes is asked again alone.

    So is what could not be evaluated: Great Expectations bundles metrics into one query, so that
    one column's error can take the answers of others with it.
    """
    try:
        with _quiet():
            results = asked.run()
    except Exception as error:  # noqa: BLE001 - its exceptions have no common root
        failed = Answer(CheckVerdict.NOT_EVALUATED, reason=why(str(error)))
        return {check.id: failed for check in suite.expectations}
    checks = {check.id: check for check in suite.expectations}
    found = {result.expectation_config.id: read_answer(result) for result in results}
    told = {check_id: _plain_yes(checks[check_id], answer) for check_id, answer in found.items()}
    again = [check_id for check_id, answer in told.items() if answer is None]
    plain = {check_id: answer for check_id, answer in told.items() if answer is not None}
    return plain | (_one_by_one(asked, again) if again else {})


def _plain_yes(check: Check, answer: Answer) -> Answer | None:
    """The whole answer where a yes is all that there is to say; else None."""
    if answer.verdict is not CheckVerdict.PASS:
        return None
    by_row = check.expectation_type.startswith(_BY_ROW) and "mostly" not in check.kwargs
    if by_row or wants_unique(check):
        return replace(answer, observed="", unexpected_count=0)
    return replace(answer, observed="0") if check.how == "sql" else None


def _one_by_one(asked: _Definition | _Frame, check_ids: list[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    with _quiet():
        batch, suite = asked.parts()
        for expectation in suite.expectations:
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
