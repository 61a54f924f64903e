"""Flink's answer beside the prediction: per key and window, or per record.

    key 3, window 10000       predicted 2 on time, 1 late, 0 dropped     Flink 2, 1, 0
    record 7                  predicted late                             Flink late

    route        what runs                              rule               answer
    sql          windows of Flink SQL, no Python        flink-sql          per key and window, any number
    datastream   keyed windows with late side output    flink-datastream   per record, some thousand

The dropped ones of a window are not in any answer of SQL: they are what went in and did not come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

import numpy as np

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import Classified, Judgement, classify
from pipelineplan.eventtime.watermarks import Milliseconds

EXAMPLES = 5
# On time, late and accepted, dropped.
Counts = tuple[int, int, int]
# Key and window start in ms, or the number of a record.
Place = tuple[int, ...]


class Route(StrEnum):
    """Which of Flink's two interfaces runs the windows."""

    SQL = "sql"
    DATASTREAM = "datastream"

    @property
    def rule(self) -> EngineRule:
        """The rule of those who write for this interface."""
        match self:
            case Route.SQL:
                return EngineRule.FLINK_SQL
            case Route.DATASTREAM:
                return EngineRule.FLINK_DATASTREAM
            case _:
                assert_never(self)


@dataclass(frozen=True)
class Records:
    """Event times in ms and the numbers of keys, in arrival order; both of shape `(n,)`, int64."""

    event_time_ms: Milliseconds
    key: Milliseconds

    def first(self, number: int) -> Records:
        """Those that arrived first."""
        return Records(self.event_time_ms[:number], self.key[:number])


@dataclass(frozen=True)
class Run:
    """One job: the windows and the rule of `judgement` over `records`, by one of Flink's interfaces."""

    route: Route
    judgement: Judgement
    records: Records


@dataclass(frozen=True)
class Agreement:
    """What was predicted, what Flink did, and where the two differ.

    `compared` counts what was compared one by one: windows of a key, or records; `different`
    those that differ, of which `examples` shows the first. `predicted` and `measured` count
    records on time, late and accepted, dropped.
    """

    run: Run
    compared: int
    predicted: Counts
    measured: Counts
    different: int
    examples: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether Flink did exactly what was predicted, with something to compare."""
        return self.different == 0 and self.compared > 0

    def to_json_dict(self) -> dict[str, Any]:
        """As plain data, the same for the same records."""
        names = ("on_time", "late", "dropped")
        return {
            "route": self.run.route.value,
            "rule": self.run.judgement.rule.value,
            "records": len(self.run.records.key),
            "compared": self.compared,
            "predicted": dict(zip(names, self.predicted, strict=True)),
            "measured": dict(zip(names, self.measured, strict=True)),
            "different": self.different,
            "examples": list(self.examples),
            "agrees": self.agrees,
        }


def compare(run: Run, answer: Iterable[list[int]]) -> Agreement:
    """Hold the rows of Flink's `answer` against what `classify` says of the same records.

    A row is key, window start in ms, content first, content in the end (sql), or the number of a
    record and 1 for late, 2 for dropped (datastream).
    """
    predicted = classify(run.judgement, run.records.event_time_ms)
    match run.route:
        case Route.SQL:
            ours = _by_window(predicted, run.records.key)
            theirs = _with_dropped(answer, ours)
        case Route.DATASTREAM:
            ours = {(number,): _one(int(kind)) for number, kind in enumerate(predicted.timeliness)}
            theirs = dict.fromkeys(ours, _one(0)) | {(number,): _one(kind) for number, kind in answer}
        case _:
            assert_never(run.route)
    different = sorted(at for at in {*ours, *theirs} if ours.get(at) != theirs.get(at))
    return Agreement(
        run,
        compared=len(ours),
        predicted=_total(ours),
        measured=_total(theirs),
        different=len(different),
        examples=tuple(_example(at, ours.get(at), theirs.get(at)) for at in different[:EXAMPLES]),
    )


def _by_window(predicted: Classified, keys: Milliseconds) -> dict[Place, Counts]:
    """On time, late and dropped per key and window start."""
    cells = np.column_stack([keys, predicted.window_start_ms])
    places, position = np.unique(cells, axis=0, return_inverse=True)
    counts = np.zeros((len(places), 3), dtype=np.int64)
    np.add.at(counts, (position.reshape(-1), predicted.timeliness), 1)
    rows = zip(places.tolist(), counts.tolist(), strict=True)
    return {(key, start): (on_time, late, dropped) for (key, start), (on_time, late, dropped) in rows}


def _with_dropped(answer: Iterable[list[int]], ours: Mapping[Place, Counts]) -> dict[Place, Counts]:
    """Windows that Flink never fired have dropped all of their records."""
    theirs: dict[Place, Counts] = {at: (0, 0, sum(counts)) for at, counts in ours.items()}
    for key, start, first, final in answer:
        came = sum(ours.get((key, start), (0, 0, 0)))
        theirs[key, start] = (first, final - first, came - final)
    return theirs


def _one(kind: int) -> Counts:
    return (int(kind == 0), int(kind == 1), int(kind == 2))


def _total(by_place: Mapping[Place, Counts]) -> Counts:
    on_time, late, dropped = np.array([*by_place.values(), (0, 0, 0)]).sum(axis=0).tolist()
    return on_time, late, dropped


def _example(at: Place, ours: Counts | None, theirs: Counts | None) -> str:
    place = f"record {at[0]}" if len(at) == 1 else f"key {at[0]}, window {at[1]}"
    return f"{place}: predicted {_said(ours)}; Flink {_said(theirs)}"


def _said(counts: Counts | None) -> str:
    if counts is None:
        return "nothing"
    return "{} on time, {} late, {} dropped".format(*counts)
