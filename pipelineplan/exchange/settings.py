"""What an export asks for that no plan says: `--set cluster=main`, and the head of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.exported import Dropped
from pipelineplan.exchange.traced import Traced

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult


@dataclass(frozen=True)
class Settings:
    """Values by name, each one that the format asks for; and the simulation, where the format reads it."""

    values: Mapping[str, str] = field(default_factory=dict)
    simulated: SimulationResult | None = None

    def get(self, name: str) -> Traced | None:
        """The value that was given, with `--set` as its origin."""
        return Traced(self.values[name], (), f"--set {name}") if name in self.values else None

    @staticmethod
    def head(dropped: Iterable[Dropped]) -> list[str]:
        """The comment lines that say whose file it is and what is not in it."""
        lines = ["Written by pipelineplan export; behind each value is the place that says it."]
        left = [str(one) for one in dropped]
        return [*lines, *(["Left out of it:", *(f"  {one}" for one in left)] if left else [])]


def read_settings(
    given: Mapping[str, str], asks: Mapping[str, str], name: str, simulated: SimulationResult | None = None
) -> Settings:
    """The settings for an export; raises `InputError` for one that it does not ask for."""
    problems = [_unknown(key, asks, name) for key in given if key not in asks]
    if problems:
        raise InputError(problems)
    return Settings(dict(given), simulated)


def _unknown(key: str, asks: Mapping[str, str], name: str) -> Problem:
    close = get_close_matches(key, list(asks), n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    wanted = f"wanted one of {', '.join(asks)}" if asks else "it asks for none"
    return Problem(f"found the setting {key!r}{hint}; {name}: {wanted}", Position("--set"))
