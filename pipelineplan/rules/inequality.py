"""Short ways to write a claim: one number against another, or one statement against another.

inequality(path, subject, operands, left, right, ...)     left(values) <= right(values)
at_most(path, subject, one, other, says)                  one operand <= another
statement(path, subject, what, true=...)                  two statements of the plan fit, or they do not
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelineplan.documents import Path
from pipelineplan.plan.load import Values
from pipelineplan.quantities import Dimension
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.verdicts import Operand

Side = Callable[[Values], float]


def inequality(
    path: Path,
    subject: str,
    operands: Iterable[Operand | None],
    left: Side,
    right: Side,
    says: Callable[[Evaluation], str],
    *,
    dimension: Dimension | None = Dimension.DURATION,
    changes: Iterable[Change] = (),
) -> Claim:
    """The claim `left <= right` on exactly known sides; operands that are None are left out."""
    known = tuple(operand for operand in operands if operand is not None)
    symbols = {operand.symbol for operand in known}
    return Claim(
        path,
        subject,
        known,
        left=lambda values: _exactly(left(values)),
        right=lambda values: _exactly(right(values)),
        dimension=dimension,
        says=says,
        changes=tuple(change for change in changes if change.symbol in symbols),
    )


def at_most(
    path: Path,
    subject: str,
    one: Operand,
    other: Operand,
    says: Callable[[Evaluation], str],
    *,
    changes: Iterable[Change] | None = None,
) -> Claim:
    """The claim `one <= other` of two operands of the same dimension.

    Unless `changes` are given, what could be changed is the limit, upward, and then `one`, downward.
    """
    either = (Change(other.symbol, rises=True), Change(one.symbol, rises=False))
    return inequality(
        path,
        subject,
        (one, other),
        lambda values: values[one.symbol],
        lambda values: values[other.symbol],
        says,
        dimension=other.dimension,
        changes=either if changes is None else changes,
    )


def statement(path: Path, subject: str, what: str, *, true: bool, operands: Iterable[Operand] = ()) -> Claim:
    """A claim that is true or false as the plan words it, with nothing to count; `what` is said of it."""
    return Claim(
        path,
        subject,
        tuple(operands),
        left=lambda _: (0.0, 0.0) if true else (1.0, 1.0),
        right=lambda _: (0.0, 0.0),
        says=lambda _: what,
    )


def _exactly(value: float) -> Bounds:
    return (value, value)
