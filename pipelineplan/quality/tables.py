"""Data files as tables of a DuckDB database that can read those files and nothing else.

    orders=data/orders-*.parquet   ->   CREATE VIEW "orders" AS SELECT * FROM read_parquet([...])
                                        SET allowed_paths, no external access, settings locked

After that a rule's SQL can read the given data; it cannot read other files, reach the network,
load an extension, see Python's variables or change a setting.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

import glob
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.quality.check import Suite, Suites
from pipelineplan.quality.sql import identifier, literal
from pipelineplan.quality.without_values import declared_types, types_without_values

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_READERS = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
    ".json": "read_json",
}
_COMPRESSIONS = {".gz", ".zst"}
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
# Text that a reader of JSON takes for more than text.
_GUESSED = ("DATE", "TIME", "UUID")
_BEFORE = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET preserve_insertion_order = true",
    # It would be drawn on standard output, into the JSON that somebody reads from there.
    "SET enable_progress_bar = false",
    # Files lie here, and several statements read each: reading ahead copies what the system has read already.
    "SET disable_parquet_prefetching = true",
    "SET parquet_metadata_cache = true",
)
# What does not fit goes to a temporary folder: a laptop or a small CI machine survives.
MEMORY = "1GB"


@dataclass(frozen=True)
class Table:
    """One dataset's data: its columns with DuckDB's types, and its number of rows."""

    dataset: str
    columns: Mapping[str, str]
    row_count: int


@dataclass(frozen=True)
class Tables:
    """An open, locked database with a view for every dataset that has data."""

    connection: DuckDBPyConnection
    tables: Mapping[str, Table]


def open_tables(suites: Suites, data: Mapping[str, Path], memory: str = MEMORY) -> Tables:
    """Views for the datasets of `suites` that `data` (name to file or glob) has data for.

    `memory` is how much the database may hold before it goes to a temporary folder.

    Raises `InputError` for names that no suite has, and for files that are missing or cannot be
    read, all at once; `MissingExtraError` without duckdb.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("running quality checks", "quality") from error
    wanted, problems = _wanted(suites, data)
    connection = duckdb.connect(":memory:")
    limits = (f"SET memory_limit = {literal(memory)}", f"SET temp_directory = {literal(_spill_folder())}")
    for setting in (*_BEFORE, *limits):
        connection.execute(setting)
    tables: dict[str, Table] = {}
    for suite, path in wanted:
        try:
            tables[suite.dataset] = _open(connection, suite, files_of(path))
        except (duckdb.Error, OSError, ValueError) as error:
            problems.append(Problem(_first_line(error), Position(str(path)), suite.dataset))
    if problems:
        connection.close()
        raise InputError(problems)
    _lock(connection, [file for _, path in wanted for file in files_of(path)])
    return Tables(connection, tables)


def _spill_folder() -> str:
    """Where DuckDB may put what does not fit into memory; it makes and removes the folder itself."""
    return str(Path(tempfile.gettempdir()) / f"pipelineplan-duckdb-{uuid.uuid4().hex}")


def _wanted(suites: Suites, data: Mapping[str, Path]) -> tuple[list[tuple[Suite, Path]], list[Problem]]:
    by_name = {suite.table: suite for suite in suites.suites}
    by_name |= {suite.dataset: suite for suite in suites.suites}
    wanted = [(by_name[name], Path(path)) for name, path in data.items() if name in by_name]
    known = ", ".join(sorted(suite.dataset for suite in suites.suites)) or "none"
    problems = [
        Problem(
            f"no contract and no rule has the dataset {name!r}",
            Position(str(path)),
            fix=f"known are: {known}",
        )
        for name, path in data.items()
        if name not in by_name
    ]
    return wanted, problems


def files_of(path: Path) -> list[Path]:
    """The files that `path` names: itself, what a folder holds, or what a glob matches; sorted."""
    if path.is_file():
        return [path.resolve()]
    matched = path.iterdir() if path.is_dir() else map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207
    files = sorted(file.resolve() for file in matched if file.is_file() and _ending(file) in _READERS)
    if not files:
        raise ValueError(f"no data file there, wanted {', '.join(_READERS)}")
    return files


def _ending(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _open(connection: DuckDBPyConnection, suite: Suite, files: list[Path]) -> Table:
    endings = {_ending(file) for file in files}
    if len(endings) != 1 or not endings <= _READERS.keys():
        raise ValueError(
            f"files that end in {', '.join(sorted(endings))}, wanted one of {', '.join(_READERS)}"
        )
    reader = _READERS[endings.pop()]
    source = _source(connection, reader, [str(file) for file in files], suite)
    found = _describe(connection, source)
    empty = types_without_values(connection, source, found, suite, text=reader == "read_csv")
    columns = found | empty
    for name in dict.fromkeys((suite.dataset, suite.table)):
        picked = _selected(columns, empty)
        connection.execute(f"CREATE VIEW {identifier(name)} AS SELECT {picked} FROM {source}")
    counted = connection.execute(f"SELECT COUNT(*) FROM {identifier(suite.dataset)}").fetchone()
    return Table(suite.dataset, columns, int(counted[0]) if counted else 0)


def _selected(columns: Mapping[str, str], empty: Mapping[str, str]) -> str:
    """All columns; NaN is NULL, as it is no number and half of the engines know no difference.

    A UUID is its text, which lengths and patterns can be asked of. Columns in `empty` are of their new types.
    """
    asked = [(identifier(name), kind) for name, kind in columns.items() if name not in empty]
    replaced = [f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in empty.items()]
    replaced += [
        f"CASE WHEN isnan({n}) THEN NULL ELSE {n} END AS {n}" for n, kind in asked if kind in _FLOATS
    ]
    replaced += [f"CAST({name} AS VARCHAR) AS {name}" for name, kind in asked if kind == "UUID"]
    return f"* REPLACE ({', '.join(replaced)})" if replaced else "*"


def _source(connection: DuckDBPyConnection, reader: str, files: list[str], suite: Suite) -> str:
    """The call that reads `files`; declared text stays text where a file has no types for it.

    JSON lines without a line have the columns that are declared: nothing else could have told them.
    """
    text = suite.text_columns
    listed = f"[{', '.join(literal(file) for file in files)}]"
    if reader == "read_parquet":
        return f"read_parquet({listed})"
    options = "sample_size = -1"
    guessed = _describe(connection, f"{reader}({listed}, {options})")
    if reader == "read_csv":
        types = {name: "VARCHAR" for name in guessed if name in text}
        return f"read_csv({listed}, {options}{_typed(', types', types)})"
    kept = {name: _kept(kind) if name in text else kind for name, kind in guessed.items()}
    if not any(Path(file).stat().st_size for file in files):
        kept = declared_types(suite) or kept
    return f"read_json({listed}{_typed(', columns', kept)})"


def _typed(argument: str, types: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    return f"{argument} = {{{pairs}}}" if pairs else ""


def _kept(kind: str) -> str:
    return "VARCHAR" if kind.startswith(_GUESSED) else kind


def _describe(connection: DuckDBPyConnection, source: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _lock(connection: DuckDBPyConnection, files: list[Path]) -> None:
    listed = ", ".join(literal(str(file)) for file in dict.fromkeys(files))
    connection.execute(f"SET allowed_paths = [{listed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
