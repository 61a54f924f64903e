"""Transcripts of panes, played by `eventtime` under every rule, and by Apache Beam itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.panes import Accumulation, Pane, Paning, Played, Player
from pipelineplan.eventtime.timeliness import FixedWindows, Timeliness
from pipelineplan.eventtime.window_kinds import (
    ALWAYS,
    GlobalWindow,
    SessionWindows,
    SlidingWindows,
    Windows,
)
from tests.eventtime.beam_panes import SEEN, Bundle, beam_panes

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = [
    pytest.param(transcript, id=f"{file.stem}: {transcript['name']}")
    for file in sorted((FOLDER / "panes").glob("*.yaml"))
    for transcript in yaml.safe_load(file.read_text(encoding="utf-8"))
]
RULES = list(EngineRule)


def windows_of(said: dict[str, int]) -> Windows:
    late, offset = said.get("allowed_lateness", 0), said.get("offset", 0)
    if "session" in said:
        return SessionWindows(said["session"], late)
    if "global" in said:
        return GlobalWindow()
    if "sliding" in said:
        return SlidingWindows(said["sliding"], said["every"], late, offset)
    return FixedWindows(said["fixed"], late, offset)


def paning(transcript: dict[str, Any], rule: EngineRule) -> Paning:
    accumulation = Accumulation(transcript.get("accumulation", "accumulating"))
    return Paning(
        windows_of(transcript["windows"]),
        rule,
        accumulation,
        transcript.get("early_count"),
        transcript.get("early_delay"),
        transcript.get("late_count", 1),
    )


def said_for(by_engine: dict[str, list[str]], rule: EngineRule) -> list[str] | None:
    """What stands under the rule's own name, or its family's, or `all`; None where it cannot be said."""
    family = "flink" if rule.is_flink else "beam"
    return next((by_engine[name] for name in (rule.value, family, "all") if name in by_engine), None)


def bundles(transcript: dict[str, Any]) -> list[Bundle]:
    """One record per bundle."""
    found: list[Bundle] = []
    for step in transcript["steps"]:
        if "clock" in step:
            continue
        if "watermark" in step:
            found.append(([], ALWAYS[1] if step["watermark"] == "end" else step["watermark"]))
        else:
            number = sum(len(records) for records, _ in found)
            found.append(([(number, step.get("key", "a"), step["at"])], None))
    return found


def ticks(transcript: dict[str, Any]) -> dict[int, int]:
    """After which bundle the clock moves, and by how many seconds."""
    found, bundle, now = {}, 0, 0
    for step in transcript["steps"]:
        if "clock" in step:
            found[bundle], now = (step["clock"] - now) // 1000, step["clock"]
        else:
            bundle += 1
    return found


def played(transcript: dict[str, Any], rule: EngineRule) -> Played:
    player = Player(paning(transcript, rule))
    for step in transcript["steps"]:
        if "clock" in step:
            player.tick(step["clock"])
        elif "watermark" in step:
            player.advance(ALWAYS[1] if step["watermark"] == "end" else step["watermark"])
        else:
            player.take(step.get("key", "a"), step["at"])
    return player.played()


def written(panes: list[Pane], transcript: dict[str, Any]) -> list[str]:
    keyed = any("key" in step for step in transcript["steps"])
    texts = []
    for pane in panes:
        key = f"{pane.key} " if keyed else ""
        numbers = "".join(f" {record}" for record in pane.records)
        span = "always" if (pane.start_ms, pane.end_ms) == ALWAYS else f"{pane.start_ms}..{pane.end_ms}"
        texts.append(f"{key}{span} {pane.timing}:{numbers}")
    return texts


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_each_pane_is_as_the_engine_fires_it(transcript: dict[str, Any], rule: EngineRule) -> None:
    expected = said_for(transcript["panes"], rule)
    if expected is None:
        with pytest.raises(ValueError, match="wanted Beam"):
            played(transcript, rule)
        return
    found = played(transcript, rule)
    assert written(list(found.panes), transcript) == expected
    dropped = [p for p in found.placements if p.timeliness is Timeliness.DROPPED]
    said = [f"{p.record} from {p.start_ms}..{p.end_ms}" for p in dropped]
    assert said == (said_for(transcript.get("dropped", {"all": []}), rule) or [])


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
def test_beam_python_fires_the_same(transcript: dict[str, Any]) -> None:
    rule = EngineRule.BEAM_PYTHON
    if transcript.get("beam_stalls"):
        with pytest.raises(TypeError):
            beam_panes(paning(transcript, rule), bundles(transcript), ticks(transcript))
    else:
        beam_panes(paning(transcript, rule), bundles(transcript), ticks(transcript))
    # Bundles of several windows are spread over workers: the order of equal instants is not Beam's promise.
    assert sorted(written(SEEN, transcript)) == sorted(said_for(transcript["panes"], rule) or [])
