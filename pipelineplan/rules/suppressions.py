"""Findings that a comment in the plan lets pass, and what is wrong with such comments.

    stages:
      - id: count          # pipelineplan: ignore CAP101 -- ...      the stage `count`, and all in it
        capacity: 2_000/s  # pipelineplan: ignore CAP101 -- ...      this value, and what is found here

A comment speaks of what begins on its line, with everything inside it; on the first line, of the whole plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from pipelineplan.documents import dotted
from pipelineplan.documents.comments import Ignoring, comments_in, has_passed
from pipelineplan.plan import Plan
from pipelineplan.rules.accepting import complaint
from pipelineplan.verdicts import Accepted, Finding, Verdict


def with_comments(
    plan: Plan, findings: Sequence[Finding], as_of: dt.date, known: Sequence[str], *, complete: bool = True
) -> tuple[Finding, ...]:
    """`findings` with those accepted that a comment lets pass, and the findings about the comments.

    `known` are the codes that there are. Only a `complete` run, of every rule, can tell that a comment is
    unused; and one in a file that the plan shares with others (what it extends) may be used by those.
    """
    comments = comments_in(plan.own_lines)
    if not comments:
        return tuple(findings)
    accepted = list(findings)
    complaints: list[Finding] = []
    for comment in comments:
        fault = _fault(comment, as_of, known)
        if fault is not None:
            complaints.append(fault)
            continue
        places = _covered(plan, comment)
        used = [place for place, finding in enumerate(accepted) if _lets_pass(comment, places, finding)]
        for place in used:
            accepted[place] = replace(accepted[place], accepted=_as_accepted(comment))
        if not used and complete and _is_own(plan, comment):
            codes = ", ".join(comment.codes)
            complaints.append(_complaint("SUP102", f"{codes} holds here: nothing to ignore", comment))
    return (*accepted, *complaints)


def unused_comments(findings: Sequence[Finding]) -> list[Finding]:
    """The findings about comments that let nothing pass, which can be removed."""
    return [finding for finding in findings if finding.code == "SUP102"]


def _fault(comment: Ignoring, as_of: dt.date, known: Sequence[str]) -> Finding | None:
    strange = [code for code in comment.codes if not any(one.startswith(code) for one in known)]
    if comment.fault:
        return _complaint("SUP104", comment.fault, comment)
    if strange:
        close = get_close_matches(strange[0], known, n=1)
        hint = f", did you mean {close[0]}?" if close else ""
        return _complaint("SUP104", f"there is no rule {strange[0]}{hint}", comment)
    if not comment.reason:
        return _complaint("SUP103", f"{', '.join(comment.codes)} is ignored without a reason", comment)
    if has_passed(comment.until, as_of):
        codes = ", ".join(comment.codes)
        return _complaint("SUP101", f"{codes} was to be ignored until {comment.until}", comment)
    return None


def _complaint(code: str, message: str, comment: Ignoring) -> Finding:
    about = f"{comment.position.file} {comment.source_line.strip()}"
    subject = ", ".join(comment.codes)
    line = comment.source_line
    return complaint(code, message, comment.position, about=about, subject=subject, source_line=line)


def _covered(plan: Plan, comment: Ignoring) -> tuple[str, ...]:
    """The paths of what begins on the comment's line, outermost only."""
    file, line = comment.position.file, comment.of_line
    if line == _first_line(plan.composed.lines[file]):
        return ("$",)
    places = plan.composed.positions.items() | plan.composed.keys.items()
    here = {path for path, place in places if (place.file, place.line) == (file, line) and path}
    outermost = (path for path in here if not any(path[:length] in here for length in range(len(path))))
    return tuple(dotted(path) for path in outermost)


def _first_line(lines: Sequence[str]) -> int:
    said = (number for number, line in enumerate(lines, 1) if line.strip() and line.strip()[0] not in "#%-")
    return next(said, 0)


def _lets_pass(comment: Ignoring, places: tuple[str, ...], finding: Finding) -> bool:
    if finding.verdict is Verdict.HOLDS or not finding.code.startswith(comment.codes):
        return False
    where = finding.position
    on_the_line = (where.file, where.line) == (comment.position.file, comment.of_line)
    inside = any(finding.path == path or finding.path.startswith((f"{path}.", f"{path}[")) for path in places)
    return on_the_line or inside


def _as_accepted(comment: Ignoring) -> Accepted:
    return Accepted("comment", comment.reason, comment.position, comment.until)


def _is_own(plan: Plan, comment: Ignoring) -> bool:
    """Whether the file with the comment belongs to this plan alone, as far as this run can tell."""
    file = (plan.root.folder / comment.position.file).resolve()
    own = (plan.root.folder / plan.file).resolve()
    return plan.env is None and (file.parent == own if own.is_dir() else file == own)
