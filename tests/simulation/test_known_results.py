import math
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipelineplan.eventtime.emission import Periodic
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.measures import measure
from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

FOLDER = Path(__file__).parents[2] / "simulations" / "known_results"
ALL = sorted(FOLDER.glob("*.yaml"))
CASES = {file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in ALL}
FILES = [file for file, case in CASES.items() if "network" in case]
CLOSED_FORMS = [file for file, case in CASES.items() if "closed_form" in case]
EVENT_TIME = [file for file, case in CASES.items() if "idle" in case or "late" in case]


def network_of(data: dict[str, Any]) -> Network:
    stages = tuple(
        Stage(
            **{
                **stage,
                "exchange": Exchange(stage.get("exchange", "forward")),
                "explicit_weights": tuple(stage.get("explicit_weights", ())),
                "memory": memory_of(stage.get("memory")),
            }
        )
        for stage in data["stages"]
    )
    checkpoint = Checkpoint(**data["checkpoint"]) if "checkpoint" in data else None
    visible = Visible(data.get("visible", "emit"))
    return Network(SourceLog(**data["source"]), stages, checkpoint, visible=visible)


def memory_of(data: dict[str, Any] | None) -> Memory | None:
    if data is None:
        return None
    return Memory(**{**data, "clock": Clock(data.get("clock", "processing"))})


def scenario_of(name: str, data: dict[str, Any]) -> Scenario:
    outages = tuple(Outage(**{**outage, "of": Breaks(outage["of"])}) for outage in data.get("outages", ()))
    rates = tuple((float(start), rate) for start, rate in data["rates"])
    rest = {key: data[key] for key in ("horizon_seconds", "settle_seconds") if key in data}
    return Scenario(name, rates, outages, **rest)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_simulator_meets_what_is_known(file: Path) -> None:
    case = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert case["known"] == file.stem
    assert case["citation"]
    run = run_scenario(network_of(case["network"]), scenario_of(case["known"], case["scenario"]))
    figures = measure(run)
    for name, expected in case["expect"].items():
        found = figures[name][1]
        near_zero = expected["tolerance"] if expected["value"] == 0 else 0.0
        close = math.isclose(found, expected["value"], rel_tol=expected["tolerance"], abs_tol=near_zero)
        assert close, f"{name}: found {found}, known {expected['value']}"


@pytest.mark.parametrize("file", CLOSED_FORMS, ids=lambda file: file.stem)
def test_closed_forms_meet_what_is_published(file: Path) -> None:
    case = CASES[file]
    assert case["known"] == file.stem
    assert case["citation"]
    module, _, name = case["closed_form"].partition(".")
    found = getattr(import_module(f"pipelineplan.plan.{module}"), name)(**case["inputs"])
    if isinstance(found, dict):
        assert found == case["expect"]
    else:
        assert found == pytest.approx(case["expect"]["value"], rel=case["expect"]["tolerance"])


@pytest.mark.parametrize("file", EVENT_TIME, ids=lambda file: file.stem)
def test_event_time_meets_what_is_known(file: Path) -> None:
    case = CASES[file]
    assert case["known"] == file.stem
    assert case["citation"]
    found = idle_ms(**case["idle"]) if "idle" in case else late_share(**case["late"])
    assert found == pytest.approx(case["expect"]["value"], rel=case["expect"].get("tolerance", 0.0))


def idle_ms(interval_ms: int, idle_timeout_ms: int, last_event_ms: int) -> int:
    """When a partition turns idle whose only record came then."""
    return int(Periodic(interval_ms, 0, idle_timeout_ms).idle_from(np.array([last_event_ms]))[0])


def late_share(records_per_unit: float, lag_units: float, partitions: int) -> float:
    """The share of 400,000 Poisson records with exponential delays that come after the watermark."""
    random, unit, records = np.random.default_rng(20), 1_000_000, 400_000
    born = np.cumsum(random.exponential(1 / records_per_unit, records))
    order = np.argsort(born + random.exponential(1.0, records), kind="stable")
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    judgement = Judgement(Watermark(round(lag_units * unit), scope, partitions), FixedWindows(1))
    times = np.round(born[order] * unit).astype(np.int64)
    return float((classify(judgement, times, random.integers(0, partitions, records)).timeliness > 0).mean())


def test_there_are_known_results() -> None:
    assert len(FILES) >= 9
    assert len(CLOSED_FORMS) >= 20
    assert len(EVENT_TIME) >= 3
    assert {*FILES, *CLOSED_FORMS, *EVENT_TIME} == set(ALL)
