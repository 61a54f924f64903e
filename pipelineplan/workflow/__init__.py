"""The whole story in one place: from a plan file to a bundle.

plan file -> Plan -> [Finding] -> SimulationResult -> QualityReport -> [GateDecision] -> Bundle
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.errors import MissingExtraError
from pipelineplan.plan import Plan
from pipelineplan.plan.judged import CheckResult, about_of
from pipelineplan.verdicts import Finding, Verdict
from pipelineplan.workflow.given import Progress, as_plan
from pipelineplan.workflow.on_data import check_streams, generate, mutate, reconcile, test

if TYPE_CHECKING:
    from pipelineplan.bundle import Contents, Difference
    from pipelineplan.bundle.checklist import ChecklistKind
    from pipelineplan.bundle.contents import Rendering
    from pipelineplan.exchange import Export
    from pipelineplan.profiling.times import Unit
    from pipelineplan.quality import QualityReport
    from pipelineplan.simulation import SimulationResult
    from pipelineplan.simulation.questions.calibration import Calibrated
    from pipelineplan.simulation.questions.sensitivity import Sensitivity
    from pipelineplan.simulation.questions.solving import Solution
    from pipelineplan.simulation.questions.what_if import WhatIf
    from pipelineplan.sources import StreamProfile
    from pipelineplan.workflow.recording import Observation, Recording

__all__ = [
    "calibrate",
    "check",
    "check_streams",
    "compile_plan",
    "diff",
    "export",
    "generate",
    "mutate",
    "profile",
    "reconcile",
    "record",
    "sensitivity",
    "simulate",
    "solve",
    "test",
    "what_if",
    "write",
]


def check(
    plan: Plan | Path | str,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    strict: bool = False,
    env: str | None = None,
    as_of: date | None = None,
    holding: bool = True,
) -> CheckResult:
    """Judge `plan` by every static rule, or by those whose codes start with one of `select`.

    Attestations and the comments that let findings pass end on their day, counted from `as_of` (today,
    UTC). Without `holding`, what holds is only counted, which takes less time. Raises `InputError` when
    the plan cannot be read.
    """
    from pipelineplan.rules import judge, judged_with_comments, with_day

    one, wanted, unwanted = as_plan(plan, env), tuple(select), tuple(ignore)
    today = as_of or datetime.now(UTC).date()
    findings = with_day(one, judge(one, wanted, unwanted, holding=holding), today)
    findings = judged_with_comments(one, findings, today, wanted, unwanted)
    held = sum(finding.verdict is Verdict.HOLDS for finding in findings)
    if not holding:
        findings = tuple(finding for finding in findings if finding.verdict is not Verdict.HOLDS)
    return CheckResult(about_of(one), findings, strict, held, plan=one)


def simulate(
    plan: Plan | Path | str,
    *,
    scenarios: Iterable[str | Path] = (),
    env: str | None = None,
    replications: int = 0,
    seed: int = 0,
    jobs: int = 1,
    resume: Path | None = None,
    horizon_seconds: float | None = None,
) -> SimulationResult:
    """Simulate `plan`: steady and peak load and its declared outages, or the named `scenarios`.

    With `replications`, chance is drawn from `seed` that many times, on `jobs` processes, and a
    promise is judged by how often it is kept; the result does not depend on `jobs`. Finished ones are
    written to the file `resume`, and those that are there already are not drawn again. A run lasts as
    long as `horizon_seconds` says, or until everything has drained. A scenario is a name of the library,
    a file, or "all". Raises `InputError` for a plan, a scenario or a horizon that cannot be read.
    """
    from pipelineplan.simulation import recipes_named
    from pipelineplan.simulation import simulate as run

    return run(
        as_plan(plan, env),
        recipes_named(tuple(scenarios)),
        replications=replications,
        seed=seed,
        jobs=jobs,
        resume=resume,
        horizon_seconds=horizon_seconds,
    )


def solve(
    plan: Plan | Path | str,
    entry: str,
    until: str,
    *,
    scenarios: Iterable[str | Path] = (),
    env: str | None = None,
    replications: int = 0,
    seed: int = 0,
    jobs: int = 1,
) -> Solution:
    """The least value of `entry` (as in `stages.count.parallelism`) at which the plan keeps `until`.

    `until` is a condition on a figure of all scenarios, as in `drain_time <= 30 min @ 95 %`; with a
    probability it is confirmed by replications (200, if not said). Raises `InputError`.
    """
    from pipelineplan.simulation import recipes_named
    from pipelineplan.simulation.chance.replicating import Futures
    from pipelineplan.simulation.questions.asking import solve_plan

    futures = Futures(replications or 200, seed, jobs)
    return solve_plan(as_plan(plan, env), entry, until, recipes_named(tuple(scenarios)), futures)


def sensitivity(
    plan: Plan | Path | str,
    outcome: str = "margin",
    *,
    vary: float = 0.1,
    scenarios: Iterable[str | Path] = (),
    env: str | None = None,
    samples: int = 0,
    seed: int = 0,
) -> Sensitivity:
    """Which number of `plan` moves `outcome` most: a figure at its worst, or the margin of the promises.

    Each is moved alone, to the ends of its interval or by the share `vary`. With `samples` rows (a
    power of two) Sobol indices are drawn as well, by the extra `sensitivity`. Raises `InputError`.
    """
    from pipelineplan.simulation import recipes_named
    from pipelineplan.simulation.questions.sensitivity import sensitivity as run

    recipes = recipes_named(tuple(scenarios))
    return run(as_plan(plan, env), outcome, share=vary, recipes=recipes, samples=samples, seed=seed)


def what_if(plan: Plan | Path | str, *, env: str | None = None) -> WhatIf | None:
    """A grid of simulations over the two numbers of `plan` that move its worst promise most.

    None where nothing is promised that could be simulated, or fewer than two numbers move it. Raises
    `InputError` when the plan cannot be read.
    """
    from pipelineplan.simulation.questions.what_if import what_if as run

    return run(as_plan(plan, env))


def profile(
    data: Sequence[str | Path],
    *,
    event_time: str,
    arrival_time: str | None = None,
    key: str | None = None,
    partition: str | None = None,
    duplicates_by: Sequence[str] = (),
    unit: Unit = "auto",
    progress: Progress | None = None,
) -> StreamProfile:
    """Measure the recorded events in `data`: CSV, JSONL or Parquet files, or globs of them.

    Columns are named; numeric times are in `unit`. Needs the extra `data`. Raises `InputError` for
    files or columns that cannot be used; rows that cannot be read are counted in the profile.
    """
    from pipelineplan.profiling import measure

    return measure(
        data,
        event_time=event_time,
        arrival_time=arrival_time,
        key=key,
        partition=partition,
        duplicates_by=duplicates_by,
        unit=unit,
        progress=None if progress is None else lambda events: progress(f"{events:,} events read"),
    )


def calibrate(
    plan: Plan | Path | str,
    metrics: Path | str,
    *,
    topic: str | None = None,
    group: str | None = None,
    sink: str | None = None,
    env: str | None = None,
) -> tuple[Calibrated, ...]:
    """What recorded lag (a CSV of an exporter) says of the capacity, skew, rate and restarts of `plan`.

    `topic` and `group` choose rows, `sink` the pipeline where there are several. Raises `InputError`.
    """
    from pipelineplan.simulation.questions.calibration import calibrate_plan

    return calibrate_plan(as_plan(plan, env), Path(metrics), topic=topic, group=group, sink=sink)


def diff(before: Plan, after: Plan) -> Difference:
    """What changed from one plan to another: values, verdicts, and simulated figures."""
    from pipelineplan.bundle import compare
    from pipelineplan.rules import judge_revision

    changed, findings, simulated = _side(after)
    return compare(_side(before), (changed, (*findings, *judge_revision(before, after)), simulated))


def compile_plan(  # noqa: PLR0913  (all that a bundle is made of)
    plan: Plan | Path | str,
    data: Mapping[str, Path] | None = None,
    *,
    as_of: datetime | None = None,
    env: str | None = None,
    strict: bool = False,
    mutation: bool = False,
    simulated: SimulationResult | None = None,
    rendering: Rendering = "data-plan",
    evidence: Path | None = None,
    progress: Progress | None = None,
) -> Contents:
    """The whole story: read, check, simulate, test, decide the gates, write the runbooks.

    `data` are files by dataset name; without them quality stays open, and the gates say so. With
    `mutation`, faults are put into the data to see what the checks notice, which takes a run of the
    checks for each. `simulated` is what `simulate` gave for the same plan, with replications perhaps;
    else it is simulated here. `rendering` arranges the report as a data plan, a design spec or a
    technical design. `evidence` is the file that `record` adds to, where it is not the usual one beside the
    plan. The result is what `write_bundle` writes.
    """
    from importlib.metadata import version

    from pipelineplan.bundle import compile_contents
    from pipelineplan.engines.beam_evidence import play_on_beam
    from pipelineplan.workflow.recording import day_of, evidence_of

    show = progress or (lambda _: None)
    one = as_plan(plan, env)
    show("simulating")
    simulated = simulated or simulate(one)
    quality = _tested(one, data, as_of, show, mutation=mutation) if data else None
    played = play_on_beam(one, data, show) if data else None
    reconciled = reconcile(one, data) if data else None
    return compile_contents(
        one,
        _judged(one, simulated, as_of),
        simulated,
        quality,
        reconciled,
        as_of=as_of.isoformat() if as_of is not None else "",
        version=version("pipelineplan"),
        strict=strict,
        played=played,
        rendering=rendering,
        evidence=evidence_of(one, evidence),
        day=day_of(one, as_of),
    )


def _judged(plan: Plan, simulated: SimulationResult, as_of: datetime | None) -> tuple[Finding, ...]:
    """All verdicts; what has been accepted is judged all the same: a bundle says how the plan stands."""
    from pipelineplan.gates import with_simulated
    from pipelineplan.rules import judge, with_day

    findings = with_simulated(plan, judge(plan), simulated)
    return with_day(plan, findings, as_of.date() if as_of is not None else None)


def record(
    plan: Plan | Path | str,
    step: str,
    said: Observation,
    *,
    kind: ChecklistKind = "cutover",
    at: datetime | None = None,
    data: Mapping[str, Path] | None = None,
    evidence: Path | None = None,
    env: str | None = None,
) -> Recording:
    """Record what was seen at a `step` of a runbook: one line in the evidence file beside the plan.

    The measured value is held against the step's threshold in the plan of today, and the verdict is that
    of the comparison. `at` is when it was seen (UTC; now, if not said). A decision (`go-no-go`) counts the
    plan's required gates, for which `data` are needed as for `compile_plan`, and the steps before it.
    Raises `InputError` for a step, value or decider that does not fit; then nothing is written.
    """
    from pipelineplan.workflow.recording import recorded

    moment = at or datetime.now(UTC)
    contents = compile_plan(plan, data, as_of=moment, env=env, evidence=evidence)
    return recorded(contents, kind, step, said, as_of=moment, file=evidence)


def _tested(
    plan: Plan, data: Mapping[str, Path], as_of: datetime | None, progress: Progress, *, mutation: bool
) -> QualityReport:
    """The checks on the data, and with `mutation` what they notice of faults put into it."""
    quality = test(plan, data, as_of=as_of, progress=progress)
    if not mutation:
        return quality
    return replace(quality, mutation=mutate(plan, data, as_of=as_of, progress=progress))


def write(  # noqa: PLR0913  (all that a bundle is made of)
    plan: Plan | Path | str,
    folder: Path | str,
    data: Mapping[str, Path] | None = None,
    *,
    as_of: datetime | None = None,
    env: str | None = None,
    strict: bool = False,
    mutation: bool = False,
    simulated: SimulationResult | None = None,
    rendering: Rendering = "data-plan",
    evidence: Path | None = None,
    progress: Progress | None = None,
) -> Contents:
    """Compile `plan` into a bundle at `folder`, whole or not at all; returns what it was written from.

    Takes what `compile_plan` takes, and raises what it and `write_bundle` raise. Needs the extra
    `report`, and with `data` the extra `quality`.
    """
    from pipelineplan.bundle import write_bundle
    from pipelineplan.bundle.attachments import attachments
    from pipelineplan.bundle.plots import can_plot

    if not can_plot():  # said before the work and not after it
        raise MissingExtraError("a bundle", "report")
    contents = compile_plan(
        plan,
        data,
        as_of=as_of,
        env=env,
        strict=strict,
        mutation=mutation,
        simulated=simulated,
        rendering=rendering,
        evidence=evidence,
        progress=progress,
    )
    (progress or (lambda _: None))("writing")
    write_bundle(contents, folder, attachments(contents, as_of))
    (progress or (lambda _: None))("")
    return contents


def export(
    plan: Plan | Path | str,
    format: str,  # noqa: A002  (what it is)
    *,
    settings: Mapping[str, str] | None = None,
    env: str | None = None,
) -> Export:
    """`plan` in another tool's format: "strimzi", "flink", "prometheus" and the others of `EXPORTS`.

    `settings` are what the format asks for and no plan says, such as `{"cluster": "main"}`. Every value
    has the place that says it, and what cannot be carried is in `dropped`. Raises `InputError` for an
    unknown format or setting, and for a plan that states nothing of what the format holds.
    """
    from pipelineplan.exchange import SIMULATED
    from pipelineplan.exchange import export as write_as

    one = as_plan(plan, env)
    return write_as(one, format, settings, simulate(one) if format in SIMULATED else None)


def _side(plan: Plan) -> tuple[Plan, tuple[Finding, ...], SimulationResult]:
    """A plan with its simulation, and with the verdicts that may rest on it."""
    from pipelineplan.gates import with_simulated
    from pipelineplan.rules import judge

    simulated = simulate(plan)
    return plan, with_simulated(plan, judge(plan), simulated), simulated
