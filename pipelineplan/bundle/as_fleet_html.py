"""The verdicts on many plans as one HTML page: by owner, worst first, with what is lived with and until when.

Drawn as the report of a plan is: self-contained, no script, nothing from outside, light and dark, usable
with the keyboard; whatever came from a plan is escaped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from pipelineplan.bundle.as_fleet_md import count_of, many
from pipelineplan.bundle.as_html import POLICY, part
from pipelineplan.bundle.escaping import html
from pipelineplan.bundle.html_findings import card
from pipelineplan.bundle.html_parts import anchor, folded, listed, mark, table, where
from pipelineplan.errors import Problem
from pipelineplan.verdicts import Accepted, Finding, Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts

SOON_DAYS = 30
NOBODY = "no owner stated"


def as_fleet_html(
    results: Sequence[PlanVerdicts], problems: Iterable[Problem], as_of: dt.date, version: str = ""
) -> str:
    """The page for all `results`; acceptances that end within 30 days of `as_of` come before the plans."""
    found = list(problems)
    style = files("pipelineplan.bundle").joinpath("report.css").read_text(encoding="utf-8")
    owners = _by_owner(results)
    state = "fails" if found or any(_fails(one) for one in results) else "holds"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{html(_headline(results, found))}</title>\n<style>\n{style}</style>\n</head>\n"
        '<body>\n<a class="skip" href="#plans">Skip to the plans</a>\n<div class="frame">\n'
        f"{_nav(owners)}\n<main>\n{_top(results, found, as_of, state)}\n{_unreadable(found)}\n"
        f"{_ending(results, as_of)}\n{_owners(owners)}\n"
        f"<footer><p>Judged as of {as_of.isoformat()} by pipelineplan {html(version)}.</p></footer>\n"
        "</main>\n</div>\n</body>\n</html>\n"
    )


def _fails(result: PlanVerdicts) -> bool:
    return bool(result.at_least(Severity.ERROR))


def _headline(results: Sequence[PlanVerdicts], problems: Sequence[Problem]) -> str:
    failing = sum(map(_fails, results))
    if failing:
        return f"{failing} of {many(len(results), 'plan')} {'does' if failing == 1 else 'do'} not hold"
    if problems:
        return "Some plans cannot be read"
    return "The plan holds" if len(results) == 1 else f"All {len(results)} plans hold"


def _by_owner(results: Sequence[PlanVerdicts]) -> dict[str, list[PlanVerdicts]]:
    """Owners with the most errors first, each with its worst plan first."""
    owners: dict[str, list[PlanVerdicts]] = {}
    for result in sorted(results, key=_badness):
        owners.setdefault(result.about.owner or NOBODY, []).append(result)
    return dict(sorted(owners.items(), key=lambda pair: (_total(pair[1]), pair[0])))


def _badness(result: PlanVerdicts) -> tuple[int, int, str]:
    return (-count_of(result, Severity.ERROR), -count_of(result, Severity.WARNING), result.about.file)


def _total(results: Iterable[PlanVerdicts]) -> tuple[int, int]:
    counts = [_badness(one)[:2] for one in results]
    return (sum(errors for errors, _ in counts), sum(warnings for _, warnings in counts))


def _nav(owners: dict[str, list[PlanVerdicts]]) -> str:
    links = [("verdict", "Verdict"), ("ending", "About to expire"), ("plans", "Plans by owner")]
    entries = [f'<li><a href="#{name}">{title}</a></li>' for name, title in links]
    entries += [
        f'<li class="within"><a href="#owner-{number}">{html(owner)}</a></li>'
        for number, owner in enumerate(owners)
    ]
    return f'<nav aria-label="Contents"><ol>{"".join(entries)}</ol></nav>'


def _top(results: Sequence[PlanVerdicts], problems: Sequence[Problem], as_of: dt.date, state: str) -> str:
    errors = sum(count_of(one, Severity.ERROR) for one in results)
    accepted = sum(len(one.accepted) for one in results)
    soon = len(list(_soon(results, as_of)))
    said = (
        f"{many(len(results), 'plan')}, {many(errors, 'error')}, {many(len(problems), 'problem')} in plans "
        f"that cannot be read. Lived with: {many(accepted, 'finding')}, of which {soon} for {SOON_DAYS} days "
        "more at most."
    )
    return (
        f'<header id="verdict" class="verdict {state}"><p class="eyebrow">All plans, as of '
        f"{as_of.isoformat()}</p><h1>{html(_headline(results, problems))}</h1>"
        f'<p class="lede">{html(said)}</p>{mark(state)}</header>'
    )


def _unreadable(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    rows = ((where(str(one.position)), html(one.message), html(one.fix)) for one in problems)
    return f"<h2>Cannot be read</h2>{table('What is wrong', ('where', 'what', 'to mend it'), rows)}"


def _soon(
    results: Iterable[PlanVerdicts], as_of: dt.date
) -> Iterator[tuple[dt.date, PlanVerdicts, Finding, Accepted]]:
    for result in results:
        for one in result.accepted:
            if one.accepted is None or not one.accepted.until:
                continue
            day = dt.date.fromisoformat(one.accepted.until)
            if (day - as_of).days <= SOON_DAYS:
                yield day, result, one, one.accepted


def _ending(results: Sequence[PlanVerdicts], as_of: dt.date) -> str:
    found = sorted(_soon(results, as_of), key=lambda each: (each[0], each[1].about.file, each[2].code))
    rows = (
        (
            html(day.isoformat()),
            html(result.about.name),
            f"{html(one.code)} {html(one.subject)}",
            html(accepted.reason),
            html(accepted.owner or result.about.owner or NOBODY),
            where(str(accepted.position)),
        )
        for day, result, one, accepted in found
    )
    head = ("until", "plan", "finding", "why", "whose", "where")
    inside = (
        table(f"What is lived with for {SOON_DAYS} days more at most", head, rows)
        if found
        else f"<p>Nothing that is lived with ends within {SOON_DAYS} days.</p>"
    )
    return part("ending", "About to expire", inside)


def _owners(owners: dict[str, list[PlanVerdicts]]) -> str:
    parts = [
        f'<section id="owner-{number}" aria-label="{html(owner)}"><h3>{html(owner)}</h3>'
        f'<div class="stack">{"".join(_plan(one) for one in results)}</div></section>'
        for number, (owner, results) in enumerate(owners.items())
    ]
    return part("plans", "Plans by owner", "".join(parts))


def _plan(result: PlanVerdicts) -> str:
    errors, warnings = (count_of(result, one) for one in (Severity.ERROR, Severity.WARNING))
    loud = [one for one in result.failing if one.counts_as(strict=result.strict) is not Severity.INFO]
    quiet = [one for one in result.failing if one not in loud]
    counts = f"{many(errors, 'error')}, {many(warnings, 'warning')}, {result.count(Verdict.UNKNOWN)} unknown"
    cards = "".join(card(one, one.counts_as(strict=result.strict).value) for one in loud)
    rest = listed(f"<b>{html(one.code)}</b> {html(one.message)} {where(str(one.position))}" for one in quiet)
    parts = [where(f"{result.about.file}, {result.about.quality_level}"), cards]
    if quiet:
        parts.append(folded(f"{len(quiet)} that only inform", "", rest, level=5))
    if result.accepted:
        parts.append(folded(f"{len(result.accepted)} lived with", "", _lived_with(result), level=5))
    state = "fails" if errors else "holds"
    name = f"plan-{anchor(result.about.file)}"
    return folded(f"{result.about.name}: {counts}", state, "".join(parts), name=name, level=4)


def _lived_with(result: PlanVerdicts) -> str:
    return listed(
        f"<b>{html(one.code)}</b> {html(one.subject)}: {html(one.accepted.reason)}"
        f"{html(f', until {one.accepted.until}') if one.accepted.until else ''} "
        f"{where(str(one.accepted.position))}"
        for one in result.accepted
        if one.accepted is not None
    )
