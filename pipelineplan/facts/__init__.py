"""The configuration of the real system, read as facts: what it says, where, and what was not understood.

read_facts(Path("deploy/topics.yaml"), "deploy/topics.yaml")     one reading for each tool that knows the file
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.facts.fact import Fact, FileText, Named, Reading, Thing, Unread

MOST_BYTES = 32 * 1024 * 1024

# A tool's reader has `recognises(file)` and `read(file)`; it is looked for by content, in this order.
FACTS: dict[str, str] = {
    "Kafka topics of Strimzi": "strimzi",
    "Kafka topics of Terraform": "terraform",
    "Kafka topics, described": "topics_described",
    "Flink configuration": "flink",
    "Debezium connectors": "debezium",
    "dbt sources": "dbt_sources",
    "dbt manifest": "dbt_manifest",
    "Airflow DAGs": "airflow",
    "ODCS contracts": "odcs",
    "AsyncAPI applications": "asyncapi",
    "recorded lag": "recorded_lag",
}


def read_facts(file: Path, shown_as: str | None = None) -> tuple[Reading, ...]:
    """What every tool that knows the file reads in it; nothing when none does.

    Raises `InputError` for a file that cannot be read or that a tool knows and finds broken, and
    `MissingExtraError` where an extra would read it. Readings are kept while the file stays as it is.
    """
    name = shown_as or file.as_posix()
    note_read(file)
    try:
        state = file.stat()
    except OSError as error:
        raise InputError([Problem(f"cannot be read: {_reason(error)}", Position(name))]) from error
    return _read(file, name, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2000)
def _read(file: Path, name: str, _changed: int, size: int) -> tuple[Reading, ...]:
    if size > MOST_BYTES:
        limit = f"larger than {MOST_BYTES // 1024**2} MiB"
        raise InputError([Problem(f"{limit}, too large for a configuration", Position(name))])
    text = FileText(name, _decoded(file, name))
    return tuple(reader.read(text) for reader in _readers() if reader.recognises(text))


def _decoded(file: Path, name: str) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError([Problem(f"cannot be read: {_reason(error)}", Position(name))]) from error
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte {content[error.start]:#04x} is not UTF-8 text"
        raise InputError([Problem(found, Position(name, line, 1))]) from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _readers() -> list[ModuleType]:
    return [import_module(f"{__name__}.{module}") for module in FACTS.values()]


__all__ = ["FACTS", "Fact", "Named", "Reading", "Thing", "Unread", "read_facts"]
