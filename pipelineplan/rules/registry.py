"""What a rule is, and the registry that every rule enters by its decorator.

    @rule("CAP101", title="The busiest worker keeps up", ...)
    def keeps_up(plan: Plan) -> Iterator[Claim]: ...

A rule is a small pure function of the plan that yields claims; turning claims
into findings, explaining them and searching for the nearest value that holds is done once, here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipelineplan.documents import dotted
from pipelineplan.plan import Plan
from pipelineplan.quantities import Dimension, QuantityError, parse, say
from pipelineplan.rules.claim import Change, Claim, Evaluation, evaluate, holds_with, nearest
from pipelineplan.verdicts import Finding, Operand, Severity, Verdict, fingerprint, only_counted, say_value

Status = Literal["preview", "stable", "deprecated"]
Judge = Callable[[Plan], Iterable[Claim]]

BY_LEVEL: Mapping[str, Severity] = {
    "experiment": Severity.INFO,
    "prototype": Severity.WARNING,
    "production": Severity.ERROR,
    "secure": Severity.ERROR,
}
ALWAYS_ERROR: Mapping[str, Severity] = dict.fromkeys(BY_LEVEL, Severity.ERROR)
ADVICE: Mapping[str, Severity] = {
    **dict.fromkeys(("experiment", "prototype"), Severity.INFO),
    **dict.fromkeys(("production", "secure"), Severity.WARNING),
}


@dataclass(frozen=True)
class Rule:
    """A rule with everything that its reference page and `explain` say about it."""

    code: str
    title: str
    why: str
    formula: str
    bad: str
    good: str
    fix: str
    source: str
    severity: Mapping[str, Severity]
    status: Status
    judge: Judge


RULES: dict[str, Rule] = {}


def rule(  # noqa: PLR0913  (all that a rule must say about itself)
    code: str,
    *,
    title: str,
    why: str,
    formula: str,
    bad: str,
    good: str,
    fix: str,
    source: str,
    severity: Mapping[str, Severity] = BY_LEVEL,
    status: Status = "preview",
) -> Callable[[Judge], Judge]:
    """Register the decorated function as the judge of `code`; a code can be taken once."""

    def register(judge: Judge) -> Judge:
        if code in RULES:
            raise ValueError(f"the rule code {code} is taken by {RULES[code].title!r}")
        RULES[code] = Rule(code, title, why, formula, bad, good, fix, source, severity, status, judge)
        return judge

    return register


def apply(one: Rule, plan: Plan, *, holding: bool = True) -> list[Finding]:
    """The verdicts of one rule on `plan`; without `holding`, those that hold are only counted."""
    return judged(one, plan, one.judge(plan), holding=holding)


def judged(one: Rule, plan: Plan, claims: Iterable[Claim], *, holding: bool = True) -> list[Finding]:
    """The verdicts of one rule on `claims`, which may rest on evidence that the rule alone does not have."""
    severity = one.severity[plan.model.metadata.quality_level]
    evaluated = ((claim, None if claim.missing else evaluate(claim)) for claim in claims)
    return [
        only_counted(one.code, severity, one.title)
        if evaluation is not None and evaluation.verdict is Verdict.HOLDS and not holding
        else _finding(one, plan, claim, evaluation, severity)
        for claim, evaluation in evaluated
    ]


def _finding(
    one: Rule, plan: Plan, claim: Claim, evaluation: Evaluation | None, severity: Severity
) -> Finding:
    position = claim.at or plan.position(claim.path)
    path = dotted(claim.path)
    verdict = Verdict.UNKNOWN if evaluation is None else evaluation.verdict
    return Finding(
        code=one.code,
        verdict=verdict,
        severity=severity,
        title=one.title,
        message=claim.missing if evaluation is None else claim.says(evaluation),
        path=path,
        position=position,
        subject=claim.subject,
        fix=one.fix,
        formula=one.formula,
        operands=claim.operands,
        nearest=_turning(evaluation),
        fingerprint=fingerprint(one.code, f"{plan.identity(claim.path)} {claim.subject}"),
        rests_on=evaluation.rests_on if evaluation is not None else (),
        source_line=plan.composed.line(claim.at) if claim.at else plan.composed.line_at(claim.path),
    )


def _turning(evaluation: Evaluation | None) -> tuple[str, ...]:
    if evaluation is None or evaluation.verdict is Verdict.HOLDS:
        return ()
    claim = evaluation.claim
    return tuple(_said(claim, change, value) for change, value in nearest(claim))


def _said(claim: Claim, change: Change, value: float) -> str:
    operand = next(operand for operand in claim.operands if operand.symbol == change.symbol)
    shown = f"{value:,.0f}" if change.whole else _rounded(claim, operand, change, value)
    bound = "at least" if change.rises else "at most"
    return f"{operand.name} {bound} {shown} (now {_now(operand, shown)}, {operand.path})"


def _now(operand: Operand, shown: str) -> str:
    """The operand as it is, with more digits where three would say what it should be."""
    if operand.shown != shown or operand.dimension is None:
        return operand.shown
    said = (say(operand.value, operand.dimension, digits) for digits in range(4, 10))
    return next((text for text in said if text != shown), shown)


def _rounded(claim: Claim, operand: Operand, change: Change, value: float) -> str:
    """Three significant digits, as near as they can be said and still make the claim hold.

    The unit that a person would choose rounds once more, so the text is read back and tried.
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 2) if value > 0 else 1.0
    toward = 1 if change.rises else -1
    start = (math.floor if change.rises else math.ceil)(value / step)
    for count in range(start, start + 20 * toward, toward):
        shown = say_value(max(0, count) * step, operand.dimension)
        read = _read_back(shown, operand.dimension)
        if read is not None and holds_with(claim, change.symbol, read):
            return shown
    return say_value(value, operand.dimension)


def _read_back(shown: str, dimension: Dimension | None) -> float | None:
    """The value that `shown` says; None for one that is beyond what a plan can hold."""
    plain = shown.replace(",", "")
    try:
        return parse(plain, dimension).value if dimension is not None else float(plain)
    except QuantityError:
        return None
