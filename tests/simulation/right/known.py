"""What is known of simulations/known_results, computed: a claim, how it is tried, what must come out.

    network, scenario      the simulator runs it and measures
    closed_form, inputs    a function of pipelineplan.plan
    experiment, inputs     a function of this folder's experiments.py: what a sum over many records says

`expect` is one {value, tolerance} or several by name; a tolerance is relative, of 0 absolute.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.memory import Clock, Memory
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage, Visible
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

sys.path.insert(0, str(Path(__file__).parent))
import experiments

FOLDER = Path(__file__).parents[3] / "simulations" / "known_results"
FILES = sorted(FOLDER.glob("*.yaml"))
KINDS = ("network", "closed_form", "experiment")


@dataclass(frozen=True)
class Outcome:
    """One number that is known, and what came out."""

    name: str
    found: float
    expected: float
    tolerance: float

    @property
    def close(self) -> bool:
        """Whether they agree within the tolerance."""
        near_zero = self.tolerance if self.expected == 0 else 0.0
        return math.isclose(self.found, self.expected, rel_tol=self.tolerance, abs_tol=near_zero)


def read_known(file: Path) -> dict[str, Any]:
    """One file of known results."""
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def kind_of(case: Mapping[str, Any]) -> str:
    """How the claim is tried."""
    (kind,) = [each for each in KINDS if each in case]
    return kind


def outcomes(case: Mapping[str, Any]) -> list[Outcome]:
    """What comes out, beside what is known."""
    found, expect = _found(case), case["expect"]
    wanted = {"": expect} if "value" in expect else expect
    results = found if isinstance(found, Mapping) else {"": found}
    return [Outcome(name, float(results[name]), *_value_and_tolerance(each)) for name, each in wanted.items()]


def _value_and_tolerance(expected: float | Mapping[str, float]) -> tuple[float, float]:
    if isinstance(expected, Mapping):
        return float(expected["value"]), float(expected.get("tolerance", 0.0))
    return float(expected), 0.0


def _found(case: Mapping[str, Any]) -> float | Mapping[str, float]:
    found: float | Mapping[str, float]
    if kind_of(case) == "network":
        run = run_scenario(network_of(case["network"]), scenario_of(case["known"], case["scenario"]))
        return {name: likely for name, (_, likely, _) in measure(run).items()}
    if kind_of(case) == "closed_form":
        module, _, name = case["closed_form"].partition(".")
        found = getattr(import_module(f"pipelineplan.plan.{module}"), name)(**case["inputs"])
    else:
        found = getattr(experiments, case["experiment"])(**case["inputs"])
    return found


def network_of(data: Mapping[str, Any]) -> Network:
    """A chain as the file says it."""
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


def memory_of(data: Mapping[str, Any] | None) -> Memory | None:
    """What a stage keeps, where the file says it."""
    return None if data is None else Memory(**{**data, "clock": Clock(data.get("clock", "processing"))})


def scenario_of(name: str, data: Mapping[str, Any]) -> Scenario:
    """What happens to it."""
    outages = tuple(Outage(**{**outage, "of": Breaks(outage["of"])}) for outage in data.get("outages", ()))
    rates = tuple((float(start), float(rate)) for start, rate in data["rates"])
    rest = {key: data[key] for key in ("horizon_seconds", "settle_seconds") if key in data}
    return Scenario(name, rates, outages, **rest)
