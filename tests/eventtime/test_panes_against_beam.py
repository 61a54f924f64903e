"""Thousands of records thrown at the deciding instants, in Apache Beam and in `eventtime`: pane by pane."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, product

import pytest

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Accumulation, Pane, Paning, Played, Timing, play
from pipelineplan.eventtime.timeliness import FixedWindows, Timeliness
from pipelineplan.eventtime.watermarks import NEVER
from pipelineplan.eventtime.window_kinds import SessionWindows, SlidingWindows, Windows
from tests.eventtime.beam_panes import SEEN, Bundle, beam_panes

KEYS = 48
FAR = 2**50
KINDS: dict[str, list[Windows]] = {
    "fixed": [
        FixedWindows(10, 0),
        FixedWindows(1000, 7, -3),
        FixedWindows(1000, 2500),
        FixedWindows(60_000, 1),
    ],
    "sliding": [SlidingWindows(10, 5, 3), SlidingWindows(1000, 300, 0, 7), SlidingWindows(1000, 1000, 400)],
    "session": [SessionWindows(10, 0), SessionWindows(1000, 1), SessionWindows(1000, 1700)],
}


def reach(windows: Windows) -> int:
    return windows.gap_ms if isinstance(windows, SessionWindows) else windows.size_ms


def adversarial(windows: Windows, seed: int, records: int) -> list[Bundle]:
    """Bundles of one record per key at, 1 ms before and 1 ms after each deadline of the next watermark."""
    rng = random.Random(seed)
    size, late = reach(windows), windows.allowed_lateness_ms
    offset = getattr(windows, "offset_ms", 0)
    every = getattr(windows, "every_ms", size)
    now, number, bundles = 0, 0, []
    while number < records:
        now += rng.choice([1, 1, size // 3 + 1, size, every])
        if rng.random() < 0.7:  # onto a deadline: of a window's end, or of its allowed lateness
            now = now - (now - offset) % every + size + rng.choice([0, late]) + rng.choice([-1, 0, 1])
        thrown = []
        for key in rng.sample(range(KEYS), KEYS):
            back = rng.choice([0, size, late, size + late, 2 * size + late, -size]) + rng.choice([-1, 0, 1])
            thrown.append(
                (number, f"k{key}", now - back if rng.random() < 0.8 else now - rng.randrange(3 * size))
            )
            number += 1
        bundles.append((thrown, now + rng.choice([0, 1, size])))
        now = bundles[-1][1]
    return bundles


def ours(paning: Paning, bundles: list[Bundle]) -> Played:
    arrivals, watermarks, before = [], [NEVER], NEVER
    for records, watermark in bundles:
        arrivals += [(key, time) for _, key, time in records]
        watermarks += [before] * (len(records) - 1) + [watermark if watermark is not None else before]
        before = watermarks[-1]
    watermarks[-1] = FAR  # TestStream goes to the end of time after the last record
    return play(paning, arrivals, watermarks)


def beams(paning: Paning, bundles: list[Bundle], *, reopened: bool) -> list[Pane]:
    """Beam's panes. A reopened session leaves a hold on Beam Python's watermark: it stalls at the end."""
    if not reopened:
        return beam_panes(paning, bundles)
    with pytest.raises(TypeError, match="exceptions must derive from BaseException"):
        beam_panes(paning, bundles)
    return list(SEEN)


def fates(panes: Sequence[Pane]) -> dict[int, set[tuple[int, int]]]:
    """The windows that each record was seen in: none for a dropped one."""
    found: dict[int, set[tuple[int, int]]] = {}
    for pane in panes:
        for record in pane.records:
            found.setdefault(record, set()).add((pane.start_ms, pane.end_ms))
    return found


def comparable(panes: Sequence[Pane], *, timing: bool) -> list[Pane]:
    """Panes by window and index. A held watermark says EARLY for LATE, so then timing is left out."""
    same = [replace(p, after=-1, timing=p.timing if timing else Timing.LATE) for p in panes]
    return sorted(same, key=lambda p: (p.key, p.start_ms, p.end_ms, p.index, p.records))


def compare(
    windows: Windows, accumulation: Accumulation, seed: int, records: int
) -> tuple[int, set[Timeliness]]:
    paning = Paning(windows, EngineRule.BEAM_PYTHON, accumulation)
    bundles = adversarial(windows, seed, records)
    found = ours(paning, bundles)
    expected = beams(paning, bundles, reopened=bool(found.reopened))
    timing = not found.reopened
    assert comparable(found.panes, timing=timing) == comparable(expected, timing=timing)
    kept = {p.record for p in found.placements if p.timeliness is not Timeliness.DROPPED}
    assert kept == fates(expected).keys()
    return sum(len(thrown) for thrown, _ in bundles), {p.timeliness for p in found.placements}


@pytest.mark.parametrize("kind", KINDS)
def test_every_pane_of_beam_is_ours(kind: str) -> None:
    seen = set()
    for windows, accumulation in zip(KINDS[kind], cycle(Accumulation), strict=False):
        seen |= compare(windows, accumulation, 3, 240)[1]
    assert seen == set(Timeliness)


@pytest.mark.slow
def test_twenty_thousand_records_equal_beam_per_record_and_per_pane() -> None:
    events = 0
    for kind in KINDS.values():
        for windows, accumulation in product(kind, Accumulation):
            events += compare(windows, accumulation, 2, 1152)[0]
    assert events >= 20_000


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("accumulation", Accumulation)
def test_early_panes_by_count_are_those_of_beam(count: int, accumulation: Accumulation) -> None:
    paning = Paning(FixedWindows(10, 5), EngineRule.BEAM_PYTHON, accumulation, count)
    rng = random.Random(count)
    bundles: list[Bundle] = [
        ([(n, "a", n + rng.choice([0, 0, -9, -12]))], n - 3 if rng.random() < 0.8 else None)
        for n in range(60)
    ]
    found = ours(paning, bundles).panes
    assert Timing.EARLY in {pane.timing for pane in found}
    assert comparable(found, timing=True) == comparable(beam_panes(paning, bundles), timing=True)


def test_a_reopened_session_stalls_beam_python() -> None:
    """Why `test --on beam` refuses such records: the runner's hold on its watermark is never released."""
    bundles: list[Bundle] = [([(0, "a", 5)], 16), ([(1, "a", 14)], 40)]
    paning = Paning(SessionWindows(10, 5), EngineRule.BEAM_PYTHON)
    assert ours(paning, bundles).reopened == (1,)
    beams(paning, bundles, reopened=True)
