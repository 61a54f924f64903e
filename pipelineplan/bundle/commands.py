"""The commands of a runbook: Kafka's, Flink's and PostgreSQL's own tools, quoted for a shell.

What the plan knows (topic, group, parallelism, keys) is put in; what it does not know stays a
placeholder in capitals: <BROKERS>, <JOB_ID>. No command is ever run by this package.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

_BROKERS = "--bootstrap-server <BROKERS>"


def word(text: str) -> str:
    """One word of a shell command; placeholders stay readable, everything else is quoted if it must be."""
    if text.startswith("<") and text.endswith(">") and text[1:-1].replace("_", "").isupper():
        return text
    return shlex.quote(text)


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""').replace("\n", " ") + '"'


def literal(text: str) -> str:
    """A quoted SQL string."""
    return "'" + text.replace("'", "''").replace("\n", " ") + "'"


def psql(statement: str) -> str:
    """A statement through psql, fed by a quoted here-document so that the shell reads nothing in it."""
    inside = re.sub(r"(?m)^SQL$", " SQL", statement)
    return f"psql \"$TARGET_DATABASE\" --no-psqlrc <<'SQL'\n{inside}\nSQL"


def describe_topic(topic: str) -> str:
    """Partitions, replication and configuration of a topic."""
    return f"kafka-topics.sh {_BROKERS} --describe --topic {word(topic)}"


def describe_group(group: str) -> str:
    """Offsets and lag of a consumer group."""
    return f"kafka-consumer-groups.sh {_BROKERS} --describe --group {word(group)}"


def anchor_offsets(group: str, topic: str, moment: str) -> str:
    """The offsets of a moment, shown and not yet set."""
    return (
        f"kafka-consumer-groups.sh {_BROKERS} --group {word(group)} --topic {word(topic)} "
        f"--reset-offsets --to-datetime {word(moment)} --dry-run"
    )


def slots() -> str:
    """Every replication slot and the log that it keeps."""
    return psql(
        "SELECT slot_name, active, restart_lsn,\n"
        "       pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS kept\n"
        "FROM pg_replication_slots ORDER BY slot_name;"
    )


def throttle(group: str, bytes_per_second: int | None) -> str:
    """A read quota for the backfill's client, so that live traffic keeps its share."""
    rate = str(bytes_per_second) if bytes_per_second is not None else "<BYTES_PER_SECOND>"
    return (
        f"kafka-configs.sh {_BROKERS} --alter --entity-type clients --entity-name {word(group)} "
        f"--add-config consumer_byte_rate={rate}"
    )


def run_job(parallelism: int | None, *settings: str) -> str:
    """A Flink job, detached."""
    workers = str(parallelism) if parallelism is not None else "<PARALLELISM>"
    more = "".join(f" {word(setting)}" for setting in settings)
    return f"flink run --detached --parallelism {workers} <JOB_JAR>{more}"


def stop_job(job: str = "<JOB_ID>") -> str:
    """Stop a Flink job with a savepoint, so that nothing is in flight."""
    return f"flink stop --savepointPath <SAVEPOINT_DIR> {job}"


def parity(old: str, new: str, columns: Iterable[str], time: str, freeze: str) -> str:
    """Rows of either side that the other does not have, up to a frozen event time."""
    listed = ", ".join(identifier(column) for column in columns) or "*"
    limit = f"{identifier(time)} < {literal(freeze)}" if time else "<EVENT_TIME_COLUMN> < " + literal(freeze)

    def rows(table: str) -> str:
        return f"SELECT {listed} FROM {table} WHERE {limit}"  # noqa: S608 - shown, never run; names are quoted

    return psql(
        "SELECT 'only in old' AS side, count(*) FROM (\n"  # noqa: S608 - shown, never run; names are quoted
        f"  {rows(old)}\n  EXCEPT ALL\n  {rows(new)}) AS missing\n"
        "UNION ALL\nSELECT 'only in new', count(*) FROM (\n"
        f"  {rows(new)}\n  EXCEPT ALL\n  {rows(old)}) AS extra;"
    )
