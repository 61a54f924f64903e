"""What a scenario of the library may say beside load and outage, and what that means for a plan.

    retry_storm: {failure_share: 50 %, length: 30 min}      in the scenario's file
      + stages[].retry of the plan                          -> an act of the run

A happening that needs what the plan does not state is refused with the name of the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from pipelineplan.quantities import Dimension
from pipelineplan.simulation.acts.run_happenings import RUN_HAPPENINGS
from pipelineplan.simulation.network import Network, NotSimulated, SourceLog, Stage
from pipelineplan.simulation.setting import NUMBER, Happening, Setting, Values


def _first_capable(network: Network) -> Stage:
    """The first stage that states a capacity."""
    return next(
        (each for each in network.stages if math.isfinite(each.capacity_per_second)), network.stages[0]
    )


def _retry_storm(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.retrying import RetryStorm

    facts = setting.facts
    attempts = int(facts.need("retry_attempts"))
    storm = RetryStorm(
        facts.retry_stage or _first_capable(setting.network).name,
        setting.start_seconds,
        values["length"],
        values["failure_share"],
        attempts,
        facts.retry_blocking,
        facts.retry_waits_seconds,
    )
    return setting.with_act(storm)


def _rebalances(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.rebalancing import Rebalances

    # What a plan does not say is Kafka's default, whose assignors stop everybody.
    moved = values["moved"] if setting.facts.assignor == "cooperative" else 1.0
    return setting.with_act(
        Rebalances(setting.start_seconds, values["every"], int(values["times"]), values["pause"], moved)
    )


def _slow_polls(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.rebalancing import PollEvictions

    records, interval = (
        setting.facts.need("max_poll_records"),
        setting.facts.need("max_poll_interval_seconds"),
    )
    each = values["longer_than_interval"] * interval / records
    stage = _first_capable(setting.network).name
    return setting.with_act(
        PollEvictions(
            stage, setting.start_seconds, values["length"], each, records, interval, values["pause"]
        )
    )


def _schema_order(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.deploying import SchemaOrder

    act = SchemaOrder(setting.start_seconds, values["length"], setting.facts.on_violation)
    return setting.with_act(act, drain_from_seconds=(act.busy_until_seconds,))


def _rollback(values: Values, setting: Setting) -> Setting:
    """After a cutover the changes flow back to the old side by a network of its own."""
    from pipelineplan.simulation.acts.deploying import WayBack

    able = setting.facts.need("reverse_sync_per_second")
    back = Network(
        SourceLog("changes since the cutover", 1),
        (Stage("reverse sync", 1, able), Stage("old side", 1, math.inf)),
    )
    return replace(setting, network=back).with_act(WayBack(values["after"]))


def _autoscaling(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.scaling import Autoscaler

    facts = setting.facts
    stage = facts.scaled_stage or _first_capable(setting.network).name
    act = Autoscaler(
        stage,
        int(facts.least_workers),
        int(facts.need("most_workers")),
        facts.need("target_utilisation"),
        facts.rescale_seconds,
        values["every"],
        values["catch_up"],
        setting.start_seconds + values["length"],
    )
    return setting.with_act(act)


def _slot(_: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.capturing import SlotFill

    facts = setting.facts
    wal, free = facts.need("wal_bytes_per_second"), facts.need("disk_free_bytes")
    return setting.with_act(SlotFill(wal, free, facts.slot_cap_bytes))


def _snapshot(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.capturing import Snapshot

    gap = setting.facts.slot_gap_seconds
    act = Snapshot(
        setting.start_seconds,
        setting.facts.need("snapshot_seconds"),
        values["slot_gap"] if gap is None else gap,
        setting.network.absorbs_duplicates,
    )
    return setting.with_act(act, drain_from_seconds=(act.busy_until_seconds,))


def _tombstones(_: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.expiring import Tombstones

    return setting.with_act(
        Tombstones(setting.facts.need("delete_share"), setting.facts.need("tombstone_seconds"))
    )


def _transaction(_: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.expiring import TransactionExpiry

    act = TransactionExpiry(setting.facts.need("transaction_timeout_seconds"))
    checkpoint = setting.network.checkpoint
    if checkpoint is None:
        raise NotSimulated("no stage states a checkpoint interval: add `stages[].checkpoint.interval`")
    begun = checkpoint.interval_seconds + 2 * checkpoint.effective_interval_seconds
    start = begun + checkpoint.duration_seconds + 0.001
    outages = tuple(replace(each, start_seconds=start) for each in setting.scenario.outages)
    return setting.with_outages(outages).with_act(act)


def _domain_loss(_: Values, setting: Setting) -> Setting:
    """The job fails over once the loss is noticed; its zone stays away for the repair."""
    from pipelineplan.simulation.acts.expiring import DomainLoss

    domains = int(setting.facts.need("failure_domains"))
    if domains < 2:
        raise NotSimulated(
            "capacity.failure_domains is 1, so nothing is left when it is lost: plan at least two"
        )
    lost = setting.scenario.outages[0]
    over = replace(lost, repair_seconds=0.0)
    act = DomainLoss(lost.start_seconds, lost.detect_seconds + lost.repair_seconds, domains)
    return setting.with_outages((over,)).with_act(act)


def _rejection(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.expiring import Rejection

    # After a burst, if there is one: what overruns the log is refused from then on.
    start = max((setting.start_seconds, *setting.scenario.drain_from_seconds))
    end = start + values["length"]
    times = sorted({start, end, *(time for time, _ in setting.scenario.rates)})
    rates, sent = [], 0.0
    for number, time in enumerate(times):
        rate = next(each for begun, each in reversed(setting.scenario.rates) if begun <= time)
        inside = start <= time < end
        sent += rate * (times[number + 1] - time) if inside else 0.0
        rates.append((time, rate * (1.0 - values["share"]) if inside else rate))
    return setting.with_act(Rejection(values["share"] * sent, sent), rates=tuple(rates))


def _backfill(values: Values, setting: Setting) -> Setting:
    """The old records are read by the same workers, as a second log of the first stage."""
    from pipelineplan.simulation.acts.expiring import Backfill
    from pipelineplan.simulation.flow.joint import as_joint

    facts = setting.facts
    span = facts.replay_seconds if facts.replay_seconds is not None else values["span"]
    limit, records = facts.need("replay_rate_per_second"), span * setting.rate_per_second
    network = as_joint(setting.network)
    name, first = "old records", network.stages[0]
    old = SourceLog(
        name,
        network.source.partitions,
        part=0.0,
        backlog_records=records,
        backlog_seconds=span,
        read_limit_per_second=limit,
    )
    stages = (replace(first, inlets=(*first.inlets, replace(first.inlets[0], of=name))), *network.stages[1:])
    joint = replace(network, stages=stages, beside=(*network.beside, old))
    act = Backfill(len(joint.logs) - 1, records)
    longest = max(setting.scenario.horizon_seconds, 3.0 * records / limit)
    return replace(setting, network=joint).with_act(act, horizon_seconds=longest)


def _marks(values: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.event_marks import EventMarks, FutureRecord, LateBurst, Silence

    network, facts, start = setting.network, setting.facts, setting.start_seconds
    event_time = network.event_time
    if event_time.window_seconds <= 0:
        raise NotSimulated(
            "no stage has a fixed window, so nothing is late: add `stages[].window.fixed` "
            "and `sources[].semantics.watermark.lag`"
        )
    silent, late = values["silent_for"], values["late_share"]
    marks = EventMarks(
        event_time.watermark_lag_seconds,
        event_time.window_seconds,
        facts.allowed_lateness_seconds,
        event_time.watermark_interval_seconds or 0.2,
        merged=bool(values["merged"]) or event_time.merged_watermark,
        idle_seconds=facts.idle_timeout_seconds,
        most_ahead_seconds=facts.max_future_skew_seconds if facts.future != "accept" else None,
        silence=Silence(network.source.partitions - 1, start, silent) if silent else None,
        future=FutureRecord(start, values["ahead"]) if values["ahead"] else None,
        late=LateBurst(start, values["late_for"], late, values["behind"]) if late else None,
    )
    # Windows that a disturbance holds or hurts are seen to their end.
    shift = max(
        0.0, marks.busy_until_seconds + 2 * event_time.window_seconds - setting.scenario.horizon_seconds
    )
    return setting.with_act(marks, horizon_seconds=setting.scenario.horizon_seconds + shift)


def _join_drift(_: Values, setting: Setting) -> Setting:
    from pipelineplan.simulation.acts.joining import JoinDrift

    if len(setting.network.logs) < 2:
        raise NotSimulated("no stage joins two sources, so nothing drifts: this needs two `stages[].inputs`")
    facts = setting.facts
    act = JoinDrift(facts.need("record_bytes"), facts.alignment_seconds, facts.state_ttl_seconds)
    return setting.with_act(act)


def _slow_checkpoints(values: Values, setting: Setting) -> Setting:
    """Checkpoints take longer than their timeout, as they do when barriers wait behind full buffers."""
    checkpoint = setting.network.checkpoint
    if checkpoint is None:
        raise NotSimulated("no stage states a checkpoint interval: add `stages[].checkpoint.interval`")
    timeout = setting.facts.need("checkpoint_timeout_seconds")
    seconds = max(values["longer_than_timeout"] * timeout, checkpoint.duration_seconds)
    slow = replace(checkpoint, duration_seconds=seconds, full_seconds=0.0, timeout_seconds=timeout)
    if checkpoint.tolerable_failures is None:
        slow = replace(slow, tolerable_failures=0)
    until = setting.start_seconds + values["length"]
    changed = replace(setting.scenario, horizon_seconds=until, settle_seconds=until)
    return replace(setting, network=replace(setting.network, checkpoint=slow), scenario=changed)


def _diurnal(values: Values, setting: Setting) -> Setting:
    """Days of hourly rates around the level, a cosine with its top at midday, from an hour to a midnight."""
    first, last = int(values["from_hour"]), 24 * int(values["days"])
    if first >= last:
        raise NotSimulated(f"a load of {last} hours has no hour {first}: more `diurnal.days`")
    rates = tuple(
        (
            3600.0 * (hour - first),
            setting.rate_per_second * (1.0 - values["swing"] * math.cos(math.tau * (hour + 0.5) / 24)),
        )
        for hour in range(first, last)
    )
    length = 3600.0 * (last - first)
    changed = replace(
        setting.scenario,
        rates=rates,
        horizon_seconds=length,
        settle_seconds=length,
        mean_rate=setting.rate_per_second,
    )
    return replace(setting, scenario=changed)


def _outlasts(values: Values, setting: Setting) -> Setting:
    """The outage lasts as many times the retention of the log, or of its tombstones, as is said."""
    if setting.network.runs is not None:
        raise NotSimulated("runs by schedule are simulated for a few days only, less than the log keeps")
    kept = setting.network.source.retention_seconds
    if values["tombstones"]:
        kept = setting.facts.need("tombstone_seconds")
    if math.isinf(kept):
        raise NotSimulated("the source states no retention, so nothing is lost: add `sources[].retention`")
    whole = values["by"] * kept
    lost = setting.scenario.outages[0]
    longer = replace(lost, repair_seconds=max(whole - lost.detect_seconds, 0.0), drain_target_seconds=None)
    return setting.with_outages((longer,))


def _state_growth(values: Values, setting: Setting) -> Setting:
    """State is no longer forgotten, and when it has grown for a while the job fails."""
    if not any(stage.memory is not None and stage.memory.grows for stage in setting.network.stages):
        raise NotSimulated(
            "no stage says that its state grows: add `stages[].state.new_keys` and `bytes_per_key`, or a "
            "join and `sources[].record.size`"
        )
    stages = tuple(
        replace(stage, memory=stage.memory.without_end()) if stage.memory is not None else stage
        for stage in setting.network.stages
    )
    start = setting.start_seconds + values["length"]
    outages = tuple(replace(each, start_seconds=start) for each in setting.scenario.outages)
    changed = replace(setting.scenario, outages=outages, horizon_seconds=5.0 * start)
    return replace(setting, network=replace(setting.network, stages=stages), scenario=changed)


_TIME, _SHARE = Dimension.DURATION, Dimension.SHARE
HAPPENINGS: Mapping[str, Happening] = {
    "outlasts": Happening({"by": NUMBER, "tombstones": NUMBER}, _outlasts, {"tombstones": 0.0}),
    "diurnal": Happening(
        {"swing": _SHARE, "days": NUMBER, "from_hour": NUMBER}, _diurnal, {"days": 2.0, "from_hour": 0.0}
    ),
    "rejection": Happening({"share": _SHARE, "length": _TIME}, _rejection, {}),
    "retry_storm": Happening({"failure_share": _SHARE, "length": _TIME}, _retry_storm, {}),
    "rebalances": Happening(
        {"every": _TIME, "times": NUMBER, "pause": _TIME, "moved": _SHARE}, _rebalances, {"moved": 0.25}
    ),
    "slow_polls": Happening(
        {"longer_than_interval": NUMBER, "length": _TIME, "pause": _TIME}, _slow_polls, {"pause": 10.0}
    ),
    "schema_order": Happening({"length": _TIME}, _schema_order, {}),
    "rollback": Happening({"after": _TIME}, _rollback, {}),
    "autoscaling": Happening(
        {"every": _TIME, "catch_up": _TIME, "length": _TIME}, _autoscaling, {"every": 60.0, "catch_up": 600.0}
    ),
    "slot": Happening({}, _slot, {}),
    "snapshot": Happening({"slot_gap": _TIME}, _snapshot, {"slot_gap": 0.0}),
    "tombstones": Happening({}, _tombstones, {}),
    "transaction": Happening({}, _transaction, {}),
    "domain_loss": Happening({}, _domain_loss, {}),
    "backfill": Happening({"span": _TIME}, _backfill, {"span": 604_800.0}),
    "marks": Happening(
        {
            "merged": NUMBER,
            "silent_for": _TIME,
            "ahead": _TIME,
            "late_share": _SHARE,
            "late_for": _TIME,
            "behind": _TIME,
        },
        _marks,
        {"merged": 0.0, "silent_for": 0.0, "ahead": 0.0, "late_share": 0.0, "late_for": 0.0, "behind": 0.0},
    ),
    "join_drift": Happening({}, _join_drift, {}),
    "state_growth": Happening({"length": _TIME}, _state_growth, {}),
    "slow_checkpoints": Happening({"longer_than_timeout": NUMBER, "length": _TIME}, _slow_checkpoints, {}),
    **RUN_HAPPENINGS,
}
