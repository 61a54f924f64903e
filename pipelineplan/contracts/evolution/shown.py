"""A change of a schema, and how to build the record that shows it: shared by the formats with records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Witness


class NoRecordError(Exception):
    """No finite record of the type exists, or none that is shallow enough."""


@dataclass(frozen=True)
class Finding:
    """A change, and its record: built from the inside out, and only where it is shown."""

    change: Change
    record: Callable[[], Any] | None = None
    outcome: str = "not read"

    def within(self, around: Callable[[Any], Any]) -> Finding:
        """The same change seen from outside: its record is part of a larger one."""
        inner = self.record
        return self if inner is None else replace(self, record=lambda: around(inner()))

    def shown(self, *, with_record: bool) -> Change:
        """The change, with its record where one is wanted and can be built."""
        if self.record is None or not with_record:
            return self.change
        try:
            return replace(self.change, witness=Witness(self.record(), self.outcome))
        except (NoRecordError, RecursionError):
            reason = f"{self.change.reason} (no finite record of the writer shows it)"
            return replace(self.change, reason=reason)
