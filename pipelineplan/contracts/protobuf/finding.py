"""A change of a Protobuf schema, and how to build the record that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelineplan.contracts.evolution.change import Change, Compatibility
from pipelineplan.contracts.evolution.shown import Finding


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
