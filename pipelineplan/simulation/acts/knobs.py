"""What acts may turn and ask, whichever model runs: the fluid, or single records.

Both models have these knobs and each turns them in its own way, so that an act is written once and
its effect is computed twice.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import simpy

    from pipelineplan.simulation.acts.retrying import RetryStorm
    from pipelineplan.simulation.network import Network
    from pipelineplan.simulation.scenario import Scenario
    from pipelineplan.simulation.sharing import Floats

Process = Generator["simpy.Event", Any, None]


class Knobs(Protocol):
    """A run in the making. Times are seconds since its start, counts are records."""

    env: simpy.Environment
    network: Network
    scenario: Scenario

    def until(self, seconds: float) -> Process:
        """Sleep until that time."""

    def slow(self, stage: str, factor: float) -> None:
        """The workers of a stage do this share of what they can, until it is said anew."""

    def fail(self, stage: str, storm: RetryStorm | None) -> None:
        """Records of a stage fail and are tried again as the storm says; None ends it."""

    def stand_still(self) -> None:
        """All workers stop, until they go on."""

    def move_on(self) -> None:
        """Lift one standing still."""

    def hold(self, partitions: tuple[int, ...]) -> None:
        """These partitions, and no others, are not read."""

    def limit(self, log: int, rate_per_second: float) -> None:
        """No more than this is read of a log from now on."""

    def read_again(self, position: Floats) -> float:
        """Readers go back to `position` `[partition]` and the job begins anew; returns the records."""

    def position(self) -> Floats:
        """How far each partition has been read."""

    def waiting(self) -> Floats:
        """Records that wait in each partition."""

    def changed(self) -> simpy.Event:
        """What happens when somebody else turns a knob next."""

    def note(self, name: str, value: float) -> None:
        """Remember a number for the figures."""
