"""What a simulation says: figures with interval, tier and error class, verdicts, curves.

    peak_lag_records   39.6 M   (38.1 M to 41.2 M)   T1, exact fluid

A figure's interval is what the intervals of the plan's inputs allow, not sampling noise. A value
that is not finite (a backlog that never drains) is `null` in JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelineplan.simulation.probability import Chance, Spread
from pipelineplan.simulation.scenario import Phases
from pipelineplan.tables import rows_to_arrow, rows_to_html, rows_to_pandas
from pipelineplan.verdicts import Verdict

FLUID, PER_RECORD, SCAN = "T1", "T2", "T3"


@dataclass(frozen=True)
class Figure:
    """One number of a scenario, somewhere in `[low, high]`, with the tier that produced it."""

    value: float
    low: float
    high: float
    unit: str
    tier: str
    error_class: str

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not finite is None."""
        return {
            "value": _plain(self.value),
            "low": _plain(self.low),
            "high": _plain(self.high),
            "unit": self.unit,
            "tier": self.tier,
            "error_class": self.error_class,
        }


@dataclass(frozen=True)
class SloVerdict:
    """Whether a promise of the plan holds in a scenario; `target` and figure in seconds.

    `chances` are how often replications kept it: at the `likely` inputs, and at both ends.
    """

    subject: str
    objective: str
    target_seconds: float
    figure: Figure
    verdict: Verdict
    message: str
    path: str = ""
    chances: Mapping[str, Chance] = field(default_factory=dict)

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; the chances only where there are any."""
        plain = {
            "subject": self.subject,
            "objective": self.objective,
            "target_seconds": _plain(self.target_seconds),
            "figure": self.figure.to_json_dict(),
            "verdict": self.verdict.value,
            "message": self.message,
            "path": self.path,
        }
        if self.chances:
            plain["probability"] = {at: asdict(one) for at, one in self.chances.items()}
        return plain


@dataclass(frozen=True)
class Replications:
    """`runs` replications from `seed` at the likely inputs, and what they say of every figure.

    `samples` are the values of each figure, one for each run; `tier` is the model that ran them;
    `bands` are columns over time, of each curve its 5th, 50th and 95th percentile.
    """

    runs: int
    seed: int
    confidence: float
    needed_probability: float
    figures: Mapping[str, Spread]
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict, repr=False)
    tier: str = FLUID
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict, repr=False)

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data without the samples; what is not finite is None."""
        spreads = {
            name: {part: _plain(value) for part, value in asdict(one).items()}
            for name, one in self.figures.items()
        }
        return {
            "runs": self.runs,
            "seed": self.seed,
            "confidence": self.confidence,
            "needed_probability": self.needed_probability,
            "tier": self.tier,
            "figures": spreads,
        }


@dataclass(frozen=True)
class StageState:
    """The state of one stage: at its largest, at the end of the run, and when it passes its budget."""

    stage: str
    peak_bytes: Figure
    end_bytes: Figure
    seconds_to_budget: Figure | None

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; without a budget there is no time to it."""
        plain = {
            "stage": self.stage,
            "peak_bytes": self.peak_bytes.to_json_dict(),
            "end_bytes": self.end_bytes.to_json_dict(),
        }
        if self.seconds_to_budget is not None:
            plain["seconds_to_budget"] = self.seconds_to_budget.to_json_dict()
        return plain


@dataclass(frozen=True)
class JobResult:
    """What one of several jobs says by itself: figures of its own log and workers, by name."""

    job: str
    figures: Mapping[str, Figure]

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"job": self.job, **{name: each.to_json_dict() for name, each in self.figures.items()}}


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario. `series` are columns of equal length: `time_seconds` and the curves over it.

    `states` is the state of each stage that says what it remembers.
    `jobs` are those of a pipeline that has several; figures of the scenario are then of all together.
    `replications` are None where none were asked for, or where no chance changes the outcome.
    """

    name: str
    title: str
    pipeline: str
    figures: Mapping[str, Figure]
    series: Mapping[str, tuple[float, ...]]
    slo_verdicts: tuple[SloVerdict, ...]
    phases: tuple[Phases, ...]
    notes: tuple[str, ...]
    tier: str = FLUID
    replications: Replications | None = None
    states: tuple[StageState, ...] = ()
    jobs: tuple[JobResult, ...] = ()

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data: every figure by its name, then verdicts, phases, notes; no curves."""
        plain = {
            "name": self.name,
            "title": self.title,
            "pipeline": self.pipeline,
            "tier": self.tier,
            **{name: figure.to_json_dict() for name, figure in self.figures.items()},
            "slo_verdicts": [verdict.to_json_dict() for verdict in self.slo_verdicts],
            "phases": [_phases(each) for each in self.phases],
            "notes": list(self.notes),
        }
        if self.states:
            plain["states"] = [each.to_json_dict() for each in self.states]
        if self.jobs:
            plain["jobs"] = [each.to_json_dict() for each in self.jobs]
        if self.replications is not None:
            plain["replications"] = self.replications.to_json_dict()
        return plain


@dataclass(frozen=True)
class SimulationResult:
    """All scenarios of a plan; `not_simulated` pairs a scenario or part with the reason.

    `seed` is None where nothing was drawn at random.
    """

    scenarios: tuple[ScenarioResult, ...]
    not_simulated: tuple[tuple[str, str], ...] = ()
    assumptions: tuple[str, ...] = ()
    seed: int | None = None

    @property
    def verdict(self) -> Verdict:
        """Fails if any promise fails, else unknown if any is, or was not simulated, else holds."""
        verdicts = {each.verdict for scenario in self.scenarios for each in scenario.slo_verdicts}
        if Verdict.FAILS in verdicts:
            return Verdict.FAILS
        return Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts or self.not_simulated else Verdict.HOLDS

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data in a fixed order."""
        return {
            "verdict": self.verdict.value,
            "seed": self.seed,
            "scenarios": [scenario.to_json_dict() for scenario in self.scenarios],
            "not_simulated": [{"what": what, "reason": reason} for what, reason in self.not_simulated],
            "assumptions": list(self.assumptions),
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """One row per figure of each scenario, for a table."""
        return [
            {
                "pipeline": scenario.pipeline,
                "scenario": scenario.name,
                "figure": name,
                **figure.to_json_dict(),
            }
            for scenario in self.scenarios
            for name, figure in scenario.figures.items()
        ]

    def to_arrow(self) -> Any:
        """The figures as a `pyarrow.Table`."""
        return rows_to_arrow(self.to_rows())

    def to_pandas(self) -> Any:
        """The figures as a `pandas.DataFrame`."""
        return rows_to_pandas(self.to_rows())

    def _repr_html_(self) -> str:
        return rows_to_html(self.to_rows(), f"simulated: {self.verdict.value}")

    def band_rows(self) -> dict[str, list[Any]]:
        """The bands of all replicated scenarios as columns of one long table; none without replications."""
        replicated = ((each, each.replications) for each in self.scenarios)
        found = _one_below_the_other((each, drawn.bands) for each, drawn in replicated if drawn is not None)
        return found if found["pipeline"] else {}

    def curve_rows(self) -> dict[str, list[Any]]:
        """The curves of all scenarios as columns of one long table; None where there is no such curve."""
        return _one_below_the_other((each, each.series) for each in self.scenarios)


def _one_below_the_other(
    parts: Iterable[tuple[ScenarioResult, Mapping[str, tuple[float, ...]]]],
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {"pipeline": [], "scenario": []}
    for scenario, found in parts:
        above, length = len(columns["pipeline"]), len(next(iter(found.values()), ()))
        columns["pipeline"] += [scenario.pipeline] * length
        columns["scenario"] += [scenario.name] * length
        for name, values in found.items():
            columns.setdefault(name, [None] * above).extend(values)
        for column in columns.values():
            column.extend([None] * (above + length - len(column)))
    return columns


@dataclass(frozen=True)
class FreshnessTarget:
    """A promised quantile of freshness: at most `seconds`, which the plan may give as an interval."""

    subject: str
    probability: float
    seconds: tuple[float, float, float]
    since: str = "record"
    until: str = "committed_visible"
    over: str = "records"
    path: str = ""

    @property
    def objective(self) -> str:
        """Its name, as in `freshness p95`."""
        return f"freshness p{self.probability * 100:g}"


@dataclass(frozen=True)
class Uncertain:
    """An input that the plan gives as an interval: where it stands and what is written."""

    path: str
    text: str = field(default="")


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _phases(each: Phases) -> dict[str, Any]:
    names = (
        "of",
        "start_seconds",
        "detected_seconds",
        "repaired_seconds",
        "restarted_seconds",
        "drained_seconds",
        "replayed_records",
        "duplicate_records",
    )
    return {**{name: getattr(each, name) for name in names}, "drain_seconds": _plain(each.drain_seconds)}
