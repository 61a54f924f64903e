"""What a change of a plan does to its schemas: the newest version before against the newest after.

contract orders: orders.v2 -> orders.v3
  orders.v3 reads orders.v2: compatible
  orders.v2 reads orders.v3: incompatible, $.fields[2]: the reader wants 'region', which is not written
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from pipelineplan.contracts.evolution import Choices, Version
from pipelineplan.contracts.evolution.modes import Pair, judge_pair
from pipelineplan.contracts.evolution.schemas import Format
from pipelineplan.plan import Plan
from pipelineplan.plan.succession import successions
from pipelineplan.verdicts import Finding, Verdict

_MOST_SHOWN = 5


@dataclass(frozen=True)
class ContractChange:
    """A dataset whose newest recorded schema differs: its versions, and who reads whom.

    `before` or `after` is empty where nothing was recorded. `passes` is whether both read each other.
    `replay` says what the forced replay cost before and costs now, where that differs.
    """

    dataset: str
    before: str
    after: str
    readings: tuple[str, ...]
    passes: bool
    position: str
    replay: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class _Newest:
    """The newest recorded version of a dataset, with all that is recorded of it."""

    names: tuple[str, ...]
    version: Version[Any]
    form: Format
    choices: Choices
    position: str


def contract_changes(
    before: tuple[Plan, Iterable[Finding]], after: tuple[Plan, Iterable[Finding]]
) -> Iterator[ContractChange]:
    """One for every dataset whose recorded versions, or the replay that they force, differ."""
    costs = [_replays(findings) for _, findings in (before, after)]
    for dataset, change in _changes(before[0], after[0]):
        then, now = (cost.get(dataset, "") for cost in costs)
        if change.readings or change.before != change.after or then != now:
            yield replace(change, replay=(then, now) if then != now else ("", ""))


def _replays(findings: Iterable[Finding]) -> dict[str, str]:
    """What is said of the replay that each dataset forces, where it was simulated."""
    return {f.subject: f.message for f in findings if f.code == "SCH402" and f.verdict is not Verdict.UNKNOWN}


def _changes(before: Plan, after: Plan) -> Iterator[tuple[str, ContractChange]]:
    old, new = _newest(before), _newest(after)
    for dataset in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(dataset), new.get(dataset)
        if was is None or now is None:
            yield dataset, _one_sided(dataset, was, now)
        else:
            yield dataset, _compared(dataset, was, now)


def _compared(dataset: str, was: _Newest, now: _Newest) -> ContractChange:
    readings: tuple[str, ...] = (f"the format was {was.form.name} and is {now.form.name}",)
    passes = False
    if was.form is now.form:
        pairs = _both_ways(was, now)
        differs = was.names != now.names or any(pair.judgement.changes for pair in pairs)
        readings = tuple(line for pair in pairs for line in _told(pair) if differs)
        passes = all(pair.passes for pair in pairs)
    return ContractChange(dataset, was.version.name, now.version.name, readings, passes, now.position)


def _newest(plan: Plan) -> dict[str, _Newest]:
    found = {}
    for one in successions(plan):
        if one.recorded.form is not None and one.recorded.versions:
            place = str(plan.position(one.path("versions")))
            choices = Choices(one.policy.allow, one.policy.refuse)
            newest = one.recorded.versions[-1]
            found[one.dataset] = _Newest(one.names, newest, one.recorded.form, choices, place)
    return found


def _one_sided(dataset: str, was: _Newest | None, now: _Newest | None) -> ContractChange:
    before, after = (one.version.name if one is not None else "" for one in (was, now))
    there = now or was
    return ContractChange(dataset, before, after, (), passes=True, position=there.position if there else "")


def _both_ways(was: _Newest, now: _Newest) -> list[Pair]:
    """The new one as reader of the old one, and the other way round; told apart where names are the same."""
    old, new = was.version, now.version
    form, choices = now.form, now.choices
    if old.name == new.name:
        # Changed in place: neither is recorded as the older one. A lineage writes into what it is given.
        before, after = copy(old.schema), copy(new.schema)
        form.lineage([before, after])
        old, new = Version(f"{old.name} before", before), Version(f"{new.name} after", after)
    return [
        judge_pair(new, old, form.reads, choices, "new readers of old records"),
        judge_pair(old, new, form.reads, choices, "old readers of new records"),
    ]


def _told(pair: Pair) -> Iterator[str]:
    wrong = [change for change in pair.judgement.changes if not change.passes]
    if not wrong:
        policies = sorted({change.policy for change in pair.judgement.changes if change.policy})
        allowed = f" (allowed: {', '.join(policies)})" if policies else ""
        yield f"{pair.reader} reads {pair.writer}: compatible{allowed}"
        return
    verdict = pair.judgement.verdict.value
    for change in wrong[:_MOST_SHOWN]:
        yield f"{pair.reader} reads {pair.writer}: {verdict}, {change.path}: {change.reason}"
    if len(wrong) > _MOST_SHOWN:
        yield f"{pair.reader} reads {pair.writer}: {verdict}, and {len(wrong) - _MOST_SHOWN} changes more"
