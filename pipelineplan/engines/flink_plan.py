"""From a plan and recorded events to runs on Flink: which windows, which watermark, which columns.

    sources.clicks        semantics.event_time, semantics.watermark.lag, keys.field
    stages.count          window.fixed, window.allowed_lateness
    --data clicks=day.csv the records, in the order in which they arrived

One stream with one watermark is what files in order of arrival are; a plan that keeps a watermark
per partition is run as that merged stream, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipelineplan.documents import dotted
from pipelineplan.engines.flink import run_flink
from pipelineplan.engines.flink_answer import Agreement, Records, Route, Run
from pipelineplan.engines.flink_environment import FLINK_VERSION, find_flink
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.plan.semantics import EventTime, event_time, sources_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import say_seconds
from pipelineplan.verdicts import Operand

# One by one takes Flink's Python workers about 13 ms a record.
MOST_BY_RECORD = 1000
_LONGEST_MS = 99 * 86_400_000


@dataclass(frozen=True)
class Case:
    """The windows of `stage` over the records of `source`: `data` has them, in columns by name."""

    source: str
    stage: str
    data: Path
    event_time: str
    key: str | None
    watermark: Watermark
    windows: FixedWindows
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlinkReport:
    """What Flink made of every case, by route."""

    cases: tuple[tuple[Case, tuple[Agreement, ...]], ...]
    version: str = FLINK_VERSION

    @property
    def agrees(self) -> bool:
        """Whether every run did exactly what was predicted."""
        return bool(self.cases) and all(run.agrees for _, runs in self.cases for run in runs)

    def lines(self) -> list[str]:
        """The report for people: a line for each case, and one for each of its runs."""
        return [line for case, runs in self.cases for line in self._case_lines(case, runs)]

    def _case_lines(self, case: Case, runs: tuple[Agreement, ...]) -> Iterator[str]:
        waits = ", ".join(_waits(case))
        yield f"{case.stage} over {case.source} on Flink {self.version}: {waits}"
        yield from (f"  note: {note}" for note in case.notes)
        for run in runs:
            yield from _run_lines(run)

    def to_json_dict(self) -> dict[str, Any]:
        """As plain data, the same for the same records."""
        cases = [
            {
                "source": case.source,
                "stage": case.stage,
                "lag_ms": case.watermark.lag_ms,
                "window_ms": case.windows.size_ms,
                "allowed_lateness_ms": case.windows.allowed_lateness_ms,
                "notes": list(case.notes),
                "runs": [run.to_json_dict() for run in runs],
            }
            for case, runs in self.cases
        ]
        return {"engine": "flink", "version": self.version, "agrees": self.agrees, "cases": cases}


def _waits(case: Case) -> Iterator[str]:
    windows = case.windows
    yield f"windows of {say_seconds(windows.size_ms / 1000)}"
    yield f"lag {say_seconds(case.watermark.lag_ms / 1000)}"
    if windows.allowed_lateness_ms:
        yield f"allowed lateness {say_seconds(windows.allowed_lateness_ms / 1000)}"


def _run_lines(run: Agreement) -> Iterator[str]:
    """What was compared and how it came out; the first differences, if there are any."""
    route, rule, records = run.run.route, run.run.judgement.rule.value, len(run.run.records.key)
    verdict = "agrees" if run.agrees else f"differs in {run.different:,}"
    what = f"{records:,} records one by one"
    if route is Route.SQL:
        what = f"{run.compared:,} windows of a key, {records:,} records"
    yield f"  {verdict}: {route.value}, {what}, by the rule of {rule}"
    for name, counts in (("predicted", run.predicted), ("Flink", run.measured)):
        yield "    {:<10} {:>9,} on time {:>9,} late {:>9,} dropped".format(name, *counts)
    yield from (f"    {example}" for example in run.examples)


def flink_report(
    plan: Plan, data: Mapping[str, Path], progress: Callable[[str], None] | None = None
) -> FlinkReport:
    """Run the windows of `plan` on Apache Flink over `data`, files by source, and compare.

    All records go through Flink SQL, the first thousand one by one through the DataStream API.
    Raises `InputError` for what a plan or file lacks, and when Flink is not installed;
    `MissingExtraError` without the extra `data`; `FlinkError` when Flink fails.
    """
    cases = cases_of(plan, data)
    environment = find_flink()
    runs = [run for case in cases for run in runs_of(case)]
    events = sum(len(run.records.key) for run in runs)
    if progress is not None:
        progress(f"Flink {FLINK_VERSION} runs {len(runs)} jobs over {events:,} records")
    done = iter(run_flink(environment, runs))
    return FlinkReport(tuple((case, tuple(islice(done, len(Route)))) for case in cases))


def runs_of(case: Case) -> Iterator[Run]:
    """One job by each route; the one that goes record by record over the first thousand."""
    records = read_records(case)
    for route in Route:
        some = records if route is Route.SQL else records.first(MOST_BY_RECORD)
        yield Run(route, Judgement(case.watermark, case.windows, route.rule), some)


def cases_of(plan: Plan, data: Mapping[str, Path]) -> tuple[Case, ...]:
    """One case for each windowed stage over each source with data; `InputError` names what is lacking."""
    by_name = {name: source for source in plan.model.sources for name in _names(source)}
    if not data:
        found = f"no data for a source of the plan, wanted --data NAME=PATH with one of {', '.join(by_name)}"
        raise InputError([Problem(found, Position("--data"))])
    problems = [
        Problem(f"no source is called {name!r}", Position(str(path)), fix=f"known are: {', '.join(by_name)}")
        for name, path in data.items()
        if name not in by_name
    ]
    cases: list[Case] = []
    for name, path in data.items():
        if name in by_name:
            cases += _cases_over(plan, by_name[name], path, problems)
    if problems:
        raise InputError(problems)
    return tuple(cases)


def _names(source: Source) -> list[str]:
    return [name for name in dict.fromkeys((source.id, source.dataset)) if name]


def _cases_over(plan: Plan, source: Source, path: Path, problems: list[Problem]) -> list[Case]:
    stages = [
        stage
        for stage in plan.model.stages
        if stage.window is not None and source.id in {above.id for above in sources_above(plan, stage.id)}
    ]
    if not stages:
        where = plan.path(source)
        found = f"no stage below {source.id!r} has a window"
        problems.append(
            Problem(found, plan.position(where), dotted(where), fix="state stages[].window.fixed")
        )
    lacking = [_lacking(plan, source, stage) for stage in stages]
    problems += [problem for found in lacking for problem in found]
    return [
        _case(plan, source, stage, path) for stage, found in zip(stages, lacking, strict=True) if not found
    ]


def _lacking(plan: Plan, source: Source, stage: Stage) -> list[Problem]:
    """What keeps this window over this source from being run."""
    semantics = source.semantics
    wanted: list[tuple[Section, str]] = []
    watermark = semantics.watermark if semantics is not None else None
    if semantics is None or semantics.event_time is None:
        wanted.append((source, "no event_time, wanted semantics.event_time: the column of the event time"))
    if watermark is None or watermark.lag is None:
        wanted.append((source, "no watermark lag, wanted semantics.watermark.lag"))
    elif watermark.strategy != "bounded":
        wanted.append((watermark, f"the strategy {watermark.strategy!r}; on Flink only 'bounded' is run"))
    if stage.window is not None and stage.window.fixed is None:
        wanted.append((stage.window, "no fixed window; on Flink only fixed windows are run"))
    if stage.join is not None:
        wanted.append((stage.join, "a join; on Flink one source is counted by key and window"))
    stated = event_time(plan, source, stage) if not wanted else None
    if stated is not None:
        wanted += [(stage, why) for why in _not_runnable(stated)]
    return [Problem(why, plan.position(plan.path(of)), dotted(plan.path(of))) for of, why in wanted]


def _not_runnable(stated: EventTime) -> list[str]:
    """Flink's event time is in whole milliseconds, its SQL intervals end at 99 days."""
    found = []
    for operand in (stated.lag, stated.window, stated.lateness):
        exact = operand.value * 1000
        if abs(exact - round(exact)) > 1e-6:
            found.append(f"{operand.name} {operand.shown}, wanted whole milliseconds")
        elif exact > _LONGEST_MS:
            found.append(f"{operand.name} {operand.shown}, wanted at most 99 days")
    return found


def _case(plan: Plan, source: Source, stage: Stage, path: Path) -> Case:
    stated, semantics = event_time(plan, source, stage), source.semantics
    if stated is None or semantics is None or semantics.event_time is None or semantics.watermark is None:
        raise AssertionError("a case is made of what was found complete")
    keyed = [given.key for given in stage.inputs if given.key is not None]
    field = source.keys.field if source.keys is not None else None
    notes = []
    if semantics.watermark.scope == "per_partition":
        notes.append("the plan keeps a watermark per partition; the records are run as one merged stream")
    if semantics.duplicates is not None and semantics.duplicates.key:
        notes.append("repeated records are counted each time; nothing removes them here")
    return Case(
        source=source.id,
        stage=stage.id,
        data=path,
        event_time=semantics.event_time,
        key=keyed[0] if keyed else field,
        watermark=Watermark(_ms(stated.lag)),
        windows=FixedWindows(_ms(stated.window), _ms(stated.lateness)),
        notes=tuple(notes),
    )


def _ms(operand: Operand) -> int:
    return round(operand.value * 1000)


def read_records(case: Case) -> Records:
    """The records of a case in file order: event times in whole ms, keys as numbers by first appearance.

    Raises `InputError` for files and columns that cannot be used, and for rows without an event
    time, which no engine could place in a window.
    """
    import numpy as np
    import pyarrow as pa

    from pipelineplan.profiling.files import quoted
    from pipelineplan.profiling.recording import nothing_readable, open_recording

    recording = open_recording([case.data], event_time=case.event_time, others=[case.key] if case.key else [])
    key = f"{quoted(case.key)}::VARCHAR" if case.key else "''"
    tables = []
    for file in recording.files:
        columns = f"({recording.event.microseconds(file)}) AS event, {key} AS key"
        tables.append(recording.connection.sql(f"SELECT {columns} FROM {file.table}").to_arrow_table())  # noqa: S608
    rows = pa.concat_tables(tables)
    unreadable = rows.column("event").null_count
    if unreadable == rows.num_rows:
        raise nothing_readable(recording)
    if unreadable:
        found = f"{unreadable:,} of {rows.num_rows:,} rows have no readable time in {case.event_time!r}"
        raise InputError([Problem(found, Position(str(case.data)), fix="clean the recording first")])
    codes = rows.column("key").combine_chunks().dictionary_encode(null_encoding="encode").indices
    event = rows.column("event").to_numpy()
    return Records(event // 1000, codes.to_numpy(zero_copy_only=False).astype(np.int64))
