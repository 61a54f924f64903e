"""ATT: what only a person can say: is it said, of a criterion that asks for it, and is it still valid?

attestations:
  - {criterion: B10.2, by: team-lead, at: 2026-11-01, valid_for: 180 d, ref: drills/2026-11.md}
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.governance import Attestation
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.criteria import Attested, Criterion, criteria
from pipelineplan.rules.inequality import statement
from pipelineplan.rules.registry import rule
from pipelineplan.verdicts import Severity

_SOURCE = "design playbook, readiness checklists"
_INFORMS: Mapping[str, Severity] = {
    **dict.fromkeys(("experiment", "prototype", "production"), Severity.INFO),
    "secure": Severity.WARNING,
}
_EXPIRY: Mapping[str, Severity] = {
    **dict.fromkeys(("experiment", "prototype"), Severity.INFO),
    **dict.fromkeys(("production", "secure"), Severity.WARNING),
}
_DESIGN = ("P", "D", "B", "T")


def asked_of(plan: Plan) -> tuple[Criterion, ...]:
    """The criteria that a person has to vouch for, at the plan's quality level and workflow."""
    model = plan.model
    design = model.metadata.workflow != "data-plan"
    return tuple(
        one
        for one in criteria()
        if isinstance(one.home, Attested)
        and one.severity[model.metadata.quality_level] is not None
        and (design or not one.id.startswith(_DESIGN))
    )


def valid_until(one: Attestation) -> dt.date | None:
    """The last day of an attestation; None when it is valid for good."""
    if one.valid_for is None:
        return None
    days = int(one.valid_for.value // 86_400)
    try:
        return dt.date.fromisoformat(one.at) + dt.timedelta(days=days)
    except OverflowError:
        return None


@rule(
    "ATT101",
    title="What only a person can say is vouched for",
    why="That a rollback was rehearsed stands in no configuration; somebody says so, with a date, or it "
    "was not.",
    formula="an attestation of every criterion that asks for one",
    bad="a production plan whose rollback nobody has rehearsed",
    good="{criterion: S11.1, by: team-lead, at: 2026-11-01, valid_for: 180 d}",
    fix="add an entry to attestations: with criterion:, by:, at: and valid_for:",
    source=_SOURCE,
    severity=_INFORMS,
)
def vouched_for(plan: Plan) -> Iterator[Claim]:
    """All criteria that nobody vouches for, as one statement."""
    asked = asked_of(plan)
    said = {one.criterion for one in plan.model.attestations}
    open_ones = [one.id for one in asked if one.id not in said]
    if asked:
        lacking = f"; nobody says {', '.join(open_ones)}" if open_ones else ""
        what = f"{len(asked) - len(open_ones)} of {len(asked)} are vouched for{lacking}"
        yield statement(("attestations",), "attestations", what, true=not open_ones)


@rule(
    "ATT102",
    title="An attestation is of a criterion that asks for one",
    why="A slip in the name leaves the criterion open, and nobody looks at it again.",
    formula="criterion is one of those whose home is an attestation",
    bad="criterion: S11.10",
    good="criterion: S11.1",
    fix="mend criterion:, from docs/reference/criteria.md",
    source=_SOURCE,
)
def of_a_criterion(plan: Plan) -> Iterator[Claim]:
    """Every attestation by the criterion that it names."""
    known = {one.id: one for one in criteria()}
    for place, one in enumerate(plan.model.attestations):
        found = known.get(one.criterion)
        asks = found is not None and isinstance(found.home, Attested)
        path: Path = ("attestations", place, "criterion")
        yield statement(path, f"{one.criterion} {place}", _of(one.criterion, found, known), true=asks)


def _of(name: str, found: Criterion | None, known: Mapping[str, Criterion]) -> str:
    if found is None:
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        return f"there is no criterion {name!r}{f' (did you mean {close[0]!r}?)' if close else ''}"
    if not isinstance(found.home, Attested):
        return f"{name} is judged by the plan itself and not by what somebody says"
    return f"{name}: {found.text}"


@rule(
    "ATT103",
    title="An attestation is still valid",
    why="A restore that was rehearsed two years ago was rehearsed by other people on another system.",
    formula="at + valid_for >= the day of judgement",
    bad="at: 2025-01-10, valid_for: 180 d, judged on 2026-11-10",
    good="at: 2026-09-01, valid_for: 180 d, judged on 2026-11-10",
    fix="do it again, and renew at:",
    source=_SOURCE,
    severity=_EXPIRY,
)
def still_valid(plan: Plan) -> Iterator[Claim]:
    """Without a day of judgement nothing can be said of a validity that ends."""
    yield from validity(plan, None)


def validity(plan: Plan, today: dt.date | None) -> Iterator[Claim]:
    """Every attestation that ends, as of `today`; one whose day lies ahead has not been given yet."""
    for place, one in enumerate(plan.model.attestations):
        last, path = valid_until(one), ("attestations", place)
        subject = f"{one.criterion} {place}"
        if last is None:
            continue
        if today is None:
            missing = f"{one.criterion} is valid until {last}: state the day of judgement with --as-of"
            yield Claim((*path, "valid_for"), subject, missing=missing)
            continue
        given = dt.date.fromisoformat(one.at) <= today
        words = f"is valid until {last}" if given else f"is of {one.at}, a day that is still to come"
        what = f"{one.criterion} {words}; judged on {today}"
        yield statement((*path, "valid_for"), subject, what, true=given and today <= last)
