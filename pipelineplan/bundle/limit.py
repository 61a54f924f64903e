"""What a threshold in words asks of a measured value, and whether the value keeps it.

    "lag at most 10 min"        <= 600 s       measured "12 min"         fails
    "0 rows"                    <= 0 rows      measured "0 rows"         holds
    "at most 4 min"             <= 240 s       measured "4 min ± 20 s"   unknown
    "done", "p95 < 4 min and p99 < 8 min"      no single number: nothing is compared

A bare number is the most that is allowed, as the plan language says of thresholds. A text that holds
more than one limit is compared with none of them: half a comparison would be no verdict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelineplan.quantities import Dimension, Quantity, QuantityError, parse
from pipelineplan.verdicts import Verdict

_WORDS = {
    "<=": ("<=", "≤", "at most", "no more than", "not more than", "up to", "within"),
    "<": ("<", "below", "under", "less than", "fewer than", "younger than"),
    ">=": (">=", "≥", "at least", "no less than", "not less than"),
    ">": (">", "above", "over", "more than", "older than"),
    "==": ("==", "=", "exactly"),
}
_SAID = {"<=": "at most", "<": "below", ">=": "at least", ">": "above", "==": "exactly"}
_RELATIONS = {word: sign for sign, words in _WORDS.items() for word in words}
_ANY = "|".join(
    rf"\b{word}\b" if word[0].isalpha() else re.escape(word)
    for word in sorted(_RELATIONS, key=len, reverse=True)
)
_NUMBER = r"-?\d[\d_]*(?:,\d{3})*(?:\.\d+)?"
# No time of day (5:30), no date, and no number inside a word (p95).
_AMOUNT = rf"(?<![\w.])(?!\d[\d_.,]*[:-]\d)(?P<number>{_NUMBER})\s?(?P<unit>[^\s,;:()]{{0,40}})"
_LIMIT = re.compile(rf"(?P<relation>{_ANY})\s*{_AMOUNT}", re.IGNORECASE)
_BARE = re.compile(rf"\s*(?P<relation>){_AMOUNT}")
_DENIED = re.compile(r"\b(?:no|none|not|never|without|nothing)\b", re.IGNORECASE)
# A second relation, or a second number after a comma; "for 10 min" and "over 14 d" only say when to measure.
_MORE = re.compile(
    r"\b(?:at (?:most|least)|below|under|above|(?:no |not )?(?:more|less|fewer) than|exactly|per)\b"
    r"|[<>=≤≥±]|\.\.|(?:[,;]|\band\b|\bor\b)\s*\d(?!\d{3}-\d\d)",
    re.IGNORECASE,
)
_NO_UNITS = frozenset(("in", "for", "over", "within", "at", "of", "by", "on", "as", "to", "from", "with"))
_COUNT = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<noun>[A-Za-z][\w -]{{0,60}})?\s*\Z")
_DIMENSIONS = (
    Dimension.DURATION,
    Dimension.SIZE,
    Dimension.BANDWIDTH,
    Dimension.RATE,
    Dimension.SHARE,
    Dimension.GROWTH,
)
_LONGEST = 1000
_LONGEST_NUMBER = 40
_SHORTEST_NOUN = 3  # shorter ones are units that nobody knows: "10 m"


@dataclass(frozen=True)
class Limit:
    """`measured relation value`, in base units of `dimension`, or in pieces of `unit` where it has none."""

    relation: str
    value: float
    dimension: Dimension | None
    unit: str
    text: str

    def said(self) -> str:
        """The limit in words, as evidence keeps it: "at most 10 min"."""
        return f"{_SAID[self.relation]} {self.text}"

    def verdict(self, measured: Measured) -> Verdict:
        """Whether every value that `measured` may stand for keeps the limit, none, or only some."""
        keeps = {_keeps(end, self.relation, self.value) for end in (measured.low, measured.high)}
        if self.relation == "==" and measured.low < self.value < measured.high:
            return Verdict.UNKNOWN
        if len(keeps) > 1:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if True in keeps else Verdict.FAILS


@dataclass(frozen=True)
class Measured:
    """A value that somebody measured: what may lie between `low` and `high`, in the limit's unit."""

    low: float
    high: float


def limit_in(text: str) -> Limit | None:
    """The one limit that a threshold states; None for words, and for more than one limit."""
    found = _LIMIT.search(text) or _BARE.match(text) if len(text) <= _LONGEST else None
    if found is None or _DENIED.search(text[: found.start()]) or len(found["number"]) > _LONGEST_NUMBER:
        return None
    number, unit = found["number"].replace(",", ""), found["unit"]
    unit = "" if unit.lower() in _NO_UNITS else unit
    if _MORE.search(text[found.end("number") + len(unit) :].partition(": ")[0]):
        return None
    return _limit(_RELATIONS[found["relation"].lower() or "<="], number, unit)


def _limit(relation: str, number: str, unit: str) -> Limit | None:
    text = f"{number}{'' if unit.startswith('/') else ' '}{unit}".strip()
    known = _known(text) if unit else None
    if known is not None:
        return Limit(relation, known.value, known.dimension, unit, text)
    if unit and (len(unit) < _SHORTEST_NOUN or not unit.isalpha()):
        return None
    return Limit(relation, float(number.replace("_", "")), None, unit, text)


def _known(text: str) -> Quantity | None:
    """A number with a unit as a quantity of the one dimension that has this unit."""
    for dimension in _DIMENSIONS:
        try:
            return parse(text, dimension)
        except QuantityError:
            continue
    return None


def measured_as(text: str, limit: Limit) -> Measured:
    """`text` as a value to hold against `limit`; `ValueError` says what was found and what is wanted."""
    if limit.dimension is None:
        return _counted(text, limit)
    if limit.dimension is Dimension.SHARE and re.fullmatch(r"\s*[\d._]*[1-9][\d._]*\s*", text):
        raise ValueError(f"found {text!r}, a share without a unit; wanted one such as 0.5 %")
    value = parse(text, limit.dimension)
    return Measured(value.low, value.high)


def _counted(text: str, limit: Limit) -> Measured:
    match = _COUNT.match(text) if len(text) <= _LONGEST else None
    noun = (match["noun"] or "").strip().lower() if match else ""
    wanted = f"a number of {limit.unit}" if limit.unit else "a number"
    if (
        match is None
        or len(match["number"]) > _LONGEST_NUMBER
        or (noun and limit.unit and not _same(noun.split()[0], limit.unit.lower()))
    ):
        raise ValueError(f"found {text[:60]!r}, wanted {wanted}, such as '{limit.text}'")
    value = float(match["number"].replace(",", "").replace("_", ""))
    return Measured(value, value)


def _same(one: str, other: str) -> bool:
    """`row` and `rows` are the same unit."""
    return one.removesuffix("s") == other.removesuffix("s")


def _keeps(value: float, relation: str, limit: float) -> bool:
    match relation:
        case "<=":
            return value <= limit
        case "<":
            return value < limit
        case ">=":
            return value >= limit
        case ">":
            return value > limit
        case _:
            return value == limit
