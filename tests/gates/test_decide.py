from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.errors import Position
from pipelineplan.gates import TITLES, GateDecision, GateState, decide, overall, stage_of
from pipelineplan.plan import Plan, read_plan
from pipelineplan.quality import CheckResult, CheckVerdict, QualityReport
from pipelineplan.simulation import Figure, ScenarioResult, SimulationResult, SloVerdict
from pipelineplan.verdicts import Finding, Severity, Verdict

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: gates, quality_level: {level}}}
sources: [{{id: s, rate: 10/s}}]
sinks: [{{id: out, inputs: [s]}}]
"""
CODES = ("CTX101", "SRC101", "EVT101", "CAP101", "SCD101", "FIL101", "SCH101", "REC101", "SLO101", "CUT101")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_at(tmp_path, "production")


def plan_at(folder: Path, level: str) -> Plan:
    file = folder / f"{level}.yaml"
    file.write_text(PLAN.format(level=level))
    return read_plan(file)


def finding(
    code: str, verdict: Verdict = Verdict.HOLDS, severity: Severity = Severity.ERROR, *rests_on: str
) -> Finding:
    place = Position("plan.yaml", 3, 5)
    return Finding(code, verdict, severity, "title", f"says {code}", "$.stages[0]", place, rests_on=rests_on)


def all_hold(*others: Finding) -> tuple[Finding, ...]:
    replaced = {other.code for other in others}
    return (*(finding(code) for code in CODES if code not in replaced), *others)


def simulated(verdict: Verdict, objective: str = "freshness p95") -> SimulationResult:
    figure = Figure(300.0, 280.0, 320.0, "s", "T1", "exact")
    slo = SloVerdict("out", objective, 240.0, figure, verdict, "5 min against 4 min", "$.slos[0]")
    return SimulationResult((ScenarioResult("peak", "Peak", "s", {}, {}, (slo,), (), ()),))


def report(verdict: CheckVerdict, severity: Severity = Severity.ERROR) -> QualityReport:
    place = Position("c.yaml", 1, 1)
    check = CheckResult(
        "orders", "id is not null", "completeness", severity, verdict, "null", "$", place, "gx", "e"
    )
    return QualityReport({"orders": 10}, (check,))


def by_gate(decisions: tuple[GateDecision, ...]) -> dict[str, GateDecision]:
    return {decision.gate: decision for decision in decisions}


@pytest.mark.parametrize(
    ("code", "gate"),
    [("EVT301", "W3"), ("CAP201", "W4"), ("CHK101", "W4"), ("SCD101", "W5"),
     ("SCH101", "W7"), ("CUT101", "W10"), ("DEC103", "W3"),
     ("CTX101", "W1"), ("SRC101", "W2"), ("ZZZ999", "W12")],
)  # fmt: skip
def test_every_finding_belongs_to_one_gate(code: str, gate: str) -> None:
    assert stage_of(code) == gate


def test_there_is_a_decision_for_each_of_the_twelve_gates(plan: Plan) -> None:
    assert tuple(by_gate(decide(plan, all_hold()))) == tuple(TITLES)


def test_a_failing_error_fails_its_gate_and_names_its_place(plan: Plan) -> None:
    decided = by_gate(decide(plan, all_hold(finding("CAP101", Verdict.FAILS))))
    assert decided["W4"].state is GateState.FAIL
    assert decided["W4"].reasons == ("CAP101 says CAP101",)
    assert "CAP101 fails $.stages[0] (plan.yaml:3:5)" in decided["W4"].evidence
    assert decided["W5"].state is GateState.PASS


def test_a_failing_warning_is_a_reason_and_fails_nothing(plan: Plan) -> None:
    decided = by_gate(decide(plan, all_hold(finding("CAP101", Verdict.FAILS, Severity.WARNING))))
    assert decided["W4"].state is GateState.PASS
    assert decided["W4"].reasons == ("CAP101 says CAP101",)


def test_what_rests_on_an_assumption_is_unknown_and_under_strict_fails(plan: Plan) -> None:
    resting = all_hold(finding("CAP101", Verdict.FAILS, Severity.ERROR, "d"))
    assert by_gate(decide(plan, resting))["W4"].state is GateState.UNKNOWN
    assert by_gate(decide(plan, resting, strict=True))["W4"].state is GateState.FAIL


def test_a_stage_that_no_rule_speaks_of_is_unknown_and_not_passed(plan: Plan) -> None:
    findings = tuple(one for one in all_hold() if one.code != "SLO101")
    decided = by_gate(decide(plan, findings))["W9"]
    assert decided.state is GateState.UNKNOWN
    assert "no rule says anything" in decided.open_points[0]


def test_without_a_simulation_and_data_the_gates_say_what_to_run(plan: Plan) -> None:
    decided = by_gate(decide(plan, all_hold()))
    assert decided["W3"].state is GateState.UNKNOWN
    assert "pipelineplan simulate" in decided["W3"].open_points[0]
    assert decided["W8"].state is GateState.UNKNOWN
    assert "pipelineplan test" in decided["W8"].open_points[0]


@pytest.mark.parametrize(
    ("objective", "gate", "other"), [("freshness p95", "W3", "W4"), ("drain", "W4", "W3")]
)
def test_a_simulated_promise_that_breaks_fails_the_gate_it_belongs_to(
    plan: Plan, objective: str, gate: str, other: str
) -> None:
    decided = by_gate(
        decide(plan, all_hold(), simulated(Verdict.FAILS, objective), report(CheckVerdict.PASS))
    )
    assert decided[gate].state is GateState.FAIL
    assert decided[other].state is GateState.PASS


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (CheckVerdict.PASS, GateState.PASS),
        (CheckVerdict.FAIL, GateState.FAIL),
        (CheckVerdict.NOT_EVALUATED, GateState.UNKNOWN),
    ],
)
def test_the_quality_run_decides_its_gate(plan: Plan, verdict: CheckVerdict, state: GateState) -> None:
    decided = by_gate(decide(plan, all_hold(), simulated(Verdict.HOLDS), report(verdict)))
    assert decided["W8"].state is state


def test_a_failed_capacity_gate_blocks_the_cutover_that_takes_its_thresholds_from_it(plan: Plan) -> None:
    decided = by_gate(decide(plan, all_hold(finding("CAP101", Verdict.FAILS))))
    assert decided["W10"].state is GateState.BLOCKED
    assert decided["W10"].reasons[0] == "rests on W4 Volume, state, performance and cost, which fails"
    assert decided["W12"].state is GateState.BLOCKED


def test_a_gate_that_fails_itself_says_so_although_it_is_blocked_too(plan: Plan) -> None:
    failing = all_hold(finding("CAP101", Verdict.FAILS), finding("CUT101", Verdict.FAILS))
    assert by_gate(decide(plan, failing))["W10"].state is GateState.FAIL


def test_an_experiment_needs_three_gates(tmp_path: Path) -> None:
    decided = decide(plan_at(tmp_path, "experiment"), all_hold(finding("CAP101", Verdict.FAILS)))
    assert [d.gate for d in decided if d.state is not GateState.NOT_REQUIRED] == ["W1", "W2", "W3"]


def test_the_overall_verdict_is_the_worst_of_the_required_gates(plan: Plan) -> None:
    decided = decide(plan, all_hold(), simulated(Verdict.HOLDS), report(CheckVerdict.PASS))
    passed = tuple(replace(decision, state=GateState.PASS) for decision in decided)
    assert overall(passed) is Verdict.HOLDS
    for state, verdict in ((GateState.UNKNOWN, Verdict.UNKNOWN), (GateState.FAIL, Verdict.FAILS)):
        assert overall((replace(passed[0], state=state), *passed[1:])) is verdict
        assert overall((replace(passed[0], state=state, required=False), *passed[1:])) is Verdict.HOLDS


def test_with_everything_held_and_run_every_gate_but_validation_passes(plan: Plan) -> None:
    """No code of this list belongs to W11, so it is unknown, and with it the bundle."""
    decided = by_gate(decide(plan, all_hold(), simulated(Verdict.HOLDS), report(CheckVerdict.PASS)))
    states = {
        gate: decision.state for gate, decision in decided.items() if decision.state is not GateState.PASS
    }
    assert states == {"W11": GateState.UNKNOWN, "W12": GateState.UNKNOWN}


def vouched(verdict: Verdict, severity: Severity = Severity.WARNING) -> Finding:
    return replace(finding("ATT103", verdict, severity), subject="S11.1 0")


def test_what_somebody_vouched_for_belongs_to_the_gate_of_its_criterion(plan: Plan) -> None:
    gates = by_gate(decide(plan, all_hold(vouched(Verdict.HOLDS)), simulated(Verdict.HOLDS)))
    assert any(text.startswith("ATT103 holds") for text in gates["W10"].evidence)


def test_a_word_older_than_its_validity_leaves_its_gate_open_again(plan: Plan) -> None:
    held = by_gate(decide(plan, all_hold(vouched(Verdict.HOLDS))))["W10"]
    ended = by_gate(decide(plan, all_hold(vouched(Verdict.FAILS))))["W10"]
    assert (held.state, ended.state) == (GateState.PASS, GateState.UNKNOWN)
    assert ended.reasons == ("open again: ATT103 says ATT103",)
    informs = by_gate(decide(plan, all_hold(vouched(Verdict.FAILS, Severity.INFO))))["W10"]
    assert informs.state is GateState.PASS
