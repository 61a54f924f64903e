"""SUP: the rules about living with findings; a finding that is accepted has a reason, and an end.

    finding  --comment, or entry of the baseline-->  accepted   it no longer counts, and is still told
    comment or entry that is expired, unused, without a reason  -->  a finding of its own

They are judged when all other verdicts are there, so they stand apart from the registry.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelineplan.errors import Position
from pipelineplan.plan import Plan
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.registry import BY_LEVEL, Rule
from pipelineplan.verdicts import Finding, Severity, Verdict, fingerprint

_WARNS = dict.fromkeys(BY_LEVEL, Severity.WARNING)


def _about_no_plan(_plan: Plan) -> Iterable[Claim]:
    """Nothing is judged from a plan alone: all of them need the other findings."""
    return ()


def _rule(code: str, title: str, why: str, formula: str, example: tuple[str, str], fix: str) -> Rule:
    bad, good = example
    source = "a suppression that outlives its reason hides the next fault at the same place"
    return Rule(code, title, why, formula, bad, good, fix, source, _WARNS, "stable", _about_no_plan)


LIVING: dict[str, Rule] = {
    one.code: one
    for one in (
        _rule(
            "SUP101",
            "A suppression has not expired",
            "Its day has passed: what it let pass counts again.",
            "the day of the check <= until",
            (
                "# pipelineplan: ignore CAP101 until 2020-01-31 -- more workers come",
                "# pipelineplan: ignore CAP101 until 2099-01-31 -- more workers come",
            ),
            "mend what it let pass and remove the comment, or set a later day with a reason",
        ),
        _rule(
            "SUP102",
            "A suppression lets something pass",
            "A comment that lets nothing pass any more would hide the next finding at its place.",
            "at least one finding that does not hold is covered",
            ("a comment at a value where the rule holds", "no comment there"),
            "remove the comment; check --fix does",
        ),
        _rule(
            "SUP103",
            "A suppression says why",
            "Without a reason nobody can decide later whether it may go; it lets nothing pass.",
            "a reason stands after --",
            ("# pipelineplan: ignore CAP101", "# pipelineplan: ignore CAP101 -- more workers come"),
            "write the reason after --",
        ),
        _rule(
            "SUP104",
            "A suppression can be understood",
            "A misspelt code or day lets nothing pass, and looks as if it did.",
            "ignore CODE[, CODE] [until YYYY-MM-DD] -- reason, with codes that are known",
            ("# pipelineplan: ignore CAP999 -- why", "# pipelineplan: ignore CAP101 -- why"),
            "write it as the guide for CI shows, with a code that check prints",
        ),
        _rule(
            "SUP201",
            "An entry of the baseline has not expired",
            "Its day has passed: what it let pass counts again.",
            "the day of the check <= until",
            ("until: 2020-01-31", "until: 2099-01-31"),
            "mend the finding, or set a later day with a reason",
        ),
        _rule(
            "SUP202",
            "An entry of the baseline lets something pass",
            "The finding is gone; were it to come back, nobody would hear of it.",
            "a finding with the entry's fingerprint does not hold",
            ("an entry for a finding that was mended", "no entry for it"),
            "write the baseline again: check --write-baseline keeps what is still there",
        ),
        _rule(
            "SUP203",
            "An entry of the baseline says why",
            "Without a reason nobody can decide later whether it may go; it lets nothing pass.",
            "reason is not empty",
            ("reason: ''", "reason: there when the plan was written"),
            "write the reason",
        ),
    )
}


def complaint(
    code: str, message: str, position: Position, *, about: str, subject: str = "", source_line: str = ""
) -> Finding:
    """A finding of a rule of this family; `about` names the comment or entry without its line."""
    one = LIVING[code]
    return Finding(
        code=code,
        verdict=Verdict.FAILS,
        severity=Severity.WARNING,
        title=one.title,
        message=f"{message}; {one.fix}",
        path="$",
        position=position,
        subject=subject,
        fix=one.fix,
        formula=one.formula,
        fingerprint=fingerprint(code, about),
        source_line=source_line,
    )
