"""REC: does a reconciliation compare what can be compared, miss nothing, and call in time?

source = destination + late_dropped + dead_lettered + filtered      over windows that are closed

    window ends       may still change        k windows that differ       somebody is called
        |--- B ---|----------- C -----------|------- k * W ------------|
        |<--- source still holds the records, and the way back is still open ------->
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.closing import allowed_lateness_seconds
from pipelineplan.plan.governance import Reconciliation
from pipelineplan.plan.load import Values
from pipelineplan.plan.semantics import disorder_operand, sources_above, windowed_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.rules.claim import Bounds, Change, Claim
from pipelineplan.rules.presence import is_streaming
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Operand

_HOUR_SECONDS = 3600.0


@rule(
    "REC101",
    title="Only windows that can no longer change are compared",
    why="What has not arrived yet looks like what is lost: one late record in a hundred makes every look at "
    "open windows raise false alarms, and a tolerance wide enough to silence them hides a real loss.",
    formula="L <= C on the destination's committed watermark (L: allowed lateness of the windows on the "
    "way); without windows D - B <= C",
    bad="allowed lateness 40 min, closes_after: 5 min",
    good="allowed lateness 40 min, closes_after not stated, or 40 min and more",
    fix="remove reconciliation[].closes_after, so that the allowed lateness stands, or raise it",
    source="21 hourly looks with 1 % late records: 164 false alarms over all windows, none over closed ones",
    severity=BY_LEVEL,
)
def compares_closed_windows(plan: Plan) -> Iterator[Claim]:
    """`L <= C` for every reconciliation; a run over whole files compares what both sides have read."""
    for pair in plan.model.reconciliation:
        if windowed_above(plan, pair.destination):
            yield _closed_claim(plan, pair)
        elif is_streaming(plan):
            yield _unwindowed_claim(plan, pair)


def _closed_claim(plan: Plan, pair: Reconciliation) -> Claim:
    path = plan.path(pair)
    allowed = _last_lateness(plan, pair)
    seconds = allowed_lateness_seconds(plan, pair.destination)
    others = seconds - (allowed.value if allowed is not None else 0.0)
    closes = plan.operand("C", pair, "closes_after", "time until a window is closed")
    return Claim(
        plan.path(pair, "closes_after") if closes is not None else path,
        _name(pair),
        tuple(operand for operand in (allowed, closes) if operand is not None),
        left=lambda v: _both(v.get("L", 0.0) + others),
        right=lambda v: _both(v.get("C", v.get("L", 0.0) + others)),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"a window of {pair.destination!r} may change for {e.left_shown} after the watermark has passed "
            f"it, and is compared after {e.right_shown}"
        ),
        changes=(Change("C", rises=True), Change("L", rises=False)),
    )


def _unwindowed_claim(plan: Plan, pair: Reconciliation) -> Claim:
    """Nothing drops what is late here: it must be in before its window is compared."""
    path, sources = plan.path(pair), sources_above(plan, pair.destination)
    disorders = [known for source in sources if (known := disorder_operand(plan, source)) is not None]
    closes = plan.operand("C", pair, "closes_after", "time until a window is closed")
    if not disorders:
        if closes is not None:
            return Claim(plan.path(pair, "closes_after"), _name(pair), missing=_NO_DISORDER)
        return Claim(path, _name(pair), missing=_NO_DISORDER)
    worst = max(disorders, key=lambda operand: operand.value)
    lag = next((found for source in sources if (found := _lag(plan, source)) is not None), None)
    return Claim(
        plan.path(pair, "closes_after") if closes is not None else path,
        _name(pair),
        tuple(operand for operand in (worst, lag, closes) if operand is not None),
        left=lambda v: _both(max(0.0, v["disorder"] - v.get("B", 0.0))),
        right=lambda v: _both(v.get("C", 0.0)),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"records of {pair.source!r} come up to {e.left_shown} behind the watermark, and a window is "
            f"compared after {e.right_shown}"
        ),
        changes=(Change("C", rises=True), Change("B", rises=True)),
    )


_NO_DISORDER = (
    "cannot say when a window is closed: state semantics.disorder of the source by quantiles, or profile it"
)


@rule(
    "REC102",
    title="Segments hold whole windows",
    why="A result that stands for a minute belongs to one segment only when segments begin and end where "
    "windows do; else its records are on one side of a border and its row on the other.",
    formula="W mod w = 0 (W: reconciliation.window, w: the last fixed window before the destination)",
    bad="windows of 10 min, reconciled by 15 min",
    good="windows of 10 min, reconciled by 1 h",
    fix="set reconciliation[].window to a whole number of the stage's windows",
    source="arithmetic",
    severity=BY_LEVEL,
)
def segments_hold_windows(plan: Plan) -> Iterator[Claim]:
    """`W mod w <= 0` for every reconciliation behind a fixed window."""
    for pair in plan.model.reconciliation:
        fixed = [s for s in windowed_above(plan, pair.destination) if s.window and s.window.fixed]
        if fixed:
            yield _whole_claim(plan, pair, fixed[-1])


def _whole_claim(plan: Plan, pair: Reconciliation, stage: Stage) -> Claim:
    small = plan.operand("w", stage.window, "fixed", f"window of {stage.id}")
    segment = _segment(plan, pair)
    return Claim(
        plan.path(pair, "window") if pair.window is not None else plan.path(pair),
        _name(pair),
        tuple(operand for operand in (segment, small) if operand is not None),
        left=lambda v: _both(_remainder(v["W"], v["w"])),
        right=lambda _: _both(0.0),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"segments of {say_seconds(e.values['W'])} hold windows of {say_seconds(e.values['w'])} with "
            f"{e.left_shown} left over"
        ),
    )


@rule(
    "REC103",
    title="The balance names every way out",
    why="A record that was dropped late, dead-lettered or filtered is not lost, but looks like it; without "
    "its term the balance never holds, and the tolerance that makes it hold hides what is lost.",
    formula="1 <= named, for late_dropped, dead_lettered and filtered where the plan has such a way out",
    bad="a stage with dead_letters: {topic: dlq}, and a reconciliation without balance.dead_lettered",
    good="balance: {dead_lettered: dlq}",
    fix="add balance: {late_dropped: .., dead_lettered: .., filtered: ..} with the --data name of each",
    source="source = destination + late_dropped + dead_lettered + filtered",
    severity=ADVICE,
)
def balance_is_whole(plan: Plan) -> Iterator[Claim]:
    """One claim for each way out of the pipeline between the two sides."""
    for pair in plan.model.reconciliation:
        for term, way in _ways_out(plan, pair):
            yield _named_claim(plan, pair, term, way)


def _named_claim(plan: Plan, pair: Reconciliation, term: str, way: str) -> Claim:
    named = getattr(pair.balance, term, None)
    return Claim(
        plan.path(pair, "balance") if pair.balance is not None else plan.path(pair),
        f"{_name(pair)} {term}",
        left=lambda _: _both(1.0),
        right=lambda _: _both(1.0 if named else 0.0),
        says=lambda _: (
            f"{way}; the balance has it as {term}: {named}"
            if named
            else f"{way}, and the balance has no {term}"
        ),
    )


def _ways_out(plan: Plan, pair: Reconciliation) -> Iterator[tuple[str, str]]:
    names = set(plan.graph.above(pair.destination)) | {pair.destination}
    stages = [stage for stage in plan.model.stages if stage.id in names]
    dropping = [
        s.id for s in stages if s.window is not None and (s.late is None or s.late.to != "correction")
    ]
    dead = [stage.id for stage in stages if stage.dead_letters is not None]
    windowed = {stage.id for stage in stages if stage.window is not None}
    filtering = [
        edge.downstream
        for edge in plan.graph.edges
        if edge.downstream in {stage.id for stage in stages}
        and edge.upstream not in windowed
        and edge.selectivity < 1
    ]
    if dropping:
        yield "late_dropped", f"{dropping[0]!r} drops what comes after its window is gone"
    if dead:
        yield "dead_lettered", f"{dead[0]!r} has dead letters"
    if filtering:
        yield "filtered", f"{filtering[0]!r} leaves records out"


@rule(
    "REC104",
    title="Both directions are compared",
    why="A record that is written twice, or that nobody sent, is wrong in the destination and missing "
    "nowhere.",
    formula="2 <= directions",
    bad="direction: source_to_destination",
    good="direction: both",
    fix="set reconciliation[].direction to both",
    source="a full comparison is the union of two differences",
    severity=ADVICE,
)
def both_directions(plan: Plan) -> Iterator[Claim]:
    """`2 <= directions` for every reconciliation."""
    for pair in plan.model.reconciliation:
        yield _direction_claim(plan, pair)


def _direction_claim(plan: Plan, pair: Reconciliation) -> Claim:
    count = 2.0 if pair.direction == "both" else 1.0
    stated = "direction" in pair.model_fields_set
    return Claim(
        plan.path(pair, "direction") if stated else plan.path(pair),
        _name(pair),
        left=lambda _: _both(2.0),
        right=lambda _: _both(count),
        says=lambda _: (
            f"{_name(pair)!r} looks for what is missing"
            + (" and for what is extra" if count == 2 else " and not for what is extra")
        ),
    )


@rule(
    "REC105",
    title="The tolerance is no wider than what may be missing",
    why="A loss below the tolerance is never seen; when the promise of completeness is tighter than that, "
    "it is broken in silence.",
    formula="tolerance <= 1 - completeness",
    bad="completeness 99.95 %, tolerance 0.1 %",
    good="completeness 99.95 %, tolerance 0.05 % or less",
    fix="lower reconciliation[].tolerance, or promise less",
    source="arithmetic",
    severity=BY_LEVEL,
)
def tolerance_sees_the_promise(plan: Plan) -> Iterator[Claim]:
    """`tolerance <= 1 - share` for every promise of completeness at the destination."""
    for pair in plan.model.reconciliation:
        for slo in plan.model.slos:
            if slo.subject != pair.destination or slo.completeness is None:
                continue
            tolerance = plan.operand("tolerance", pair, "tolerance", "tolerance")
            share = plan.operand("share", slo.completeness, "share", "promised completeness")
            if tolerance is not None and share is not None:
                yield _tolerance_claim(plan, pair, tolerance, share)


def _tolerance_claim(plan: Plan, pair: Reconciliation, tolerance: Operand, share: Operand) -> Claim:
    return Claim(
        plan.path(pair, "tolerance"),
        _name(pair),
        (tolerance, share),
        left=lambda v: _both(v["tolerance"]),
        right=lambda v: _both(round(1 - v["share"], 12)),
        dimension=Dimension.SHARE,
        says=lambda e: (
            f"{e.left_shown} of a window may differ unseen; the promise leaves {e.right_shown} at most"
        ),
        changes=(Change("tolerance", rises=False),),
    )


@rule(
    "REC106",
    title="The source still holds what differs when somebody is called",
    why="A difference is repaired from the source; what has expired there by the time that the drift "
    "escalates can only be regretted.",
    formula="B + C + k * W <= retention of the source",
    bad="retention 6 h, escalation after 6 windows of 1 h, allowed lateness 30 min",
    good="retention 7 d, escalation after 2 windows of 1 h",
    fix="escalate after fewer or shorter windows, or keep the source for longer",
    source="arithmetic",
    severity=BY_LEVEL,
)
def called_before_expiry(plan: Plan) -> Iterator[Claim]:
    """`B + C + k * W <= R` for every reconciliation with a source that expires."""
    for pair in plan.model.reconciliation:
        source = next((each for each in plan.model.sources if each.id == pair.source), None)
        kept = plan.operand("R", source.retention, "time", "retention") if source is not None else None
        if kept is not None:
            yield _called_claim(plan, pair, kept, "the source keeps records for")


@rule(
    "REC107",
    title="Drift is known before the way back is closed",
    why="After the rollback deadline the old side is gone; a drift that escalates later cannot be undone.",
    formula="B + C + k * W <= rollback.deadline",
    bad="deadline 12 h, escalation after 2 windows of 1 d",
    good="deadline 5 d, escalation after 2 windows of 1 h",
    fix="escalate after fewer or shorter windows, or keep the way back for longer",
    source="arithmetic",
    severity=BY_LEVEL,
)
def called_before_the_deadline(plan: Plan) -> Iterator[Claim]:
    """`B + C + k * W <= deadline` for every reconciliation of a plan with a rollback."""
    deadline = plan.operand("R", plan.model.rollback, "deadline", "rollback deadline")
    for pair in plan.model.reconciliation if deadline is not None else ():
        yield _called_claim(plan, pair, deadline, "the way back is open for")


def _called_claim(plan: Plan, pair: Reconciliation, until: Operand | None, words: str) -> Claim:
    k = plan.operand("k", pair.escalation, "after_windows", "windows until it escalates")
    allowed = _last_lateness(plan, pair)
    closes = plan.operand("C", pair, "closes_after", "time until a window is closed")
    seconds = allowed_lateness_seconds(plan, pair.destination)
    others = seconds - (allowed.value if allowed is not None else 0.0)
    source = next((each for each in sources_above(plan, pair.destination)), None)
    lag = _lag(plan, source) if source is not None else None
    waits = closes if closes is not None else allowed
    operands = (lag, waits, _segment(plan, pair), k, until)

    def left(values: Values) -> Bounds:
        closed = values["C"] if "C" in values else values.get("L", 0.0) + others
        return _both(values.get("B", 0.0) + closed + values.get("k", 1.0) * values["W"])

    return Claim(
        plan.path(pair, "escalation") if pair.escalation is not None else plan.path(pair),
        _name(pair),
        tuple(operand for operand in operands if operand is not None),
        left=left,
        right=lambda v: _both(v["R"]),
        dimension=Dimension.DURATION,
        says=lambda e: f"a drift of {_name(pair)!r} is known after {e.left_shown}; {words} {e.right_shown}",
        changes=(
            Change("k", rises=False, whole=True),
            Change("W", rises=False),
            Change("R", rises=True),
        ),
    )


def _last_lateness(plan: Plan, pair: Reconciliation) -> Operand | None:
    """The allowed lateness of the last window on the way that states one."""
    stages = windowed_above(plan, pair.destination)
    found = [plan.operand("L", stage.window, "allowed_lateness", "allowed lateness") for stage in stages]
    return next((operand for operand in reversed(found) if operand is not None), None)


def _lag(plan: Plan, source: Source) -> Operand | None:
    watermark = source.semantics.watermark if source.semantics is not None else None
    return plan.operand("B", watermark, "lag", "watermark lag")


def _segment(plan: Plan, pair: Reconciliation) -> Operand:
    stated = plan.operand("W", pair, "window", "reconciliation window")
    path = plan.path(pair)
    return stated or plan.assumed("W", "reconciliation window", _HOUR_SECONDS, Dimension.DURATION, path)


def _remainder(whole: float, part: float) -> float:
    """What is left of `whole` after full `part`s, to the microsecond."""
    return (round(whole * 1e6) % max(1, round(part * 1e6))) / 1e6


def _name(pair: Reconciliation) -> str:
    return pair.id or f"{pair.source} -> {pair.destination}"


def _both(value: float) -> Bounds:
    return (value, value)
