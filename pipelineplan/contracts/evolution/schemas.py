"""Schema files of every format, read by their ending and compared with one call.

orders.v1.avsc   orders.v2.avsc      -> two AvroType      reads(v2, v1) -> [Change]
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from pipelineplan.contracts.evolution.change import Change
from pipelineplan.documents.reads import bytes_of, note_read
from pipelineplan.errors import InputError, Position, Problem

MOST_BYTES = 8 * 1024 * 1024


def _no_lineage(versions: Sequence[Any]) -> None:
    """Most formats learn nothing from more than two versions."""


@dataclass(frozen=True)
class Format:
    """A schema language: how a file is read, a reader held against a writer, and a verdict proved.

    `prove(reader, writer, changes, records)` really writes and reads: the witnesses, and when nothing
    keeps the reader from reading, that many generated records. It returns the changes with what it saw.
    `mode` is what is asked where nobody says. `lineage(versions)`, oldest first, lets the versions know
    what only all of them together say.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Path], Any]
    reads: Callable[[Any, Any], list[Change]]
    prove: Callable[[Any, Any, list[Change], int], list[Change]]
    lineage: Callable[[Sequence[Any]], None] = _no_lineage
    mode: str = "BACKWARD"


def json_of(file: Path) -> Any:
    """The JSON in `file`; raises `InputError` for what is no JSON, too large, too deep or ambiguous."""
    text = text_of(file)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = Position(file.as_posix(), error.lineno, error.colno)
        raise InputError([Problem(f"not JSON: {error.msg.lower()}", place)]) from None
    except RecursionError:
        raise InputError([Problem("nested too deep", Position(file.as_posix()))]) from None
    except ValueError as error:
        raise InputError([Problem(f"not JSON: {error}", Position(file.as_posix()))]) from None


def text_of(file: Path) -> str:
    """The text of `file`; raises `InputError` when it cannot be read, is too large or is not UTF-8."""
    place = Position(file.as_posix())
    note_read(file)
    try:
        content = bytes_of(file, MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            [Problem(f"cannot be read: {(error.strerror or str(error)).lower()}", place)]
        ) from error
    if len(content) > MOST_BYTES:
        raise InputError([Problem(f"larger than {MOST_BYTES // 1024**2} MiB", place)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([Problem("not UTF-8 text", place, fix="save it as UTF-8")]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"the key {twice[:60]!r} is here twice")
    return made


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _read_avro(file: Path) -> Any:
    from pipelineplan.contracts.avro import avro_of

    return avro_of(json_of(file), file.as_posix())


def _avro_reads(reader: Any, writer: Any) -> list[Change]:
    from pipelineplan.contracts.avro import resolve

    return resolve(reader, writer)


def _avro_proves(reader: Any, writer: Any, changes: list[Change], records: int) -> list[Change]:
    from pipelineplan.contracts.avro.prove import prove

    return prove(reader, writer, changes, records)


def _read_json_schema(file: Path) -> Any:
    from pipelineplan.contracts.json_schema import read_schema

    return read_schema(json_of(file), file.as_posix())


def _json_schema_reads(reader: Any, writer: Any) -> list[Change]:
    from pipelineplan.contracts.json_schema import contain
    from pipelineplan.contracts.json_schema.lossy import lossy

    return [*contain(reader, writer), *lossy(reader, writer)]


def _json_schema_proves(reader: Any, writer: Any, changes: list[Change], records: int) -> list[Change]:
    from pipelineplan.contracts.json_schema.prove import prove

    return prove(reader, writer, changes, records)


def _later(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of a module below contracts, imported when it is first called."""

    def call(*given: Any) -> Any:
        return getattr(import_module(f"pipelineplan.contracts.{module}"), name)(*given)

    return call


def _protobuf(name: str, endings: tuple[str, ...], reads: str) -> Format:
    return Format(
        name,
        endings,
        _later("protobuf.read", "read_schema"),
        _later("protobuf.profiles", reads),
        _later("protobuf.prove", "prove"),
        _later("protobuf.lives", "note_lives"),
    )


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("avro", (".avsc",), _read_avro, _avro_reads, _avro_proves),
        Format("json", (".json",), _read_json_schema, _json_schema_reads, _json_schema_proves),
        _protobuf("protobuf", (".proto", ".binpb", ".protoset", ".desc"), "plain"),
        _protobuf("protobuf-wire", (), "wire"),
        _protobuf("protobuf-wire-json", (), "wire_json"),
        _protobuf("protobuf-confluent", (), "confluent"),
        Format(
            "odcs",
            (".odcs.yaml", ".odcs.yml", ".yaml", ".yml"),
            _later("promises.version", "read_version"),
            _later("promises.compare", "promised"),
            _later("promises.prove", "prove"),
            _later("promises.version", "note_ages"),
            mode="FORWARD",
        ),
        Format(
            "arrow",
            (".parquet", ".arrow", ".feather", ".ipc", ".arrows"),
            _later("columns.arrow", "read_arrow"),
            _later("columns.by_name", "resolve_by_name"),
            _later("columns.prove", "prove_by_name"),
        ),
        Format(
            "iceberg",
            (".metadata.json",),
            _later("columns.iceberg", "read_iceberg"),
            _later("columns.by_id", "resolve_by_id"),
            _later("columns.prove", "prove_by_id"),
        ),
    )
}


def is_schema(file: Path) -> bool:
    """Whether the ending of `file` is one that a format stands for."""
    endings = tuple(ending for one in FORMATS.values() for ending in one.endings)
    return file.name.lower().endswith(endings)


def format_of(files: Sequence[Path], wanted: str | None) -> Format:
    """The format named `wanted`, or the one that every file's ending stands for."""
    if wanted is not None:
        return FORMATS[wanted]
    by_ending = {ending: one for one in FORMATS.values() for ending in one.endings}
    longest_first = sorted(by_ending, key=len, reverse=True)
    problems, found = [], []
    for file in files:
        ending = next((one for one in longest_first if file.name.lower().endswith(one)), None)
        if ending is None:
            message = f"found a file that ends in {file.suffix!r}, wanted {', '.join(sorted(by_ending))}"
            problems.append(Problem(message, Position(file.as_posix()), fix="say what it is with --type"))
        else:
            found.append(by_ending[ending])
    if len({one.name for one in found}) > 1:
        names = ", ".join(dict.fromkeys(one.name for one in found))
        problems.append(Problem(f"schemas of several formats: {names}", Position(files[0].as_posix())))
    if problems:
        raise InputError(problems)
    return found[0]
