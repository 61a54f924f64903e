"""CDC: does the slot begin early enough, does the disk behind it last, and can changes be merged?

slot |-- snapshot --|-- stream ------------------->      what changes meanwhile waits in the slot
     |== outage ====| wal_rate * T bytes on the database's disk
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.jobs import stops
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.recovery import downtime
from pipelineplan.plan.source import ChangeCapture, Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say, say_seconds
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import at_most, inequality, statement
from pipelineplan.rules.registry import ALWAYS_ERROR, BY_LEVEL, rule
from pipelineplan.verdicts import Operand

# A connector in front of a log stops with the source or the brokers; a job that reads the slot itself stops
# with its own failures too.
_STOPS_THE_CONNECTOR = {"source", "broker"}
_STOPS_THE_JOB = {"source", "job", "zone", "sink"}


def _captured(plan: Plan) -> Iterator[tuple[Source, ChangeCapture]]:
    for source in plan.model.sources:
        if source.cdc is not None:
            yield source, source.cdc


def _margin(plan: Plan, source: Source) -> Operand:
    path = plan.path(source, "cdc")
    return plan.assumed("margin", "margin on the disk", 1.5, None, path, (1.0, 2.0))


@rule(
    "CDC101",
    title="The slot is created before the snapshot",
    why="What changes between the snapshot and the slot is in neither.",
    formula="slot < snapshot < stream",
    bad="slot_created: after_snapshot",
    good="slot_created: before_snapshot",
    fix="create the slot first, then take the snapshot, then read the slot",
    source="debezium/debezium#1073; Hornetlabs/synchdb#256",
    severity=ALWAYS_ERROR,
)
def slot_first(plan: Plan) -> Iterator[Claim]:
    """The order of slot and snapshot, for every source that states it or a snapshot."""
    for source, cdc in _captured(plan):
        path = plan.path(source, "cdc", "slot_created")
        if cdc.slot_created is None:
            if cdc.snapshot is not None:
                missing = f"{source.id!r} takes a snapshot: state cdc.slot_created, before or after it"
                yield Claim(path, source.id, missing=missing)
            continue
        before = cdc.slot_created == "before_snapshot"
        what = f"the slot of {source.id!r} is created {'before' if before else 'after'} the snapshot"
        what += "" if before else ": what changes between the two is in neither"
        yield statement(path, source.id, what, true=before)


@rule(
    "CDC102",
    title="The database's disk holds the log while nobody reads the slot",
    why="A slot that is not read keeps the write-ahead log; when the disk is full the database stops.",
    formula="wal_rate * max(T, snapshot) * margin <= disk_free",
    bad="22 GB/h for an outage of 12 h with 300 GB free",
    good="22 GB/h for an outage of 3 h with 300 GB free",
    fix="free or add disk, shorten the outage, or cap the slot and accept a new snapshot",
    source="PostgreSQL documentation, replication slots; debezium documentation, WAL disk space",
    severity=BY_LEVEL,
)
def disk_holds(plan: Plan) -> Iterator[Claim]:
    """`wal_rate * longest silence * margin <= disk_free` for every source with a slot."""
    for source, cdc in _captured(plan):
        yield from _held_claims(plan, source, cdc, "disk_free", "the free disk")


@rule(
    "CDC103",
    title="The slot's cap is not reached while nobody reads it",
    why="A slot beyond max_slot_wal_keep_size is dropped: the pipeline then needs a new snapshot.",
    formula="wal_rate * max(T, snapshot) * margin <= slot_cap",
    bad="22 GB/h for an outage of 3 h with a cap of 50 GB",
    good="22 GB/h for an outage of 3 h with a cap of 200 GB",
    fix="raise the cap, shorten the outage, or plan for the new snapshot",
    source="PostgreSQL documentation, max_slot_wal_keep_size",
    severity=BY_LEVEL,
)
def cap_holds(plan: Plan) -> Iterator[Claim]:
    """`wal_rate * longest silence * margin <= slot_cap` for every source with a capped slot."""
    for source, cdc in _captured(plan):
        yield from _held_claims(plan, source, cdc, "slot_cap", "the cap of the slot")


def _held_claims(plan: Plan, source: Source, cdc: ChangeCapture, limit: str, name: str) -> Iterator[Claim]:
    room = plan.operand("room", cdc, limit, name.removeprefix("the "))
    rate = plan.operand("wal", cdc, "wal_rate", "growth of the write-ahead log")
    if room is None:
        return
    path = plan.path(cdc, limit)
    if rate is None:
        missing = f"cannot say how long {name} of {source.id!r} lasts: state cdc.wal_rate"
        yield Claim(path, source.id, missing=missing)
        return
    silences = tuple(_silences(plan, source, cdc))
    if silences:
        what, operands = max(silences, key=lambda silence: sum(operand.value for operand in silence[1]))
        yield _held_claim(plan, source, path, (rate, room), what, operands)


def _silences(plan: Plan, source: Source, cdc: ChangeCapture) -> Iterator[tuple[str, tuple[Operand, ...]]]:
    """Every stretch in which the slot is not read: the snapshot, and each outage that stops its reader."""
    snapshot = plan.operand("T", cdc, "snapshot", "length of the snapshot")
    if snapshot is not None:
        yield "the snapshot", (snapshot,)
    kinds = _STOPS_THE_JOB if source.system in {"postgres", "mysql"} else _STOPS_THE_CONNECTOR
    for outage in plan.model.outages:
        readers = [stage for stage in _readers(plan, source) if stops(plan, outage, stage)]
        if outage.of in kinds and readers:
            yield f"an outage of {outage.id or outage.of}", _phases(plan, outage, readers[0])


def _phases(plan: Plan, outage: Outage, reader: Stage) -> tuple[Operand, ...]:
    down = downtime(plan, outage, reader)
    restarts = down.restarts({one.symbol: one.value for one in down.operands})
    counted = {"detect", "repair", *({"restart", "restore"} if restarts else ())}
    return tuple(one for one in down.operands if one.symbol in counted)


def _readers(plan: Plan, source: Source) -> list[Stage]:
    return [
        plan.stage(edge.downstream)
        for edge in plan.graph.out_of(source.id)
        if plan.graph.kinds[edge.downstream] == "stage"
    ]


def _held_claim(
    plan: Plan,
    source: Source,
    path: tuple[str | int, ...],
    limits: tuple[Operand, Operand],
    what: str,
    silence: tuple[Operand, ...],
) -> Claim:
    rate, room = limits
    symbols = tuple(operand.symbol for operand in silence)
    return inequality(
        path,
        f"{source.id} {what}",
        (rate, *silence, _margin(plan, source), room),
        lambda v: v["wal"] * sum(v[symbol] for symbol in symbols) * v["margin"],
        lambda v: v["room"],
        lambda e: (
            f"{what} of {say_seconds(sum(e.values[s] for s in symbols))} keeps "
            f"{say(e.values['wal'] * sum(e.values[s] for s in symbols), Dimension.SIZE)} of log in the "
            f"slot of {source.id!r}, {e.left_shown} with margin; the {room.name} is {e.right_shown}"
        ),
        dimension=Dimension.SIZE,
        changes=(Change("room", rises=True), *(Change(symbol, rises=False) for symbol in symbols[:2])),
    )


@rule(
    "CDC104",
    title="The slot's cap fits on the disk",
    why="A cap that is larger than the free disk protects nothing: the disk is full before it is reached.",
    formula="slot_cap <= disk_free",
    bad="slot_cap: 400 GB with disk_free: 300 GB",
    good="slot_cap: 200 GB with disk_free: 300 GB",
    fix="lower the cap, or add disk",
    source="PostgreSQL documentation, max_slot_wal_keep_size (default: no limit)",
    severity=BY_LEVEL,
)
def cap_fits(plan: Plan) -> Iterator[Claim]:
    """`slot_cap <= disk_free` for every source that states both."""
    for source, cdc in _captured(plan):
        cap = plan.operand("cap", cdc, "slot_cap", "cap of the slot")
        free = plan.operand("free", cdc, "disk_free", "free disk")
        if cap is None or free is None:
            continue
        yield _cap_claim(plan, source, cap, free)


def _cap_claim(plan: Plan, source: Source, cap: Operand, free: Operand) -> Claim:
    return at_most(
        plan.path(source, "cdc", "slot_cap"),
        source.id,
        cap,
        free,
        lambda e: f"the slot of {source.id!r} may keep {e.left_shown}; {e.right_shown} are free",
        changes=(Change("cap", rises=False), Change("free", rises=True)),
    )


@rule(
    "CDC105",
    title="Changes can be merged in the order they were made",
    why="Snapshot and stream overlap, and retries repeat: without a key and a version an old row "
    "overwrites a newer one.",
    formula="primary_key and version stated, where a sink upserts",
    bad="mode: upsert below a captured table without version",
    good="primary_key: [order_id], version: lsn",
    fix="state cdc.primary_key and cdc.version, and merge by them",
    source="apache/flink-cdc#592, #784; DBLog, arXiv 2010.12597",
    severity=BY_LEVEL,
)
def can_be_merged(plan: Plan) -> Iterator[Claim]:
    """Key and version of every captured source above a sink that upserts."""
    for source, cdc in _captured(plan):
        sinks = [s for s in plan.model.sinks if s.mode == "upsert" and source.id in plan.graph.above(s.id)]
        if not sinks:
            continue
        lacking = [name for name in ("primary_key", "version") if not getattr(cdc, name)]
        stated = " and ".join(lacking) if lacking else "primary_key and version"
        what = f"{sinks[0].id!r} upserts changes of {source.id!r} {'without' if lacking else 'by'} {stated}"
        what += ": an old row can overwrite a newer one" if lacking else ""
        yield statement(plan.path(source, "cdc"), source.id, what, true=not lacking)


@rule(
    "CDC106",
    title="A quiet table does not hold the log back",
    why="The slot moves only with its own table's changes; while that is quiet, the other tables' log "
    "piles up behind it.",
    formula="wal_rate * min(heartbeat, normal gap) * margin <= min(disk_free, slot_cap)",
    bad="a normal_gap of 24 h without heartbeat at 22 GB/h with 300 GB free",
    good="heartbeat: 10 s",
    fix="state cdc.heartbeat and write to a heartbeat table",
    source="Debezium documentation, heartbeat.interval.ms and WAL disk space consumption",
    severity=BY_LEVEL,
)
def quiet_tables(plan: Plan) -> Iterator[Claim]:
    """The longest time for which the slot does not move although it is read."""
    for source, cdc in _captured(plan):
        rate = plan.operand("wal", cdc, "wal_rate", "growth of the write-ahead log")
        rooms = [
            plan.operand("free", cdc, "disk_free", "free disk"),
            plan.operand("cap", cdc, "slot_cap", "cap of the slot"),
        ]
        quiet = [
            plan.operand("heartbeat", cdc, "heartbeat", "heartbeat"),
            plan.operand("gap", source.semantics, "normal_gap", "longest normal silence"),
        ]
        if rate is not None and any(rooms) and any(quiet):
            yield _quiet_claim(plan, source, rate, quiet, rooms)


def _quiet_claim(
    plan: Plan, source: Source, rate: Operand, quiet: list[Operand | None], rooms: list[Operand | None]
) -> Claim:
    return inequality(
        plan.path(source, "cdc"),
        source.id,
        (rate, *quiet, _margin(plan, source), *rooms),
        lambda v: v["wal"] * v["margin"] * min(v[s] for s in ("heartbeat", "gap") if s in v),
        lambda v: min(v[s] for s in ("free", "cap") if s in v),
        lambda e: (
            f"while {source.id!r} is quiet the slot keeps up to {e.left_shown}; there is room for "
            f"{e.right_shown}"
        ),
        dimension=Dimension.SIZE,
        changes=(Change("heartbeat", rises=False), Change("gap", rises=False)),
    )
