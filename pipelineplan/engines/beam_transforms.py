# mypy: disable-error-code="misc,untyped-decorator"
# ruff: noqa: TID253 -- this module is imported only once Apache Beam is about to run
"""The steps of a preview's pipeline, by the names that they have in it.

Beam pickles a step before it runs it, so what a step finds it writes to a file that it knows by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import PickleCoder
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import PaneInfoTiming

# number, event time in ms, key, what identifies the record
Element = tuple[int, int | None, str, tuple[str, ...]]

_TIMINGS = {
    PaneInfoTiming.EARLY: "early",
    PaneInfoTiming.ON_TIME: "on_time",
    PaneInfoTiming.LATE: "late",
}


def split(step: beam.DoFn, aside: str) -> Any:
    """A step whose main output is `main` and whose other output is called `aside`."""
    return beam.ParDo(step).with_outputs(aside, main="main")


class Validate(beam.DoFn):
    """A record without a readable event time is a dead letter; the others get their own time."""

    def process(self, element: Element) -> Iterator[Any]:
        """One record in, one out or aside."""
        event_ms = element[1]
        if event_ms is None:
            yield beam.pvalue.TaggedOutput("dead", element[0])
        else:
            yield TimestampedValue(element, Timestamp(micros=event_ms * 1000))


@beam.typehints.with_input_types(tuple[str, Any])
class FirstOnly(beam.DoFn):
    """The first record of each identity goes on; the others are repeats."""

    SEEN = ReadModifyWriteStateSpec("seen", PickleCoder())

    def process(
        self,
        element: tuple[str, Element],
        seen: Any = beam.DoFn.StateParam(SEEN),  # noqa: B008 -- Beam's way to ask for state
    ) -> Iterator[Any]:
        """One record in, one out or aside."""
        if seen.read():
            yield beam.pvalue.TaggedOutput("repeats", element[1][0])
        else:
            seen.write(True)  # noqa: FBT003 -- Beam's own signature
            yield element[1]


class Note(beam.DoFn):
    """Writes the number of each row that was set aside."""

    def __init__(self, file: Path) -> None:
        """Lines are added to `file`."""
        self.file = str(file)

    def process(self, element: int) -> None:
        """Add a line."""
        _add(self.file, [element])


class NotePane(beam.DoFn):
    """Writes each pane: key, window, index, timing, count."""

    def __init__(self, file: Path) -> None:
        """Lines are added to `file`."""
        self.file = str(file)

    def process(
        self,
        element: tuple[str, int],
        window: Any = beam.DoFn.WindowParam,
        pane: Any = beam.DoFn.PaneInfoParam,
    ) -> None:
        """Add a line."""
        key, count = element
        span = (window.start.micros // 1000, window.end.micros // 1000)
        _add(self.file, [key, *span, pane.index, _TIMINGS[pane.timing], count])


def by_identity(element: Element) -> tuple[str, Element]:
    """The record under what identifies it."""
    return (json.dumps(element[3]), element)


def by_key(element: Element) -> tuple[str, int]:
    """The record's number under its key."""
    return (element[2], element[0])


def _add(file: str, line: list[Any]) -> None:
    with Path(file).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
