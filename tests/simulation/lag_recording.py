"""The recorded lag of examples/demo-holds: what an exporter would see of a job slower than planned.

    uv run python tests/simulation/lag_recording.py examples/demo-holds/lag.csv

Twelve workers of 1,900/s and not of 2,000/s, 9,000/s coming in of which a key has 2 %, a standstill of
10 min; an offset each 30 s.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.network import Checkpoint, Network, SourceLog, Stage
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

PARTITIONS, HOTTEST, CAPACITY, RATE, STANDSTILL, STEP = 12, 0.02, 1900.0, 9000.0, 600.0, 30.0


def recording() -> str:
    """The file as text."""
    network = Network(
        SourceLog("clicks", PARTITIONS, HOTTEST),
        (Stage("count", PARTITIONS, CAPACITY),),
        Checkpoint(60.0, 5.0),
    )
    outage = Outage(Breaks.JOB, 307.0, 0.0, STANDSTILL)
    scenario = Scenario("seen", ((0.0, RATE),), (outage,), horizon_seconds=2400.0, settle_seconds=2400.0)
    curves = Curves(run_scenario(network, scenario))
    noise = np.random.default_rng(1)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["timestamp", "topic", "partition", "current_offset", "log_end_offset"])
    for when in np.arange(0.0, curves.run.fluid.now, STEP):
        moment = np.datetime64("2026-11-09T09:00:00") + np.timedelta64(round(when), "s")
        for partition in range(PARTITIONS):
            at = np.array([when])
            read = float(value_at(curves.time, curves.read(partition), at)[0]) + noise.normal(0.0, 40.0)
            end = float(curves.shares[partition] * curves.appended_at(at)[0]) + noise.normal(0.0, 40.0)
            read, end = max(read, 0.0), max(end, 0.0)
            rows.writerow([f"{moment}Z", "clicks", partition, round(min(read, end)), round(end)])
    return text.getvalue()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(recording(), encoding="utf-8", newline="\n")
