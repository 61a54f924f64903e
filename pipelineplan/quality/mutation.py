"""Mutation score: which check notices which fault, and which faults none of them notices.

    good data -> a fault -> the suite again:  a check that passed and now fails has killed the fault

    orders    null    order_id is missing     killed by  order_id is not null
    orders    drop    every second row        nothing notices it

A suite that passes says little if it would have passed on anything. Kills are verdicts of the real
engine; a check that could not be evaluated any more has not named the fault and kills nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.quality.check import Check, Suite, Suites
from pipelineplan.quality.faults import (
    FAULT_CLASSES,
    Fault,
    FaultClass,
    Impossible,
    column_faults,
    row_faults,
    together,
)
from pipelineplan.quality.report import CheckVerdict
from pipelineplan.quality.run import run_suites
from pipelineplan.quality.sql import identifier
from pipelineplan.quality.tables import open_tables
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas

if TYPE_CHECKING:
    from pipelineplan.quality.tables import Tables

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Mutant:
    """One fault in one dataset, and the titles of the checks that it turned from pass to fail.

    `unnoticed` says why nothing noticed it, where the data as they are do not tell; else it is empty.
    """

    dataset: str
    kind: FaultClass
    words: str
    column: str
    killed_by: tuple[str, ...]
    unnoticed: str = ""


@dataclass(frozen=True)
class Hole:
    """A class of faults that nothing notices in a dataset, or that it could not be given, and why."""

    dataset: str
    kind: FaultClass
    reason: str


@dataclass(frozen=True)
class MutationReport:
    """All mutants in the order of datasets and classes, and the checks that failed before any fault."""

    mutants: tuple[Mutant, ...]
    impossible: tuple[Hole, ...]
    failing_before: tuple[tuple[str, str], ...]
    idle: tuple[tuple[str, str], ...]

    @property
    def score(self) -> float:
        """The share (0 to 1) of mutants that some check killed; 0 when there are none."""
        return sum(bool(each.killed_by) for each in self.mutants) / max(1, len(self.mutants))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Classes of which no fault at all is noticed, and those that could not be put in."""
        found = [
            Hole(dataset, kind, "nothing notices it")
            for dataset in self.datasets
            for kind in FAULT_CLASSES
            if (mutants := self.of(dataset, kind)) and not any(each.killed_by for each in mutants)
        ]
        return (*found, *self.impossible)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that were given faults."""
        return tuple(dict.fromkeys(each.dataset for each in self.mutants))

    @property
    def useless(self) -> tuple[str, ...]:
        """The datasets whose suite kills nothing."""
        return tuple(
            name for name in self.datasets if not any(m.killed_by for m in self.mutants if m.dataset == name)
        )

    def of(self, dataset: str, kind: FaultClass) -> tuple[Mutant, ...]:
        """The mutants of one class in one dataset."""
        return tuple(each for each in self.mutants if (each.dataset, each.kind) == (dataset, kind))

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat record per mutant, for a table."""
        return [
            {
                "dataset": each.dataset,
                "fault": each.kind,
                "words": each.words,
                "column": each.column,
                "killed": bool(each.killed_by),
                "killed_by": "; ".join(each.killed_by),
                "unnoticed": each.unnoticed,
            }
            for each in self.mutants
        ]

    def to_arrow(self) -> Any:
        """The mutants as a `pyarrow.Table`."""
        return rows_to_arrow(self.to_rows())

    def to_pandas(self) -> Any:
        """The mutants as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        return rows_to_html(self.to_rows(), f"{self.score:.0%} of {len(self.mutants)} faults are noticed")

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; the same for the same data and seed."""
        return {
            "score": round(self.score, 4),
            "mutants": self.to_rows(),
            "holes": [{"dataset": h.dataset, "fault": h.kind, "reason": h.reason} for h in self.holes],
            "suites_that_kill_nothing": list(self.useless),
            "checks_that_kill_nothing": [{"dataset": name, "title": title} for name, title in self.idle],
            "failing_before": [{"dataset": name, "title": title} for name, title in self.failing_before],
        }


def mutate(
    suites: Suites, data: Mapping[str, Path], seed: int = 0, progress: Progress | None = None
) -> MutationReport:
    """The faults of `faults` put into each dataset of `data`, one after the other, and what notices them.

    `data` is taken for good: a check that fails on it can kill nothing, and is told. `seed` (0 or
    more) chooses the rows. Runs on DuckDB; takes one run of a dataset's suite for each fault of its
    rows, and at most one for each of its columns. Raises what `run_suites` raises.
    """
    before = run_suites(suites, data, progress)
    passing = {
        check.id
        for check, result in zip(suites.checks, before.checks, strict=True)
        if result.verdict is CheckVerdict.PASS
    }
    tables = open_tables(suites, data)
    try:
        with tempfile.TemporaryDirectory(prefix="pipelineplan-faults-") as folder:
            judge = _Judge(suites, data, passing, tables, Path(folder), progress or (lambda _: None))
            found = [each for suite in judge.given for each in _of_suite(judge, suite, seed)]
    finally:
        tables.connection.close()
    killers = {
        (each.dataset, title) for each in found if isinstance(each, Mutant) for title in each.killed_by
    }
    checks = [(check.dataset, check.title) for check in suites.checks if check.id in passing]
    return MutationReport(
        tuple(each for each in found if isinstance(each, Mutant)),
        tuple(each for each in found if isinstance(each, Hole)),
        tuple((r.dataset, r.title) for r in before.checks if r.verdict is CheckVerdict.FAIL),
        tuple(dict.fromkeys(each for each in checks if each not in killers)),
    )


@dataclass(frozen=True)
class _Judge:
    """What is needed to run one dataset's suite on faulty rows."""

    suites: Suites
    data: Mapping[str, Path]
    passing: set[str]
    tables: Tables
    folder: Path
    progress: Progress

    @property
    def given(self) -> list[Suite]:
        return [suite for suite in self.suites.suites if suite.dataset in self.tables.tables]

    def killers(self, fault: Fault) -> list[Check]:
        """The checks of the fault's dataset that pass without it and fail with it."""
        import pyarrow.parquet as pq

        self.progress(f"{fault.dataset}: {fault.kind}")
        file = self.folder / "faulty.parquet"
        pq.write_table(self.tables.connection.cursor().sql(fault.query).to_arrow_table(), file)
        asked = tuple(
            suite if suite.dataset == fault.dataset else replace(suite, checks=())
            for suite in self.suites.suites
        )
        names = {suite.table: suite.dataset for suite in self.suites.suites}
        data = {names.get(name, name): path for name, path in self.data.items()}
        report = run_suites(replace(self.suites, suites=asked), {**data, fault.dataset: file})
        checks = [check for suite in asked for check in suite.checks]
        return [
            check
            for check, result in zip(checks, report.checks, strict=True)
            if result.verdict is CheckVerdict.FAIL and check.id in self.passing
        ]


def _of_suite(judge: _Judge, suite: Suite, seed: int) -> Iterator[Mutant | Hole]:
    columns = judge.tables.tables[suite.dataset].columns
    for each in row_faults(suite, columns, seed):
        if isinstance(each, Impossible):
            yield Hole(each.dataset, each.kind, each.reason)
        else:
            yield _mutant(each, judge.killers(each))
    faults = list(column_faults(suite, columns, _never_null(judge.tables, suite.dataset), seed))
    for kind in FAULT_CLASSES:
        of_kind = [fault for fault in faults if fault.kind == kind]
        if of_kind:
            yield from _of_columns(judge, of_kind, together(of_kind, suite, columns, seed))


def _of_columns(judge: _Judge, faults: list[Fault], all_of_them: Fault) -> Iterator[Mutant]:
    """All columns faulty at once tells who notices by column; what is left is tried alone."""
    killers = judge.killers(all_of_them)
    for fault in faults:
        alone = [check for check in killers if check.columns == fault.columns]
        yield _mutant(fault, alone or judge.killers(fault))


def _mutant(fault: Fault, killers: Iterable[Check]) -> Mutant:
    titles = tuple(dict.fromkeys(check.title for check in killers))
    unnoticed = "" if titles else fault.blind
    return Mutant(fault.dataset, fault.kind, fault.words, ", ".join(fault.columns), titles, unnoticed)


def _never_null(tables: Tables, dataset: str) -> frozenset[str]:
    """The columns that hold no NULL: a first one would be a fault."""
    names = list(tables.tables[dataset].columns)
    counted = ", ".join(f"COUNT(*) - COUNT({identifier(name)})" for name in names)
    row = tables.connection.cursor().execute(f"SELECT {counted} FROM {identifier(dataset)}").fetchone()  # noqa: S608
    return frozenset(name for name, nulls in zip(names, row or (), strict=False) if nulls == 0)
