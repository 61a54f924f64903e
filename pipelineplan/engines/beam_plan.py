"""From a plan to what Apache Beam is to run: each window over each source with data, or why it cannot.

    sources.clicks        semantics.event_time, .watermark.lag, .duplicates.key; keys.field
    stages.count          window: fixed, sliding or session; allowed_lateness, accumulation
    --data clicks=day.csv the records, in the order in which they arrived

A preview has one watermark: the newest event time less the lag, over the records in file order.
What Beam's local runner is known to get wrong is refused here, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.documents import dotted
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Accumulation, Paning
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import Watermark
from pipelineplan.eventtime.window_kinds import SessionWindows, SlidingWindows, Windows
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.plan.semantics import sources_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage, Window
from pipelineplan.quantities import Quantity


@dataclass(frozen=True)
class Case:
    """The windows of `stage` over the records of `source` in `data`; columns by name.

    `position` and `path` are where the windows stand in the plan.
    """

    source: str
    stage: str
    data: Path
    event_time: str
    key: str | None
    repeats_by: tuple[str, ...]
    watermark: Watermark
    paning: Paning
    position: Position
    path: str
    notes: tuple[str, ...] = ()


def cases_of(plan: Plan, data: Mapping[str, Path]) -> tuple[Case, ...]:
    """One case for each windowed stage below each source with data; `InputError` names what is lacking."""
    by_name = {name: source for source in plan.model.sources for name in (source.dataset, source.id) if name}
    problems: list[Problem] = []
    cases: list[Case] = []
    if not data:
        found = f"no data for a source of the plan, wanted --data NAME=PATH with one of {', '.join(by_name)}"
        raise InputError([Problem(found, Position("--data"))])
    for name, path in data.items():
        if name not in by_name:
            found = f"no source is called {name!r}"
            problems.append(Problem(found, Position("--data"), fix=f"known are: {', '.join(by_name)}"))
            continue
        source = by_name[name]
        stages = _windowed_below(plan, source)
        if not stages:
            fix = "state stages[].window"
            problems.append(_problem(plan, source, f"no stage below {source.id!r} has a window", fix))
        for stage, window in stages:
            lacking = [*_lacking(plan, source), *_refused(plan, stage, window)]
            problems += lacking
            cases += [] if lacking else [_case(plan, source, stage, window, path)]
    if problems:
        raise InputError(problems)
    return tuple(cases)


def _windowed_below(plan: Plan, source: Source) -> list[tuple[Stage, Window]]:
    return [
        (stage, stage.window)
        for stage in plan.model.stages
        if stage.window is not None and source.id in {above.id for above in sources_above(plan, stage.id)}
    ]


def _lacking(plan: Plan, source: Source) -> list[Problem]:
    """What a source must state so that its records can be placed in windows."""
    semantics = source.semantics
    if semantics is None or semantics.event_time is None:
        return [_problem(plan, source, "no event time", "state semantics.event_time: the column that has it")]
    watermark = semantics.watermark
    if watermark is None or watermark.lag is None:
        return [_problem(plan, source, "no watermark lag", "state semantics.watermark.lag")]
    if watermark.strategy not in {"bounded", "monotonous"}:
        found = f"found the watermark strategy {watermark.strategy!r}"
        return [_problem(plan, watermark, found, "a preview plays 'bounded' and 'monotonous'")]
    return [] if _whole(watermark.lag) else [_problem(plan, watermark, "a lag below 1 ms", "wanted whole ms")]


def _refused(plan: Plan, stage: Stage, window: Window) -> list[Problem]:
    """What a preview on Beam's local runner cannot say truly."""
    found: list[tuple[Section, str, str]] = []
    if stage.join is not None:
        found.append((stage, "found a join", "a preview counts the records of one source by key and window"))
    if window.sliding is not None and window.every is None:
        found.append((window, "found sliding without every", "state how often a window begins"))
    elif (
        window.sliding is not None and window.every is not None and window.every.value > window.sliding.value
    ):
        found.append(
            (
                window,
                "found windows with gaps between them (every above sliding)",
                "Beam's local runner fails on a record that no window takes (IndexError in executor.py)",
            )
        )
    lengths = (window.fixed, window.sliding, window.every, window.session, window.allowed_lateness)
    if not all(_whole(length) for length in lengths):
        found.append((window, "found a length that is no whole number of milliseconds", "wanted whole ms"))
    return [_problem(plan, section, message, fix) for section, message, fix in found]


def _case(plan: Plan, source: Source, stage: Stage, window: Window, path: Path) -> Case:
    semantics = source.semantics
    if semantics is None or semantics.event_time is None or semantics.watermark is None:
        raise AssertionError("a case is made of what was found complete")
    watermark, duplicates = semantics.watermark, semantics.duplicates
    keyed = [given.key for given in stage.inputs if given.key is not None]
    field = source.keys.field if source.keys is not None else None
    notes = []
    if watermark.scope == "per_partition":
        notes.append("the plan keeps a watermark per partition; the records are played as one merged stream")
    if window.trigger is not None:
        notes.append(
            f"the trigger is in words ({window.trigger}): played at the watermark and with late records"
        )
    if duplicates is not None and duplicates.key and duplicates.horizon is not None:
        notes.append("repeats are looked for over the whole preview, whatever their horizon")
    return Case(
        source=source.id,
        stage=stage.id,
        data=path,
        event_time=semantics.event_time,
        key=keyed[0] if keyed else field,
        repeats_by=duplicates.key if duplicates is not None else (),
        watermark=Watermark(_ms(watermark.lag) if watermark.strategy == "bounded" else 0),
        paning=Paning(
            _windows(window), EngineRule.BEAM_PYTHON, Accumulation(window.accumulation or "accumulating")
        ),
        position=plan.position(plan.path(window)),
        path=dotted(plan.path(window)),
        notes=tuple(notes),
    )


def _windows(window: Window) -> Windows:
    late = _ms(window.allowed_lateness)
    if window.fixed is not None:
        return FixedWindows(_ms(window.fixed), late)
    if window.session is not None:
        return SessionWindows(_ms(window.session), late)
    return SlidingWindows(_ms(window.sliding), _ms(window.every), late)


def _whole(length: Quantity | None) -> bool:
    return length is None or abs(length.value * 1000 - round(length.value * 1000)) < 1e-6


def _ms(length: Quantity | None) -> int:
    return 0 if length is None else round(length.value * 1000)


def _problem(plan: Plan, section: Section, found: str, fix: str) -> Problem:
    path = plan.path(section)
    return Problem(found, plan.position(path), dotted(path), fix=fix)
