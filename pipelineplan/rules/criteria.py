"""The criteria of the design stages: every one has one home; those that ask for presence are judged here.

- id: W2.1
  text: Every source names its system and the team that owns it.
  home: {present: ["$.sources[*].owner"], code: SRC101, ...}      judged here
  home: {rule: CAP201}                                            judged by that rule
  home: {attestation: true}                                       a person vouches for it
  home: {out_of_scope: "..."}                                     no fact of a plan, and why
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, assert_never

from pipelineplan import catalogue
from pipelineplan.documents import Path, dotted, read_text
from pipelineplan.plan import Plan
from pipelineplan.rules.antipatterns import ANTI_PATTERNS, AntiPattern
from pipelineplan.rules.decisions import DECISION_TABLES
from pipelineplan.rules.design_choices import DESIGN_TABLES
from pipelineplan.rules.presence import Condition, Gap, applies, gaps
from pipelineplan.verdicts import Finding, Severity, Verdict, fingerprint, only_counted


@dataclass(frozen=True)
class Presence:
    """Values that the plan must state, under a code of its own, in plans to which `when` applies."""

    code: str
    title: str
    fix: str
    present: tuple[str, ...]
    when: Condition | None


@dataclass(frozen=True)
class RuleHome:
    """A rule elsewhere judges it, in plans to which `when` applies."""

    code: str
    when: Condition | None = None


@dataclass(frozen=True)
class Attested:
    """Something that only a person can vouch for, in the plan's attestations."""


@dataclass(frozen=True)
class OutOfScope:
    """Something that is no fact of a plan."""

    reason: str


Home = Presence | RuleHome | Attested | OutOfScope


@dataclass(frozen=True)
class Criterion:
    """One criterion of one stage; `severity` by quality level, None where it is not required."""

    id: str
    text: str
    stage: int
    home: Home
    severity: Mapping[str, Severity | None]


@cache
def criteria() -> tuple[Criterion, ...]:
    """All criteria in the order of their file, read once; raises `FileNotFoundError` without it."""
    # Read as text: this file is a part of the package, and not one that a plan rests on.
    data = read_text((catalogue.folder("contracts") / "criteria.yaml").read_bytes(), "criteria.yaml").data
    levels = {name: _severities(by_level) for name, by_level in data["levels"].items()}
    return tuple(
        Criterion(
            one["id"],
            one["text"],
            one["stage"],
            _home(one["home"]),
            levels[one["severity"]],
        )
        for one in data["criteria"]
    )


def criterion_of(code: str) -> Criterion | None:
    """The criterion whose presence rule or anti-pattern has `code`."""
    return _by_code().get(code)


def codes() -> tuple[str, ...]:
    """The codes of all presence rules and anti-patterns."""
    return tuple(_by_code())


def page(code: str) -> Mapping[str, str] | None:
    """What the rule of a criterion says about itself; None for a code that is none."""
    criterion = criterion_of(code)
    if criterion is None:
        return None
    said = {"code": code, "why": criterion.text, "source": f"criterion {criterion.id}"}
    if isinstance(criterion.home, Presence):
        present = " and ".join(criterion.home.present)
        home = criterion.home
        return {**said, "title": home.title, "formula": f"present: {present}", "fix": home.fix}
    pattern = _anti_patterns().get(code)
    if pattern is None:
        return None
    return {**said, "title": pattern.title, "why": pattern.why, "fix": pattern.fix}


def judge(plan: Plan, *, holding: bool = True) -> list[Finding]:
    """The verdict of every presence rule and anti-pattern that the plan's quality level requires.

    One finding per place that fails; one, at the plan itself, for a rule that holds, which is only
    counted without `holding`.
    """
    level = plan.model.metadata.quality_level
    findings: list[Finding] = []
    held = _holding if holding else _only_counted
    for criterion in criteria():
        severity = criterion.severity[level]
        match criterion.home:
            case Presence() as home if severity is not None and applies(plan, home.when):
                findings += _presence(plan, home, severity) or [held(plan, home, severity)]
            case RuleHome(code, when) if (
                severity is not None
                and code in _anti_patterns()
                and criterion_of(code) is criterion
                and applies(plan, when)
            ):
                pattern = _anti_patterns()[code]
                findings += _anti_pattern(plan, pattern, severity) or [held(plan, pattern, severity)]
            case Presence() | RuleHome() | Attested() | OutOfScope():
                pass
            case _:
                assert_never(criterion.home)
    return findings


def _presence(plan: Plan, home: Presence, severity: Severity) -> list[Finding]:
    """One finding for every object of the plan that lacks something, with all that it lacks."""
    by_object: dict[Path, list[Gap]] = {}
    for wanted in home.present:
        for gap in gaps(plan, wanted):
            by_object.setdefault(_object(gap.path), []).append(gap)
    return [
        _finding(plan, home, severity, found[0].path, " and ".join(dict.fromkeys(gap.what for gap in found)))
        for found in by_object.values()
    ]


def _anti_pattern(plan: Plan, pattern: AntiPattern, severity: Severity) -> list[Finding]:
    return [_finding(plan, pattern, severity, fault.path, fault.what) for fault in pattern.faults(plan)]


def _object(path: Path) -> Path:
    """The innermost list entry around `path`, or else its section: what a finding is about."""
    places = [place for place, step in enumerate(path) if isinstance(step, int)]
    if places:
        return path[: places[-1] + 1]
    return path[:2] if path[:1] == ("contracts",) else path[:1]


def _finding(plan: Plan, rule: Presence | AntiPattern, severity: Severity, path: Path, what: str) -> Finding:
    position = plan.position(path)
    return Finding(
        code=rule.code,
        verdict=Verdict.FAILS,
        severity=severity,
        title=rule.title,
        message=f"{what}; {rule.fix}",
        path=dotted(path),
        position=position,
        subject=_subject(plan, path),
        fix=rule.fix,
        fingerprint=fingerprint(rule.code, plan.identity(_object(path))),
        source_line=plan.composed.line_at(path),
    )


def _holding(plan: Plan, rule: Presence | AntiPattern, severity: Severity) -> Finding:
    position = plan.position(())
    return Finding(
        rule.code,
        Verdict.HOLDS,
        severity,
        rule.title,
        rule.title,
        "$",
        position,
        fingerprint=fingerprint(rule.code, "$"),
    )


def _only_counted(_plan: Plan, rule: Presence | AntiPattern, severity: Severity) -> Finding:
    return only_counted(rule.code, severity, rule.title)


def _subject(plan: Plan, path: Path) -> str:
    """The id of the innermost thing around `path` that has one."""
    data: Any = plan.composed.data
    subject = ""
    for step in path:
        known = (isinstance(data, list) and isinstance(step, int)) or (
            isinstance(data, dict) and step in data
        )
        if not known:
            break
        data = data[step]
        if isinstance(data, dict) and isinstance(data.get("id"), str):
            subject = data["id"]
    return subject


def _home(data: Mapping[str, Any]) -> Home:
    match data:
        case {"present": present}:
            return Presence(
                data["code"],
                data["title"],
                data["fix"],
                tuple(present),
                data.get("when"),
            )
        case {"rule": code}:
            return RuleHome(code, data.get("when"))
        case {"attestation": True}:
            return Attested()
        case {"out_of_scope": reason}:
            return OutOfScope(reason)
        case _:
            raise ValueError(
                f"found the home {dict(data)}, wanted one of present, rule, attestation, out_of_scope"
            )


def _severities(by_level: Mapping[str, str]) -> Mapping[str, Severity | None]:
    return {level: None if name == "not_required" else Severity(name) for level, name in by_level.items()}


@cache
def _anti_patterns() -> Mapping[str | None, AntiPattern]:
    return {pattern.code: pattern for pattern in (*ANTI_PATTERNS, *DECISION_TABLES, *DESIGN_TABLES)}


@cache
def _by_code() -> Mapping[str, Criterion]:
    """The criterion that a code belongs to: the one that defines it, else the first that rests on it."""
    found: dict[str, Criterion] = {}
    for criterion in criteria():
        if isinstance(criterion.home, Presence):
            found[criterion.home.code] = criterion
    for criterion in criteria():
        if isinstance(criterion.home, RuleHome):
            found.setdefault(criterion.home.code, criterion)
    return found
