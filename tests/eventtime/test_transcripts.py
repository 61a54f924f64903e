"""Every transcript, played by `eventtime` under every engine's rule, and by Apache Beam itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, Timeliness, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark
from pipelineplan.eventtime.windows import count_windows
from tests.eventtime.beam_oracle import beam_says

FOLDER = Path(__file__).parents[1] / "transcripts"
READ: list[tuple[str, dict[str, Any]]] = [
    (file.stem, transcript)
    for file in sorted(FOLDER.glob("*.yaml"))
    for transcript in yaml.safe_load(file.read_text(encoding="utf-8"))
]
TRANSCRIPTS = [pytest.param(transcript, id=f"{file}: {transcript['name']}") for file, transcript in READ]


def judgement(transcript: dict[str, Any], rule: EngineRule) -> Judgement:
    watermark, windows = transcript["watermark"], transcript["windows"]
    return Judgement(
        Watermark(watermark["lag"], Scope(watermark.get("scope", "merged")), watermark.get("partitions", 1)),
        FixedWindows(windows["size"], windows.get("allowed_lateness", 0), windows.get("offset", 0)),
        rule,
    )


def records(transcript: dict[str, Any]) -> list[tuple[int, int]]:
    return [(record["at"], record.get("partition", 0)) for record in transcript["records"]]


def expected(transcript: dict[str, Any], rule: EngineRule) -> list[Timeliness]:
    said = [record.get("but", {}).get(rule.value, record["expect"]) for record in transcript["records"]]
    return [Timeliness[word.upper()] for word in said]


def test_there_are_enough_transcripts_and_every_divergence_names_an_engine() -> None:
    assert len(READ) >= 25
    names = {name for _, transcript in READ for r in transcript["records"] for name in r.get("but", {})}
    assert names <= {rule.value for rule in EngineRule}


@pytest.mark.parametrize("rule", EngineRule)
@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_each_record_is_judged_as_the_engine_judges_it(transcript: dict[str, Any], rule: EngineRule) -> None:
    times, partition = np.array(records(transcript), dtype=np.int64).T
    found = classify(judgement(transcript, rule), times, partition).timeliness
    assert [Timeliness(kind) for kind in found] == expected(transcript, rule)


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_each_window_counts_and_fires(transcript: dict[str, Any]) -> None:
    times, partition = np.array(records(transcript), dtype=np.int64).T
    counts = count_windows(judgement(transcript, EngineRule.BEAM_MODEL), times, partition)
    columns = (counts.on_time, counts.late, counts.dropped, counts.fired_by)
    found = {int(start): [int(c[i]) for c in columns] for i, start in enumerate(counts.start_ms)}
    assert found == transcript["counts"]


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_beam_python_says_the_same(transcript: dict[str, Any]) -> None:
    rule = EngineRule.BEAM_PYTHON
    assert beam_says(judgement(transcript, rule), records(transcript)) == expected(transcript, rule)
