"""What a reconciliation found: windows that differ, the keys behind them, and whether somebody is called.

The report holds no times of its own and no random ids, so the same data gives the same report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelineplan.quality.reconciling.comparing import END
from pipelineplan.quality.reconciling.drilling import KeyDifference, Kind
from pipelineplan.quality.reconciling.escalating import Level, Step
from pipelineplan.quality.reconciling.pair import Pair
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas
from pipelineplan.verdicts import Severity, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class WindowResult:
    """One closed window whose balance does not hold, or that counts towards a drift.

    `records` are by role. `keys` counts the keys that are missing, extra, changed or repeated, and
    `differing_share` their records as a share of the source's. `net` is what is missing (below 0: extra)
    in records, `net_sums` in each measure. `alarm` says that it is beyond the tolerance.
    """

    number: int
    start: str
    records: Mapping[str, int]
    keys: Mapping[Kind, int]
    differing_share: float
    net: int
    net_sums: tuple[Decimal, ...]
    alarm: bool
    step: Step


@dataclass(frozen=True)
class Reconciled:
    """The result for one pair; `windows` are those that differ, by time, `keys` the first keys that do.

    `totals` are records by role over the closed windows. `differing_keys` counts by kind over all of them.
    `repeats` are rows of the source that were counted once. `unplaced` are records without a readable
    event time by which the two sides differ. `unread` says of which values the type of comparison can
    hold nothing: where they stand, nothing holds.
    """

    pair: Pair
    watermark_us: int | None
    closed: int
    open: int
    totals: Mapping[str, int]
    windows: tuple[WindowResult, ...]
    keys: tuple[KeyDifference, ...]
    differing_keys: Mapping[Kind, int]
    last: Step | None = None
    escalated_at: Step | None = None
    repeats: int = 0
    unplaced: int = 0
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def alarms(self) -> tuple[WindowResult, ...]:
        """The closed windows beyond the tolerance."""
        return tuple(window for window in self.windows if window.alarm)

    @property
    def level(self) -> Level:
        """How far the drift has come after the last closed window."""
        return self.last.level if self.last is not None else Level.QUIET

    @property
    def verdict(self) -> Verdict:
        """Fails with an alarm or an escalation of severity error; unknown when nothing can be compared."""
        if (self.alarms or self.level is Level.ESCALATED) and self.pair.escalation.severity is Severity.ERROR:
            return Verdict.FAILS
        blind = not self.closed or self.unplaced or self.unread
        return Verdict.UNKNOWN if blind else Verdict.HOLDS

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values; the same for the same data."""
        return {
            "name": self.pair.name,
            "path": self.pair.path,
            "position": self.pair.position,
            "source": self.pair.source,
            "destination": self.pair.destination,
            "verdict": str(self.verdict),
            "tolerance": self.pair.tolerance,
            "watermark": said_time(self.watermark_us),
            "windows": {
                "closed": self.closed,
                "open": self.open,
                "length_seconds": self.pair.window_us / 1e6,
            },
            "records": dict(self.totals),
            "repeats": self.repeats,
            "without_event_time": self.unplaced,
            "unread": list(self.unread),
            "differing_keys": {str(kind): self.differing_keys.get(kind, 0) for kind in Kind},
            "alarms": [_window_row(self.pair, window) for window in self.alarms],
            "within_tolerance": [_window_row(self.pair, w) for w in self.windows if not w.alarm],
            "keys": [key_row(self.pair, key) for key in self.keys],
            "escalation": _escalation_row(self),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class NotReconciled:
    """A pair of the plan that could not be reconciled on the data, and why."""

    name: str
    path: str
    position: str
    reason: str


@dataclass(frozen=True)
class ReconciliationReport:
    """The results of every pair, in the plan's order, and the pairs that could not be evaluated."""

    pairs: tuple[Reconciled, ...]
    not_evaluated: tuple[NotReconciled, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pairs or self.not_evaluated)

    @property
    def verdict(self) -> Verdict:
        """Fails when a pair fails; unknown when one is or could not be evaluated, or when there is none."""
        verdicts = {pair.verdict for pair in self.pairs} | {Verdict.UNKNOWN for _ in self.not_evaluated}
        if Verdict.FAILS in verdicts:
            return Verdict.FAILS
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts or not verdicts else Verdict.HOLDS

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat record per differing key, for a table."""
        return [
            key_row(pair.pair, key) | {"name": pair.pair.name} for pair in self.pairs for key in pair.keys
        ]

    def to_arrow(self) -> Any:
        """The differing keys as a `pyarrow.Table`; keys and changes as text."""
        return rows_to_arrow(
            [row | {"key": _text(row["key"]), "changes": str(row["changes"])} for row in self.to_rows()]
        )

    def to_pandas(self) -> Any:
        """The differing keys as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        return rows_to_html(self.to_rows()[:100], str(self.verdict))

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "verdict": str(self.verdict),
            "pairs": [pair.to_json_dict() for pair in self.pairs],
            "not_evaluated": [asdict(left) for left in self.not_evaluated],
        }


def said_time(microseconds: int | None) -> str | None:
    """An instant as ISO text in UTC; "end" when all windows are closed, None when it is unknown."""
    if microseconds is None or microseconds == END:
        return None if microseconds is None else "end"
    try:
        text = (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
    except OverflowError:
        return f"{microseconds} us"
    return text.replace("+00:00", "Z").replace(".000000Z", "Z")


def window_start(pair: Pair, number: int) -> str:
    """The start of a window as text; empty where there is no event time."""
    if pair.source_side.event_time is None:
        return ""
    return said_time(number * pair.window_us) or ""


def key_row(pair: Pair, key: KeyDifference) -> dict[str, Any]:
    """One differing key as plain values."""
    return {
        "window": window_start(pair, key.window),
        "kind": str(key.kind),
        "key": dict(zip(pair.keys, key.key, strict=True)),
        "source_records": key.source,
        "destination_records": key.destination,
        "accounted_records": key.accounted,
        "changes": [{"column": name, "source": a, "destination": b} for name, a, b in key.changes],
    }


def _window_row(pair: Pair, window: WindowResult) -> dict[str, Any]:
    return {
        "start": window.start,
        "records": dict(window.records),
        "keys": {str(kind): count for kind, count in window.keys.items()},
        "differing_share": window.differing_share,
        "net_records": window.net,
        "net_sums": {name: str(net) for name, net in zip(pair.measures, window.net_sums, strict=True)},
        "level": str(window.step.level),
    }


def _escalation_row(one: Reconciled) -> dict[str, Any]:
    at = one.escalated_at
    return {
        "level": str(one.level),
        "to": one.pair.escalation.to,
        "severity": str(one.pair.escalation.severity),
        "after_windows": one.pair.escalation.after_windows,
        "since": window_start(one.pair, at.window) if at is not None else None,
        "reason": at.reason if at is not None else "",
        "drift": one.last.drift if one.last is not None else 0.0,
    }


def _text(key: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in key.items())
