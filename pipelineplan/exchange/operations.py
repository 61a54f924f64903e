"""What of a plan's exports belongs into a bundle: topics, jobs, objectives, and alerts by every exporter.

operations/topics.yaml, flink/config.yaml, slos.yaml, alerts/<exporter>.rules.yaml

What a plan states nothing of has no file. Load the alerts of one exporter only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pipelineplan.exchange import flink, openslo, prometheus, strimzi
from pipelineplan.exchange.exported import Export, File
from pipelineplan.exchange.measuring_by import EXPORTERS
from pipelineplan.exchange.settings import Settings
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.simulation.result import SimulationResult


def operations(plan: Plan, simulated: SimulationResult | None) -> Mapping[str, File]:
    """The files by their names below `operations/`; some thresholds of alerts are from `simulated`."""
    return dict(_files(plan, simulated))


def _files(plan: Plan, simulated: SimulationResult | None) -> Iterator[tuple[str, File]]:
    yield from _below("", strimzi.export(plan, Settings()))
    yield from _below("flink/", flink.export(plan, Settings()))
    yield from _below("", openslo.export(plan, Settings()))
    for exporter in EXPORTERS:
        yield from _below("alerts/", prometheus.export(plan, Settings({"exporter": exporter}, simulated)))


def _below(folder: str, made: Export | None) -> Iterator[tuple[str, File]]:
    for file in made.files if made is not None else ():
        yield f"{folder}{file.name}", file
