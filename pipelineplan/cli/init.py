"""Write plans to start from: two demonstrations, or one for each pipeline that your configuration tells of.

    pipelineplan init my-plans --demo
    pipelineplan init plans --from deploy --from dbt

With --from, files of Kafka topics (Strimzi, Terraform, kafka-topics --describe), Flink, Debezium, dbt,
exported Airflow DAGs, ODCS, AsyncAPI and recorded lag are read. Each plan's values end in the place that
they come from, and `check` compares them with it from then on. What fails today goes into the baseline beside
each plan; adopted.md lists what was not understood.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
from collections import Counter
from pathlib import Path

from pipelineplan.cli.output import envelope, note, problem_json, safe, say
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan.draw_up import REPORT, SCHEMA, DrawnUp
from pipelineplan.rules.questions import Question
from pipelineplan.verdicts import Severity

DEMOS = ("demo-holds", "demo-fails")
_MOST_SHOWN = 20
_WHEN_DRAWN_UP = "there when the plan was drawn up from configuration"
_MOST_QUESTIONS = 7


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `init`."""
    parser.add_argument("folder", metavar="DIR", type=Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--demo", action="store_true", help="the two demonstration plans")
    what.add_argument(
        "--from",
        dest="sources",
        action="append",
        type=Path,
        metavar="DIR",
        help="draw plans up from the configuration below this folder, or in this file; may be repeated",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Write the demonstration plans, or those that the configuration gives."""
    if options.sources:
        return _from_configuration(options)
    target: Path = options.folder
    _copy_demos(target)
    if options.format == "json":
        say(envelope("init", 0, plans=[(target / name / "plan.yaml").as_posix() for name in DEMOS]))
        return 0
    say(f"wrote {' and '.join(f'{target / name}/plan.yaml' for name in DEMOS)}")
    say(f"next: pipelineplan check {target / 'demo-fails'}")
    return 0


def _copy_demos(target: Path) -> None:
    from pipelineplan.catalogue import folder

    taken = [name for name in DEMOS if (target / name).exists()]
    if taken:
        message = f"{', '.join(taken)} already there; nothing was written"
        raise InputError([Problem(message, Position(target.as_posix()), fix="choose another folder")])
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in DEMOS:
            shutil.copytree(folder("examples") / name, target / name)
            _name_schema(target / name / "plan.yaml")
        shutil.copy(folder("contracts") / SCHEMA, target)
    except OSError as error:
        reason = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(target.as_posix()))]) from error


def _from_configuration(options: argparse.Namespace) -> int:
    from pipelineplan.fleet import Asked, check_plans
    from pipelineplan.fleet.baseline import New, write_baseline
    from pipelineplan.plan.draw_up import draw_up
    from pipelineplan.rules.questions import questions_of

    drawn = draw_up(options.folder, options.sources)
    asked = Asked(as_of=dt.datetime.now(dt.UTC).date(), baseline=False, holding=False)
    fleet = check_plans(drawn.plans, asked)
    new = New(reason=_WHEN_DRAWN_UP)
    written = [
        write_baseline(one.plan, one.verdicts, new, Severity.WARNING)  # so that what is new stands alone
        for one in fleet.judged
        if one.verdicts is not None
    ]
    accepted = sum(one.entries for one in written if one is not None)
    questions = questions_of(finding for result in fleet.results for finding in result.findings)
    status = 2 if fleet.problems else 0
    if options.format == "json":
        unusable = [problem_json(problem) for _, problem in fleet.problems]
        say(envelope("init", status, **_json(drawn, questions), problems=unusable))
        return status
    _show(drawn, questions, options.folder, accepted)
    for plan, problem in fleet.problems:
        note(f"{plan.as_posix()} cannot be read as it was written: {safe(str(problem))}")
    return status


def _json(drawn: DrawnUp, questions: tuple[Question, ...]) -> dict[str, object]:
    gathered = drawn.gathered
    unread = [one for reading in gathered.readings for one in reading.unread if not one.placeless]
    return {
        "plans": [
            {
                "name": draft.name,
                "file": plan.as_posix(),
                "because": draft.because,
                "facts": list(draft.files),
            }
            for plan, draft in zip(drawn.plans, drawn.drafts, strict=True)
        ],
        "values": sum(len(reading.facts) for reading in gathered.readings),
        "files": list(gathered.files),
        "broken": [problem_json(problem) for problem in gathered.broken],
        "unknown": list(gathered.unknown),
        "not_understood": [
            {"file": one.position.file, "line": one.position.line, "written": one.written, "why": one.why}
            for one in unread
        ],
        "questions": [{"asks": one.asks, "where": one.where, "settles": one.settles} for one in questions],
    }


def _show(drawn: DrawnUp, questions: tuple[Question, ...], folder: Path, accepted: int) -> None:
    gathered = drawn.gathered
    values = sum(len(reading.facts) for reading in gathered.readings)
    tools = Counter(reading.tool for reading in gathered.readings)
    say(f"read {_many(values, 'value')} from {_many(len(gathered.files), 'file')}")
    for tool, files in sorted(tools.items()):
        say(f"  {files:>4}  {tool}")
    baselines = f", and beside them the {_many(accepted, 'finding')} of today as their baselines"
    plans = _many(len(drawn.plans), "plan")
    say(f"wrote {plans} below {folder.as_posix()}{baselines if accepted else ''}")
    if drawn.settings is not None:
        note(f"wrote {drawn.settings.name} beside them: references may not leave its folder")
    _listed("broken, and skipped", [str(problem) for problem in gathered.broken])
    unread = [one for reading in gathered.readings for one in reading.unread if not one.placeless]
    _listed("not understood", [f"{one.position}: {one.written}: {one.why}" for one in unread])
    _listed("in no plan", [f"{one.position}: {one.of.value} {one.subject}" for one in drawn.left_over])
    say(f"everything else that stands in the files is listed in {(folder / REPORT).as_posix()}")
    if questions:
        say("\nwhat only a person can say, by how many findings it would settle:")
        for one in questions[:_MOST_QUESTIONS]:
            say(f"  {one.settles:>5}  {one.asks}\n         {one.where}")
    say(f"\nnext: pipelineplan check {folder.as_posix()} --baseline")


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _listed(title: str, lines: list[str]) -> None:
    if lines:
        say(f"\n{title}: {len(lines)}")
        for line in lines[:_MOST_SHOWN]:
            say(f"  {safe(line)}")
        if len(lines) > _MOST_SHOWN:
            say(f"  and {len(lines) - _MOST_SHOWN} more")


def _name_schema(plan: Path) -> None:
    """Let the plan's first line name the schema that lies in the folder above, for editors."""
    _, *rest = plan.read_text(encoding="utf-8").splitlines(keepends=True)
    first = f"# yaml-language-server: $schema=../{SCHEMA}\n"
    plan.write_text("".join([first, *rest]), encoding="utf-8", newline="\n")
