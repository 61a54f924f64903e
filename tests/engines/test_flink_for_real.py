"""A small sample on a real Apache Flink; the large runs are in tests/full/flink.py."""

from __future__ import annotations

import numpy as np
import pytest

from pipelineplan.engines.flink import run_flink
from pipelineplan.engines.flink_answer import Records, Route, Run
from pipelineplan.engines.flink_environment import FlinkEnvironment, find_flink
from pipelineplan.errors import InputError
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark
from tests.full.adversarial import adversarial

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def flink() -> FlinkEnvironment:
    try:
        return find_flink()
    except InputError as error:
        pytest.skip(f"{error}")


def test_flink_does_with_adversarial_records_what_was_predicted(flink: FlinkEnvironment) -> None:
    watermark, windows = Watermark(500), FixedWindows(1000, 700)
    records = adversarial(3000, watermark, windows, seed=1)
    runs = [Run(Route.SQL, Judgement(watermark, windows, rule), records) for rule in RULES]
    runs.append(Run(Route.DATASTREAM, Judgement(watermark, windows, RULES[1]), records.first(150)))
    done = run_flink(flink, runs)
    assert [one.examples for one in done] == [(), (), ()]
    assert all(one.agrees for one in done)
    # The records lie where the two rules differ, or agreement would show nothing.
    assert done[0].measured != done[1].measured
    assert min(*done[0].measured, *done[1].measured) > 0


RULES = (EngineRule.FLINK_SQL, EngineRule.FLINK_DATASTREAM)


def test_a_wrong_prediction_is_caught(flink: FlinkEnvironment) -> None:
    """Flink with the watermark of one rule, judged by another: the comparison must not agree."""
    watermark, windows = Watermark(0), FixedWindows(1000)
    records = Records(np.array([999, 10], dtype=np.int64), np.zeros(2, dtype=np.int64))
    (done,) = run_flink(
        flink, [Run(Route.SQL, Judgement(watermark, windows, EngineRule.BEAM_MODEL), records)]
    )
    assert done.examples == (
        "key 0, window 0: predicted 2 on time, 0 late, 0 dropped; Flink 1 on time, 0 late, 1 dropped",
    )
