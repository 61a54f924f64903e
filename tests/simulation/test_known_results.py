import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.measures import measure
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

FOLDER = Path(__file__).parents[2] / "simulations" / "known_results"
FILES = sorted(FOLDER.glob("*.yaml"))


def network_of(data: dict[str, Any]) -> Network:
    stages = tuple(
        Stage(
            **{
                **stage,
                "exchange": Exchange(stage.get("exchange", "forward")),
                "explicit_weights": tuple(stage.get("explicit_weights", ())),
            }
        )
        for stage in data["stages"]
    )
    checkpoint = Checkpoint(**data["checkpoint"]) if "checkpoint" in data else None
    visible = Visible(data.get("visible", "emit"))
    return Network(SourceLog(**data["source"]), stages, checkpoint, visible=visible)


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
        close = math.isclose(
            found, expected["value"], rel_tol=expected["tolerance"], abs_tol=expected["tolerance"]
        )
        assert close, f"{name}: found {found}, known {expected['value']}"


def test_there_are_known_results() -> None:
    assert len(FILES) >= 9
