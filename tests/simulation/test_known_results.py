import math
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.measures import measure
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

FOLDER = Path(__file__).parents[2] / "simulations" / "known_results"
ALL = sorted(FOLDER.glob("*.yaml"))
CASES = {file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in ALL}
FILES = [file for file, case in CASES.items() if "network" in case]
CLOSED_FORMS = [file for file, case in CASES.items() if "closed_form" in case]


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


def test_there_are_known_results() -> None:
    assert len(FILES) >= 9
    assert len(CLOSED_FORMS) >= 20
    assert {*FILES, *CLOSED_FORMS} == set(ALL)
