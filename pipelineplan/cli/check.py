"""Judge one or many plans by every static rule.

    pipelineplan check plan.yaml
    pipelineplan check plans/ --format sarif > findings.sarif
    pipelineplan check plan.yaml --select CAP,EVT --strict
    pipelineplan check --changed --base origin/main          only what this branch brings

A folder is one plan when its files are parts of one, else every plan below it is checked; no PATH is every
plan that pipelineplan.toml includes. Verdicts are kept in the user's cache until a file that they rest on
changes.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from pipelineplan.cli.discovery import plans_below
from pipelineplan.cli.findings import FORMATS, Found, show
from pipelineplan.cli.output import note, say, seen_from_here
from pipelineplan.documents.root import MARKER, find_root
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.fleet import Asked, Fleet, cache_folder, check_plans
from pipelineplan.verdicts import Severity


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    levels = [severity.value for severity in Severity]
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="plan files or folders")
    add("--format", choices=FORMATS, default="text")
    add("--select", default="", metavar="CODES", help="only rules that start with these, by comma")
    add("--ignore", default="", metavar="CODES", help="no rules that start with these, by comma")
    add("--fail-on", choices=levels, help="default: fail-level of pipelineplan.toml, else error")
    add("--strict", action="store_true", help="unknown verdicts and assumptions count in full")
    add("--env", metavar="NAME", help="lay the overlay of this environment over each plan")
    add("--as-of", type=_day, metavar="DATE", help="the day of expiry dates; default: today, UTC")
    add("--fix", action="store_true", help="remove comments and baseline entries that let nothing pass")
    add("--no-cache", action="store_true", help="judge every plan anew, and keep nothing")
    add("--jobs", type=int, default=0, metavar="N", help="processes; default: the cores, for many plans")
    add("-v", "--verbose", action="store_true", help="also what holds, what only informs, what is accepted")
    _add_living(parser.add_argument_group("living with findings"))


def _add_living(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--baseline",
        action=argparse.BooleanOptionalAction,
        help="let pass what the baseline beside each plan lists; default: as pipelineplan.toml says",
    )
    add("--write-baseline", action="store_true", help="list in it what fails now, and drop what is gone")
    add("--reason", default="", metavar="TEXT", help="of new entries of the baseline")
    add("--owner", default="", metavar="NAME", help="of new entries; default: the plan's owner")
    add("--until", default="", metavar="DATE", help="the last day of new entries")
    add("--changed", action="store_true", help="only findings that are new since the base")
    add("--base", metavar="REV", help="the git revision to compare with; default: HEAD, what is committed")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a date such as 2026-12-06") from None


def run(options: argparse.Namespace) -> int:
    """Check every plan; what is wrong with one does not hide the others."""
    _refuse_what_does_not_go_together(options)
    problems: list[Problem] = []
    plans = _plans([Path(path) for path in options.paths] or [_repository(options)], problems)
    asked = _asked(options)
    if options.fix:
        _fix(plans, asked, options.jobs)
    if options.write_baseline:
        return _write_baselines(plans, asked, options, problems)
    fleet = _judged(plans, asked, options)
    for plan, problem in fleet.problems:
        problems += seen_from_here([problem], plan)
    problems = list(dict.fromkeys(problems))  # what is wrong with the settings is wrong for every plan
    status = 2 if problems else fleet.status
    show(Found(fleet.results, problems, status, asked.as_of), options)
    return status


def _judged(plans: list[Path], asked: Asked, options: argparse.Namespace) -> Fleet:
    if options.changed:
        from pipelineplan.fleet.changes import check_changed

        return check_changed(plans, asked, options.base or "HEAD", jobs=options.jobs)
    return check_plans(plans, asked, jobs=options.jobs)


def _refuse_what_does_not_go_together(options: argparse.Namespace) -> None:
    clashes = (
        (options.base and not options.changed, "--base", "--changed says what to compare", "add --changed"),
        (options.changed and options.write_baseline, "--changed", "a baseline lists all", "leave it out"),
        (options.changed and options.fix, "--changed", "--fix mends whole plans", "leave it out"),
        (
            (options.reason or options.owner or options.until) and not options.write_baseline,
            "--reason, --owner, --until",
            "they are of entries that --write-baseline writes",
            "add --write-baseline",
        ),
    )  # fmt: skip
    found = [Problem(message, Position(where), fix=fix) for wrong, where, message, fix in clashes if wrong]
    if found:
        raise InputError(found)


def _asked(options: argparse.Namespace) -> Asked:
    verbose = options.verbose or options.format in {"json", "junit"}
    return Asked(
        tuple(_codes(options.select)),
        tuple(_codes(options.ignore)),
        strict=options.strict,
        env=options.env,
        as_of=options.as_of or dt.datetime.now(dt.UTC).date(),
        baseline=options.baseline,
        fail_on=Severity(options.fail_on) if options.fail_on else None,
        holding=verbose,
        cache=None if options.no_cache else cache_folder(),
    )


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


def _plans(paths: list[Path], problems: list[Problem]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        try:
            found += plans_below(path)
        except InputError as error:
            problems += error.problems
    return found


def _repository(options: argparse.Namespace) -> Path:
    """The folder of the pipelineplan.toml that this folder belongs to, which says what the plans are.

    What has changed is known without one: in the whole git repository.
    """
    root = find_root(Path())
    if (root / MARKER).is_file() or options.changed:
        return root
    fix = f"name a plan or a folder, or write a {MARKER}"
    raise InputError([Problem("no PATH is given", Position("PATH"), fix=fix)])


def _fix(plans: list[Path], asked: Asked, jobs: int) -> None:
    from pipelineplan.fleet.fixing import fix_plans

    for fixed in fix_plans(plans, asked, jobs=jobs):
        note(f"{fixed.file}: {fixed.what}")


def _write_baselines(
    plans: list[Path], asked: Asked, options: argparse.Namespace, problems: list[Problem]
) -> int:
    from pipelineplan.cli.output import show_problems
    from pipelineplan.fleet.baseline import New
    from pipelineplan.fleet.baselines import write_baselines

    new = New(options.reason, options.owner, options.until)
    written, unread = write_baselines(plans, asked, new, jobs=options.jobs)
    for one in written:
        say(f"{one.file.as_posix()}: {one.entries} finding{'' if one.entries == 1 else 's'} accepted")
    for plan, problem in unread:
        problems += seen_from_here([problem], plan)
    if problems:
        show_problems(problems, options.format, "check")
    return 2 if problems else 0
