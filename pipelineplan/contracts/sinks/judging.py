"""Schema files and a sink: whether the table made for the version before takes the newest one's records."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pipelineplan.contracts.evolution.change import POLICIES, Change, Choices, Compatibility, judgement_of
from pipelineplan.contracts.evolution.from_folder import in_folder
from pipelineplan.contracts.evolution.modes import CompatResult, Pair
from pipelineplan.contracts.evolution.recorded import Found, read_recorded
from pipelineplan.contracts.evolution.schemas import FORMATS
from pipelineplan.contracts.sinks.columns_of import columns_of
from pipelineplan.contracts.sinks.lattice import SINKS, sink_changes
from pipelineplan.errors import InputError, Position, Problem


def compat_sink(
    schemas: Sequence[Path | str],
    sink: str,
    *,
    schema_type: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
) -> CompatResult:
    """Judge whether a table of the kind `sink`, made for the version before, takes the newest one's records.

    `sink` is parquet, iceberg, postgresql or bigquery; the rest is as for `compat`. Raises `InputError`.
    """
    _check(sink, schema_type, (*allow, *refuse))
    files = [Path(schema) for schema in schemas]
    folder = files[0] if len(files) == 1 and files[0].is_dir() else None
    found = in_folder(folder) if folder else [Found(file, file.as_posix()) for file in files]
    if len(found) < 2:
        raise InputError([Problem("wanted an older and a newer schema", Position("compat"))])
    recorded = read_recorded(found, schema_type)
    name = recorded.form.name if recorded.form else ""
    old, new = (columns_of(name, one.schema) for one in recorded.versions[-2:])
    changes = [_no_rows()] if old is None or new is None else sink_changes(new, old, sink)
    judged = judgement_of(changes, Choices(allow, refuse), f"the {sink} table")
    pair = Pair(f"{sink} made for {recorded.names[-2]}", recorded.names[-1], judged)
    return CompatResult("SINK", (pair,))


def _no_rows() -> Change:
    reason = "the schema has no one kind of record whose fields could be columns"
    return Change("not-decided", "$", reason, Compatibility.UNKNOWN)


def _check(sink: str, schema_type: str | None, policies: Collection[str]) -> None:
    problems = [_wrong("--allow/--refuse", name, POLICIES) for name in policies if name not in POLICIES]
    if sink not in SINKS:
        problems.append(_wrong("--sink", sink, SINKS))
    if schema_type is not None and schema_type not in FORMATS:
        problems.append(_wrong("--type", schema_type, FORMATS))
    if problems:
        raise InputError(problems)


def _wrong(option: str, found: str, known: Collection[str]) -> Problem:
    return Problem(f"found {found!r}, wanted one of {', '.join(known)}", Position(option))
