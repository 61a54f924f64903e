"""What a change to a plan does: values, verdicts and simulated figures, before and after.

    $.stages[0].checkpoint.interval   60 s -> 10 min   (plan.yaml:84:15)
    contract orders   orders.v2 -> orders.v3, and whether each reads the other
    new   CHK201 fails   a transaction of 'warehouse' may stay open 52 min; its timeout is 15 min
    job-outage   drain 42 min -> 68 min (+62 %)

Nothing changed, nothing said: the text of an empty difference is empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pipelineplan.bundle.as_json import as_plain
from pipelineplan.bundle.contract_difference import ContractChange, contract_changes
from pipelineplan.bundle.escaping import code, line, markdown
from pipelineplan.bundle.saying import say_name, say_number, say_value
from pipelineplan.documents import Path, dotted
from pipelineplan.documents.redaction import redacted_tree
from pipelineplan.plan import Plan
from pipelineplan.verdicts import Finding, Severity, Verdict

if TYPE_CHECKING:
    from pipelineplan.simulation.result import Figure, ScenarioResult, SimulationResult, SloVerdict

# Figures whose ends differ by less than this share are the same.
_SAME = 1e-9
# Counts that grow with the length of the run: they are compared as shares of what arrived.
_PER_RECORD = {"late_records", "dropped_records", "cost", "cross_zone_bytes"}
# Used all the time: of an outage they say how long its drain was watched.
_BY_LENGTH = {"cost", "cross_zone_bytes", "checkpoint_bytes"}


class Side(NamedTuple):
    """One plan with its findings and, if it was simulated, its simulation."""

    plan: Plan
    findings: tuple[Finding, ...]
    simulated: SimulationResult | None = None


SideLike: TypeAlias = "Side | tuple[Plan, tuple[Finding, ...], SimulationResult | None]"


@dataclass(frozen=True)
class ValueChange:
    """A value of the plan that differs: empty text where it is not stated."""

    path: str
    before: str
    after: str
    position: str


@dataclass(frozen=True)
class VerdictChange:
    """A verdict that is there on both sides with another outcome."""

    before: Finding
    after: Finding


@dataclass(frozen=True)
class FigureChange:
    """A simulated figure that differs; `relative` is None where it was zero or is not finite."""

    scenario: str
    name: str
    before: Figure
    after: Figure
    relative: float | None


@dataclass(frozen=True)
class PromiseChange:
    """A simulated promise whose verdict is another one."""

    scenario: str
    before: SloVerdict
    after: SloVerdict


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two sides; `empty` when nothing does."""

    values: tuple[ValueChange, ...] = ()
    new: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    changed: tuple[VerdictChange, ...] = ()
    figures: tuple[FigureChange, ...] = ()
    promises: tuple[PromiseChange, ...] = ()
    scenarios: tuple[str, ...] = ()
    contracts: tuple[ContractChange, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        parts = (
            self.values,
            self.new,
            self.resolved,
            self.changed,
            self.figures,
            self.promises,
            self.scenarios,
            self.contracts,
        )
        return not any(parts)

    @property
    def worse(self) -> bool:
        """Whether a finding counts as an error now that did not, or a simulated promise fails now."""
        appeared = [*self.new, *(c.after for c in self.changed if not _is_error(c.before))]
        broken = [change.after.verdict is Verdict.FAILS for change in self.promises]
        return any(_is_error(finding) for finding in appeared) or any(broken)

    def to_text(self) -> str:
        """For a terminal; empty when nothing changed."""
        return as_text(self)

    def to_markdown(self) -> str:
        """For a pull request; empty when nothing changed."""
        return as_markdown(self)

    def to_json_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        data: dict[str, Any] = redacted_tree(as_plain(self))
        return {"empty": self.empty, "worse": self.worse, **data}


def _is_error(finding: Finding) -> bool:
    return finding.verdict is not Verdict.HOLDS and finding.counts_as() is Severity.ERROR


def compare(before: SideLike, after: SideLike) -> Difference:
    """What differs from `before` to `after`; findings are matched by fingerprint, scenarios by name."""
    was, now = Side(*before), Side(*after)
    old, new = (_by_fingerprint(side.findings) for side in (was, now))
    both = [(old[name], new[name]) for name in new if name in old]
    figures, promises, scenarios = _simulated(was.simulated, now.simulated)
    return Difference(
        values=tuple(_values(was.plan, now.plan)),
        new=_open(new[name] for name in new if name not in old),
        resolved=_open(old[name] for name in old if name not in new),
        changed=tuple(VerdictChange(a, b) for a, b in both if a.verdict is not b.verdict or _reworded(a, b)),
        figures=figures,
        promises=promises,
        scenarios=scenarios,
        contracts=tuple(contract_changes(was[:2], now[:2])),
    )


def _by_fingerprint(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.fingerprint: finding for finding in findings}


def _open(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that do not hold: a verdict that comes or goes and holds is no news."""
    return tuple(finding for finding in findings if finding.verdict is not Verdict.HOLDS)


def _reworded(before: Finding, after: Finding) -> bool:
    """Still not holding, with other numbers."""
    return after.verdict is not Verdict.HOLDS and before.message != after.message


def _values(before: Plan, after: Plan) -> Iterator[ValueChange]:
    old, new = ({leaf.key: leaf for leaf in _leaves(plan.composed.data, (), ())} for plan in (before, after))
    for key in [*new, *(key for key in old if key not in new)]:
        then, now = old.get(key), new.get(key)
        if then is None or now is None or then.value != now.value:
            leaf, plan = (now, after) if now is not None else (then, before)
            if leaf is not None:
                place = str(plan.position(leaf.path))
                yield ValueChange(dotted(leaf.path), _shown(then), _shown(now), place)


@dataclass(frozen=True)
class _Leaf:
    """A written value: `path` in its own document, and `key`, which names list entries by their id."""

    key: Path
    path: Path
    value: object


def _leaves(data: object, key: Path, path: Path) -> Iterator[_Leaf]:
    if isinstance(data, dict) and data:
        for name, value in data.items():
            yield from _leaves(value, (*key, name), (*path, name))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            named = value.get("id") if isinstance(value, dict) else None
            yield from _leaves(
                value,
                (*key, named if isinstance(named, str) else index),
                (*path, index),
            )
    else:
        yield _Leaf(key, path, data)


def _shown(leaf: _Leaf | None) -> str:
    return say_value(leaf.value) if leaf is not None else ""


def _simulated(
    before: SimulationResult | None, after: SimulationResult | None
) -> tuple[tuple[FigureChange, ...], tuple[PromiseChange, ...], tuple[str, ...]]:
    if before is None or after is None:
        return (), (), ()
    old = {(each.pipeline, each.name): each for each in before.scenarios}
    new = {(each.pipeline, each.name): each for each in after.scenarios}
    figures: list[FigureChange] = []
    promises: list[PromiseChange] = []
    for key in (key for key in new if key in old):
        scenario = new[key].name
        figures += _figures(scenario, _comparable(old[key]), _comparable(new[key]))
        judged = {(slo.subject, slo.objective): slo for slo in old[key].slo_verdicts}
        for slo in new[key].slo_verdicts:
            then = judged.get((slo.subject, slo.objective))
            if then is not None and then.verdict is not slo.verdict:
                promises.append(PromiseChange(scenario, then, slo))
    gone = [f"{name} is no longer simulated" for key, name in ((k, k[1]) for k in old) if key not in new]
    come = [f"{name} is simulated now" for key, name in ((k, k[1]) for k in new) if key not in old]
    return tuple(figures), tuple(promises), (*come, *gone)


def _comparable(scenario: ScenarioResult) -> Mapping[str, Figure]:
    """Figures that do not depend on how long the scenario was watched.

    Freshness over a run with an outage does: the longer the quiet after it, the better it looks. So does
    what is used all the time.
    """
    if not scenario.phases:
        return scenario.figures
    return {
        name: figure
        for name, figure in scenario.figures.items()
        if not name.startswith("freshness") and name not in _BY_LENGTH
    }


def _figures(scenario: str, old: Mapping[str, Figure], new: Mapping[str, Figure]) -> Iterator[FigureChange]:
    for name, after in new.items():
        before = old.get(name)
        if before is None or name == "arrived_records":
            continue
        if name in _PER_RECORD:
            per = (_share(before, old.get("arrived_records")), _share(after, new.get("arrived_records")))
            same = math.isclose(*per, rel_tol=1e-6)
        else:
            same = all(_same(a, b) for a, b in zip(_ends(before), _ends(after), strict=True))
        if not same:
            yield FigureChange(scenario, name, before, after, _relative(before.value, after.value))


def _share(figure: Figure, arrived: Figure | None) -> float:
    return figure.high / arrived.high if arrived is not None and arrived.high else figure.high


def _ends(figure: Figure) -> tuple[float, float, float]:
    return (figure.value, figure.low, figure.high)


def _same(first: float, second: float) -> bool:
    if math.isnan(first) or math.isnan(second):
        return math.isnan(first) and math.isnan(second)
    return math.isclose(first, second, rel_tol=_SAME, abs_tol=1e-9)


def _relative(before: float, after: float) -> float | None:
    if not before or not math.isfinite(before) or not math.isfinite(after):
        return None
    return after / before - 1


def as_text(difference: Difference) -> str:
    """For a terminal; empty when nothing changed."""
    lines = [line(f"{row[0]}: {row[1]}") for row in _rows(difference)]
    return "".join(f"{one}\n" for one in lines)


def as_markdown(difference: Difference) -> str:
    """For a pull request; empty when nothing changed."""
    rows = [
        f"- {code(head) if head.startswith('$') else f'**{markdown(head)}**'}: {markdown(rest)}"
        for head, rest in _rows(difference)
    ]
    return "\n".join(["### What this change does to the plan", "", *rows]) + "\n" if rows else ""


def _rows(difference: Difference) -> Iterator[tuple[str, str]]:
    """Pairs of what and how: first what was changed, then what decides, then the figures."""
    for value in difference.values:
        before, after = value.before or "not stated", value.after or "not stated"
        yield value.path, f"{before} -> {after} ({value.position})"
    for contract in difference.contracts:
        head = f"contract {contract.dataset}"
        yield head, f"{contract.before or 'none'} -> {contract.after or 'none'} ({contract.position})"
        yield from ((head, reading) for reading in contract.readings)
        if any(contract.replay):
            then, now = (said or "no replay" for said in contract.replay)
            yield head, f"{then} -> {now}"
    for promise in difference.promises:
        flip = f"{promise.before.verdict.value} -> {promise.after.verdict.value}"
        yield (
            " ".join(dict.fromkeys((promise.scenario, promise.after.subject, promise.after.objective))),
            f"{flip}: {promise.after.message}",
        )
    yield from ((f"new {f.code} {f.verdict.value}", _told(f)) for f in difference.new)
    for change in difference.changed:
        states = dict.fromkeys((change.before.verdict.value, change.after.verdict.value))
        yield f"{change.after.code} {' -> '.join(states)}", _told(change.after)
    yield from ((f"resolved {f.code}", _told(f)) for f in difference.resolved)
    for figure in difference.figures:
        yield f"{figure.scenario} {say_name(figure.name)}", _moved(figure)
    yield from (("scenario", text) for text in difference.scenarios)


def _told(finding: Finding) -> str:
    nearest = (
        f"; would hold with {finding.nearest[0]}"
        if finding.nearest and finding.verdict is Verdict.FAILS
        else ""
    )
    return f"{finding.message}{nearest} ({finding.position})"


def _moved(figure: FigureChange) -> str:
    before = say_number(figure.before.value, figure.before.unit)
    after = say_number(figure.after.value, figure.after.unit)
    share = (
        f" ({figure.relative:+.0%})" if figure.relative is not None and abs(figure.relative) >= 0.005 else ""
    )
    if before == after:
        ends = (say_number(value, figure.after.unit) for value in (figure.after.low, figure.after.high))
        return f"{after}, now {' to '.join(ends)}"
    return f"{before} -> {after}{share}"
