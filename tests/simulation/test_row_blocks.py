"""Few rows of a journal say the same as all of them: against looking at every row of every column."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.flow import row_blocks
from pipelineplan.simulation.flow.journal import Journal, first_time_at, first_times_in, least_over, value_at
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario


def written(seed: int, columns: int, steps: int) -> Journal:
    """Rows that rise, patterns that are repeated, and now and then counts that go back."""
    random = np.random.default_rng(seed)
    journal, now, counts = Journal(columns), 0.0, np.zeros(columns)
    journal.write(now, counts)
    pattern = np.cumsum(random.random((6, columns)) * (random.random((6, columns)) < 0.5), axis=0)
    place = journal.learn(pattern)
    for _ in range(steps):
        match random.integers(5):
            case 0:
                journal.repeat(place, now + np.arange(1.0, 7.0), counts)
                now, counts = now + 6.0, counts + pattern[-1]
            case 1:
                journal.write(now, counts)
                counts = counts - random.random(columns) * np.minimum(counts, 3.0)
            case 2:
                counts = counts + random.choice([0.0, 1.0, 100.0]) * (np.arange(columns) == 0)
                now += 1.0
            case _:
                counts = counts + random.random(columns) * (random.random(columns) < 0.7)
                now += float(random.integers(2)) + 0.5
        journal.write(now, counts)
    return journal


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([3, 60]), st.sampled_from([4, 1024]))
def test_every_question_has_the_answer_of_all_rows(seed: int, columns: int, steps: int, block: int) -> None:
    journal = written(seed, columns, steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_blocks, "_ROWS_IN_A_BLOCK", block)
        when = np.linspace(0.0, float(journal.time[-1]), 37)
        for number in range(columns):
            curve = journal.column(number)
            counts = np.linspace(0.0, 1.1 * float(curve.max()), 29)
            assert journal.at(number, when) == pytest.approx(value_at(journal.time, curve, when))
            expected = first_time_at(journal.time, curve, counts)
            assert journal.first_time(number, counts) == pytest.approx(expected)
    shares = np.random.default_rng(seed).random(columns) * (np.arange(columns) != 1)
    assert journal.least(shares) == pytest.approx(least_over(journal, shares))


@pytest.mark.parametrize("room", [0.0, 40.0])
@pytest.mark.parametrize("hottest", [0.0, 0.2])
def test_a_run_is_read_alike(hottest: float, room: float) -> None:
    """With a partition that falls behind for good, a failure, and a stall that repeats itself."""
    stages = (
        Stage("enrich", 6, 20.0),
        Stage("mart", 4, 30.0, Exchange.KEYED, buffer_records=room),
    )
    network = Network(SourceLog("log", 6, hottest), stages, Checkpoint(10.0, 1.0, sync_stall_seconds=0.5))
    outages = (Outage(Breaks.JOB, 205.0, 5.0, 20.0, 4.0),)
    case = Scenario(
        "case", ((0.0, 70.0), (400.0, 60.0)), outages, horizon_seconds=900.0, settle_seconds=900.0
    )
    fluid = run_scenario(network, replace(case, name=f"{hottest}")).fluid
    journal, shares = fluid.journal, fluid.shares
    assert journal.least(shares) == pytest.approx(least_over(journal, shares), rel=1e-11)
    counts = np.linspace(0.0, 70_000.0, 501)
    assert journal.first_times(shares, counts) == pytest.approx(first_times_in(journal, shares, counts))
