"""Records that crowd around the instants at which engines decide: at, 1 ms before, 1 ms after."""

from __future__ import annotations

import random

import numpy as np

from pipelineplan.engines.flink_answer import Records
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import Watermark

KEYS = 7


def adversarial(number: int, watermark: Watermark, windows: FixedWindows, seed: int) -> Records:
    """`number` records: one brings the watermark to a deadline, the next are of that window."""
    rng = random.Random(seed)
    size, now = windows.size_ms, 0
    times: list[int] = []
    while len(times) < number:
        start = now // size * size
        patience = watermark.lag_ms + rng.choice([0, windows.allowed_lateness_ms])
        now = start + size + patience + rng.choice([-1, 0, 0, 1])
        times += [now, start + rng.randrange(size), now - rng.randint(0, size)]
        # Otherwise every window would be skipped that lies between two deadlines.
        now = start + rng.randrange(size) if rng.random() < 0.7 else now
    keys = [rng.randrange(KEYS) for _ in range(number)]
    return Records(np.array(times[:number], dtype=np.int64), np.array(keys, dtype=np.int64))
