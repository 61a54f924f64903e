"""A runbook for one day: steps in order, each with its owner, measure, threshold and way back.

    7 catch-up   owner team-orders   threshold lag <= 10 min ($.operations.alerts[0].above)   timeout 2 h
    left out: backfill, the plan has no replay

What the plan does not say is an open point with the path where it would be said; it is never made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipelineplan.bundle.standing import Progress

ChecklistKind = Literal["cutover", "rollback", "launch"]


@dataclass(frozen=True)
class Said:
    """A value in a step and where it comes from: `$.path (file:line:column)`, or a scenario's figure.

    `is_open` marks what nobody has said yet; then `text` says what to state, and where.
    """

    text: str
    origin: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Step:
    """One step: who does what, how one sees that it worked, by when, and how to go back.

    `valid_for` is how long its evidence counts, as the plan writes it; empty for good.
    """

    id: str
    title: str
    does: str
    owner: Said
    backup: Said
    command: str
    expect: str
    measure: Said
    threshold: Said
    timeout: Said
    rollback: Said
    valid_for: str = ""

    @property
    def open_points(self) -> tuple[str, ...]:
        """What must be stated before this step can be run."""
        parts = (
            self.owner,
            self.backup,
            self.measure,
            self.threshold,
            self.timeout,
            self.rollback,
        )
        return tuple(part.text for part in parts if part.is_open)


@dataclass(frozen=True)
class LeftOut:
    """A usual step that does not apply, and why."""

    title: str
    reason: str


@dataclass(frozen=True)
class Horizon:
    """Something that ends the way back: after `seconds` from the anchor it is gone."""

    name: str
    seconds: float
    formula: str
    origin: str


@dataclass(frozen=True)
class Deadlines:
    """Until when going back is possible: every horizon, earliest first, and when that is.

    `until` is a date and time where the plan says when the window starts, else empty.
    """

    horizons: tuple[Horizon, ...]
    anchor: str
    until: str = ""
    point_of_no_return: Said = Said("")
    open_points: tuple[str, ...] = ()

    @property
    def earliest(self) -> Horizon | None:
        """The horizon that decides."""
        return self.horizons[0] if self.horizons else None


@dataclass(frozen=True)
class Checklist:
    """A runbook with what was left out of it and what is still open; `progress` once it has begun."""

    kind: ChecklistKind
    title: str
    steps: tuple[Step, ...]
    left_out: tuple[LeftOut, ...]
    deadlines: Deadlines
    triggers: tuple[Said, ...] = ()
    progress: Progress | None = None

    @property
    def open_points(self) -> tuple[str, ...]:
        """Every open point once, in order of the steps."""
        points = [point for step in self.steps for point in step.open_points]
        points += [trigger.text for trigger in self.triggers if trigger.is_open]
        return tuple(dict.fromkeys((*points, *self.deadlines.open_points)))
