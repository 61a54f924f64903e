"""Recordings of mobile devices over UMTS: every figure that their authors published is reproduced.

R. Weiss, H. Expósito Jiménez, H. Zeiner: Out-of-Order Events, IoTBDS 2017; JR-DIGITAL ooo-dataset.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from pipelineplan.profiling import measure
from pipelineplan.sources import StreamProfile

RECORDED = Path(__file__).parents[2] / "../shared/data/out-of-order"
DETECTED, SENT = "S.Client.Detection.Time", "C.Send.Time"
# Which two of the recorded times each block of the published table lies between.
BLOCKS = {
    "Transmission time (srect - dt) (ms)": (DETECTED, "S.Message.received.time.ms"),
    "Round Trip Time (ms)": (SENT, "C.Arrival.Time"),
    "Full Processing Time (ms)": (DETECTED, "C.Arrival.Time"),
}


def recording(number: int) -> Path:
    file = RECORDED / f"d-{number}.csv"
    if not file.exists():
        pytest.skip("the recorded out-of-order events are not beside this repository")
    return file


def published(number: int) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The head of the summary, and its blocks: `{"median": "107", ...}` by title."""
    text = (RECORDED / f"d-{number}-summary.txt").read_text(encoding="utf-8")
    head, *blocks = re.split(r"\n\s*\n", text.strip())
    figures = [
        dict(re.findall(r"^(.*?):[ \t]*(\S.*?|)[ \t]*$", block, re.MULTILINE)) for block in (head, *blocks)
    ]
    return figures[0], {next(iter(block)): block for block in figures[1:]}


def measured_figures(profile: StreamProfile) -> dict[str, float]:
    spread = profile.lateness_seconds
    assert spread is not None
    squares = spread.deviation**2 * (profile.events - 1) / profile.events
    seconds = {
        "min": spread.least,
        "1st Q": spread.quantiles["p25"],
        "median": spread.quantiles["p50"],
        "mean": spread.mean,
        "3st Q": spread.quantiles["p75"],
        "max": spread.quantiles["max"],
        "sd": spread.deviation,
        "rms": math.sqrt(spread.mean**2 + squares),
        "p 0.95": spread.quantiles["p95"],
        "p 0.98": spread.quantiles["p98"],
    }
    return {name: value * 1000 for name, value in seconds.items()}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_events_and_out_of_order(number: int) -> None:
    profile = measure(
        [recording(number)], event_time=DETECTED, arrival_time="S.Message.received.time.ms", key="S.Device.ID"
    )
    head, _ = published(number)
    count = profile.out_of_order.count
    assert str(profile.events) == head["Events"]
    assert f"{count} ({profile.out_of_order.share:.2%})" == head["out-of-order events"]
    assert profile.keys is not None
    assert profile.keys.values in {8, 9}
    assert profile.unreadable.count == 0
    share_in_order = profile.disorder()[0]
    assert share_in_order == (0.0, pytest.approx(1 - count / profile.events))


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("title", BLOCKS)
def test_every_figure_of_every_block(number: int, title: str) -> None:
    event, arrival = BLOCKS[title]
    found = measured_figures(measure([recording(number)], event_time=event, arrival_time=arrival))
    expected = {name: value for name, value in published(number)[1][title].items() if value}
    assert len(expected) >= 8
    for name, value in expected.items():
        # The table prints seven digits.
        assert float(f"{found[name]:.7g}") == float(value), name


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_arrival_written_as_text_with_a_zone_is_the_same(number: int) -> None:
    columns = ("S.Message.received.time", "S.Message.received.time.ms")
    text, numbers = (
        measure([recording(number)], event_time=DETECTED, arrival_time=column) for column in columns
    )
    assert text.lateness_seconds == numbers.lateness_seconds
    assert text.disorder_seconds == numbers.disorder_seconds
