"""Max-min sharing: everyone gets what they ask for, up to a level that uses up what there is.

    demands 1, 4, inf of a total of 9  ->  level 4: 1 + 4 + 4

Source: D. Bertsekas, R. Gallager, Data Networks, 2nd ed., 1992, section 6.5.2 (max-min flow control).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def water_level(demands: Floats, total: float) -> float:
    """The level `x` with `sum(min(demands, x)) == total`; inf when the demands fit into `total`.

    `demands` may hold inf; both are records per second.
    """
    if math.isinf(total):
        return math.inf
    ordered = np.sort(demands)
    before = np.concatenate(((0.0,), np.cumsum(ordered[:-1])))
    level = (total - before) / np.arange(len(ordered), 0, -1)
    enough = level <= ordered
    first = int(enough.argmax())
    return float(max(level[first], 0.0)) if enough[first] else math.inf


def water_levels(demands: Floats, totals: Floats) -> Floats:
    """The level of each row of `demands` `[row, column]` against its own total; rows padded by 0."""
    ordered = np.sort(demands, axis=1)
    before = np.zeros_like(ordered)
    np.cumsum(ordered[:, :-1], axis=1, out=before[:, 1:])
    # A total of inf minus inf demands before it is no number, and compares as not enough.
    with np.errstate(invalid="ignore"):
        level = (totals[:, None] - before) / np.arange(ordered.shape[1], 0, -1)
        enough = level <= ordered
    first = enough.argmax(axis=1)
    rows = np.arange(len(ordered))
    return np.where(enough[rows, first], np.maximum(level[rows, first], 0.0), np.inf)


def throttle(limits: Floats, slopes: Floats, total: float) -> float:
    """The `x` with `sum(min(limits, slopes * x)) == total`; inf when no `x` exceeds `total`.

    `limits` may hold inf where the slope is positive.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        corner = np.where(slopes > 0, limits / slopes, np.inf)
    order = np.argsort(corner, kind="stable")
    held = np.where(slopes > 0, limits, 0.0)[order]
    before = np.concatenate(((0.0,), np.cumsum(held[:-1])))
    climbing = np.cumsum(slopes[order][::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (total - before) / climbing
        enough = (found <= corner[order]) & (climbing > 0)
    first = int(enough.argmax())
    return float(max(found[first], 0.0)) if enough[first] else math.inf
