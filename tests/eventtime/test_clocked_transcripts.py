"""Transcripts of what TestStream cannot express: probes, idle partitions, stream time, micro-batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.emission import Periodic, periodic_watermarks
from pipelineplan.eventtime.other_engines import kafka_streams_drops, spark_drops
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import NEVER, Scope, Watermark

FOLDER = Path(__file__).parents[1] / "transcripts"


def read(folder: str) -> list[Any]:
    return [
        pytest.param(transcript, id=f"{file.stem}: {transcript['name']}")
        for file in sorted((FOLDER / folder).glob("*.yaml"))
        for transcript in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("transcript", read("clocked"))
def test_each_record_finds_the_watermark_of_the_last_probe(transcript: dict[str, Any]) -> None:
    times, clocks, partition = np.array(transcript["records"], dtype=np.int64).T
    partitions = transcript.get("partitions", 1)
    watermark = Watermark(0, Scope.PER_PARTITION if partitions > 1 else Scope.MERGED, partitions)
    periodic = Periodic(transcript["interval"], 0, transcript.get("idle_timeout"))
    found = periodic_watermarks(watermark, periodic, times, clocks, partition, EngineRule.BEAM_MODEL)
    assert ["NONE" if w == NEVER else w for w in found.tolist()] == transcript["watermarks"]
    flink = periodic_watermarks(watermark, periodic, times, clocks, partition)
    assert (flink[found != NEVER] == found[found != NEVER] - 1).all()


@pytest.mark.parametrize("transcript", read("dropped"))
def test_engines_without_such_a_watermark_drop_by_their_own_rule(transcript: dict[str, Any]) -> None:
    times, second = np.array(transcript["records"], dtype=np.int64).T
    drops = {"kafka-streams": kafka_streams_drops, "spark": spark_drops}[transcript["engine"]]
    found = drops(FixedWindows(10), times, second, transcript["patience"])
    assert np.flatnonzero(found).tolist() == transcript["dropped"]


def test_there_are_enough_transcripts() -> None:
    every = [t for file in sorted(FOLDER.rglob("*.yaml")) for t in yaml.safe_load(file.read_text("utf-8"))]
    assert len(every) >= 60
    assert len({transcript["name"] for transcript in every}) == len(every)
