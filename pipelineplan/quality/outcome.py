"""Reads what Great Expectations answers: pass, fail, or an exception that is neither.

{"success": false, "exception_info": {"raised_exception": true, ...}}       not evaluated
{"success": false, "exception_info": {"metric 1": {"raised_exception": true}}}    the same
{"success": false, "result": {"unexpected_count": 3, "element_count": 10}}  fail, 3 of 10 rows
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelineplan.quality.check import Check
from pipelineplan.quality.report import CheckResult, CheckVerdict

MOST_SAMPLES = 5
_LONGEST = 300
_DRIVER = re.compile(r"\A\(\S*duckdb\.(\w+)\)\s*")


@dataclass(frozen=True)
class Answer:
    """What was found for one check, before it is a result."""

    verdict: CheckVerdict
    observed: str = ""
    unexpected_count: int | None = None
    samples: tuple[str, ...] = ()
    reason: str = ""


def read_answer(validation: Any) -> Answer:
    """The answer in one `ExpectationValidationResult`.

    Not in its JSON form, which turns decimals into floats.
    """
    reason = _exception(validation.exception_info or {})
    if reason:
        return Answer(CheckVerdict.NOT_EVALUATED, reason=reason)
    verdict = CheckVerdict.PASS if validation.success else CheckVerdict.FAIL
    result = validation.result or {}
    samples = sorted(shown(value) for value in result.get("partial_unexpected_list") or ())
    return Answer(
        verdict,
        observed=shown(result["observed_value"]) if "observed_value" in result else "",
        unexpected_count=result.get("unexpected_count"),
        samples=tuple(dict.fromkeys(samples))[:MOST_SAMPLES] if verdict is CheckVerdict.FAIL else (),
    )


def result_of(check: Check, answer: Answer, row_count: int | None) -> CheckResult:
    """The result of `check` with `answer`, for a dataset of `row_count` rows."""
    return CheckResult(
        dataset=check.dataset,
        title=check.title,
        dimension=check.dimension,
        severity=check.severity,
        verdict=answer.verdict,
        rule=check.source_rule,
        path=str(check.place),
        position=check.place.position,
        run_by="pipelineplan" if check.how == "schema" else "great_expectations",
        expectation_type=check.expectation_type,
        columns=check.columns,
        observed=answer.observed,
        unexpected_count=answer.unexpected_count,
        row_count=row_count,
        samples=answer.samples,
        reason=answer.reason,
    )


def shown(value: Any) -> str:
    """A value of the data as text: bounded, one line, NULL named."""
    if value is None:
        return "NULL"
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}={shown(item)}" for key, item in value.items())
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def why(message: str) -> str:
    """The first line of an engine's message, without its module names."""
    if "INTERRUPT Error" in message:
        return "stopped: the statement ran for too long"
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return shown(_DRIVER.sub("", lines[0])) if lines else "an exception without a message"


def _exception(info: Mapping[str, Any]) -> str:
    """The first exception of either shape: one flat record, or a record per metric."""
    if "raised_exception" in info:
        return why(str(info.get("exception_message") or "")) if info["raised_exception"] else ""
    raised = [
        why(str(each.get("exception_message") or ""))
        for each in info.values()
        if isinstance(each, Mapping) and each.get("raised_exception")
    ]
    return min(raised, default="")
