"""Records that crowd around the deciding instants, judged by Apache Beam and by `eventtime`."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, Timeliness, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark
from tests.eventtime.beam_oracle import beam_says

RECORDS = 15
CASES = range(24)


def adversarial(seed: int) -> tuple[Judgement, list[tuple[int, int]]]:
    """A stream that moves on slowly, with records thrown back onto their windows' deadlines."""
    rng = random.Random(seed)
    size, lag = rng.choice([4, 10, 1000]), rng.choice([0, 3, 10])
    allowed, offset = rng.choice([0, 1, 6, 15]), rng.choice([0, 0, 3, -7])
    partitions = rng.choice([1, 1, 2])
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    judgement = Judgement(
        Watermark(lag, scope, partitions), FixedWindows(size, allowed, offset), EngineRule.BEAM_PYTHON
    )
    now = -size
    records: list[tuple[int, int]] = []
    while len(records) < RECORDS:
        # One record brings the watermark to a deadline of a window, the next belongs to that window.
        start = (now - offset) // size * size + offset
        now = start + size + lag + rng.choice([0, allowed]) + rng.choice([-1, 0, 0, 1])
        thrown_back = start + rng.randrange(size)
        records += [
            (time, rng.randrange(partitions)) for time in (now, thrown_back, now - rng.randint(0, size))
        ]
    return judgement, records


def ours(judgement: Judgement, records: list[tuple[int, int]]) -> list[Timeliness]:
    times, partition = np.array(records, dtype=np.int64).T
    return [Timeliness(kind) for kind in classify(judgement, times, partition).timeliness]


@pytest.mark.parametrize("seed", CASES)
def test_beam_judges_every_record_the_same(seed: int) -> None:
    judgement, records = adversarial(seed)
    assert beam_says(judgement, records) == ours(judgement, records)


def test_the_cases_reach_every_kind_and_the_instant_where_beam_python_is_alone() -> None:
    kinds, alone = set(), 0
    for seed in CASES:
        judgement, records = adversarial(seed)
        python = ours(judgement, records)
        model = ours(Judgement(judgement.watermark, judgement.windows, EngineRule.BEAM_MODEL), records)
        kinds |= set(python)
        alone += python != model
    assert kinds == set(Timeliness)
    assert alone >= 3
