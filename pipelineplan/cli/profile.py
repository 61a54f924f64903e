"""Measure a recorded stream: disorder, lateness, rate, gaps, skew, duplicates.

    pipelineplan profile events.csv --event-time occurred_at -o profiles/clicks.yaml
    pipelineplan profile 'day/*.parquet' --event-time ts --arrival-time loaded_at --key user_id
    pipelineplan profile events.csv --event-time ts --window '1 min' --lags '0 s,5 s,30 s' --page delays.html
    pipelineplan profile 'day/*.parquet' --event-time ts --on flink
    pipelineplan profile 'day/*.parquet' --event-time ts --on beam --runner-options='--runner=FlinkRunner'

A plan references the written profile: `disorder: {profile: profiles/clicks.yaml}`. With --window, the
trade-off of watermark lags is measured on the same records: what each lag completes and costs.
Columns such as Kafka's LogAppendTime, Debezium's ts_ms or a loader's _loaded_at are arrival times.

With --on the same profile is measured by Apache Beam: in this process, on the runner that
--runner-options name, or on a Flink cluster with two task managers that is started and ended here.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.cli.progress import progress
from pipelineplan.quantities import Dimension, QuantityError, parse, say_seconds, say_share

if TYPE_CHECKING:
    from pipelineplan.profiling import Tradeoff
    from pipelineplan.sources import Bursts, Fit, Spread, StreamProfile


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `profile`."""
    parser.add_argument("data", nargs="+", metavar="DATA", help="CSV, JSONL or Parquet files, or globs")
    parser.add_argument("--event-time", required=True, metavar="COLUMN")
    parser.add_argument(
        "--arrival-time", metavar="COLUMN", help="without it, the order of the rows is the order of arrival"
    )
    parser.add_argument("--key", metavar="COLUMN", help="measure skew over this key")
    parser.add_argument(
        "--partition",
        metavar="COLUMN",
        help="measure skew over partitions; with --window, one watermark each",
    )
    parser.add_argument(
        "--duplicates-by", metavar="COLUMNS", default="", help="columns that make a record the same, by comma"
    )
    parser.add_argument(
        "--unit", choices=("auto", "s", "ms", "us", "ns"), default="auto", help="of numeric times"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the profile there, for a plan"
    )
    parser.add_argument(
        "--window", type=_seconds, metavar="DURATION", help="measure the trade-off for this fixed window"
    )
    parser.add_argument(
        "--lags", type=_durations, default=(), metavar="DURATIONS", help="lags to try, by comma"
    )
    parser.add_argument(
        "--allowed", type=_durations, default=(0.0,), metavar="DURATIONS", help="allowed latenesses to try"
    )
    parser.add_argument("--on", choices=("beam", "flink"), help="measure on Apache Beam, or Beam on Flink")
    parser.add_argument(
        "--runner-options",
        metavar="OPTIONS",
        help="options of a Beam runner, as --runner-options='--runner=FlinkRunner ...'; with --on beam",
    )
    parser.add_argument(
        "--shared", type=Path, metavar="DIR", help="a folder that this machine and Beam's workers see"
    )
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="draw delays, rate and trade-off there, as one HTML page"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _seconds(text: str) -> float:
    try:
        return parse(text, Dimension.DURATION).value
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _durations(text: str) -> tuple[float, ...]:
    return tuple(_seconds(part) for part in text.split(","))


def run(options: argparse.Namespace) -> int:
    """Measure, write, print."""
    measured = _measured(options)
    tried = _tradeoff(options, measured) if options.window is not None else None
    if options.output is not None:
        from pipelineplan.sources import to_yaml

        _write(to_yaml(measured), options.output)
        note(f"wrote {options.output}; reference it as disorder: {{profile: {options.output.name}}}")
    if options.page is not None:
        from pipelineplan.bundle.profile_page import as_profile_page

        _write(as_profile_page(measured, tried), options.page)
        note(f"wrote {options.page}")
    if options.format == "json":
        from pipelineplan.profiling import to_json_dict

        extra = {"tradeoff": tried.to_json_dict()} if tried is not None else {}
        say(envelope("profile", 0, **to_json_dict(measured), **extra))
        return 0
    _print(measured)
    if tried is not None:
        _print_tradeoff(tried)
    return 0


def _measured(options: argparse.Namespace) -> StreamProfile:
    from pipelineplan.engines.profiling_on import profile_on
    from pipelineplan.workflow import profile

    columns = {
        "event_time": options.event_time,
        "arrival_time": options.arrival_time,
        "key": options.key,
        "partition": options.partition,
        "duplicates_by": tuple(column for column in options.duplicates_by.split(",") if column),
        "unit": options.unit,
    }
    if options.on is None:
        _refuse_alone(options)
        return profile(options.data, **columns, progress=progress())
    given = shlex.split(options.runner_options or "")
    return profile_on(
        options.on, options.data, columns, runner_options=given, shared=options.shared, progress=progress()
    )


def _refuse_alone(options: argparse.Namespace) -> None:
    from pipelineplan.errors import InputError, Position, Problem

    given = {"--runner-options": options.runner_options, "--shared": options.shared}
    problems = [
        Problem("it has no effect here", Position(name), fix="it goes with --on beam")
        for name, value in given.items()
        if value is not None
    ]
    if problems:
        raise InputError(problems)


def _tradeoff(options: argparse.Namespace, measured: StreamProfile) -> Tradeoff:
    from pipelineplan.profiling import Choices, lags_of, tradeoff

    return tradeoff(
        options.data,
        Choices(options.window, options.lags or lags_of(measured), options.allowed),
        event_time=options.event_time,
        arrival_time=options.arrival_time,
        partition=options.partition,
        unit=options.unit,
    )


def _write(text: str, file: Path) -> None:
    from pipelineplan.errors import InputError, Position, Problem

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(file.as_posix()))]) from error


def _print(measured: StreamProfile) -> None:
    span = f"{measured.first_event_time} to {measured.last_event_time}"
    say(coloured(f"{measured.events:,} events, {span}", "bold"))
    for name, text in _lines(measured):
        say(f"  {name:<15} {text}")
    for reason in measured.unreadable.first:
        say(f"    {safe(reason)}")


def _lines(measured: StreamProfile) -> Iterator[tuple[str, str]]:
    late, rate, gaps = measured.out_of_order, measured.rate, measured.gaps
    yield "out of order", f"{late.count:,} ({say_share(late.share)})"
    yield from _spread("disorder", measured.disorder_seconds, measured.disorder_fit)
    if measured.lateness_seconds is not None:
        yield from _spread("lateness", measured.lateness_seconds, measured.lateness_fit)
    peak = f"{rate.peak_per_second:,.4g}/s over {say_seconds(rate.peak_interval_seconds)}"
    yield "rate", f"{rate.average_per_second:,.4g}/s, peak {peak} (by {rate.clock} time)"
    if measured.bursts is not None:
        yield "bursts", _bursts(measured.bursts)
    since = "" if gaps.longest_from is None else f" from {gaps.longest_from}"
    yield "gaps", f"longest {say_seconds(gaps.longest_seconds)}{since}, p99 {say_seconds(gaps.p99_seconds)}"
    if gaps.idle is not None and gaps.idle.count:
        idle, than = gaps.idle, f"longer than {say_seconds(gaps.idle.threshold_seconds)}"
        together = f"{say_seconds(idle.seconds)} together ({say_share(idle.share)} of the time)"
        yield "idle", f"{idle.count:,} stretches {than}, {together}"
    yield from _by_group(measured)
    if measured.future is not None and measured.future.count:
        furthest = say_seconds(measured.future.furthest_seconds)
        yield "from the future", f"{measured.future.count:,}, by up to {furthest}"
    if measured.unreadable.count:
        yield "not read", coloured(f"{measured.unreadable.count:,} rows", "unknown")


def _by_group(measured: StreamProfile) -> Iterator[tuple[str, str]]:
    for name, split in (("partitions", measured.partitions), ("keys", measured.keys)):
        if split is not None:
            hottest = say_share(split.hottest_share)
            yield name, f"{split.values:,} of {safe(split.field)}, the hottest has {hottest}"
    if measured.within_partitions is not None:
        within = measured.within_partitions
        worst = f"worst in {safe(within.worst)!r} with p99 {say_seconds(within.worst_p99_seconds)}"
        behind = f"{within.out_of_order.count:,} behind in their own ({say_share(within.out_of_order.share)})"
        yield "within", f"{behind}, p99 {say_seconds(within.disorder_seconds.quantiles['p99'])}, {worst}"
    for skew in measured.clock_skew:
        ahead = f"{safe(skew.ahead)!r} is ahead by {say_seconds(skew.ahead_seconds)}"
        behind = f"{safe(skew.behind)!r} behind by {say_seconds(skew.behind_seconds)}"
        yield "clocks", f"of {skew.compared:,} {safe(skew.field)}: {ahead}, {behind}, against their median"
    if measured.duplicates is not None:
        apart = f"up to {say_seconds(measured.duplicates.furthest_apart_seconds)} apart"
        share = say_share(measured.duplicates.share)
        yield "duplicates", f"{measured.duplicates.count:,} ({share}), {apart}"


def _spread(name: str, spread: Spread, fit: Fit | None) -> Iterator[tuple[str, str]]:
    error = f" (rounded up, by {say_share(spread.relative_error)} at most)" if spread.relative_error else ""
    yield name, _quantiles(spread.quantiles) + error
    if fit is not None:
        parameters = ", ".join(f"{key} {value:.4g}" for key, value in fit.parameters.items())
        wrong = f"shares wrong by up to {say_share(fit.misfit)}, p99 by {fit.quantile_errors['p99']:+.1%}"
        yield "  closest to", f"{fit.family} ({parameters}): {wrong}"


def _bursts(bursts: Bursts) -> str:
    above = f"above {bursts.threshold_per_second:,.4g}/s"
    longest = f"the longest {say_seconds(bursts.longest_seconds)}" if bursts.count else "none"
    share = f"{say_share(bursts.share)} of events, dispersion {bursts.dispersion:,.3g}"
    return f"{bursts.count:,} {above}, {longest}, {share}"


def _quantiles(quantiles: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {say_seconds(seconds)}" for name, seconds in quantiles.items())


_COLUMNS = ("lag", "allowed", "first firing", "final", "dropped", "latency p95")


def _print_tradeoff(tried: Tradeoff) -> None:
    window, rule = say_seconds(tried.window_seconds), tried.rule.value
    say(f"\n  windows of {window}, by the rule of {rule}, watermark {tried.scope.value}")
    say("  " + "".join(f"{column:<14}" for column in _COLUMNS).rstrip())
    for row in tried.rows:
        latency = row.latency_p95_seconds
        cells = (
            say_seconds(row.lag_seconds),
            say_seconds(row.allowed_lateness_seconds),
            say_share(row.at_first_firing),
            say_share(row.final),
            say_share(row.dropped),
            "none fired" if latency is None else say_seconds(latency),
        )
        knee = "  <- knee: beyond it waiting buys least" if row.knee else ""
        say("  " + "".join(f"{cell:<14}" for cell in cells).rstrip() + knee)
