"""Print the runbook of a cutover, a rollback or a launch, or record what was measured at one of its steps.

    pipelineplan cutover plan.yaml
    pipelineplan cutover plan.yaml --kind rollback > rollback.md
    pipelineplan cutover plan.yaml --record parity --measured '0 rows' --by finance-ops --ref runs/7.html
    pipelineplan cutover plan.yaml --record go-no-go --by head-of-data --data-dir data

Every step has its threshold and where it is from. A record is one line in plan.evidence.jsonl, beside the
plan: who measured what, when, and whether it is within the threshold, which the tool decides. The runbook
then says which steps are done, failed, open, or open again because their evidence is too old. Exit status 1
when a measured value is beyond its threshold; with --strict, also while a step is not done.
"""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.cli.data_options import add_data_options, given_data, instant
from pipelineplan.cli.output import coloured, envelope, note, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.verdicts import Verdict

if TYPE_CHECKING:
    from pipelineplan.bundle import Contents
    from pipelineplan.bundle.standing import Progress
    from pipelineplan.workflow.recording import Recording

_TOLD = ("measured", "by", "note", "ref", "valid_for")
_COLOURS = {"done": "holds", "vouched": "holds", "failed": "fails", "expired": "unknown", "open": "unknown"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cutover`."""
    parser.add_argument("plan", metavar="PLAN", type=Path)
    parser.add_argument("--kind", choices=("cutover", "rollback", "launch"), default="cutover")
    _add_record(parser)
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE", help="where records are kept; default: beside the plan"
    )
    add_data_options(parser)
    parser.add_argument(
        "--as-of",
        type=instant,
        metavar="TIME",
        help="the day or instant that evidence is judged by; default: now",
    )
    parser.add_argument("--env", metavar="NAME", help="lay the overlay of this environment over the plan")
    parser.add_argument("--strict", action="store_true", help="a step that is not done fails as well")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown")


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--record", metavar="STEP", help="record this step: its id stands in its heading")
    parser.add_argument(
        "--measured", default="", metavar="VALUE", help="what was measured: '12 min', '0 rows'"
    )
    parser.add_argument(
        "--by", default="", metavar="WHO", help="who measured or decided; default: your login"
    )
    parser.add_argument("--at", type=instant, metavar="TIME", help="when, as 2026-12-06T04:10Z; default: now")
    parser.add_argument("--note", default="", metavar="TEXT", help="what else was seen")
    parser.add_argument("--ref", default="", metavar="WHERE", help="where it can be looked up")
    parser.add_argument(
        "--valid-for",
        default="",
        metavar="TIME",
        help="for how long it counts, as '14 d'; then it is open again",
    )


def run(options: argparse.Namespace) -> int:
    """Compile the plan; record what is to be recorded, else print one of its runbooks."""
    from pipelineplan.workflow import compile_plan

    _refuse_loose(options)
    moment = options.as_of or dt.datetime.now(dt.UTC)
    contents = compile_plan(
        options.plan,
        given_data(options),
        as_of=moment,
        env=options.env,
        evidence=options.evidence,
    )
    if options.record:
        return _record(options, contents, moment)
    return _show(options, contents)


def _refuse_loose(options: argparse.Namespace) -> None:
    """What describes a record without being told which step it is of."""
    loose = [name for name in (*_TOLD, "at") if getattr(options, name)] if not options.record else []
    problems = [
        Problem("says something of a step, but of which?", Position(f"--{name.replace('_', '-')}"))
        for name in loose
    ]
    if problems:
        raise InputError([*problems, Problem("is missing", Position("--record"), fix="add --record STEP")])


def _show(options: argparse.Namespace, contents: Contents) -> int:
    from pipelineplan.bundle.as_checklist_md import as_checklist_md
    from pipelineplan.bundle.as_json import checklist_json

    checklist = contents.checklist(options.kind)
    if checklist is None:
        raise LookupError(f"no runbook of the kind {options.kind!r} was compiled")
    status = _status(checklist.progress, strict=options.strict)
    if options.format == "json":
        say(envelope("cutover", status, checklist=checklist_json(checklist)))
        return status
    say(as_checklist_md(checklist).rstrip("\n"))
    _say_unread(checklist.progress)
    return status


def _status(progress: Progress | None, *, strict: bool) -> int:
    """1 when a step failed; when it is strict, also while one is not done."""
    if progress is None:
        return 1 if strict else 0
    done = all(each.state.value == "done" for each in progress.standings) and not progress.unread
    return 1 if progress.verdict is Verdict.FAILS or (strict and not done) else 0


def _say_unread(progress: Progress | None) -> None:
    for problem in progress.unread if progress is not None else ():
        note(safe(str(problem)))


def _record(options: argparse.Namespace, contents: Contents, moment: dt.datetime) -> int:
    from pipelineplan.bundle.as_json import as_plain, checklist_json
    from pipelineplan.documents.redaction import redacted_tree
    from pipelineplan.workflow.recording import Observation, recorded

    told = {name: getattr(options, name) for name in _TOLD} | {"by": options.by or _login()}
    made = recorded(
        contents,
        options.kind,
        options.record,
        Observation(**told),
        as_of=moment,
        at=options.at,
        file=options.evidence,
    )
    bad = made.entry.verdict == "fails" or (options.strict and made.standing.state.value != "done")
    if options.format == "json":
        checklist = checklist_json(made.checklist)
        recorded_as = redacted_tree(as_plain(made.entry))
        say(envelope("cutover", int(bad), recorded=recorded_as, checklist=checklist))
    else:
        _say_recorded(made)
    return int(bad)


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody, in a container
        return ""


def _named(file: Path) -> str:
    """A file as it is called from the working directory, where it has a name from there."""
    try:
        return file.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file.as_posix()


def _say_recorded(made: Recording) -> None:
    standing, progress = made.standing, made.checklist.progress
    state = coloured(standing.state.value, _COLOURS[standing.state.value])
    say(f"{safe(made.entry.step)}: {state}: {safe(standing.reason)}")
    step = next(each for each in made.checklist.steps if each.id == made.entry.step)
    say(f"  threshold: {safe(step.threshold.text)} ({safe(step.threshold.origin)})")
    if made.entry.note:
        say(f"  note: {safe(made.entry.note)}")
    by = f" by {safe(made.entry.by)}" if made.entry.by else ""
    say(f"  recorded{by} at {made.entry.at} in {_named(made.file)}")
    if progress is None:
        return
    ids = [each.step for each in progress.standings]
    loose = [each for each in progress.standings if each.state.value not in {"done", "vouched"}]
    before = [f"{e.step} {e.state.value}" for e in loose if ids.index(e.step) < ids.index(made.entry.step)]
    if before:
        note(f"not closed before it: {', '.join(before)}")
    following = loose[0].step if loose else "none, all are closed"
    say(f"  {len(ids) - len(loose)} of {len(ids)} steps closed; next: {following}")
    _say_unread(progress)
