"""The second half of a cutover: reads by shares, the fenced switch of writes, soak, retirement.

reads 1 % -> 5 % -> 25 % -> 75 % -> 100 %  ->  writes  ->  soak  ->  retire
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.bundle import commands
from pipelineplan.bundle.checklist import LeftOut, Said, Step
from pipelineplan.bundle.deadlines import until_deadline
from pipelineplan.bundle.runbook import Runbook
from pipelineplan.bundle.saying import stated

SHARES = (1, 5, 25, 75, 100)


def move_reads(book: Runbook) -> Iterator[Step | LeftOut]:
    """Readers move in five shares, each held against the promised freshness."""
    cutover = book.plan.model.cutover
    if cutover is not None and cutover.strategy == "big_bang":
        yield LeftOut(
            "Reads by shares",
            "the strategy is big_bang ($.cutover.strategy): all readers move at once",
        )
        return
    readers = ", ".join(book.sink.consumers) or "the consumers"
    for before, share in zip((0, *SHARES), SHARES, strict=False):
        yield Step(
            f"reads-{share}",
            f"Reads to {share} %",
            f"Move {share} % of the reads of {book.sink.id} ({readers}) to the new output.",
            book.owner,
            book.backup,
            f"<ROUTER> set {commands.word(book.sink.id)} --new-share {share}",
            f"{share} % of the reads are served by the new output; errors of readers do not rise.",
            Said("freshness at the sink and errors of the readers that moved"),
            book.freshness(),
            book.in_window,
            Said(f"set the share back to {before} %"),
        )


def switch_writes(book: Runbook) -> Iterator[Step | LeftOut]:
    """The old writer is stopped and fenced before the new one writes the real output."""
    table = commands.identifier(book.sink.id)
    revoke = commands.psql(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM <OLD_WRITER_ROLE>;")
    yield Step(
        "switch-writes",
        "Fenced write switch",
        f"Stop the old writer of {book.sink.id} with a savepoint, "
        f"take its right to write, then let the new one "
        "write. From here going back means running the old side again from its anchor.",
        book.owner,
        book.backup,
        f"{commands.stop_job('<OLD_JOB_ID>')}\n{revoke}",
        "The old job is FINISHED with a savepoint path; a write with the old role is refused.",
        Said("commits by the old writer after the fence"),
        Said(
            "0 commits by the old writer",
            "one writer at a time is what the fence is for",
        ),
        book.in_window,
        until_deadline(book.dates),
    )


def soak(book: Runbook) -> Iterator[Step | LeftOut]:
    """Both sides are kept while the new one proves itself."""
    acceptance = book.plan.model.acceptance
    most = acceptance.most_incidents if acceptance is not None else None
    thresholds = stated(
        book.plan,
        acceptance,
        "incident_thresholds",
        "$.acceptance.incident_thresholds",
        f"at most {most or 0} incident{'' if most == 1 else 's'}: {{}}",
    )
    yield Step(
        "soak",
        "Soak",
        "Run under the new alerts with reconciliation each window; the old side stays able to serve.",
        book.owner,
        book.backup,
        commands.describe_group(book.group),
        "No rollback trigger fires; reconciliation stays within its tolerance.",
        Said("incidents, freshness by percentile, reconciliation"),
        thresholds,
        stated(
            book.plan,
            acceptance,
            "post_launch_window",
            "$.acceptance.post_launch_window",
            "runs for {}",
        ),
        until_deadline(book.dates),
    )


def retire(book: Runbook) -> Iterator[Step | LeftOut]:
    """What the way back needed is removed, once there is none."""
    drop = (
        commands.psql("SELECT pg_drop_replication_slot(<OLD_SLOT>);") if book.source.cdc is not None else ""
    )
    group = "kafka-consumer-groups.sh --bootstrap-server <BROKERS> --delete --group <OLD_GROUP>"
    cutover = book.plan.model.cutover
    yield Step(
        "retire",
        "Retire the old side",
        "Remove the old job, its group or slot and its output: after the soak, not before the deadline.",
        book.owner,
        book.backup,
        "\n".join(part for part in (drop, group) if part),
        "Nothing reads or writes the old side; its alerts are gone.",
        Said("reads of the old output in the last full cycle"),
        Said("0 reads", "a reader that is still there has not been moved"),
        stated(
            book.plan,
            cutover,
            "point_of_no_return",
            "$.cutover.point_of_no_return",
            "point of no return: {}",
        ),
        Said("none: this is the point of no return"),
    )
