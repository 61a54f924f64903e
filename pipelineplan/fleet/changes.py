"""What a change brings: the plans that it reaches, and of their findings those that were not there before.

    base  --git diff, and what is not committed-->  changed files
    plan  <- contract, facts, extends, feeding plan <- one of them     judged now, and as it was at the base

A plan that looked at none of the changed files has the verdicts that it had; that follows from the list
of all files that were looked at, and not from a list of reasons.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelineplan.documents.revision import Since, since, tree_at
from pipelineplan.errors import Position
from pipelineplan.fleet.checking import Asked, Fleet, Judged, check_one, check_plans
from pipelineplan.verdicts import Accepted, Finding, Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts


@dataclass(frozen=True)
class _Before:
    """A finding as it was at the base."""

    verdict: Verdict
    severity: Severity


def check_changed(plans: Sequence[Path], asked: Asked, base: str, *, jobs: int = 0) -> Fleet:
    """The plans that differ from the merge base with `base` in anything they rest on.

    Findings that were there then, and as grave, are accepted by "base"; the rest is new. Raises
    `InputError` without git, for an unknown revision, and where history is not deep enough.
    """
    if not plans:
        return Fleet(())
    change = since(plans[0], base)
    now = check_plans(plans, asked, jobs=jobs)
    reached = [one for one in now.judged if _looked_at(one, change)]
    if not reached:
        return Fleet(())
    with tree_at(change.top, change.commit) as tree:
        then = replace(asked, cache=None, holding=False)
        return Fleet(tuple(_only_new(one, change, tree, then) for one in reached))


def _looked_at(one: Judged, change: Since) -> bool:
    """Whether a changed file is among those looked at, or lies below a folder that was listed."""
    seen = {os.path.realpath(file) for file in one.files} | set(one.files)
    return any(seen & {file, *map(str, Path(file).parents)} for file in change.files)


def _only_new(one: Judged, change: Since, tree: Path, asked: Asked) -> Judged:
    """`one` with what was there before accepted, and without the problems that were there before."""
    before = _as_it_was(one, change, tree, asked)
    if before is None:
        return one
    if one.verdicts is None:
        known = {(problem.path, problem.message) for problem in before.problems}
        new = [problem for problem in one.problems if (problem.path, problem.message) not in known]
        return replace(one, problems=tuple(new))
    if before.verdicts is None:
        return one
    then = _by_fingerprint(before.verdicts)
    reason, place = f"there at {change.revision}", Position(one.verdicts.about.file)
    accepted = Accepted("base", reason, place)
    findings = tuple(
        replace(finding, accepted=accepted) if _was_there(finding, then, one.verdicts) else finding
        for finding in one.verdicts.findings
    )
    return replace(one, verdicts=replace(one.verdicts, findings=findings))


def _by_fingerprint(verdicts: PlanVerdicts) -> dict[str, list[_Before]]:
    found: dict[str, list[_Before]] = {}
    for one in verdicts.failing:
        before = _Before(one.verdict, one.counts_as(strict=verdicts.strict))
        found.setdefault(one.fingerprint, []).append(before)
    return found


def _was_there(finding: Finding, then: dict[str, list[_Before]], verdicts: PlanVerdicts) -> bool:
    """Whether the finding was open at the base already, counted as much, and was as certain."""
    if finding.verdict is Verdict.HOLDS or finding.accepted is not None:
        return False
    rank = finding.counts_as(strict=verdicts.strict).rank
    return any(
        before.severity.rank >= rank
        and (before.verdict is finding.verdict or before.verdict is Verdict.FAILS)
        for before in then.get(finding.fingerprint, ())
    )


def _as_it_was(one: Judged, change: Since, tree: Path, asked: Asked) -> Judged | None:
    """The plan at the base: at its place, or where the change moved it from; None for a new plan."""
    place = one.plan.resolve()
    if not place.is_relative_to(change.top):
        return None
    same = tree / place.relative_to(change.top)
    if same.exists():
        return check_one(same, asked)
    if one.verdicts is None:
        return None
    gone = [tree / old.relative_to(change.top) for old in change.gone]
    return _of_the_name(one.verdicts.about.name, _plans_among(gone), asked)


def _plans_among(files: Iterable[Path]) -> list[Path]:
    """The plan files that are gone, and folders that were plans in parts."""
    found = [file for file in files if file.suffix in {".yaml", ".yml"} and file.is_file()]
    return [*found, *sorted({file.parent for file in found})]


def _of_the_name(name: str, candidates: list[Path], asked: Asked) -> Judged | None:
    """The candidate whose plan has `name`: the name says which plan it is, wherever it lies."""
    for candidate in candidates:
        judged = check_one(candidate, asked)
        if judged.verdicts is not None and judged.verdicts.about.name == name:
            return judged
    return None
