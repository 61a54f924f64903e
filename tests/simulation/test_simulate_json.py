"""The page that documents `simulate --format json` names every key, and no key that is not there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run
from pipelineplan.simulation.measures import FIGURES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/simulate-json.md").read_text(encoding="utf-8")
HOLDS = str(ROOT / "examples" / "demo-holds" / "plan.yaml")


def keys_of(section: str) -> set[str]:
    """The keys in the first column of the tables under a heading."""
    text = re.split(r"^## ", PAGE.split(f"\n## {section}\n")[1], flags=re.MULTILINE)[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {key for row in rows for key in re.findall(r"`([a-z_0-9]+)`", row)}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return printed("simulate", HOLDS, "--replications", "3", "--seed", "5")


def printed(*arguments: str) -> dict[str, Any]:
    import contextlib
    import io

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        run([*arguments, "--format", "json"])
    found: dict[str, Any] = json.loads(text.getvalue())
    return found


def test_every_key_is_documented_and_there(document: dict[str, Any]) -> None:
    scenario = document["scenarios"][-1]
    figure_keys = set(scenario["peak_lag_records"])
    assert set(document) == keys_of("The document")
    assert set(scenario) | figure_keys == keys_of("A scenario")
    (promise,) = scenario["slo_verdicts"]
    assert set(promise) == keys_of("A promise")
    assert set(promise["probability"]["likely"]) == {"kept", "runs", "low", "high"}
    assert set(scenario["phases"][0]) == keys_of("An outage")
    assert set(scenario["replications"]) == keys_of("Replications")
    spread = scenario["replications"]["figures"]["drain_seconds"]
    assert set(spread) == {"mean", "mean_low", "mean_high", "p05", "p50", "p95"}


def test_the_figures_have_the_units_of_the_page(document: dict[str, Any]) -> None:
    for name, (unit, _) in FIGURES.items():
        assert f"| `{name}` | {unit} |" in PAGE
        assert document["scenarios"][0][name]["unit"] == unit


def test_a_solution_is_as_documented() -> None:
    solved = ("--solve", "stages.count.parallelism", "--until", "peak_lag <= 1", "--scenario", "peak")
    solution = printed("simulate", HOLDS, *solved)["solution"]
    assert set(solution) | set(solution["trials"][0]) == keys_of("`--solve`") - {
        "schema",
        "tool",
        "exit_status",
    }
    assert solution["found"] == "6"
