"""Mutants: a leaf times or divided by 2, 10, 60, 1024/1000, deleted, another word; a list reordered."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from precision.written import Tree

FACTORS = (2.0, 10.0, 60.0, 1.024, 0.5, 0.1, 1 / 60, 1 / 1.024)
WORDS: dict[str, tuple[Any, ...]] = {
    "exchange": ("forward", "keyed", "rebalance"),
    "acks": ("0", "1", "all"),
    "guarantee": ("at_most_once", "at_least_once", "exactly_once"),
    "kind": ("at_least_once", "idempotent", "transactional"),
    "scope": ("per_partition", "merged"),
    "accumulation": ("accumulating", "discarding"),
    "mode": ("append", "upsert", "changelog"),
    "slot_created": ("before_snapshot", "after_snapshot"),
    "ordering": ("none", "per_key", "per_partition", "total"),
    "isolation": ("separate_job", "shared"),
    "offset_reset": ("earliest", "latest", "none"),
    "cron": ("15 4 * * *", "30 2 * * *", "20 * * * *", "*/30 * * * *"),
    "zone": ("UTC", "Europe/Berlin"),
    "cleanup": ("delete", "compact_delete"),
    "from": ("record", "window_end"),
    "input": ("topic", "lake"),
    "clock": ("event", "processing"),
}
_FIXED = {"apiVersion", "kind", "metadata", "id"}


@dataclass(frozen=True)
class Mutant:
    """A changed plan, and what was changed in it, in words."""

    tree: Tree
    path: tuple[str | int, ...]
    how: str

    @property
    def where(self) -> str:
        return ".".join(str(step) for step in self.path)


def leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value that is no mapping or list, and of every list that can be reordered."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if not (path == () and key in _FIXED) and key != "id":
                yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        if len(tree) > 1:
            yield path
        for place, value in enumerate(tree):
            yield from leaves(value, (*path, place))
    else:
        yield path


def mutant(tree: Tree, draw: Random) -> Mutant:
    """One change of one leaf, drawn evenly; where nothing can be changed another leaf is drawn."""
    while True:
        path = draw.choice(list(leaves(tree)))
        changed = copy.deepcopy(tree)  # what stages share stays shared, as an anchor in YAML
        *above, last = path
        place: Any = changed
        for step in above:
            place = place[step]
        before = copy.deepcopy(place[last])
        how = _change(place, last, draw)
        if how and (last not in _keys(place) or place[last] != before):
            return Mutant(changed, path, how)


def _keys(place: Any) -> list[Any]:
    return list(place) if isinstance(place, dict) else list(range(len(place)))


def _change(place: Any, last: str | int, draw: Random) -> str:
    value = place[last]
    if isinstance(value, str) and value.startswith(("freshness >", "point the")):
        return ""  # a text for people
    if isinstance(value, list):
        value.reverse()
        return "reordered"
    if isinstance(value, bool):
        place[last] = not value
        return "turned round"
    return _rewritten(place, last, draw)


def _rewritten(place: Any, last: str | int, draw: Random) -> str:
    value = place[last]
    kinds = ["deleted"] + (["scaled"] * 5 if _scales(value) else ["word"] * 3)
    kind = draw.choice(kinds)
    if kind == "deleted":
        del place[last]
        return "deleted"
    if kind == "word":
        known = WORDS.get(str(last), ())
        if value not in known:
            return ""
        place[last] = draw.choice([word for word in known if word != value])
        return f"now {place[last]}"
    factor = draw.choice(FACTORS)
    place[last] = _scaled(value, factor)
    return f"times {factor:.4g}"


def _scales(value: Any) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and value[:1].isdigit() and _unit(value) != ""
    )


def _unit(value: str) -> str:
    for unit in ("/s", " B/s", " %", " s", " B"):
        if value.endswith(unit):
            return " B/s" if value.endswith(" B/s") else unit
    return ""


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, int):
        return max(1, round(value * factor))
    if isinstance(value, float):
        return value * factor
    unit = _unit(value)
    return f"{float(value.removesuffix(unit)) * factor:.12g}{unit}"
