"""Several jobs in a row: each is run by itself on what the one before hands over.

    orders -> [staging] ==log==> [mart] -> warehouse
               run 1     handed    run 2

A log between two jobs takes everything and holds nobody up, so nothing of a later job reaches an earlier one,
and each has its own checkpoints, failures and restarts. All runs end together: when what was planned has
happened and its backlog has gone through every log.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.handing_over import factors_of, handed_over, seen_after
from pipelineplan.simulation.network import Network, NotSimulated, Visible, slowest_job
from pipelineplan.simulation.scenario import Handed, Outage, Phases, Scenario

_MARGIN_SECONDS = 0.001


@dataclass(frozen=True)
class _Backlog:
    """An outage, or a burst, and when its backlog comes to a log and is gone from it.

    `since` is None where no job before has one, infinite where it is not gone by the end of the run.
    """

    outage: Outage | None
    since: float | None
    drained: float | None = None


def run_jobs(network: Network, scenario: Scenario) -> Run:
    """Run `scenario` on every job of `network`, one after the other, until all has drained.

    A network of one job is run as it is. Raises `NotSimulated` for happenings beside load and outages, and
    as `run_scenario` does.
    """
    if network.then is None:
        return run_scenario(network, scenario)
    if scenario.acts:
        raise NotSimulated(
            f"scenario {scenario.name!r} of several jobs: only load and outages are simulated for those"
        )
    network, scenario = in_phase(network, scenario)
    until = min(scenario.busy_until_seconds + scenario.settle_seconds, scenario.horizon_seconds)
    too_short = 0.0
    while True:
        runs, backlogs = _run_to(network, scenario, until)
        end = _end(scenario, backlogs)
        seen = end <= until * (1.0 + 1e-9)
        # What ends just where a shorter run did not see it is not tried again.
        if until >= scenario.horizon_seconds or (seen and (end <= too_short or math.isclose(end, until))):
            return _together(network, scenario, runs, backlogs)
        for run in runs:
            run.fluid.let_go()
        too_short = too_short if seen else until
        until = min(end if math.isfinite(end) else 2.0 * until, scenario.horizon_seconds)


def in_phase(network: Network, scenario: Scenario) -> tuple[Network, Scenario]:
    """The same with the checkpoints of later jobs moved to the scenario's phase, and their outages too."""
    if scenario.phase is None and scenario.weather is None:
        return network, scenario
    later = _later(network, scenario, scenario.lasting_rate, 0.0)
    names = [job.name for job in network.jobs]
    outages = tuple(
        replace(
            each,
            start_seconds=each.start_seconds + later[names.index(slowest_job(network, each.job).name)],
        )
        for each in scenario.outages
    )
    return _moved(network, later), replace(scenario, outages=outages)


def _later(network: Network, scenario: Scenario, rate: float, own: float) -> list[float]:
    """Seconds by which each job's checkpoints are moved; those of the first, by `own`."""
    if network.then is None:
        return [own]
    after, before = network.then.network, network.checkpoint
    rate *= network.handed_on
    moved = 0.0
    if network.visible is Visible.AT_CHECKPOINT and before is not None and after.checkpoint is not None:
        between = before.effective_interval_seconds
        committed = before.interval_seconds + own + before.duration_seconds
        reading = between * min(replace(after, then=None).utilisation(rate)[0], 1.0)
        waited = reading + _phase(scenario, after.name) * (between - reading)
        begin = committed + min(waited + _MARGIN_SECONDS, between - _MARGIN_SECONDS)
        moved = (begin - after.checkpoint.interval_seconds) % between
    return [own, *_later(after, scenario, rate, moved)]


def _phase(scenario: Scenario, job: str) -> float:
    if scenario.weather is not None:
        return scenario.weather.place(f"{scenario.name}/checkpoints of {job}")
    return scenario.phase or 0.0


def _moved(network: Network, later: list[float]) -> Network:
    checkpoint, then = network.checkpoint, network.then
    if checkpoint is not None:
        checkpoint = replace(checkpoint, later_seconds=later[0])
    if then is not None:
        then = replace(then, network=_moved(then.network, later[1:]))
    return replace(network, checkpoint=checkpoint, then=then)


def _run_to(network: Network, scenario: Scenario, until: float) -> tuple[list[Run], list[list[_Backlog]]]:
    """Every job's run up to that time, and for each its backlogs."""
    runs: list[Run] = []
    found: list[list[_Backlog]] = []
    handed: Handed | None = None
    coming = [_Backlog(outage, None) for outage in scenario.outages]
    coming += [_Backlog(None, since) for since in scenario.drain_from_seconds]
    for (job, rate), factor in zip(network.loads(1.0), factors_of(network), strict=True):
        own = _of_job(scenario, job, rate, handed, coming)
        run = run_scenario(job, replace(own, horizon_seconds=until, settle_seconds=until))
        gone = _drained(run, coming)
        runs.append(run)
        found.append(gone)
        if len(runs) < len(network.jobs):
            handed = handed_over(run, factor)
            coming = [replace(each, since=_seen(run, each.drained), drained=None) for each in gone]
    return runs, found


def _of_job(
    scenario: Scenario, job: Network, rate: float, handed: Handed | None, coming: list[_Backlog]
) -> Scenario:
    """What of a scenario happens to one job: its own outages, and the load that comes to its log."""
    restart = job.checkpoint.restart_seconds if job.checkpoint is not None else 0.0
    return replace(
        scenario,
        rates=tuple((start, each * rate) for start, each in scenario.rates),
        mean_rate=None if scenario.mean_rate is None else scenario.mean_rate * rate,
        outages=tuple(
            replace(one, restart_seconds=restart) for one in scenario.outages if one.hits(job.name)
        ),
        drain_from_seconds=tuple(
            each.since for each in coming if each.since is not None and math.isfinite(each.since)
        ),
        handed=handed,
    )


def _drained(run: Run, coming: list[_Backlog]) -> list[_Backlog]:
    """The same backlogs with the time at which each is gone from the log of this job."""
    own = iter(run.phases)
    watched = iter(zip(run.scenario.drain_from_seconds, run.burst_drains, strict=True))
    found = []
    for each in coming:
        ends = []
        if each.since is not None:
            since, drain = next(watched) if math.isfinite(each.since) else (math.inf, None)
            ends.append(math.inf if drain is None else since + drain)
        if each.outage is not None and each.outage.hits(run.network.name):
            drained = next(own).drained_seconds
            ends.append(math.inf if drained is None else drained)
        found.append(replace(each, drained=max(ends, default=None)))
    return found


def _seen(run: Run, drained: float | None) -> float | None:
    if drained is None or math.isinf(drained):
        return drained
    return seen_after(run, drained)


def _end(scenario: Scenario, backlogs: list[list[_Backlog]]) -> float:
    """When all that was planned has happened, drained and settled; infinite where it has not yet."""
    gone = [each.drained for each in backlogs[-1] if each.drained is not None]
    return max([scenario.busy_until_seconds, *gone]) + scenario.settle_seconds


def _together(network: Network, scenario: Scenario, runs: list[Run], backlogs: list[list[_Backlog]]) -> Run:
    """All runs as one: the first with the phases and drains of the whole."""
    outages = len(scenario.outages)
    last = backlogs[-1]
    repeats = _repeats_at_the_sink(network)
    phases = tuple(
        _phases(number, runs, scenario, last[number].drained, repeats) for number in range(outages)
    )
    bursts = tuple(
        None if each.drained is None or math.isinf(each.drained) else each.drained - start
        for each, start in zip(last[outages:], scenario.drain_from_seconds, strict=True)
    )
    return replace(
        runs[0],
        network=_of_all(network),
        scenario=scenario,
        phases=phases,
        burst_drains=bursts,
        restarts=tuple(each for run in runs for each in run.restarts),
        failed_checkpoints=tuple(each for run in runs for each in run.failed_checkpoints),
        jobs=tuple(runs),
    )


def _of_all(network: Network) -> Network:
    """The same with the event time of the job that has a window, or says why it knows none."""
    times = [job.event_time for job in network.jobs]
    windowed = [each for each in times if each.window_seconds > 0 or each.unknown_freshness]
    return replace(network, event_time=windowed[0]) if windowed else network


def _phases(
    number: int, runs: list[Run], scenario: Scenario, drained: float | None, repeats: list[float]
) -> Phases:
    """The phases of one outage over all jobs that it hits; what each writes again comes to the sink."""
    each = [_own_phases(number, run, scenario) for run in runs]
    hit = [own for own in each if own is not None]
    again = [own.duplicate_records * more for own, more in zip(each, repeats, strict=True) if own is not None]
    return replace(
        hit[0],
        restarted_seconds=max(own.restarted_seconds for own in hit),
        drained_seconds=None if drained is None or math.isinf(drained) else drained,
        replayed_records=math.fsum(own.replayed_records for own in hit),
        duplicate_records=math.fsum(again),
    )


def _own_phases(number: int, run: Run, scenario: Scenario) -> Phases | None:
    """The phases of outage `number` of the scenario in the run of one job."""
    if not scenario.outages[number].hits(run.network.name):
        return None
    before = sum(one.hits(run.network.name) for one in scenario.outages[:number])
    return run.phases[before]


def _repeats_at_the_sink(network: Network) -> list[float]:
    """Per job: the repeats at the sink for each record that it writes again; none that the sink absorbs."""
    if network.then is None:
        return [1.0]
    after = network.then.network
    once_more = 0.0 if network.jobs[-1].absorbs_duplicates else network.then.selectivity
    later = _repeats_at_the_sink(after)
    return [once_more * after.scale(len(after.stages) - 1) * later[0], *later]
