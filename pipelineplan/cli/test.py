"""Run the plan's quality rules and contracts on data, or its windows on a real engine.

    pipelineplan test plan.yaml --data orders=data/orders.csv customers=data/customers.csv
    pipelineplan test plan.yaml --data-dir data/ --backend postgresql
    pipelineplan test plan.yaml --data orders=data/orders.csv --on beam
    pipelineplan test plan.yaml --data orders=data/orders.csv --on beam --batch out/windows
    pipelineplan test plan.yaml --data warehouse=new.parquet --against old.parquet
    pipelineplan test plan.yaml --data orders=data/orders.csv --stream out/

    pipelineplan test plan.yaml --data-dir good/ --mutate
    pipelineplan test plan.yaml --generate 1000 --late '5 %' --late-by '2 min' -o samples/

Every check passes, fails, or could not be evaluated; a rule that nothing can execute is listed with
its reason. Exit status 1 when a check of severity error fails or any could not be evaluated.

With --mutate the data is taken for good; faults are put into it, one kind at a time (duplicate, drop,
late, reorder, null, type, value), and each check is named that notices one. Exit status 1 when less
than nine tenths of the faults are noticed.

With --generate no data is read: sample data is written that meets the contracts and rules, in the order
of arrival, the same for the same seed. Then --late and --duplicates break what they are meant to break.

With --on the recorded events of the plan's sources, in the order of their files, go through its
windows on that engine, and what is on time, late and dropped is compared with the prediction, window
by window. Exit status 1 when they differ, 2 for what the engine cannot run, with the reason.

With --batch, Beam runs all records as a batch, on the runner that --runner-options name or in this
process: records that break the contract become dead letters, repeats go, windows are counted, and the
counts are written there as Parquet and compared.

A reconciliation of the plan is run when both its sides have data; with --against the data is reconciled
with the old pipeline's output instead. Only windows that the watermark has closed are compared. Exit
status 1 when one differs by more than the tolerance, or none can be compared.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelineplan.cli.data_options import add_as_of, add_data_options, as_of, given_data
from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.cli.progress import progress
from pipelineplan.cli.reconciling import (
    add_reconciliation_options,
    print_reconciliation,
    require_against,
    run_against,
    status_of,
)
from pipelineplan.cli.sample_data import add_sample_options, check_options, run_generate
from pipelineplan.cli.streaming import add_stream_option, run_streams
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.plan import Plan
    from pipelineplan.quality import CheckResult, QualityReport


# A function that takes a plan, files by source, and progress, and returns an `EngineReport`.
ENGINES = {
    "beam": "pipelineplan.engines.beam:beam_report",
    "flink": "pipelineplan.engines.flink_plan:flink_report",
}


_ENOUGH_NOTICED = 0.9


class EngineReport(Protocol):
    """What an engine did, beside what was predicted."""

    @property
    def agrees(self) -> bool:
        """Whether the engine did exactly what was predicted."""

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data in a fixed order."""

    def lines(self) -> list[str]:
        """The same for people."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `test`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    add_data_options(parser)
    add_as_of(parser)
    parser.add_argument(
        "--mutate", action="store_true", help="put faults into the data and see which check notices which"
    )
    add_sample_options(parser)
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument(
        "--backend",
        choices=("duckdb", "pandas", "sqlite", "postgresql"),
        default="duckdb",
        help="the engine that answers the checks; postgresql copies the data into a schema of its own, "
        "which is dropped after, of the database that PIPELINEPLAN_DATABASE names",
    )
    parser.add_argument("--on", choices=sorted(ENGINES), help="the engine that runs the plan's windows")
    parser.add_argument(
        "--batch", type=Path, metavar="DIR", help="with --on beam: run all as a batch, write Parquet there"
    )
    parser.add_argument(
        "--runner-options",
        metavar="OPTIONS",
        help="with --on beam and --batch, --against or --stream: options of a Beam runner, as "
        "--runner-options='--runner=FlinkRunner ...'",
    )
    add_reconciliation_options(parser)
    add_stream_option(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Compile, run, print."""
    from pipelineplan.verdicts import Verdict
    from pipelineplan.workflow import reconcile, test

    require_against(options)
    check_options(options)
    _refuse_without_effect(options)
    if options.generate is not None:
        return run_generate(options)
    data = given_data(options)
    if not data:
        raise InputError(
            [Problem("no data given, wanted --data NAME=PATH or --data-dir DIR", Position("--data"))]
        )
    for is_asked, other in _other_runs(options):
        if is_asked:
            return other(options, data)
    if options.on is not None:
        if options.backend != "duckdb":
            message = f"--backend {options.backend} answers quality checks, and --on {options.on} runs none"
            raise InputError([Problem(message, Position("--backend"), fix="give one of the two")])
        return _run_on(options, data)
    report = test(
        options.plan,
        data,
        as_of=as_of(options),
        env=options.env,
        backend=options.backend,
        progress=progress(),
    )
    reconciled = reconcile(options.plan, data, watermark=options.watermark, env=options.env)
    status = 0 if report.verdict is Verdict.HOLDS else 1
    if reconciled:
        status = max(status, status_of(reconciled))
    if options.format == "json":
        said = report.to_json_dict() | {"reconciliation": reconciled.to_json_dict()}
        say(envelope("test", status, report=said))
        return status
    _print(report)
    print_reconciliation(reconciled)
    return status


def _other_runs(options: argparse.Namespace) -> Iterator[tuple[bool, Callable[..., int]]]:
    """What is done with the data instead of running the suites on it, and whether it was asked for."""
    yield bool(options.against), run_against
    yield options.stream is not None, run_streams
    yield options.mutate, _mutate


def _refuse_without_effect(options: argparse.Namespace) -> None:
    problems = []
    if options.batch is not None and options.on != "beam":
        problems.append(Problem("it has no effect here", Position("--batch"), fix="it goes with --on beam"))
    counting = options.batch or options.against or options.stream
    if options.runner_options is not None and not (counting and options.on == "beam"):
        fix = "it goes with --on beam and --batch, --against or --stream: a preview runs in this process"
        problems.append(Problem("it has no effect here", Position("--runner-options"), fix=fix))
    if problems:
        raise InputError(problems)


def _mutate(options: argparse.Namespace, data: Mapping[str, Path]) -> int:
    from pipelineplan.workflow import mutate

    if options.on is not None or options.against or options.backend != "duckdb":
        message = "--mutate runs the checks on DuckDB, and compares with nothing"
        fix = "leave out --on, --against and --backend"
        raise InputError([Problem(message, Position("--mutate"), fix=fix)])
    report = mutate(options.plan, data, as_of=as_of(options), env=options.env, progress=progress())
    status = 0 if report.score >= _ENOUGH_NOTICED else 1
    if options.format == "json":
        say(envelope("test", status, mutation=report.to_json_dict()))
        return status
    for mutant in report.mutants:
        by = safe(", ".join(mutant.killed_by)) or coloured("nothing notices it", "fails")
        why = f" ({safe(mutant.unnoticed)})" if mutant.unnoticed else ""
        say(f"  {mutant.dataset:<16}  {mutant.kind:<9}  {safe(mutant.words)}: {by}{why}")
    for hole in report.impossible:
        note(f"{hole.dataset}: no {hole.kind} was put in: {hole.reason}")
    for dataset, title in report.failing_before:
        note(f"{dataset}: {title} fails on the data as it is, and so notices nothing")
    for dataset in report.useless:
        say(coloured(f"the checks of {safe(dataset)} notice nothing at all", "fails"))
    killed = sum(bool(mutant.killed_by) for mutant in report.mutants)
    say(f"{killed} of {len(report.mutants)} faults are noticed ({report.score:.0%})")
    return status


def _run_on(options: argparse.Namespace, data: Mapping[str, Path]) -> int:
    from pipelineplan.plan import read_plan

    plan = read_plan(options.plan, options.env)
    sources = {name for source in plan.model.sources for name in (source.id, source.dataset)}
    named = {text.partition("=")[0] for text in options.data}
    # A folder may hold data of sinks too; what was named must be a source.
    given = {name: path for name, path in data.items() if name in sources | named}
    report = _report(options, plan, given)
    status = 0 if report.agrees else 1
    if options.format == "json":
        say(envelope("test", status, report=report.to_json_dict()))
        return status
    for line in report.lines():
        say(safe(line))
    verdict = f"{options.on} agrees with the prediction" if report.agrees else f"{options.on} differs"
    say(coloured(verdict, "holds" if report.agrees else "fails"))
    return status


def _report(options: argparse.Namespace, plan: Plan, data: Mapping[str, Path]) -> EngineReport:
    if options.batch is not None:
        from pipelineplan.engines.beam_batch import batch_report

        runner_options = shlex.split(options.runner_options or "")
        return batch_report(plan, data, options.batch, runner_options, progress())
    module, function = ENGINES[options.on].split(":")
    report: EngineReport = getattr(import_module(module), function)(plan, data, progress())
    return report


def _print(report: QualityReport) -> None:
    for name, rows in report.datasets.items():
        say(coloured(f"{safe(name)}: {rows:,} rows", "bold"))
        for check in report.checks:
            if check.dataset == name:
                say(_line(check))
    for entry in report.not_executable:
        say(f"  not executable  {safe(entry.rule)} ({entry.position}): {safe(entry.reason)}")
    without = sorted({check.dataset for check in report.checks} - set(report.datasets))
    if without:
        note(f"no data given for {', '.join(without)}")
    counts = report.to_json_dict()["counts"]
    say(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))


def _line(check: CheckResult) -> str:
    meaning = {"pass": "holds", "fail": "fails"}.get(str(check.verdict), "unknown")
    line = f"  {coloured(str(check.verdict), meaning):<14}  {safe(check.title)}"
    if check.unexpected_count:
        line += f": {check.unexpected_count:,} of {check.row_count:,} rows"
    if check.reason:
        line += f": {safe(check.reason)}"
    if check.unexpected_count and check.samples:
        line += f" (such as {', '.join(safe(str(sample)) for sample in check.samples[:3])})"
    return line
