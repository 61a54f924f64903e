"""What is wrong with a record of a stream: one flag per record and kind, in arrival order.

    key    seq  event   late  dropped  out_of_order  out_of_order_in_key  duplicate  gap
    a        1     10
    b        1     30
    a        2     12                             x                                             behind b's 30
    a        2     12                             x                              x              again
    a        4      8                             x                    x                   x    3 is not there

Late and dropped are `eventtime`'s own answer; nothing of its rules is written again here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.timeliness import Judgement, Timeliness, classify
from pipelineplan.eventtime.watermarks import Milliseconds, WatermarkState

Flag = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

FLAGS = (
    "late",
    "dropped",
    "out_of_order",
    "out_of_order_in_key",
    "duplicate",
    "gap",
    "unknown_delete",
    "stale_correction",
)


@dataclass(frozen=True)
class Records:
    """A stream in arrival order; all of shape `(n,)`, what is None is not known and not checked.

    `key` and `identity` are codes (equal values, equal codes); `clock_ms` says when a record came, and
    `horizon_ms` how long after another one with its identity it counts as a repeat of it. `sequence`
    counts up by one in each key; `version` rises with every correction of a key; `is_delete` are
    tombstones.
    """

    event_ms: Milliseconds
    key: Codes | None = None
    identity: Codes | None = None
    clock_ms: Milliseconds | None = None
    horizon_ms: int | None = None
    sequence: Codes | None = None
    version: Codes | None = None
    is_delete: Flag | None = None


@dataclass(frozen=True)
class Flagged:
    """The flags by name, each of shape `(n,)`, and the start of each record's window."""

    window_start_ms: Milliseconds
    flags: dict[str, Flag] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """How many records have the flag `name`."""
        return int(self.flags[name].sum())


def flagged(judgement: Judgement, records: Records) -> Flagged:
    """Every flag that `records` allow; raises `ValueError` as `eventtime.timeliness.classify` does."""
    found, _ = in_order(judgement, records.event_ms)
    return Flagged(found.window_start_ms, found.flags | of_keys(records))


def in_order(
    judgement: Judgement, event_ms: Milliseconds, before: WatermarkState | None = None
) -> tuple[Flagged, WatermarkState]:
    """The flags that the order of arrival decides, and what the records after these have to know.

    `before` is what came out for the records before, None at the start.
    """
    found = classify(judgement, event_ms, state=before)
    newest = found.watermark_ms[:-1] + judgement.watermark.lag_ms - judgement.rule.instants.watermark_ms
    flags = {
        "late": found.timeliness == Timeliness.LATE,
        "dropped": found.timeliness == Timeliness.DROPPED,
        "out_of_order": event_ms < newest,
    }
    return Flagged(found.window_start_ms, flags), found.state


def of_keys(records: Records) -> dict[str, Flag]:
    """The flags that the records of the same key, or of the same identity, decide among themselves."""
    flags: dict[str, Flag] = {}
    if records.key is not None:
        flags["out_of_order_in_key"] = behind_maximum_in_key(records.event_ms, records.key)
    if records.identity is not None:
        clock = records.clock_ms if records.clock_ms is not None else records.event_ms
        flags["duplicate"] = repeated(records.identity, clock, records.horizon_ms)
    if records.key is not None and records.sequence is not None:
        flags["gap"] = after_a_gap(records.sequence, records.key)
    if records.key is not None and records.is_delete is not None:
        flags["unknown_delete"] = records.is_delete & first_of_key(records.key)
    if records.key is not None and records.version is not None:
        stale = not_newer(records.version, records.key)
        # The same change once more is a repeat, and not one that came too late.
        flags["stale_correction"] = stale & ~flags["duplicate"] if "duplicate" in flags else stale
    return flags


def behind_maximum(values: Codes) -> Flag:
    """Whether each value is below the largest one before it."""
    out = np.zeros(len(values), dtype=np.bool_)
    out[1:] = values[1:] < np.maximum.accumulate(values)[:-1]
    return out


def behind_maximum_in_key(values: Codes, key: Codes) -> Flag:
    """The same among the records of its own key."""
    order, starts = _by_key(key)
    ranked = _ranks(values)[order]
    # Each key's values are lifted above those of the keys before it, so that one running maximum does.
    lifted = ranked + np.cumsum(starts) * (len(values) + 1)
    return _back(order, behind_maximum(lifted))


def not_newer(version: Codes, key: Codes) -> Flag:
    """Whether a record of a known key has no higher version than all of its key before it."""
    order, starts = _by_key(key)
    lifted = _ranks(version)[order] + np.cumsum(starts) * (len(version) + 1)
    out = np.zeros(len(version), dtype=np.bool_)
    out[1:] = (lifted[1:] <= np.maximum.accumulate(lifted)[:-1]) & ~starts[1:]
    return _back(order, out)


def repeated(identity: Codes, clock_ms: Milliseconds, horizon_ms: int | None) -> Flag:
    """Whether the same identity came before, at most `horizon_ms` earlier (at any time, if None)."""
    order, starts = _by_key(identity)
    out = ~starts
    if horizon_ms is not None:
        clocks = clock_ms[order]
        out[1:] &= clocks[1:] - clocks[:-1] <= horizon_ms
    return _back(order, out)


def after_a_gap(sequence: Codes, key: Codes) -> Flag:
    """Whether numbers of its key are not there between a record and the next lower one that is."""
    order = np.lexsort((sequence, key))
    numbers, keys = sequence[order], key[order]
    out = np.zeros(len(sequence), dtype=np.bool_)
    out[1:] = (keys[1:] == keys[:-1]) & (numbers[1:] > numbers[:-1] + 1)
    return _back(order, out)


def first_of_key(key: Codes) -> Flag:
    """Whether no record of its key came before."""
    order, starts = _by_key(key)
    return _back(order, starts)


def _by_key(key: Codes) -> tuple[npt.NDArray[np.intp], Flag]:
    """The records by key, in arrival order within one, and where a key begins."""
    order = np.argsort(key, kind="stable")
    sorted_keys = key[order]
    starts = np.ones(len(key), dtype=np.bool_)
    starts[1:] = sorted_keys[1:] != sorted_keys[:-1]
    return order, starts


def _ranks(values: Codes) -> Codes:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _back(order: npt.NDArray[np.intp], flags: Flag) -> Flag:
    """Flags of sorted records in arrival order again."""
    out = np.empty(len(flags), dtype=np.bool_)
    out[order] = flags
    return out
