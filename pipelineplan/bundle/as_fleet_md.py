"""The verdicts on many plans as Markdown: a summary for a pull request or the page of a CI job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelineplan.bundle.escaping import code, markdown
from pipelineplan.errors import Problem
from pipelineplan.verdicts import Finding, Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts

MOST_FINDINGS = 50  # a summary that nobody reads to its end helps nobody


def as_fleet_md(results: Sequence[PlanVerdicts], problems: Iterable[Problem] = ()) -> str:
    """A line that says it all, a table of the plans, and what fails with its numbers, worst first."""
    found = list(problems)
    lines = [f"### {_headline(results, found)}", ""]
    if found:
        lines += ["| cannot be read | what is wrong |", "|---|---|"]
        lines += [f"| {code(p.position)} | {markdown(p.message)}. {markdown(p.fix)} |" for p in found]
        lines.append("")
    if results:
        lines += [
            "| plan | owner | errors | warnings | unknown | accepted |",
            "|---|---|---:|---:|---:|---:|",
        ]
        lines += [_row(result) for result in sorted(results, key=_worst_first)]
        lines.append("")
    told = [(result, one) for result in sorted(results, key=_worst_first) for one in _loud(result)]
    lines += [_item(result, one) for result, one in told[:MOST_FINDINGS]]
    if len(told) > MOST_FINDINGS:
        lines.append(f"- and {len(told) - MOST_FINDINGS} more: `pipelineplan check` lists them")
    return "\n".join(lines).rstrip() + "\n"


def _headline(results: Sequence[PlanVerdicts], problems: Sequence[Problem]) -> str:
    if problems:
        return f"{many(len(problems), 'problem')} keep plans from being read"
    failing = sum(1 for result in results if result.at_least(Severity.ERROR))
    if not results:
        return "Nothing that this change reaches"
    if failing:
        return f"{failing} of {many(len(results), 'plan')} {'does' if failing == 1 else 'do'} not hold"
    return "The plan holds" if len(results) == 1 else f"All {len(results)} plans hold"


def many(count: int, word: str) -> str:
    """`1 plan`, `2 plans`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def count_of(result: PlanVerdicts, severity: Severity) -> int:
    """How many open findings of `result` fail and count as `severity`."""
    fails = (one for one in result.failing if one.verdict is Verdict.FAILS)
    return sum(one.counts_as(strict=result.strict) is severity for one in fails)


def _worst_first(result: PlanVerdicts) -> tuple[int, int, str]:
    return (-count_of(result, Severity.ERROR), -count_of(result, Severity.WARNING), result.about.file)


def _row(result: PlanVerdicts) -> str:
    cells = (
        f"{markdown(result.about.name)} {code(result.about.file)}",
        markdown(result.about.owner or "nobody stated"),
        count_of(result, Severity.ERROR),
        count_of(result, Severity.WARNING),
        result.count(Verdict.UNKNOWN),
        len(result.accepted),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _loud(result: PlanVerdicts) -> list[Finding]:
    return [one for one in result.failing if one.counts_as(strict=result.strict) is not Severity.INFO]


def _item(result: PlanVerdicts, one: Finding) -> str:
    weight = one.counts_as(strict=result.strict).value
    nearest = f" It would hold with {markdown(one.nearest[0])}." if one.nearest else ""
    return f"- **{markdown(one.code)}** ({weight}) {code(one.position)}: {markdown(one.message)}.{nearest}"
