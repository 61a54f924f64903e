"""The same two hours away cost 2 or 18 hours of drain, by the hour at which they begin.

Source of the sizes: apache/pinot#19359 and PostHog/posthog#20283, with 50,000 records a second
that swing by 40 % over a day and a job that takes 60,000: drains of 2.1 to 17.9 h where the flat
formula says 10 h, and an oldest unread record of up to 2.88 h although the outage lasts 2 h.
"""

import math

import pytest

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Network, SourceLog, Stage
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

HOUR, DAY, STEP = 3600.0, 86_400.0, 300.0
NETWORK = Network(SourceLog("log", 1), (Stage("job", 1, 60_000.0),))


def arrived(seconds: float) -> float:
    """Records of 50,000/s (1 + 0.4 sin) up to a time."""
    turn = math.tau / DAY
    return 50_000.0 * (seconds + 0.4 / turn * (1.0 - math.cos(turn * seconds)))


def away_from(hour: float) -> tuple[float, float]:
    """Hours of drain, and the age in hours of the oldest unread record, if away for 2 h from `hour` on."""
    steps = [index * STEP for index in range(int(3 * DAY / STEP))]
    rates = tuple((start, (arrived(start + STEP) - arrived(start)) / STEP) for start in steps)
    start = DAY + hour * HOUR
    scenario = Scenario(
        "away", rates, (Outage(Breaks.SOURCE, start, 0.0, 2 * HOUR),), horizon_seconds=3 * DAY
    )
    found = measure(run_scenario(NETWORK, scenario))
    return found["drain_seconds"][1] / HOUR, found["oldest_unread_seconds"][1] / HOUR


def test_the_drain_depends_on_the_hour() -> None:
    found = [away_from(hour / 2) for hour in range(0, 48, 2)]
    drains = [drain for drain, _ in found]
    assert min(drains) == pytest.approx(2.1, abs=0.1)
    assert max(drains) == pytest.approx(17.9, abs=0.1)
    assert max(age for _, age in found) == pytest.approx(2.88, abs=0.03)
