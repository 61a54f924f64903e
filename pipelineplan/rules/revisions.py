"""ORD105, CHK203: what one revision of a plan does to the records and the state that another has left behind.

before   24 partitions   key k -> partition hash(k) mod 24
after    36 partitions   key k -> partition hash(k) mod 36: 24 of 72 hashes stay where they are

They compare two revisions, so `pipelineplan diff` judges them, and `check` has nothing to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import say_share
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.inequality import statement
from pipelineplan.rules.registry import BY_LEVEL, RULES, judged, rule
from pipelineplan.verdicts import Finding


@rule(
    "ORD105",
    title="A keyed log keeps its number of partitions",
    why="A key is read from the partition that its hash gives it: with another number of partitions most "
    "keys move, and their new records are read beside the old ones, out of order, without their state.",
    formula="partitions before = partitions after, for a keyed source that promises an order or feeds state; "
    "1 - min(P, Q) / lcm(P, Q) of the keys move",
    bad="partitions: 24 in one revision and 36 in the next: two thirds of the keys move",
    good="a second source with 36 partitions, filled from the first, and readers that move to it",
    fix="make a new topic with its own id in the plan, and migrate to it; or keep the number of partitions",
    source="karafka/karafka#2804; RADAR-base/RADAR-Backend#17; apache/pulsar#23603",
    severity=BY_LEVEL,
)
def partitions_stay(plan: Plan) -> Iterator[Claim]:  # noqa: ARG001  (one revision alone says nothing)
    """Nothing by itself: `partition_claims` compares two revisions."""
    yield from ()


def partition_claims(before: Plan, after: Plan) -> Iterator[Claim]:
    """Every keyed source of both revisions that promises an order, or whose records become state."""
    old = {source.id: source for source in before.model.sources}
    for source in after.model.sources:
        was = old.get(source.id)
        if was is None or was.partitions is None or source.partitions is None or source.keys is None:
            continue
        harmed = _harmed(after, source)
        if harmed:
            what = _moved(source.id, was.partitions, source.partitions, harmed)
            same = was.partitions == source.partitions
            yield statement(after.path(source, "partitions"), source.id, what, true=same)


def _harmed(plan: Plan, source: Source) -> str:
    """What rests on each key having one partition; empty when nothing does."""
    ordering = source.semantics.ordering if source.semantics is not None else None
    if ordering not in {None, "none"}:
        return "the order that it promises"
    stateful = (
        s.id
        for s in plan.model.stages
        if source.id in plan.graph.above(s.id) and _remembers(s) and not _keyed(s)
    )
    first = next(stateful, None)
    return f"the state of {first!r}, which reads it forward," if first is not None else ""


def _remembers(stage: Stage) -> bool:
    return stage.state is not None or stage.window is not None or stage.join is not None


def _keyed(stage: Stage) -> bool:
    """A keyed exchange brings every key to its worker, whatever partition it was in."""
    return all(read.exchange == "keyed" for read in stage.inputs)


def _moved(name: str, was: int, now: int, harmed: str) -> str:
    if was == now:
        return f"{name!r} keeps its {now} partitions"
    share = say_share(1 - min(was, now) / math.lcm(was, now))
    change = f"{name!r} goes from {was} to {now} partitions"
    return f"{change}: {share} of its keys move, and {harmed} is broken for them"


@rule(
    "CHK203",
    title="State keeps its number of key groups",
    why="State is stored by key group: a savepoint that was taken with another maximum parallelism cannot be "
    "restored, so the job starts without its state.",
    formula="key groups before = parallelism.max after, where it is stated, for a stage with state",
    bad="parallelism: {now: 18, max: 120} in one revision and max: 240 in the next",
    good="parallelism: {now: 36, max: 120}: more workers over the same key groups",
    fix="keep parallelism.max; where it must change, rebuild the state by a replay, or convert the savepoint",
    source="FLINK-27327; Apache Flink documentation, set the maximum parallelism",
    severity=BY_LEVEL,
)
def key_groups_stay(plan: Plan) -> Iterator[Claim]:  # noqa: ARG001  (one revision alone says nothing)
    """Nothing by itself: `key_group_claims` compares two revisions."""
    yield from ()


def key_group_claims(before: Plan, after: Plan) -> Iterator[Claim]:
    """Every stage with state of both revisions whose key groups are stated now.

    Where they are not, Flink takes those of the savepoint.
    """
    old = {stage.id: stage for stage in before.model.stages}
    for stage in after.model.stages:
        was = old.get(stage.id)
        if was is None or was.parallelism is None or stage.parallelism is None or not _remembers(was):
            continue
        groups, now = was.parallelism.key_groups, stage.parallelism.max
        if now is not None and stage.engine in {"flink", None}:
            what = (
                f"{stage.id!r} keeps its {now} key groups"
                if now == groups
                else f"{stage.id!r} goes from {groups} to {now} key groups: no savepoint that was taken "
                "before can be restored"
            )
            yield statement((*after.path(stage.parallelism), "max"), stage.id, what, true=now == groups)


def revision_claims(before: Plan, after: Plan) -> dict[str, list[Claim]]:
    """The claims of each rule that compares two revisions of a plan."""
    return {
        "ORD105": list(partition_claims(before, after)),
        "CHK203": list(key_group_claims(before, after)),
    }


def judge_revision(before: Plan, after: Plan) -> tuple[Finding, ...]:
    """The verdicts on what `after` does to what `before` has left behind."""
    claims = revision_claims(before, after)
    return tuple(found for code in claims for found in judged(RULES[code], after, claims[code]))
