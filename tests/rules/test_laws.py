"""What is true of every rule: repairs repair, explaining is judging, names survive edits."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import pipelineplan.rules.claim as claim_module
from pipelineplan.errors import Position
from pipelineplan.gates.schema_changes import SIMULATED, simulated_claims
from pipelineplan.plan import read_plan
from pipelineplan.quantities import Dimension, parse
from pipelineplan.rules import RULES, apply
from pipelineplan.rules.claim import Bounds, Change, Claim, evaluate, holds_with, nearest
from pipelineplan.rules.registry import rule
from pipelineplan.simulation import simulate
from pipelineplan.verdicts import Basis, Finding, Operand, Severity, Verdict
from pipelineplan.workflow import check

HERE = Path(__file__).parent


def runner() -> Any:
    """The module beside this one: tests are no package."""
    spec = importlib.util.spec_from_file_location("rule_cases", HERE / "test_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = runner()
OPEN = [
    pytest.param(code, case, id=f"{code}: {case['name']}")
    for code, file in cases.FILES.items()
    for case in file["cases"]
    if case["verdict"] in {"fails", "unknown"}
]
SAID = re.compile(
    r"(?P<name>.+) at (?P<side>least|most) (?P<value>.+) \(now (?P<now>.*), (?P<path>\$\S*)\)\Z"
)


def said(change: str, finding: Finding) -> tuple[Operand, str, bool]:
    """The operand that a nearest value is of, the value as text, and whether it has to rise."""
    match = SAID.match(change)
    assert match, change
    operand = next(o for o in finding.operands if o.name == match["name"] and o.path == match["path"])
    return operand, match["value"].replace(",", ""), match["side"] == "least"


def claim_of(finding: Finding, folder: Path) -> Claim:
    plan = read_plan(folder / "plan.yaml")
    claims = RULES[finding.code].judge(plan)
    if finding.code in SIMULATED:
        claims = simulated_claims(plan, simulate(plan))[finding.code]
    return next(claim for claim in claims if claim.subject == finding.subject)


@pytest.mark.parametrize(("code", "case"), OPEN)
def test_law_the_nearest_value_holds_and_a_percent_less_does_not(
    code: str, case: dict[str, Any], tmp_path: Path
) -> None:
    """The value as it is *said* to people, put into the formula."""
    for finding in cases.findings_of(code, case, tmp_path):
        for change in finding.nearest:
            operand, text, rises = said(change, finding)
            value = parse(text, operand.dimension).value if operand.dimension else float(text)
            claim = claim_of(finding, tmp_path)
            whole = next(c.whole for c in claim.changes if c.symbol == operand.symbol)
            less = value - (1 if rises else -1) if whole else value * (0.99 if rises else 1.01)
            assert holds_with(claim, operand.symbol, value), change
            assert not holds_with(claim, operand.symbol, less), change


WRITABLE = {
    "parallelism": int,
    "capacity of a worker": str,
    "peak arrival rate": str,
    "time to repair": str,
    "idle timeout": str,
    "watermark lag": str,
    "allowed lateness": str,
    "transaction timeout": str,
    "broker's maximum": str,
    "checkpoint timeout": str,
    "tolerable failures": int,
    "retention": str,
}


@pytest.mark.parametrize(("code", "case"), OPEN)
def test_law_a_repair_that_is_typed_into_the_plan_repairs_it(
    code: str, case: dict[str, Any], tmp_path: Path
) -> None:
    """Not the formula this time but the whole way: the file, its reading, the rule."""
    findings = cases.findings_of(code, case, tmp_path)
    tree = yaml.safe_load((tmp_path / "plan.yaml").read_text())
    for finding in findings:
        for change in finding.nearest:
            operand, text, _ = said(change, finding)
            if operand.basis is Basis.ASSUMED or operand.name not in WRITABLE:
                continue
            path = re.sub(r"\[(\d+)\]", r"/\1", operand.path.removeprefix("$.")).replace(".", "/")
            mended = cases.patched(tree, {path: WRITABLE[operand.name](text)})
            (tmp_path / "mended.yaml").write_text(yaml.safe_dump(mended, allow_unicode=True))
            again = apply(RULES[code], read_plan(tmp_path / "mended.yaml"))
            verdicts = {f.subject: f.verdict for f in again}
            assert verdicts[finding.subject] is Verdict.HOLDS, change


def test_explaining_is_judging(tmp_path: Path) -> None:
    """`explain RULE PLAN` shows the verdicts, operands and nearest values of `check`, nothing of its own."""
    cases.findings_of("CAP201", {"set": {"outages/0/drain_target": "1 h"}}, tmp_path)
    plan = str(tmp_path / "plan.yaml")
    for code in RULES:
        explained = told("explain", code, plan)["findings"]
        checked = [f for f in told("check", plan)["plans"][0]["findings"] if f["code"] == code]
        keys = ("verdict", "message", "operands", "nearest", "path", "line", "fingerprint", "rests_on")
        assert [[f[k] for k in keys] for f in explained] == [[f[k] for k in keys] for f in checked]


def told(*arguments: str) -> Any:
    """In this process: the command line itself is tested elsewhere."""
    import contextlib
    import io

    from pipelineplan.cli import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run([*arguments, "--format", "json"])
    return json.loads(out.getvalue())


def test_the_fingerprint_survives_edits_above_and_the_position_moves(tmp_path: Path) -> None:
    cases.findings_of("CAP101", {"set": {}}, tmp_path)
    plan = tmp_path / "plan.yaml"
    before = check(plan).findings
    plan.write_text("# one\n# two\n\n" + plan.read_text())
    after = check(plan).findings
    assert [f.fingerprint for f in after] == [f.fingerprint for f in before]
    assert len({f.fingerprint for f in before if f.code in RULES}) == len(
        [f for f in before if f.code in RULES]
    )
    assert all(b.position.line - a.position.line == 3 for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_says_all_about_itself(code: str) -> None:
    one = RULES[code]
    for words in (one.title, one.why, one.formula, one.bad, one.good, one.fix, one.source):
        assert words.strip()
    assert one.why.endswith(".")
    assert re.fullmatch(r"[A-Z]{3}\d{3}", code)
    assert set(one.severity) == {"experiment", "prototype", "production", "secure"}
    assert one.judge.__doc__


def test_a_code_can_be_taken_once() -> None:
    again = rule("CAP101", title="", why="", formula="", bad="", good="", fix="", source="")
    with pytest.raises(ValueError, match="CAP101 is taken by 'The busiest worker keeps up"):
        again(lambda _: ())


def operand(symbol: str, low: float, high: float, basis: Basis = Basis.DECLARED) -> Operand:
    return Operand(symbol, symbol, (low + high) / 2, low, high, basis, "$", Position("p"), Dimension.DURATION)


def less_or_equal(*operands: Operand, limit: float) -> Claim:
    def left(values: Any) -> Bounds:
        total = sum(values.values())
        return (total, total)

    changes = tuple(Change(o.symbol, rises=False) for o in operands)
    return Claim((), "", operands, left, lambda _: (limit, limit), Dimension.DURATION, changes=changes)


@pytest.mark.parametrize(
    ("limit", "verdict"), [(30, "holds"), (29.9, "unknown"), (20, "unknown"), (19.9, "fails")]
)
def test_a_verdict_is_that_of_every_corner(limit: float, verdict: str) -> None:
    assert evaluate(less_or_equal(operand("a", 5, 10), operand("b", 15, 20), limit=limit)).verdict == verdict


def test_more_uncertainty_than_can_be_tried_is_unknown_and_never_a_guess() -> None:
    """With 14 uncertain operands not all corners are looked at; those that are might all agree."""
    many = [operand(f"x{i}", 0, 1) for i in range(14)]
    assert evaluate(less_or_equal(*many, limit=13)).verdict is Verdict.UNKNOWN
    assert not list(nearest(less_or_equal(*many, limit=13)))
    assert evaluate(less_or_equal(*many[:12], limit=12)).verdict is Verdict.HOLDS


def test_the_nearest_of_millions_is_not_counted_down_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """400 M keys against room for 3: no plan may keep `check` busy by a large number."""
    tried: list[float] = []
    holds = claim_module.holds_with
    monkeypatch.setattr(claim_module, "holds_with", lambda *given: tried.append(given[2]) or holds(*given))
    state = {"keys": 400_000_000, "bytes_per_key": "1 kB", "budget": "3 kB"}
    [found] = cases.findings_of("CAP401", {"set": {"stages/0/state": state}}, tmp_path)
    assert "keys at most 3 (now 400,000,000, $.stages[0].state.keys)" in found.nearest
    assert len(tried) < 1000


def test_an_assumption_is_named_only_where_it_decides() -> None:
    assumed = operand("a", 0, 10, Basis.ASSUMED)  # taken as 5
    assert evaluate(less_or_equal(assumed, limit=10)).rests_on == ()
    assert evaluate(less_or_equal(assumed, limit=7)).rests_on == ("a",)
    assert evaluate(less_or_equal(assumed, limit=4)).rests_on == ("a",)


def test_what_rests_on_an_assumption_informs_unless_strict(tmp_path: Path) -> None:
    case = {"set": {"sinks/0/guarantee/broker_max": None}}
    (found,) = cases.findings_of("CHK202", case, tmp_path)
    assert found.severity is Severity.ERROR
    assert (found.counts_as(), found.counts_as(strict=True)) == (Severity.INFO, Severity.ERROR)


def test_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    cases.findings_of("CAP101", {"set": {}}, tmp_path)
    command = [sys.executable, "-m", "pipelineplan", "check", "plan.yaml", "--format", "json"]
    runs = {
        subprocess.run(
            command,
            cwd=tmp_path,
            env={"PYTHONHASHSEED": seed, "PATH": "", "LC_ALL": locale},
            capture_output=True,
            check=False,
        ).stdout
        for seed, locale in (("0", "C"), ("7", "C.UTF-8"))
    }
    assert len(runs) == 1
    assert json.loads(runs.pop())["plans"]
