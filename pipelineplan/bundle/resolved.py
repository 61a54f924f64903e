"""The plan with every default filled in, and after each value where it comes from.

    checkpoint:
      interval: 60 s          # plan.yaml:31:19
      mode: aligned           # default

What rules had to assume, and what profiles measured, stands at the end as comments, since a plan
that states an assumption no longer assumes it. Reading the result gives the same values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipelineplan.bundle.escaping import line
from pipelineplan.documents import Path, read_text
from pipelineplan.documents.redaction import redacted_tree
from pipelineplan.errors import InputError
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.quantities import Quantity
from pipelineplan.verdicts import Basis, Finding, Operand, say_value

_COLUMN = 60
# Keys that stand for a level which the file's short form leaves out.
_GATHERED = {"quantiles", "policies"}
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def as_resolved(plan: Plan, findings: Iterable[Finding] = ()) -> str:
    """The resolved plan as YAML; references stay relative to the plan's own folder."""
    head = [
        f"# {line(plan.name)}, resolved from {line(plan.file)}"
        + (f" in the environment {line(plan.env)}" if plan.env else ""),
        "# Each value ends in its origin. References are relative to the folder of the plan.",
    ]
    body = list(_mapping(plan, plan.model, (), 0))
    return "\n".join([*head, *body, *_not_in_the_plan(findings)]) + "\n"


def _mapping(plan: Plan, section: Section, path: Path, depth: int) -> Iterator[str]:
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        key = info.alias or name
        if value is None or value in ((), {}) or (name == "extends" and not path):
            continue
        below = (*path, key)
        if name == "policies":
            yield from _entries(plan, value, path, depth)
            continue
        given = name in section.model_fields_set
        yield from _entry(plan, key, value, below, depth, given=given)


def _entry(plan: Plan, key: str, value: object, path: Path, depth: int, *, given: bool) -> Iterator[str]:
    head = "  " * depth + f"{_scalar(key)}:"
    if isinstance(value, Section):
        yield head
        yield from _mapping(plan, value, path, depth + 1)
    elif isinstance(value, dict):
        yield head
        yield from _entries(plan, value, path, depth + 1)
    elif isinstance(value, list | tuple) and value:
        yield head
        yield from _items(plan, value, path, depth + 1)
    else:
        yield _noted(f"{head} {_scalar(value)}", _origin(plan, path, given=given))


def _entries(plan: Plan, entries: dict[str, object], path: Path, depth: int) -> Iterator[str]:
    for key, value in entries.items():
        yield from _entry(plan, key, value, (*path, key), depth, given=True)


def _items(plan: Plan, items: Iterable[object], path: Path, depth: int) -> Iterator[str]:
    """List entries: the dash replaces the last two spaces of the entry's first line."""
    for index, item in enumerate(items):
        below = (*path, index)
        if isinstance(item, Section):
            lines = list(_mapping(plan, item, below, depth + 1))
        elif isinstance(item, dict) and item:
            lines = list(_entries(plan, item, below, depth + 1))
        elif isinstance(item, list | tuple) and item:
            lines = list(_items(plan, item, below, depth + 1))
        else:
            text = "  " * (depth + 1) + _scalar(item)
            lines = [_noted(text, _origin(plan, below, given=True))]
        first = lines[0]
        yield f"{'  ' * depth}- {first[2 * (depth + 1) :]}"
        yield from lines[1:]


def _origin(plan: Plan, path: Path, *, given: bool) -> str:
    if not given:
        return "default"
    written = tuple(step for step in path if step not in _GATHERED)
    for candidate in (path, written, written[:-1]):
        if candidate in plan.composed.positions and candidate:
            return str(plan.composed.positions[candidate])
    return str(plan.position(path))


def _noted(text: str, origin: str) -> str:
    return f"{text.ljust(_COLUMN)}  # {line(origin)}"


def _scalar(value: object) -> str:
    if isinstance(value, Quantity):
        value = value.text
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    return _text(str(redacted_tree(str(value))))


def _text(text: str) -> str:
    """Plain where the strict reader reads it back as this text, else in double quotes."""
    return text if _reads_back(text) else _quoted(text)


def _reads_back(text: str) -> bool:
    if not text or len(text) > 100 or not text[0].isalnum() or _UNPRINTABLE.search(text) or "\n" in text:
        return False
    try:
        return bool(read_text(f"- key: {text}  # x\n", "text").data == [{"key": text}])
    except InputError:
        return False


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    safe = _UNPRINTABLE.sub(_escape, escaped)
    return f'"{safe}"'


def _escape(found: re.Match[str]) -> str:
    return f"\\U{ord(found[0]):08x}"


def _not_in_the_plan(findings: Iterable[Finding]) -> Iterator[str]:
    """Operands of rules that the plan does not state, once each."""
    found: dict[tuple[str, str, str], tuple[Operand, list[str]]] = {}
    for finding in findings:
        for operand in finding.operands:
            if operand.basis in {Basis.ASSUMED, Basis.MEASURED, Basis.IMPORTED}:
                key = (operand.basis.value, operand.path, operand.name)
                found.setdefault(key, (operand, []))[1].append(finding.code)
    if found:
        yield ""
        yield "# Values that the plan does not state itself:"
    for (basis, path, name), (operand, codes) in sorted(found.items(), key=lambda pair: pair[0]):
        between = _range(operand) if basis == Basis.ASSUMED.value else ""
        used = ", ".join(dict.fromkeys(codes))
        shown = f"{say_value(operand.value, operand.dimension)}{between}"
        yield f"#   {basis} {line(path)} {line(name)}: {shown}, for {used}"


def _range(operand: Operand) -> str:
    if operand.low >= operand.high:
        return ""
    low, high = (say_value(value, operand.dimension) for value in (operand.low, operand.high))
    return f" (anything from {low} to {high})"
