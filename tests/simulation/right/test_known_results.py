"""Everything that is known comes out: one test of each file of simulations/known_results."""

from pathlib import Path

import pytest

from tests.simulation.right.experiments import late_integral
from tests.simulation.right.known import FILES, kind_of, outcomes, read_known

CASES = {file.stem: read_known(file) for file in FILES}
LEAST = {"network": 15, "closed_form": 20, "experiment": 10}


@pytest.mark.parametrize("name", CASES)
def test_what_is_known_comes_out(name: str) -> None:
    case = CASES[name]
    assert case["known"] == name
    assert case["citation"]
    assert case["says"]
    for outcome in outcomes(case):
        assert outcome.close, outcome


def test_there_are_known_results_of_each_kind() -> None:
    kinds = [kind_of(case) for case in CASES.values()]
    assert {kind: kinds.count(kind) >= least for kind, least in LEAST.items()} == dict.fromkeys(LEAST, True)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].get("experiment") == "late_share"])
def test_what_is_known_of_late_records_is_the_integral(name: str) -> None:
    case = CASES[name]
    assert late_integral(**case["inputs"]) == pytest.approx(case["expect"]["value"], rel=1e-3)


def test_what_is_not_known_is_noticed(tmp_path: Path) -> None:
    """A drain that is 1 % off, and a share that is not there, do not pass."""
    case = CASES["outage"]
    off = {**case, "expect": {"drain_seconds": {"value": 1212, "tolerance": 1e-3}}}
    assert [each.close for each in outcomes(off)] == [False]
    with pytest.raises(KeyError):
        outcomes({**case, "expect": {"nobody": {"value": 1, "tolerance": 1}}})
