"""What `test` says of a reconciliation, and its options: --against, --replay, --ignore, --watermark."""

from __future__ import annotations

import argparse
import datetime as dt
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelineplan.cli.data_options import instant
from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.quality.reconciling import Reconciled, ReconciliationReport
    from pipelineplan.quality.reconciling.drilling import KeyDifference

_SHOWN = 10


def add_reconciliation_options(parser: argparse.ArgumentParser) -> None:
    """The options of a reconciliation."""
    parser.add_argument(
        "--against",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="the old pipeline's output of a dataset (PATH, or NAME=PATH) to reconcile the given data with",
    )
    parser.add_argument(
        "--replay",
        action="store_true",
        help="with --against: both are outputs of the same input, and every row must be the same",
    )
    parser.add_argument(
        "--ignore",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="with --against: columns that may differ, such as a processing time",
    )
    parser.add_argument(
        "--watermark",
        type=_watermark,
        default=None,
        metavar="INSTANT",
        help="what the destination has committed up to, or `end` when the data is complete; default: its "
        "newest event time less the plan's watermark lag",
    )


def run_against(options: argparse.Namespace, data: Mapping[str, Path]) -> int:
    """Reconcile with the old output, print, and say by the exit status whether it holds."""
    from pipelineplan.workflow import reconcile

    report = reconcile(
        options.plan,
        data,
        _old(options, data),
        watermark=options.watermark,
        replay=options.replay,
        ignore=options.ignore,
        on=tuple(shlex.split(options.runner_options or "")) if options.on else None,
        env=options.env,
    )
    status = status_of(report)
    if options.format == "json":
        say(envelope("test", status, report={"reconciliation": report.to_json_dict()}))
    else:
        print_reconciliation(report)
    return status


def require_against(options: argparse.Namespace) -> None:
    """Raise `InputError` for options that would have no effect together."""
    given = [name for name in ("replay", "ignore") if getattr(options, name)]
    counting = "--against" if options.against else "--stream" if options.stream else ""
    if counting and options.on not in {None, "beam"}:
        found = f"found --on {options.on} with {counting}"
        raise InputError([Problem(found, Position("--on"), fix="this process or --on beam counts there")])
    elsewhere = options.stream or options.replay or (options.on and not options.against)
    if options.watermark is not None and elsewhere:
        found = "found --watermark, which says which windows of a reconciliation are closed"
        raise InputError([Problem(found, Position("--watermark"), fix="leave it out here")])
    if given and not options.against:
        found = f"found --{given[0]} without --against"
        raise InputError([Problem(found, Position("--against"), fix="add --against PATH")])


def status_of(report: ReconciliationReport) -> int:
    """0 when everything that was compared agrees, else 1."""
    from pipelineplan.verdicts import Verdict

    return 0 if report.verdict is Verdict.HOLDS else 1


def print_reconciliation(report: ReconciliationReport) -> None:
    """The report for people."""
    for pair in report.pairs:
        for line in _lines(pair):
            say(line)
    for left in report.not_evaluated:
        say(coloured(f"{safe(left.name)}: could not evaluate", "unknown"))
        say(f"  {safe(left.reason)}")


def _old(options: argparse.Namespace, data: Mapping[str, Path]) -> dict[str, Path]:
    old: dict[str, Path] = {}
    problems = []
    for text in options.against:
        name, equals, path = text.partition("=")
        if not equals:
            path = text
            name = next(iter(data)) if len(data) == 1 else ""
        if not name or not path:
            known = ", ".join(sorted(data))
            problems.append(
                Problem(
                    f"found {text!r}, wanted NAME=PATH",
                    Position("--against"),
                    fix=f"data is given for {known}",
                )
            )
        else:
            old[name] = Path(path)
    if problems:
        raise InputError(problems)
    return old


def _lines(one: Reconciled) -> Iterator[str]:
    from pipelineplan.bundle.reconciled import balance
    from pipelineplan.quality.reconciling.report import said_time

    yield coloured(f"{safe(one.pair.name)}: {one.verdict}", str(one.verdict))
    compared = (
        f"{one.closed:,} closed windows compared" if one.pair.source_side.event_time else "all rows compared"
    )
    still = f", {one.open:,} still open" if one.open else ""
    mark = f" (watermark {said_time(one.watermark_us)})" if one.pair.source_side.event_time else ""
    yield f"  {compared}{still}{mark}"
    yield f"  {safe(balance(one))}"
    if one.repeats:
        yield f"  {one.repeats:,} repeated or superseded records of {safe(one.pair.source)} do not count"
    yield from _findings(one)
    if one.unplaced:
        yield f"  {one.unplaced:,} records without a readable event time differ: no window holds them"
    if not one.closed:
        yield "  no window is closed: nothing is compared; say --watermark end if the data is complete"
    for text in (*one.unread, *one.notes):
        yield f"  {safe(text)}"


def _findings(one: Reconciled) -> Iterator[str]:
    kinds = [f"{count:,} {kind}" for kind, count in one.differing_keys.items() if count]
    if kinds:
        yield f"  keys: {', '.join(kinds)}"
    if one.pair.source_side.event_time:
        for window in one.alarms[:_SHOWN]:
            yield f"  {window.start}: {window.differing_share:.3%} differ, {one.pair.tolerance:.3%} allowed"
        yield from _more(len(one.alarms), "windows")
    for key in one.keys[:_SHOWN]:
        yield f"    {safe(_key(one, key))}"
    yield from _more(sum(one.differing_keys.values()), "keys")
    if one.level != "quiet":
        at = one.escalated_at
        why = f": {at.reason}" if at is not None else ""
        to = f", to {one.pair.escalation.to}" if at is not None and one.pair.escalation.to else ""
        yield f"  {one.level}{safe(to)}{why}"


def _more(count: int, words: str) -> Iterator[str]:
    if count > _SHOWN:
        yield f"    and {count - _SHOWN:,} more of the {words}"


def _key(one: Reconciled, key: KeyDifference) -> str:
    named = ", ".join(f"{name}={value}" for name, value in zip(one.pair.keys, key.key, strict=True))
    changes = ", ".join(f"{name} {a} -> {b}" for name, a, b in key.changes)
    counts = (
        f"{key.source} against {key.destination + key.accounted} records"
        if key.kind == "repeated"
        else changes
    )
    return f"{key.kind} {named}" + (f": {counts}" if counts else "")


def _watermark(text: str) -> dt.datetime | Literal["end"]:
    return "end" if text == "end" else instant(text)
