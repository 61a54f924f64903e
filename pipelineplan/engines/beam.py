"""The plan's windows on Apache Beam, beside what `eventtime` predicts for the same recorded events.

    clicks -> count   3,000 records   2,931 on time, 41 late, 28 dropped
                      predicted       2,931 on time, 41 late, 28 dropped     they agree, in 412 windows

Beam Python counts no dropped records: they are what went in and came out in no pane. The prediction
is made by Beam Python's rule; what the other engines would do with these records is said beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelineplan.engines.beam_pipeline import BeamAnswer, CountedPane, run_beam
from pipelineplan.engines.beam_plan import Case, cases_of
from pipelineplan.engines.beam_records import MOST_RECORDS, Row, read_rows, watermarks_after
from pipelineplan.errors import InputError, Problem
from pipelineplan.eventtime.disagreement import disagreements
from pipelineplan.eventtime.panes import Accumulation, Played, Timing, play
from pipelineplan.eventtime.timeliness import Timeliness
from pipelineplan.eventtime.watermarks import NEVER
from pipelineplan.plan import Plan
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas

# Key, start, end; and how many records were counted when it first fired on time, and in the end.
Place = tuple[str, int, int]
Counts = tuple[int, int]
_EXAMPLES = 20


@dataclass(frozen=True)
class Difference:
    """A window of a key where Beam and the prediction count differently; None: no such window."""

    key: str
    start_ms: int
    end_ms: int
    predicted: Counts | None
    found: Counts | None


@dataclass(frozen=True)
class Preview:
    """One case: what was predicted, what Beam did, where they differ.

    `rows` were read; `dead_letters` had no readable event time and `repeats` came before, by Beam's
    and by our count alike or there is a difference. `elsewhere` says how often each other engine
    would say on_time, late, dropped, over records and windows.
    """

    case: Case
    version: str
    rows: int
    dead_letters: int
    repeats: int
    windows: int
    timeliness: Mapping[str, int]
    differences: tuple[Difference, ...]
    set_aside_differently: tuple[int, ...]
    elsewhere: Mapping[str, Mapping[str, int]]

    @property
    def agrees(self) -> bool:
        """Whether Beam did exactly what was predicted."""
        return not self.differences and not self.set_aside_differently

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data in a fixed order."""
        return {
            "source": self.case.source,
            "stage": self.case.stage,
            "rule": self.case.paning.rule.value,
            "lag_ms": self.case.watermark.lag_ms,
            "windows": {"kind": type(self.case.paning.windows).__name__, **asdict(self.case.paning.windows)},
            "accumulation": self.case.paning.accumulation.value,
            "agrees": self.agrees,
            "rows": self.rows,
            "dead_letters": self.dead_letters,
            "repeats": self.repeats,
            "windows_with_records": self.windows,
            "predicted": dict(self.timeliness),
            "differences": [asdict(difference) for difference in self.differences[:_EXAMPLES]],
            "differing_windows": len(self.differences),
            "set_aside_differently": list(self.set_aside_differently[:_EXAMPLES]),
            "elsewhere": {engine: dict(said) for engine, said in self.elsewhere.items()},
            "notes": list(self.case.notes),
        }


@dataclass(frozen=True)
class BeamReport:
    """Every case of a plan that was played on Apache Beam."""

    previews: tuple[Preview, ...]

    @property
    def agrees(self) -> bool:
        """Whether Beam did exactly what was predicted, in every case."""
        return all(preview.agrees for preview in self.previews)

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data, the same for the same records."""
        version = self.previews[0].version if self.previews else ""
        cases = [preview.to_json_dict() for preview in self.previews]
        return {"engine": "beam", "version": version, "agrees": self.agrees, "cases": cases}

    def lines(self) -> list[str]:
        """What the command prints."""
        return [line for preview in self.previews for line in _lines(preview)]

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat row per case."""
        flat = ("source", "stage", "rule", "agrees", "rows", "dead_letters", "repeats", "differing_windows")
        return [
            {name: case[name] for name in flat} | case["predicted"] for case in self.to_json_dict()["cases"]
        ]

    def to_arrow(self) -> Any:
        """The cases as a `pyarrow.Table`."""
        return rows_to_arrow(self.to_rows())

    def to_pandas(self) -> Any:
        """The cases as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        return rows_to_html(self.to_rows(), "Apache Beam agrees" if self.agrees else "Apache Beam differs")


def beam_report(
    plan: Plan, data: Mapping[str, Path], progress: Callable[[str], None] | None = None
) -> BeamReport:
    """Play the windows of `plan` on Apache Beam over `data`, files by source, and compare.

    Raises `InputError` for what a plan or file lacks and for what Beam's local runner is known to
    get wrong, `MissingExtraError` without the extras `data` and `beam`, `BeamError` when Beam fails.
    """
    show = progress or (lambda _: None)
    previews = []
    for case in cases_of(plan, data):
        rows = read_rows(case)
        show(f"Apache Beam: {case.stage} over {len(rows):,} records of {case.source}")
        previews.append(preview_of(case, rows))
    show("")
    return BeamReport(tuple(previews))


def preview_of(case: Case, rows: tuple[Row, ...]) -> Preview:
    """Predict, play, compare; raises as `beam_report` does."""
    kept, repeats = _first_only(case, rows)
    predicted = _predicted(case, rows, kept)
    _refuse_what_stalls(case, predicted, kept)
    answer = run_beam(case, rows)
    places, differences = _differences(case, predicted, answer)
    dead = {row.number for row in rows if row.event_ms is None}
    said = Counter(placement.timeliness for placement in predicted.placements)
    return Preview(
        case=case,
        version=answer.version,
        rows=len(rows),
        dead_letters=len(dead),
        repeats=len(repeats),
        windows=places,
        timeliness={kind.name.lower(): said[kind] for kind in Timeliness},
        differences=differences,
        set_aside_differently=tuple(sorted(dead ^ set(answer.dead_letters) | repeats ^ set(answer.repeats))),
        elsewhere=_elsewhere(case, kept),
    )


def _first_only(case: Case, rows: tuple[Row, ...]) -> tuple[list[Row], set[int]]:
    """The readable rows without repeats, and the numbers of the repeats."""
    seen: set[tuple[str, ...]] = set()
    kept: list[Row] = []
    repeats: set[int] = set()
    for row in rows:
        if row.event_ms is None:
            continue
        if case.repeats_by and row.repeat in seen:
            repeats.add(row.number)
            continue
        seen.add(row.repeat)
        kept.append(row)
    return kept, repeats


def _predicted(case: Case, rows: tuple[Row, ...], kept: list[Row]) -> Played:
    """The watermark follows every readable row, repeats among them; windows take what is kept."""
    after = watermarks_after(case, rows)
    before = {row.number: after[row.number - 1] if row.number else None for row in kept}
    watermarks = [NEVER if before[row.number] is None else int(before[row.number] or 0) for row in kept]
    # TestStream ends at the end of time: every window that is still open fires.
    return play(case.paning, [(row.key, int(row.event_ms or 0)) for row in kept], [*watermarks, 2**60])


def _refuse_what_stalls(case: Case, predicted: Played, kept: list[Row]) -> None:
    if not predicted.reopened:
        return
    first = kept[predicted.reopened[0]].number + 1
    found = (
        f"found {len(predicted.reopened)} records that extend a session which has fired, the first in row"
        f" {first}: Beam's local runner then holds its watermark for ever, and its answer would be no truth"
    )
    fix = "raise the watermark lag until sessions close once, or use fixed windows in the preview"
    raise InputError([Problem(found, case.position, case.path, fix=fix)])


def _differences(case: Case, predicted: Played, answer: BeamAnswer) -> tuple[int, tuple[Difference, ...]]:
    ours = _counts(
        case,
        (
            CountedPane(pane.key, pane.start_ms, pane.end_ms, pane.index, pane.timing, len(pane.records))
            for pane in predicted.panes
        ),
    )
    theirs = _counts(case, answer.panes)
    places = sorted(ours.keys() | theirs.keys())
    differing = [place for place in places if ours.get(place) != theirs.get(place)]
    return len(places), tuple(Difference(*place, ours.get(place), theirs.get(place)) for place in differing)


def _counts(case: Case, panes: Iterable[CountedPane]) -> dict[Place, Counts]:
    """Per key and window: the records of its firing on time, and of all its firings together."""
    discarding = case.paning.accumulation is Accumulation.DISCARDING
    found: dict[Place, Counts] = {}
    for pane in panes:
        place = (pane.key, pane.start_ms, pane.end_ms)
        on_time, final = found.get(place, (0, 0))
        on_time += pane.count if pane.timing is Timing.ON_TIME else 0
        found[place] = (on_time, final + pane.count if discarding else max(final, pane.count))
    return found


def _elsewhere(case: Case, kept: list[Row]) -> dict[str, Mapping[str, int]]:
    arrivals = [(row.key, int(row.event_ms or 0)) for row in kept]
    totals = disagreements(
        case.paning.windows, case.watermark, arrivals, np.zeros(len(kept), dtype=np.int64)
    ).totals
    return {engine: said for engine, said in totals.items() if engine != case.paning.rule.value}


def _lines(preview: Preview) -> list[str]:
    case, said = preview.case, preview.timeliness
    kept = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in said.items())
    verdict = "agrees" if preview.agrees else f"differs in {len(preview.differences):,}"
    lines = [
        f"{case.source} -> {case.stage}: the first {preview.rows:,} records on Apache Beam {preview.version}"
        if preview.rows == MOST_RECORDS
        else f"{case.source} -> {case.stage}: {preview.rows:,} records on Apache Beam {preview.version}",
        f"  {preview.dead_letters:,} dead letters, {preview.repeats:,} repeats dropped",
        f"  predicted in {preview.windows:,} windows: {kept}; Beam {verdict}",
    ]
    lines += [f"  differs: {_difference(one)}" for one in preview.differences[:_EXAMPLES]]
    if preview.set_aside_differently:
        rows = ", ".join(str(number + 1) for number in preview.set_aside_differently[:_EXAMPLES])
        lines.append(f"  differs: dead letters or repeats, rows {rows}")
    dropped = ", ".join(
        f"{engine} {counts.get('dropped', 0):,}" for engine, counts in preview.elsewhere.items()
    )
    lines.append(f"  dropped elsewhere, from the same records: {dropped}")
    return lines + [f"  note: {note}" for note in case.notes]


def _difference(one: Difference) -> str:
    def counts(pair: Counts | None) -> str:
        return "no window" if pair is None else f"{pair[0]} on time, {pair[1]} in the end"

    window = f"[{one.start_ms}, {one.end_ms}) of {one.key!r}"
    return f"{window}: predicted {counts(one.predicted)}; Beam {counts(one.found)}"
