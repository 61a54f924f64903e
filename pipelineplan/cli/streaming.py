"""`test --stream DIR`: what is late, out of order, repeated or stale in recorded streams, by window."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.output import coloured, envelope, safe, say

if TYPE_CHECKING:
    from pipelineplan.quality.streaming import StreamChecked


def add_stream_option(parser: argparse.ArgumentParser) -> None:
    """The option that asks for it."""
    parser.add_argument(
        "--stream",
        type=Path,
        metavar="DIR",
        help="check the recorded streams among the data: write a table of metrics per window, and a project "
        "of Great Expectations with the plan's limits on it, to DIR",
    )


def run_streams(options: argparse.Namespace, data: Mapping[str, Path]) -> int:
    """Check, write, print, and say by the exit status whether the limits hold."""
    from pipelineplan.verdicts import Verdict
    from pipelineplan.workflow import check_streams

    report = check_streams(
        options.plan,
        data,
        options.stream,
        on=tuple(shlex.split(options.runner_options or "")) if options.on else None,
        env=options.env,
    )
    status = 0 if report.verdict is Verdict.HOLDS else 1
    if options.format == "json":
        say(envelope("test", status, report={"streams": report.to_json_dict()}))
        return status
    for stream in report.streams:
        for line in _lines(stream):
            say(line)
    return status


def _lines(stream: StreamChecked) -> Iterator[str]:
    from pipelineplan.quality.streaming.of_plan import names_of

    records = stream.metrics.total("records")
    windows = f"{len(stream.metrics.counts):,} windows of {safe(stream.stage)}"
    yield coloured(f"{safe(stream.source)}: {records:,} records in {windows}", "bold")
    for name in names_of(stream.metrics)[1:]:
        count = stream.metrics.total(name)
        yield f"  {name.replace('_', ' '):<20} {count:>9,}  {count / max(1, records):.3%}"
    if stream.unreadable:
        yield f"  {stream.unreadable:,} records have no readable event time"
    for check in stream.report.checks if stream.report is not None else ():
        broken = f": not in {check.unexpected_count:,} windows" if check.unexpected_count else ""
        meaning = {"pass": "holds", "fail": "fails"}.get(str(check.verdict), "unknown")
        yield f"  {coloured(str(check.verdict), meaning):<6} {check.severity} {safe(check.title)}{broken}"
    yield f"  written to {safe(stream.file.as_posix())}"
