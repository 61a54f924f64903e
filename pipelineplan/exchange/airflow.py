"""The declared replay of scheduled runs as a backfill of Airflow 3: one command, and the same as a dry run.

replay: {from: "2026-10-01", to: "2026-11-15"}     --from-date 2026-10-01T00:00:00+00:00
ingestion.concurrency: 1                           --max-active-runs 1

Airflow takes both ends of the range in, so that the last is a second before the plan's end: what runs are
those whose logical date lies in the range. Source: Apache Airflow 3 documentation, "Backfill".
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

from pipelineplan.documents.redaction import redacted
from pipelineplan.exchange.exported import Export, File
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.plan import Plan
from pipelineplan.plan.succession import replay_span

TITLE = "the replay of scheduled runs as an Airflow 3 backfill"
ASKS = {"dag": "the DAG, where the plan names none (ingestion.dag) and it is not called as the plan is"}

_AGAIN = Traced("completed", (), "a replay runs again what has run before")


def export(plan: Plan, settings: Settings) -> Export | None:
    """A shell script with the command; None without scheduled runs, or without a replay from day to day."""
    ingestion, replay, span = plan.model.ingestion, plan.model.replay, replay_span(plan)
    if ingestion is None or (ingestion.schedule is None and ingestion.dag is None):
        return None
    if replay is None or span is None:
        return None
    tracer = Tracer(plan)
    first, end = (datetime.fromtimestamp(seconds, UTC) for seconds in span)
    runs = tracer.stated(ingestion, "concurrency")
    options = {
        "--dag-id": _dag(tracer, settings),
        "--from-date": Traced(first.isoformat(), (tracer.place(replay, "from"),)),
        "--to-date": Traced(
            (end - timedelta(seconds=1)).isoformat(), (tracer.place(replay, "to"),), "a second before the end"
        ),
        "--reprocess-behavior": _AGAIN,
        **({"--max-active-runs": runs} if runs is not None else {}),
    }
    tracer.left(replay, {"start", "end"}, "a backfill has no option for it")
    text = _script(plan, options, settings.head(tracer.dropped))
    values = tuple(options.items())
    return Export("airflow", (File("backfill.sh", text, values),), tuple(tracer.dropped))


def _dag(tracer: Tracer, settings: Settings) -> Traced:
    stated = tracer.stated(tracer.plan.model.ingestion, "dag")
    metadata = tracer.plan.model.metadata
    named = Traced(metadata.name, (tracer.place(metadata, "name"),), "no DAG is named: called as the plan is")
    return settings.get("dag") or stated or named


def _script(plan: Plan, options: dict[str, Traced], head: list[str]) -> str:
    """Comments for every option, since none may stand between the lines of a command."""
    origins = [f"  {name} {one_line(one.value)}: {one.origin}" for name, one in options.items()]
    notes = [
        f"The replay of the plan {plan.name}, by Airflow.",
        *head,
        "Where the options are from:",
        *origins,
    ]
    comments = [f"# {redacted(one_line(note))}" for note in notes]
    words = [word for name, one in options.items() for word in (name, redacted(one_line(one.value)))]
    command = shlex.join(["airflow", "backfill", "create", *words])
    return "\n".join(["#!/bin/sh", *comments, "set -eu", f"# {command} --dry-run", command]) + "\n"
