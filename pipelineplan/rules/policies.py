"""An organisation's own rules: conditions in CEL over a plan's values, or Python rules of installed packages.

policies:
  - code: ORG101
    title: Logs keep three days
    about: sources                                   # one verdict for every source; `plan` for one in all
    when: it.system == "kafka"
    must: has(it.retention.time) && it.retention.time >= 3 * 86400
    message: '"source " + it.id + " keeps less than three days"'
    fix: raise retention to 3 d
    severity: error

An expression sees `it` (the object), `plan` (all values; quantities in seconds, bytes, records per
second) and `written` (the plan as its files write it, `x-` keys among them). It can neither read
nor call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from pipelineplan.documents import Path, dotted, read_document
from pipelineplan.documents.document import Document
from pipelineplan.documents.settings import Settings, read_settings
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.quantities import Quantity
from pipelineplan.verdicts import Finding, Severity, Verdict, fingerprint

_LISTS = ("sources", "stages", "sinks", "slos", "outages", "quality", "reconciliation", "decisions", "risks")
_CODE = re.compile(r"[A-Z]{3}\d{3}\Z")
_KEYS = {"code", "title", "about", "when", "must", "message", "severity", "why", "fix", "source"}
_BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*(\w+)\s*,")  # names that macros bring
_LONGEST = 2000
_SEEN = {"it", "plan", "written"}
_ENTRY_POINTS = "pipelineplan.rules"


@dataclass(frozen=True)
class Policy:
    """One rule of the organisation, with its expressions as text."""

    code: str
    title: str
    about: str
    must: str
    position: Position
    when: str = "true"
    message: str = ""
    severity: Severity = Severity.ERROR
    why: str = ""
    fix: str = ""
    source: str = ""


def policies_of(folder: FilePath, taken: frozenset[str] = frozenset()) -> tuple[Policy, ...]:
    """The policies that the root `folder` configures; installed Python rules register themselves.

    `taken` are the codes of built-in rules. Raises `InputError` with everything wrong in the files.
    """
    settings = read_settings(folder)
    if settings.python_rules:
        _load_installed()
    return _read_all(settings, folder, taken)


@cache
def _load_installed() -> None:
    """Import what installed packages register; their `@rule` functions enter the registry themselves."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=_ENTRY_POINTS):
        entry.load()


def _read_all(settings: Settings, folder: FilePath, taken: frozenset[str]) -> tuple[Policy, ...]:
    policies: list[Policy] = []
    problems: list[Problem] = []
    codes = set(taken)
    for file in settings.policy_files:
        document = read_document(file, file.relative_to(folder.resolve()).as_posix())
        for place, entry in enumerate(_entries(document, problems)):
            found = list(_faults(document, place, entry, codes))
            problems += found
            if not found:
                codes.add(entry["code"])
                policies.append(_policy(document, place, entry))
    if problems:
        raise InputError(problems)
    return tuple(policies)


def _entries(document: Document, problems: list[Problem]) -> list[Any]:
    data = document.data
    if isinstance(data, dict) and isinstance(data.get("policies"), list) and set(data) == {"policies"}:
        return list(data["policies"])
    problems.append(document.problem((), "wanted one key, policies:, with a list of policies"))
    return []


def _faults(document: Document, place: int, entry: Any, codes: set[str]) -> Iterator[Problem]:
    """Everything wrong with one policy, its expressions included."""
    path: Path = ("policies", place)
    if not isinstance(entry, dict):
        yield document.problem(path, "wanted a mapping with code, title, about and must")
        return
    for key in ("code", "title", "about", "must"):
        if not entry.get(key):
            yield document.problem(path, f"{key!r} is missing", f"add {key}:")
    for key, value in entry.items():
        fault, fix = _fault(key, value, codes)
        if fault:
            yield document.problem((*path, key), fault, fix)


def _fault(key: str, value: Any, codes: set[str]) -> tuple[str, str]:
    """What is wrong with one value of a policy, and how to mend it; empty when nothing is."""
    if key not in _KEYS:
        return f"unknown key {key!r}", f"known are {', '.join(sorted(_KEYS))}"
    if not isinstance(value, str) or len(value) > _LONGEST:
        return f"wanted text of at most {_LONGEST:,} characters", ""
    if key == "code" and value in codes:
        return f"{value!r} is taken", "choose another code"
    if key == "code" and not _CODE.match(value):
        return f"{value!r} is no code", "write three capitals and three digits"
    allowed = {"about": ("plan", *_LISTS), "severity": tuple(one.value for one in Severity)}.get(
        key, (value,)
    )
    if value not in allowed:
        return f"found {value!r}, wanted one of {', '.join(allowed)}", ""
    fault = _expression_fault(value) if key in {"when", "must", "message"} else ""
    return fault, "see docs/guides/policies.md"


def _expression_fault(expression: str) -> str:
    program = _compiled(expression)
    if isinstance(program, str):
        return f"no expression: {program}"
    strange = set(program.variables()) - _SEEN - set(_BOUND.findall(expression))
    return f"unknown name {', '.join(sorted(strange))}, known are it, plan, written" if strange else ""


def _policy(document: Document, place: int, entry: dict[str, str]) -> Policy:
    words = {**entry, "severity": Severity(entry.get("severity", "error"))}
    return Policy(position=document.position(("policies", place)), **words)  # type: ignore[arg-type]


@cache
def _compiled(expression: str) -> Any:
    """The program of a CEL expression, or what is wrong with it as text."""
    try:
        import cel
    except ImportError:
        raise MissingExtraError("a policy in CEL", "policies") from None
    try:
        return cel.compile(expression)
    except (ValueError, RuntimeError) as error:
        return str(error).splitlines()[0]


def judge_policies(plan: Plan, policies: Iterable[Policy]) -> Iterator[Finding]:
    """One verdict for every policy and every object that it is about."""
    if not policies:
        return
    values = plain(plan.model)
    for policy in policies:
        for path, it in _objects(values, policy.about):
            around = {"plan": values, "written": plan.composed.data, "it": it}
            if _value(policy.when, around) is True:
                yield _finding(plan, policy, path, it, around)


def _objects(values: dict[str, Any], about: str) -> Iterator[tuple[Path, Any]]:
    if about == "plan":
        yield (), values
        return
    for place, entry in enumerate(values.get(about, ())):
        yield (about, place), entry


def _finding(plan: Plan, policy: Policy, path: Path, it: Any, around: dict[str, Any]) -> Finding:
    found = _value(policy.must, around)
    verdict = {True: Verdict.HOLDS, False: Verdict.FAILS}.get(found, Verdict.UNKNOWN) if isinstance(
        found, bool) else Verdict.UNKNOWN  # fmt: skip
    subject = str(it.get("id") or it.get("for") or it.get("of") or "plan") if isinstance(it, dict) else "plan"
    position = plan.position(path)
    return Finding(
        code=policy.code,
        verdict=verdict,
        severity=policy.severity,
        title=policy.title,
        message=_message(policy, verdict, found, around),
        path=dotted(path),
        position=position,
        subject=subject,
        fix=policy.fix or f"see the policy at {policy.position}",
        formula=policy.must,
        fingerprint=fingerprint(policy.code, f"{plan.identity(path)} {subject}"),
        source_line=plan.composed.line_at(path),
    )


def _message(policy: Policy, verdict: Verdict, found: object, around: dict[str, Any]) -> str:
    if verdict is Verdict.UNKNOWN:
        return f"cannot be evaluated: {found}; state what the policy asks for, or write has(...) into it"
    said = _value(policy.message, around) if policy.message and verdict is Verdict.FAILS else policy.title
    return said if isinstance(said, str) else policy.title


def _value(expression: str, around: dict[str, Any]) -> object:
    """The value of an expression; what went wrong, as text, where it has none."""
    if expression == "true":
        return True
    try:
        return _compiled(expression).execute(around)
    except (ValueError, RuntimeError, TypeError, KeyError, OverflowError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__


def plain(value: Any) -> Any:
    """A section as plain data: names as in the file, quantities as numbers in base units, no empty keys."""
    if isinstance(value, Section):
        fields = type(value).model_fields
        pairs = ((fields[name].alias or name, getattr(value, name)) for name in fields)
        return {key: plain(one) for key, one in pairs if one is not None}
    if isinstance(value, Quantity):
        return float(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def policy_page(policy: Policy) -> dict[str, str]:
    """What a policy says about itself, by the names of a rule's page."""
    words = ("code", "title", "why", "fix", "source")
    return {**{word: str(getattr(policy, word)) for word in words}, "formula": policy.must}
