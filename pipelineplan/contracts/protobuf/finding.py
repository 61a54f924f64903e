"""A change of a Protobuf schema, and how to build the record that shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility, Witness
from pipelineplan.contracts.protobuf.sample import NoRecordError


@dataclass(frozen=True)
class Finding:
    """A change, and its record: built from the inside out, and only where it is shown."""

    change: Change
    record: Callable[[], Any] | None = None
    outcome: str = "misread"

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


def broken(
    change: str, path: str, reason: str, record: Callable[[], Any] | None, outcome: str = "misread"
) -> Finding:
    """A change that keeps some record from being read as it was meant."""
    return Finding(Change(change, path, reason), record, outcome)


def minded(
    change: str,
    policy: str,
    path: str,
    reason: str,
    record: Callable[[], Any] | None = None,
    outcome: str = "misread",
) -> Finding:
    """A change that a policy with a name lets pass or refuses."""
    return Finding(Change(change, path, reason, Compatibility.POLICY, policy), record, outcome)
