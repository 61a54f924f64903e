"""Several jobs in a row, record by record: what one has shown is what the next finds in its log.

Each job is a model of its own. What is handed over are the single records that it emitted, at the moments at
which they could be seen, each with the time at which it was born in the first log.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pipelineplan.simulation.handing_over import factors_of
from pipelineplan.simulation.in_a_row import in_phase
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.records.per_record import PerRecordRun, run_one_job, run_per_record
from pipelineplan.simulation.records.record_flow import Coming, Service
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.sharing import Floats

_GOLDEN = 0.6180339887498949


def run_jobs_per_record(
    network: Network, scenario: Scenario, end_seconds: float, *, service: Service, seed: int
) -> PerRecordRun:
    """Every job up to `end_seconds`; the whole has the lag of all logs and the records of the last job.

    Its `drains` are those of each job's own outages, in its own log.
    """
    runs: list[PerRecordRun] = []
    handed: Coming | None = None
    if network.then is None:
        return run_per_record(network, scenario, end_seconds, service=service, seed=seed)
    network, scenario = in_phase(network, scenario)
    for place, (job, factor) in enumerate(zip(network.jobs, factors_of(network), strict=True)):
        own = _of_job(scenario, job)
        runs.append(run_one_job(job, own, end_seconds, service, seed + place, handed))
        if place + 1 < len(network.jobs):
            handed = _handed(runs[-1], factor, network.jobs[place + 1].shares)
    last = runs[-1]
    return replace(
        last,
        lag=np.asarray(np.sum([each.lag for each in runs], axis=0)),
        drains=[drain for each in runs for drain in each.drains],
        replayed=[back for each in runs for back in each.replayed],
        duplicates=[again for each in runs for again in each.duplicates],
        jobs=tuple(runs),
    )


def _of_job(scenario: Scenario, job: Network) -> Scenario:
    restart = job.checkpoint.restart_seconds if job.checkpoint is not None else 0.0
    own = [one for one in scenario.outages if one.hits(job.name)]
    return replace(scenario, outages=tuple(replace(one, restart_seconds=restart) for one in own))


def _handed(run: PerRecordRun, factor: float, shares: tuple[float, ...]) -> Coming:
    """The records that were seen, in the order in which they were, spread over the partitions by shares."""
    seen = np.array(run.seen_at)
    order = np.flatnonzero(np.isfinite(seen))
    order = order[np.argsort(seen[order], kind="stable")]
    chosen = order[_thinned(len(order), factor)]
    partition = _dealt_out(shares, len(chosen))
    born = np.array(run.born)
    return Coming(
        [seen[chosen[partition == each]].tolist() for each in range(len(shares))],
        [born[chosen[partition == each]].tolist() for each in range(len(shares))],
    )


def _thinned(count: int, factor: float) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Which of `count` records are written, `factor` for each, evenly."""
    many = math.floor(count * factor + 1e-9)
    return np.asarray((np.arange(many) + 0.5) / factor, dtype=np.intp) if factor > 0 else np.zeros(0, np.intp)


def _dealt_out(shares: tuple[float, ...], count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    edges: Floats = np.cumsum(np.array(shares))
    points = (np.arange(count) * _GOLDEN + 0.5) % 1.0
    found = np.searchsorted(edges, points * edges[-1], side="right")
    return np.asarray(np.minimum(found, len(edges) - 1), dtype=np.intp)
