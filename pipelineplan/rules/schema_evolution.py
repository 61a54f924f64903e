"""SCH: do readers read what they will meet, over the mode, the rollout, its way back, and a replay?

recorded versions --mode-->  the newest against those before it
rollout, rollback --meet-->  every (reader, writer) that may come together    R + segment, savepoints, ...
replay range      --live-->  every version with a record in it

What counts is pairs of a reader and a writer that must not be; there may be none.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from pipelineplan.contracts.evolution import Choices, Compatibility, Mode, Pair, judge_mode
from pipelineplan.contracts.evolution.modes import CompatResult
from pipelineplan.contracts.evolution.replay import Log, judge_replay, live
from pipelineplan.contracts.evolution.rollout import (
    Rollout,
    advise,
    conflicts,
    involved,
    judge_window,
    meetings,
)
from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.succession import Succession, nobodies, replay_span, rollout_of, strangers, successions
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.registry import BY_LEVEL, rule

_SHOWN = 3
_LONGEST = 100


@rule(
    "SCH201",
    title="The newest recorded version keeps the promised mode",
    why="A registry refuses the version on the day of the release, or takes it and a reader breaks.",
    formula="pairs that the mode asks for and that do not read = 0",
    bad="BACKWARD, and the newest version adds a field without a default",
    good="the same field with a default",
    fix="give new fields a default, keep old ones, or state the mode that the change really keeps",
    source="Confluent Platform 8 Documentation, Schema Evolution and Compatibility, 2025, first table",
    severity=BY_LEVEL,
)
def keeps_its_mode(plan: Plan) -> Iterator[Claim]:
    """The newest recorded version of every dataset, against those before it as its mode asks."""
    for one in successions(plan):
        mode = one.policy.compatibility
        form = one.recorded.form
        if mode in {None, "NONE"} or form is None or len(one.names) < 2:
            continue
        result = judge_mode(one.recorded.versions, Mode(str(mode)), form.reads, _choices(one))
        what = f"{one.names[-1]} of {one.dataset!r} keeps {mode}"
        yield _pairs_claim(one, one.path("compatibility"), result, what)


@rule(
    "SCH202",
    title="The rollout and its way back fit the mode",
    why="A mode promises one direction: under BACKWARD new readers read old records, so consumers go first; "
    "going back asks for the other direction while records of the new version are there.",
    formula="pairs (reader, writer) that meet and that the mode does not promise = 0",
    bad="BACKWARD, producers upgraded before consumers, or consumers rolled back while new records are kept",
    good="FULL; or BACKWARD, consumers first, and a way back that waits until the new records are gone",
    fix="take the order that is said, promise FULL, or wait on the way back for the new records to expire",
    source="Confluent Platform 8 Documentation, Schema Evolution and Compatibility, 2025, first table",
    severity=BY_LEVEL,
)
def order_fits_mode(plan: Plan) -> Iterator[Claim]:
    """Every pair that the rollout lets meet is one that the mode promises."""
    yield from _unplaced(plan)
    for one in successions(plan):
        mode = one.policy.compatibility
        rollout = rollout_of(one)
        if mode in {None, "NONE"} or rollout is None:
            continue
        versions = involved(rollout)
        promised = Mode(str(mode)).promises
        bad = {(r, w) for r in versions for w in versions if not promised(r, w)}
        yield _unknown_versions(one) or _meeting_claim(one, rollout, bad, f"which {mode} does not promise")


@rule(
    "SCH203",
    title="Every reader reads what it may meet during the rollout",
    why="Old and new versions run beside each other, records of earlier versions are still in the log, and a "
    "rollback meets what the new version wrote.",
    formula="pairs (reader, writer) that meet and do not read = 0, while a record waits for "
    "max(R + segment, savepoint, dead letters, replay range)",
    bad="consumers go back to v1 while v2's records are in the log, and v1 wants a field that v2 dropped",
    good="the same with a wait on the way back that is longer than the records are kept",
    fix="take the order that is said, wait for records to expire, or make the change in two compatible steps",
    source="computed from the recorded schemas; docs/background/compatibility.md says how",
    severity=BY_LEVEL,
)
def rollout_is_safe(plan: Plan) -> Iterator[Claim]:
    """Every pair that the rollout lets meet, judged on the recorded schemas."""
    for one in successions(plan):
        rollout, form = rollout_of(one), one.recorded.form
        if rollout is None or form is None:
            continue
        stranger = _unknown_versions(one)
        if stranger is not None:
            yield stranger
            continue
        result = judge_window(rollout, one.recorded.versions, form.reads, _choices(one))
        what = f"readers of {one.dataset!r} read all that they may meet during the rollout and its way back"
        yield _pairs_claim(one, ("contracts", "rollout"), result, what, result.advice)


@rule(
    "SCH204",
    title="A replay reads every version that is still live",
    why="A registry knows versions but not when each was live: BACKWARD misses old records that are kept, "
    "TRANSITIVE refuses over records that are long gone.",
    formula="versions v with last_possible_write(v) + R + segment > replay start, in the replay's range, "
    "that the newest readers do not read = 0",
    bad="v3 dropped a default, 30 days are kept, and v1 was written until 26 days ago",
    good="the same with 7 days kept",
    fix="give the field its default back, shorten the replay's range, or convert the old records first",
    source="computed from the recorded schemas and dates; docs/background/compatibility.md says how",
    severity=BY_LEVEL,
)
def replay_reads_all(plan: Plan) -> Iterator[Claim]:
    """The newest version against every version with a record that the replay, or a restart, may read."""
    for one in successions(plan):
        form = one.recorded.form
        if form is None or len(one.names) < 2 or (one.source is None and not one.kept):
            continue
        if not one.recorded.dated:
            missing = (
                f"state when each version of {one.dataset!r} was first written: dates in the file names of "
                f"{one.policy.versions}, or a history.yaml there"
            )
            yield Claim(one.path("versions"), one.dataset, missing=missing)
            continue
        alive, when = _live(one)
        versions = one.recorded.versions
        result = judge_replay(versions[-1], [versions[i] for i in alive], form.reads, _choices(one))
        names = ", ".join(one.names[i] for i in alive) or "none"
        what = f"{one.names[-1]} of {one.dataset!r} reads every version that {when} may meet ({names})"
        yield _pairs_claim(one, one.path("versions"), result, what)


def _live(one: Succession) -> tuple[list[int], str]:
    """The versions that the declared replay may meet, else a restart as the newest version begins."""
    spans = one.recorded.spans(one.drain_seconds)
    span, replay = replay_span(one.plan), one.plan.model.replay
    if one.source is not None and replay is not None and span is not None:
        # The earliest that a whole range can be replayed is its end; later less is live.
        horizon = float("inf") if replay.input == "lake" else one.horizon_seconds
        alive = live(spans, [Log("replayed", horizon)], span[1], span[1] - span[0])
        return alive, f"the replay from {replay.start} to {replay.end}"
    begins = spans[-1].start_seconds
    return live(
        spans, [Log("kept", one.horizon_seconds)], begins, float("inf")
    ), "a restart from the oldest record"


def _choices(one: Succession) -> Choices:
    return Choices(one.policy.allow, one.policy.refuse)


def _pairs_claim(one: Succession, path: Path, result: CompatResult, what: str, advice: str = "") -> Claim:
    """Pairs that break, and those that could not be decided, against none."""
    undecided = [p for p in result.pairs if not p.passes and p.judgement.verdict is Compatibility.UNKNOWN]
    broken = [p for p in result.pairs if not p.passes and p not in undecided]
    wrong = "; ".join(_told(pair) for pair in (*broken, *undecided)[:_SHOWN])
    more = len(broken) + len(undecided) - _SHOWN
    wrong += f"; and {more} pairs more" if more > 0 else ""
    return Claim(
        path,
        one.dataset,
        one.kept,
        left=lambda _: (float(len(broken)), float(len(broken) + len(undecided))),
        says=lambda _: "; ".join(part for part in (wrong, advice) if part) if wrong else what,
    )


def _told(pair: Pair) -> str:
    """The first change that keeps a reader from reading, with the record that shows it."""
    change = next(change for change in pair.judgement.changes if not change.passes)
    record = json.dumps(change.witness.record, ensure_ascii=False, default=str) if change.witness else ""
    witness = f" ({record[:_LONGEST]} {change.witness.outcome})" if change.witness else ""
    policy = f"; policy {change.policy}" if change.policy else ""
    verb = "may not read" if change.verdict is Compatibility.UNKNOWN else "does not read"
    return f"{pair.reader} {verb} {pair.writer}: {change.path}: {change.reason}{witness}{policy}"


def _meeting_claim(one: Succession, rollout: Rollout, bad: Collection[tuple[int, int]], why: str) -> Claim:
    found = conflicts(rollout, bad, one.names)
    message = f"the rollout of {one.dataset!r} lets every reader meet only what the mode promises"
    if found:
        order = advise(rollout, bad, one.names)
        message = f"during the rollout of {one.dataset!r} or its way back {found}, {why}; {order}"
    count = float(len(meetings(rollout) & set(bad)))
    return Claim(
        ("contracts", "rollout"), one.dataset, one.kept, left=lambda _: (count, count), says=lambda _: message
    )


def _unknown_versions(one: Succession) -> Claim | None:
    unknown = strangers(one)
    if not unknown:
        return None
    where = one.policy.versions or "the plan"
    known = ", ".join(one.names)
    missing = f"{', '.join(unknown)} is in no file of {where}: state a version that is recorded ({known})"
    return Claim(one.path("versions"), one.dataset, missing=missing)


def _unplaced(plan: Plan) -> Iterator[Claim]:
    for path, name in nobodies(plan):
        missing = f"nobody knows who {name!r} is: state it under consumers or producers of its dataset"
        yield Claim(path, name, missing=missing)
