"""The page that documents `simulate --format json` names every key, and no key that is not there."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run
from pipelineplan.simulation.figures.measures import FIGURES
from pipelineplan.simulation.figures.schema import simulate_schema
from pipelineplan.simulation.figures.special_figures import SPECIAL

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
    others = set(SPECIAL) - set(scenario)
    assert set(scenario) | figure_keys == keys_of("A scenario") - others - {"states", "jobs"}
    (promise,) = scenario["slo_verdicts"]
    assert set(promise) == keys_of("A promise")
    assert set(promise["probability"]["likely"]) == {"kept", "runs", "low", "high"}
    assert set(scenario["phases"][0]) == keys_of("An outage")
    assert set(scenario["replications"]) == keys_of("Replications")
    spread = scenario["replications"]["figures"]["drain_seconds"]
    assert set(spread) == {"mean", "mean_low", "mean_high", "p05", "p50", "p95"}


def test_the_figures_have_the_units_of_the_page(document: dict[str, Any]) -> None:
    for name, (unit, _) in (FIGURES | SPECIAL).items():
        assert f"| `{name}` | {unit} |" in PAGE
    for name, (unit, _) in FIGURES.items():
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


def schema_errors(document: dict[str, Any]) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    schema = simulate_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return [
        f"{each.json_path}: {each.message}"
        for each in jsonschema.Draft202012Validator(schema).iter_errors(document)
    ]


def test_every_form_of_the_document_meets_its_schema(document: dict[str, Any]) -> None:
    assert schema_errors(document) == []
    fails = str(ROOT / "examples" / "demo-fails" / "plan.yaml")
    asked = ("--solve", "stages.count.parallelism", "--until", "peak_lag <= 1", "--scenario", "peak")
    assert schema_errors(printed("simulate", HOLDS, *asked)) == []
    assert schema_errors(printed("simulate", HOLDS, fails, "--scenario", "hot-key")) == []
    assert (
        schema_errors(printed("simulate", fails, "--sensitivity", "peak_lag_records", "--scenario", "peak"))
        == []
    )


def test_the_sensitivity_is_as_documented() -> None:
    found = printed("simulate", HOLDS, "--sensitivity", "--scenario", "peak")["sensitivity"]
    documented = keys_of("`--sensitivity`") - {
        "schema",
        "tool",
        "exit_status",
        "sensitivity",
        "first_order",
        "total_order",
    }
    assert set(found) | set(found["inputs"][0]) == documented - {"margin"}


def test_the_schema_refuses_what_is_wrong(document: dict[str, Any]) -> None:
    for break_it in (
        lambda one: one.pop("verdict"),
        lambda one: one["scenarios"][0].update(tier="T9"),
        lambda one: one["scenarios"][0]["drain_seconds"].pop("tier"),
        lambda one: one["scenarios"][0]["drain_seconds"].update(unit="min"),
        lambda one: one["scenarios"][0].update(drain_time=12.0),
        lambda one: one.update(schema="pipelineplan/simulate/v2"),
    ):
        broken = copy.deepcopy(document)
        break_it(broken)
        assert schema_errors(broken)


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--for", "simulate"]) == 0
    assert json.loads(capsys.readouterr().out) == simulate_schema()
