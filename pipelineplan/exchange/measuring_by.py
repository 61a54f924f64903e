"""What alerts measure by: the exporter of consumer lag, Flink's own reporter, and metrics that a user names.

`Meters` belong to one export; a metric that nobody named stands as `<FRESHNESS>` in a rule that is a comment.
Sources: Flink documentation, "Metrics" (names of scopes, standard source metrics, checkpointing).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.flink import jobs_of
from pipelineplan.exchange.lag_metrics import LAG_METRICS, LagMetrics
from pipelineplan.exchange.promql import one_of, series
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.plan.operations import Alert
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, Quantity, QuantityError, parse

EXPORTERS = (*LAG_METRICS, "flink")
METERS = {
    "freshness": "a gauge of the seconds since the newest result that a reader sees",
    "errors": "a counter of requests or records that fail",
    "requests": "a counter of all of them",
    "dead_letters": "a gauge of the age in seconds of the oldest dead letter that nobody has looked at",
}
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,200}\Z")
_RECORDS = re.compile(r"\s*(\d[\d_,]{0,30})\s*(?:records?|events?|messages?)?\s*\Z")


@dataclass(frozen=True)
class Meters:
    """The plan, what it is measured by, and where what cannot be measured is noted."""

    tracer: Tracer
    settings: Settings
    exporter: str

    @property
    def lag(self) -> LagMetrics | None:
        """The expressions of the lag exporter; None for Flink's reporter, which knows no group."""
        return LAG_METRICS.get(self.exporter)

    def jobs(self) -> Iterator[tuple[str, list[Stage]]]:
        """Flink's jobs, each with its stages."""
        yield from jobs_of(self.tracer.plan).items()

    def kafka(self) -> list[Source]:
        """The sources that are topics."""
        return [source for source in self.tracer.plan.model.sources if source.system == "kafka"]

    def named(self, meter: str) -> tuple[str, str]:
        """A metric that the user named, and "", or a placeholder and what it needs."""
        given = self.settings.get(meter)
        if given is not None:
            return str(given.value), ""
        return f"<{meter.upper()}>", f"--set {meter}=METRIC, {METERS[meter]}"

    def of_job(self, metric: str, job: str) -> str:
        """A series of Flink's reporter, which by default writes `_` for what is no letter or digit."""
        return series(f"flink_{metric}", one_of("job_name", [re.sub(r"[^a-zA-Z0-9:_]", "_", job), job]))

    def group_of(self, source: Source) -> tuple[str, str]:
        """The consumer group of a source, and "", or a placeholder and what it needs."""
        if source.consumer is not None and source.consumer.group:
            return source.consumer.group, ""
        return "<GROUP>", f"state consumer.group: of {source.id}"

    def amount(self, alert: Alert, *dimensions: Dimension) -> Quantity | None:
        """The threshold of an alert in one of `dimensions`; what is none is noted as left out."""
        found: Any = alert.above
        if found is None:
            self.tracer.drop(alert, "", "states no threshold: above:")
            return None
        for dimension in dimensions:
            quantity = _read(found, dimension)
            if quantity is not None and quantity.uncertain:
                self.tracer.drop(
                    alert, "above", f"{quantity.text} is an interval, and a rule has one threshold"
                )
                return None
            if quantity is not None:
                return quantity
        wanted = " or ".join(dimension.name.lower() for dimension in dimensions)
        self.tracer.drop(alert, "above", f"{_shown(found)} is no {wanted} that could be compared")
        return None

    @staticmethod
    def count(alert: Alert) -> float | None:
        """The threshold of an alert in records, where it is one."""
        match = _RECORDS.match(alert.above) if isinstance(alert.above, str) else None
        return float(match[1].replace("_", "").replace(",", "")) if match is not None else None


def meters(tracer: Tracer, settings: Settings) -> Meters:
    """What is measured by, as `--set` says it; raises `InputError` for an unknown exporter or no metric."""
    given = settings.get("exporter")
    exporter = str(given.value) if given is not None else EXPORTERS[0]
    problems = _no_metrics(settings)
    if exporter not in EXPORTERS:
        wanted = ", ".join(EXPORTERS)
        problems.append(
            Problem(f"found the exporter {exporter!r}, wanted one of {wanted}", Position("--set"))
        )
    if problems:
        raise InputError(problems)
    return Meters(tracer, settings, exporter)


def check_metrics(settings: Settings) -> None:
    """Raise `InputError` for a metric that cannot be the name of one."""
    if problems := _no_metrics(settings):
        raise InputError(problems)


def _no_metrics(settings: Settings) -> list[Problem]:
    return [
        Problem(f"found {value!r} for {name}, wanted the name of a metric", Position("--set"))
        for name, value in settings.values.items()
        if name in METERS and not _METRIC.match(value)
    ]


def _read(found: object, dimension: Dimension) -> Quantity | None:
    if isinstance(found, Quantity):
        return found if found.dimension is dimension else None
    try:
        return parse(found, dimension)
    except QuantityError:
        return None


def _shown(found: object) -> str:
    return repr(found.text if isinstance(found, Quantity) else str(found))[:60]
