"""What a bundle knows of Apache Beam: what was played, what was not and why; and what gates make of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.engines.beam import Difference
from pipelineplan.engines.beam_evidence import PlayedOnBeam, play_on_beam
from pipelineplan.gates.decision import GateState, decide
from pipelineplan.plan import Plan, read_plan
from pipelineplan.workflow import check

ORDERS = Path(__file__).parents[3] / "examples" / "orders-to-warehouse"
DATA = {"orders": ORDERS / "data" / "orders.csv"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan(ORDERS)


@pytest.fixture(scope="module")
def played(plan: Plan) -> PlayedOnBeam:
    return play_on_beam(plan, {**DATA, "warehouse": ORDERS / "none.csv"})


def gate(plan: Plan, played: PlayedOnBeam | None) -> tuple[GateState, tuple[str, ...], tuple[str, ...]]:
    decided = {one.gate: one for one in decide(plan, check(plan).findings, played=played)}["W3"]
    return decided.state, decided.reasons, decided.evidence


def test_the_first_records_of_a_source_are_played_and_agree(plan: Plan, played: PlayedOnBeam) -> None:
    (preview,) = played.previews
    assert (preview.rows, preview.agrees, played.not_played) == (1_000, True, ())
    evidence = gate(plan, played)[2]
    assert evidence[-1].startswith("played on Apache Beam: orders -> minute-mart, 1,000 records in ")
    assert evidence[:-1] == gate(plan, None)[2]


def test_where_beam_differs_the_gate_of_event_time_fails(plan: Plan, played: PlayedOnBeam) -> None:
    wrong = replace(played.previews[0], differences=(Difference("a", 0, 10, (1, 1), (0, 1)),))
    state, reasons, _ = gate(plan, PlayedOnBeam((wrong,)))
    assert state is GateState.FAIL
    assert reasons[0] == "Apache Beam differs from the prediction in 1 windows of orders -> minute-mart"


def test_without_the_extra_it_says_so_and_decides_nothing(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    missing = play_on_beam(plan, DATA)
    assert missing.previews == ()
    assert "orders: running a plan's windows on Apache Beam needs the extra 'beam'" in missing.not_played[0]
    state, reasons, evidence = gate(plan, missing)
    assert (state, reasons) == gate(plan, None)[:2]
    assert evidence[-1].startswith("not played on Apache Beam: orders: running a plan's windows")


def test_what_cannot_be_played_is_named(tmp_path: Path, plan: Plan) -> None:
    empty = tmp_path / "orders.csv"
    empty.write_text("order_id\n1\n", encoding="utf-8")
    assert "updated_at" in play_on_beam(plan, {"orders": empty}).not_played[0]
