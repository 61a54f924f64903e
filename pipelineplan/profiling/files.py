# ruff: noqa: S608 -- every identifier and literal in SQL goes through quoted() or literal()
"""The files of a recording: globs, formats, and the columns that must be in every one of them."""

from __future__ import annotations

import csv
import gzip
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from glob import glob, has_magic
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, assert_never

from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Format(StrEnum):
    """How records are written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_ENDINGS = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


MEMORY_MB = 128
_MOST_THREADS = 4
_LONGEST_HEADER = 1 << 20
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class RecordFile:
    """One file, with its columns and their types as the reader sees them."""

    path: Path
    format: Format
    types: dict[str, str]
    delimiter: str = ","

    @property
    def table(self) -> str:
        """The table function that reads the file, as SQL."""
        name = literal(str(self.path))
        match self.format:
            case Format.CSV:
                return (
                    f"read_csv({name}, header=true, all_varchar=true, ignore_errors=true, store_rejects=true)"
                )
            case Format.JSONL:
                columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in self.types)
                columns = f", columns={{{columns}}}" if columns else ""
                return f"read_json({name}, format='newline_delimited', ignore_errors=true{columns})"
            case Format.PARQUET:
                return f"read_parquet({name})"
            case _:
                assert_never(self.format)


def connect() -> DuckDBPyConnection:
    """A database in memory that reads files and never fetches an extension; times are UTC.

    It holds `MEMORY_MB` at most; what does not fit (a sort, the groups of a key) goes to a temporary folder.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingExtraError("profiling records", "data") from error
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # What does not fit into memory is not written beside the user's files.
            "temp_directory": str(Path(gettempdir()) / f"pipelineplan-{os.getpid()}"),
            "memory_limit": f"{MEMORY_MB}MB",
            "threads": threads(),
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def threads() -> int:
    """How many read at once: what they read is counted by one, so many would only hold memory."""
    return min(_MOST_THREADS, os.cpu_count() or 1)


def find_files(paths: Sequence[str | Path]) -> list[tuple[Path, Format]]:
    """The files that names and globs mean, each glob's in the order of their names.

    Raises `InputError` for names without a file and endings without a reader.
    """
    problems: list[Problem] = []
    found: list[tuple[Path, Format]] = []
    for path in map(str, paths):
        # An existing file is itself, even if its name looks like a pattern.
        is_pattern = has_magic(path) and not Path(path).exists()
        names = sorted(glob(path, recursive=True)) if is_pattern else [path]  # noqa: PTH207 -- absolute too
        if not names:
            problems.append(Problem("no file matches this pattern", Position(path)))
        for file in map(Path, names):
            problem = _unusable(file)
            problems += [problem] if problem else []
            found += [] if problem else [(file, _ENDINGS[_ending(file)])]
    if problems or not found:
        raise InputError(problems or [Problem("found no file, wanted at least one", Position("."))])
    return found


def open_files(
    connection: DuckDBPyConnection, files: Iterable[tuple[Path, Format]], columns: Sequence[str]
) -> list[RecordFile]:
    """The files with their columns; raises `InputError` if one cannot be read or lacks a column."""
    problems: list[Problem] = []
    opened = []
    for path, form in files:
        try:
            file = _with_header(path) if form is Format.CSV else _described(connection, path, form)
        except (OSError, UnicodeDecodeError, csv.Error, _duckdb_error()) as error:
            found = f"cannot be read as {form.value}: {_first_line(error)}"
            problems.append(Problem(found, Position(str(path))))
            continue
        problems += [_missing(path, column, file.types) for column in columns if column not in file.types]
        opened.append(file)
    if problems:
        raise InputError(problems)
    return [_narrowed(file, columns) for file in opened]


def _with_header(path: Path) -> RecordFile:
    """A CSV file by its first line: the most frequent delimiter there, and the names."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
        header = stream.readline(_LONGEST_HEADER)
    delimiter = max(",;\t|", key=_QUOTED.sub("", header).count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    return RecordFile(
        path, Format.CSV, {_unique(names, at): "VARCHAR" for at in range(len(names))}, delimiter
    )


def _unique(names: list[str], at: int) -> str:
    """A column's name, numbered if it has none or a column before it has the same."""
    name = names[at].strip()
    return name if name and name not in {other.strip() for other in names[:at]} else f"{name}_{at + 1}"


def _described(connection: DuckDBPyConnection, path: Path, form: Format) -> RecordFile:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {RecordFile(path, form, {}).table}").fetchall()
    return RecordFile(path, form, {str(row[0]): str(row[1]) for row in rows})


def _narrowed(file: RecordFile, columns: Sequence[str]) -> RecordFile:
    """Of JSON only the wanted columns are read, and as text."""
    if file.format is not Format.JSONL:
        return file
    return RecordFile(
        file.path, file.format, {column: "VARCHAR" for column in file.types if column in columns}
    )


def quoted(column: str) -> str:
    """A column's name as an SQL identifier, whatever is in it."""
    return '"' + column.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def _duckdb_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["unknown"])[0][:200]


def _ending(file: Path) -> str:
    name = file.with_suffix("") if file.suffix.lower() == ".gz" else file
    return name.suffix.lower()


def _unusable(file: Path) -> Problem | None:
    where = Position(str(file))
    if not file.is_file():
        return Problem("cannot be read: no such file", where, fix=_near(file))
    if _ending(file) not in _ENDINGS:
        return Problem(f"found the ending {file.suffix!r}, wanted one of {', '.join(_ENDINGS)}", where)
    if has_magic(str(file)):
        return Problem(
            "found one of * ? [ in the name, which the reader takes for a pattern", where, fix="rename it"
        )
    return None


def _near(file: Path) -> str:
    if not file.parent.is_dir():
        return f"there is no folder {str(file.parent)!r}"
    close = get_close_matches(file.name, sorted(other.name for other in file.parent.iterdir()), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _missing(path: Path, column: str, types: dict[str, str]) -> Problem:
    close = get_close_matches(column, types, n=1, cutoff=0.5)
    columns = ", ".join(types)
    fix = f"did you mean {close[0]!r}?" if close else f"its columns are {columns[:300]}"
    return Problem(f"found no column {column!r}", Position(str(path)), fix=fix)
