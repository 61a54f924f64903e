"""What a judge says: a verdict, the numbers it rests on, and where each of them came from.

holds     the inequality is true for every value that the operands allow
fails     it is false for every one of them
unknown   it depends on where in its interval a value lies, or an operand is missing
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Literal

from pipelineplan.errors import Position
from pipelineplan.quantities import Dimension, say


class Verdict(StrEnum):
    """Whether a claim is true of the plan."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """Where an operand of a verdict came from, weakest last."""

    MEASURED = "measured"
    IMPORTED = "imported"
    DECLARED = "declared"
    ASSUMED = "assumed"


class Severity(StrEnum):
    """How much a verdict that does not hold matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """3 for an error, 1 for information: larger is worse."""
        return {"error": 3, "warning": 2, "info": 1}[self.value]


@dataclass(frozen=True)
class Operand:
    """A value of the plan inside a formula: `symbol` names it there.

    `value`, `low` and `high` are in the base unit of `dimension` (a plain number when None); of an
    assumed operand, `low` and `high` are the range that the assumption might as well have been in.
    `path` is where the value stands in the plan, `position` where in which file.
    """

    symbol: str
    name: str
    value: float
    low: float
    high: float
    basis: Basis
    path: str
    position: Position
    dimension: Dimension | None = None

    @property
    def shown(self) -> str:
        """The value, and its interval if it has one, as a person would write it."""
        text = say_value(self.value, self.dimension)
        if self.basis is Basis.ASSUMED:
            return f"{text} assumed"
        if self.low < self.high:
            low, high = say_value(self.low, self.dimension), say_value(self.high, self.dimension)
            return f"{text} ({low} to {high})"
        return text


@dataclass(frozen=True)
class Accepted:
    """Why a finding that does not hold is lived with: a comment, a baseline, or it was there before a change.

    `until` is the last day, as YYYY-MM-DD, empty where there is none; `position` is where it is written.
    """

    by: Literal["comment", "baseline", "base"]
    reason: str
    position: Position
    until: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Finding:
    """One verdict of one rule on one object of the plan.

    `path` and `position` say which object, `message` what was found and how to mend it,
    `formula` and `operands` what was evaluated, `nearest` which single changes would make it
    hold. `fingerprint` depends on the rule and the object and not on lines, so it survives
    edits above it. `accepted` is set where somebody has said that they live with it.
    """

    code: str
    verdict: Verdict
    severity: Severity
    title: str
    message: str
    path: str
    position: Position
    subject: str = ""
    fix: str = ""
    formula: str = ""
    operands: tuple[Operand, ...] = ()
    nearest: tuple[str, ...] = ()
    fingerprint: str = ""
    rests_on: tuple[str, ...] = ()
    accepted: Accepted | None = None
    source_line: str = field(default="", compare=False)

    @property
    def rests_on_assumption(self) -> bool:
        """Whether another value of something that the plan does not state would turn the verdict."""
        return bool(self.rests_on)

    def counts_as(self, *, strict: bool = False) -> Severity:
        """The severity that counts: what is unknown, or rests on an assumption, only informs.

        Under `strict` both count with the rule's own severity.
        """
        soft = self.verdict is Verdict.UNKNOWN or self.rests_on_assumption
        return Severity.INFO if soft and not strict else self.severity


@cache
def only_counted(code: str, severity: Severity, title: str) -> Finding:
    """A verdict that holds and is not put into words, for a run that only counts what holds."""
    return Finding(code, Verdict.HOLDS, severity, title, "", "$", Position(""))


def fingerprint(code: str, path: str) -> str:
    """A stable name of one rule's verdict on one object: 16 hex digits, no line numbers in it."""
    return hashlib.sha256(f"{code} {path}".encode()).hexdigest()[:16]


def say_value(value: float, dimension: Dimension | None) -> str:
    """A value as a person would write it: with its unit, or as a number with its thousands set off."""
    if dimension is not None:
        return say(value, dimension)
    return f"{value:,.0f}" if value % 1 == 0 or abs(value) >= 1000 else f"{value:.4g}"
