"""Service levels of an older and a newer contract: which promise got weaker, in its unit.

    retention  30 d -> 7 d      tightened: a reader that comes back after 8 days finds nothing
    latency    4 h  -> 8 h      loosened: an alarm at 4 h rings while the promise is kept
    availability 99.9 % -> 99 % lowered

A level that only the newer contract has, or that got better, breaks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelineplan.contracts.contract import Contract, Sla
from pipelineplan.contracts.evolution.change import Change, Compatibility
from pipelineplan.contracts.sla import duration_seconds

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Whether more is better; what it is called when it gets worse; who is hurt.
_MORE_IS_BETTER = {
    "retention": ("tightened", "records that a reader comes back for are gone"),
    "availability": ("lowered", "readers find it away more often"),
    "throughput": ("lowered", "fewer records come through"),
    "endofsupport": ("brought-forward", "support ends earlier"),
    "endoflife": ("brought-forward", "it ends earlier"),
}
_LESS_IS_BETTER = {
    "latency": ("loosened", "records come later than a reader counts on"),
    "frequency": ("loosened", "updates are further apart than a reader counts on"),
    "timetodetect": ("loosened", "faults stay unseen for longer"),
    "timetonotify": ("loosened", "readers hear of faults later"),
    "timetorepair": ("loosened", "faults stay for longer"),
    "errorrate": ("raised", "more records are wrong"),
    "generalavailability": ("put-off", "it begins later"),
}


def level_changes(earlier: Contract, later: Contract) -> Iterator[Change]:
    """Every service level of `earlier` that `later` does not keep."""
    kept = {_identity(one): one for one in later.sla}
    for old in earlier.sla:
        new = kept.get(_identity(old))
        if new is None:
            reason = f"{old.name} {_shown(old)} is promised no longer; no record shows it"
            yield Change(f"{old.name}-dropped", _path(old), reason)
        else:
            yield from _level(old, new)


def _identity(one: Sla) -> tuple[str, tuple[str, ...], str]:
    return one.name.lower(), tuple(sorted(one.elements)), one.driver


def _level(old: Sla, new: Sla) -> Iterator[Change]:
    if (old.value, old.unit, old.extended_value) == (new.value, new.unit, new.extended_value):
        return
    name = old.name.lower()
    was, is_ = _sizes(old, new)
    said = f"{old.name} {_shown(old)} becomes {_shown(new)}"
    if was is None or is_ is None or name not in {**_MORE_IS_BETTER, **_LESS_IS_BETTER}:
        reason = f"{said}: whether that is weaker cannot be told from its words"
        yield Change(f"{old.name}-changed", _path(old), reason, Compatibility.UNKNOWN)
        return
    more = name in _MORE_IS_BETTER
    if (is_ < was) if more else (is_ > was):
        word, who = (_MORE_IS_BETTER if more else _LESS_IS_BETTER)[name]
        yield Change(f"{old.name}-{word}", _path(old), f"{said}: {who}; no single record shows it")


def _sizes(old: Sla, new: Sla) -> tuple[Any, Any]:
    """Two values that can be compared, or None."""
    lengths = duration_seconds(old), duration_seconds(new)
    if None not in lengths:
        return lengths
    if old.unit.strip().lower() != new.unit.strip().lower():
        return None, None
    numbers = _number(old.value), _number(new.value)
    if None not in numbers:
        return numbers
    dates = all(_DATE.match(str(one.value)) for one in (old, new))
    return (str(old.value), str(new.value)) if dates else (None, None)


def _number(value: Any) -> Decimal | None:
    text = str(value).strip().removesuffix("%").strip()
    try:
        found = Decimal(text) if not isinstance(value, bool) else None
    except ArithmeticError:
        return None
    return found if found is not None and found.is_finite() else None


def _shown(one: Sla) -> str:
    about = f" for {', '.join(one.elements)}" if one.elements else ""
    return f"{one.value} {one.unit}".strip() + about


def _path(one: Sla) -> str:
    return str(one.place)
