"""The baseline of a plan: findings that were there when the tool came, with why, whose and until when.

    orders/plan.yaml     orders/plan.baseline.yaml        a folder of parts: orders/baseline.yaml

    kind: Baseline
    accepted:
      - fingerprint: 3f0c9a61d2b7e845
        finding: "CAP101 count: the busiest worker gets 1,833/s"       for people; nothing is read from it
        reason: there when the plan was written
        owner: orders
        until: 2027-01-31

An entry lets the finding with its fingerprint pass, and no other; the fingerprint does not change
when lines move. New findings count as they always do.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelineplan.documents import Document, read_document
from pipelineplan.documents.comments import day_fault, has_passed
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.fleet.replacing import replace_text
from pipelineplan.verdicts import Accepted, Finding, Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts

WHEN_WRITTEN = "there when the baseline was written"
_KIND = "Baseline"
_KEYS = ("fingerprint", "finding", "reason", "owner", "until")
_HEAD = """\
# Findings that are lived with: `pipelineplan check --baseline` lets them pass, and nothing else.
# `pipelineplan check --write-baseline` keeps the entries that are still needed, with what is written here.
kind: Baseline
"""


@dataclass(frozen=True)
class Entry:
    """One accepted finding; `until` is its last day as YYYY-MM-DD, empty for no end."""

    fingerprint: str
    finding: str
    reason: str
    position: Position
    owner: str = ""
    until: str = ""
    source_line: str = ""


def baseline_file(plan: Path) -> Path:
    """Where the baseline of the plan file or folder `plan` lies."""
    return plan / "baseline.yaml" if plan.is_dir() else plan.with_name(f"{plan.stem}.baseline.yaml")


def read_baseline(plan: Path, root: Path) -> tuple[Entry, ...]:
    """The entries of the plan's baseline, none where there is no file; `InputError` for a broken one."""
    file = baseline_file(plan)
    if not file.is_file():
        return ()
    shown = file.resolve().relative_to(root.resolve()).as_posix()
    document = read_document(file, shown)
    data = document.data
    if not isinstance(data, dict) or data.get("kind") != _KIND or not isinstance(data.get("accepted"), list):
        message = "no baseline, wanted kind: Baseline and a list accepted:"
        raise InputError([document.problem((), message, "write it with check --write-baseline")])
    problems = [fault for place in range(len(data["accepted"])) for fault in _faults(document, place)]
    if problems:
        raise InputError(problems)
    return tuple(_entry(document, place) for place in range(len(data["accepted"])))


def _faults(document: Document, place: int) -> Iterator[Problem]:
    entry = document.data["accepted"][place]
    if not isinstance(entry, dict):
        yield document.problem(("accepted", place), "wanted a mapping with fingerprint and reason")
        return
    for key, value in entry.items():
        if key not in _KEYS:
            fix = f"known are {', '.join(_KEYS)}"
            yield document.problem(("accepted", place, key), f"unknown key {key!r}", fix, at_key=True)
        elif value is not None and not isinstance(value, str):
            yield document.problem(("accepted", place, key), f"found {value!r}, wanted text", "quote it")
        elif key == "until" and (fault := day_fault(value or "")):
            yield document.problem(("accepted", place, key), fault)
    if not entry.get("fingerprint"):
        yield document.problem(("accepted", place), "'fingerprint' is missing")


def _entry(document: Document, place: int) -> Entry:
    values = {key: value or "" for key, value in document.data["accepted"][place].items()}
    position = document.position(("accepted", place))
    said = {key: values.get(key, "") for key in _KEYS}
    return Entry(**said, position=position, source_line=document.line(position))


def with_baseline(
    findings: Sequence[Finding], entries: Sequence[Entry], as_of: dt.date, *, complete: bool = True
) -> tuple[Finding, ...]:
    """`findings` with those accepted that an entry names, and the findings about the entries themselves.

    Only a `complete` run, of every rule, can tell that an entry is unused.
    """
    complaints = [
        fault for entry in entries for fault in _complaints(entry, findings, as_of, complete=complete)
    ]
    valid = {
        entry.fingerprint: entry for entry in entries if entry.reason and not has_passed(entry.until, as_of)
    }
    return (*(_accepted(finding, valid.get(finding.fingerprint)) for finding in findings), *complaints)


def _accepted(finding: Finding, entry: Entry | None) -> Finding:
    if entry is None or finding.verdict is Verdict.HOLDS or finding.accepted is not None:
        return finding
    accepted = Accepted("baseline", entry.reason, entry.position, entry.until, entry.owner)
    return replace(finding, accepted=accepted)


def _complaints(
    entry: Entry, findings: Sequence[Finding], as_of: dt.date, *, complete: bool
) -> Iterator[Finding]:
    there = [one for one in findings if one.fingerprint == entry.fingerprint]
    wanting = any(one.verdict is not Verdict.HOLDS for one in there)
    if complete and not wanting:
        yield _complaint("SUP202", "the finding is no longer there", entry)
    elif not entry.reason:
        yield _complaint("SUP203", "the entry has no reason", entry)
    elif has_passed(entry.until, as_of):
        yield _complaint("SUP201", f"the finding was to be accepted until {entry.until}", entry)


def _complaint(code: str, message: str, entry: Entry) -> Finding:
    from pipelineplan.rules.accepting import complaint  # here, so that kept verdicts need no rules

    what = entry.finding or entry.fingerprint
    return complaint(
        code,
        f"{what}: {message}",
        entry.position,
        about=entry.fingerprint,
        subject=entry.fingerprint,
        source_line=entry.source_line,
    )


@dataclass(frozen=True)
class New:
    """What new entries say of their reason, their owner (the plan's, if empty) and their last day."""

    reason: str = ""
    owner: str = ""
    until: str = ""


@dataclass(frozen=True)
class Written:
    """A baseline that was written, with how many entries."""

    file: Path
    entries: int


def write_baseline(
    plan: Path, verdicts: PlanVerdicts, new: New, fail_on: Severity = Severity.ERROR
) -> Written | None:
    """Write the baseline of `plan` for what is open and counts as `fail_on` or more, whole or not at all.

    What older entries for findings that are still open say of reason, owner and expiry stays; the others
    go, and with the last of them the file. Raises `InputError` when the old file is broken or
    `new.until` is no day.
    """
    if fault := day_fault(new.until):
        raise InputError([Problem(fault, Position("--until"))])
    file = baseline_file(plan)
    old = {entry.fingerprint: entry for entry in read_baseline(plan, verdicts.about.root)}
    loud = {finding.fingerprint for finding in verdicts.at_least(fail_on)}
    owner = new.owner or verdicts.about.owner
    fresh = Entry("", "", new.reason or WHEN_WRITTEN, Position(""), owner, new.until)
    wanted = [one for one in verdicts.failing if one.fingerprint in old or one.fingerprint in loud]
    entries = {
        one.fingerprint: replace(
            old.get(one.fingerprint, fresh), fingerprint=one.fingerprint, finding=_said(one)
        )
        for one in sorted(wanted, key=lambda one: (one.code, one.subject, one.path))
        if not one.code.startswith("SUP")
    }
    return _put(file, list(entries.values()))


def without_entries(plan: Path, root: Path, fingerprints: set[str]) -> Path | None:
    """Write the plan's baseline without the entries for `fingerprints`; its file, None where none goes."""
    old = read_baseline(plan, root) if fingerprints else ()
    kept = [entry for entry in old if entry.fingerprint not in fingerprints]
    if len(kept) == len(old):
        return None
    _put(baseline_file(plan), kept)
    return baseline_file(plan)


def _put(file: Path, entries: list[Entry]) -> Written | None:
    if entries:
        replace_text(file, _text(entries))
    else:
        file.unlink(missing_ok=True)
    return Written(file, len(entries)) if entries else None


def _said(finding: Finding) -> str:
    return " ".join(f"{finding.code} {finding.subject}".split()) + f": {finding.title}"


def _text(entries: list[Entry]) -> str:
    lines = [_HEAD + ("accepted:" if entries else "accepted: []")]
    for entry in entries:
        pairs = [(key, getattr(entry, key)) for key in _KEYS]
        said = [f"{key}: {_quoted(key, value)}" for key, value in pairs if value or key == "reason"]
        lines.append("  - " + "\n    ".join(said))
    return "\n".join(lines) + "\n"


def _quoted(key: str, value: Any) -> str:
    """A text that YAML reads as that text: JSON's quotes are YAML's as well."""
    return str(value) if key == "until" else json.dumps(value, ensure_ascii=True)
