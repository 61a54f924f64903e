"""Protobuf files: text through the real protoc, or a descriptor set that a build left behind.

    orders.proto    -> protoc -> FileDescriptorSet -> ProtoSchema
    orders.binpb                 FileDescriptorSet -> ProtoSchema

Imports are looked for from the folder of the file upwards, as the roots of repositories lie.
Needs the extra `contracts` (grpcio-tools, protobuf).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.schemas import MOST_BYTES, text_of
from pipelineplan.contracts.protobuf.descriptors import schema_of
from pipelineplan.contracts.protobuf.types import ProtoSchema
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

_IMPORT = re.compile(r'(?:^|[;\s])import\s+(?:public\s+|weak\s+|option\s+)?"([^"\n]{1,300})"', re.MULTILINE)
_MOST_FOLDERS_UP = 8
_MOST_PROBLEMS = 20


def read_schema(file: Path) -> ProtoSchema:
    """The schema in `file`: text where it ends in `.proto`, else a descriptor set."""
    return read_proto(file) if file.suffix.lower() == ".proto" else read_descriptors(file)


def read_proto(file: Path) -> ProtoSchema:
    """The schema in the `.proto` file; raises `InputError` with protoc's own complaints and places."""
    text = text_of(file)
    if "\0" in text:
        raise InputError([Problem("holds a NUL character, wanted text", Position(file.as_posix()))])
    root = _root(file.absolute(), text)
    _note_imports(text, root, set())
    return schema_of(_compiled(file, root), file.as_posix())


def read_descriptors(file: Path) -> ProtoSchema:
    """The schema in a serialized FileDescriptorSet, with or without its imports."""
    try:
        content = file.read_bytes() if file.stat().st_size <= MOST_BYTES else b""
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError([Problem(f"cannot be read: {reason}", Position(file.as_posix()))]) from error
    return schema_of(content, file.as_posix())


def _root(file: Path, text: str) -> Path:
    """The nearest folder above `file` from which all of its imports are found."""
    wanted = [one for one in _IMPORT.findall(text) if not one.startswith("google/protobuf/")]
    for folder in list(file.parents)[:_MOST_FOLDERS_UP]:
        if all((folder / one).is_file() for one in wanted if ".." not in one and not one.startswith("/")):
            return folder
    return file.parent


def _note_imports(text: str, root: Path, seen: set[Path]) -> None:
    """Note what the text imports, and what that imports: protoc reads it without telling."""
    for name in _IMPORT.findall(text):
        file = root / name
        if file not in seen and file.is_file():
            seen.add(file)
            note_read(file)
            _note_imports(file.read_text(encoding="utf-8", errors="replace"), root, seen)


def _compiled(file: Path, root: Path) -> bytes:
    """The FileDescriptorSet of `file` and its imports."""
    compiler, standard = _compiler()
    name = file.absolute().relative_to(root).as_posix().encode()
    roots = [root.as_posix().encode(), standard]
    try:
        with _quiet():
            compiler.get_protos(name, roots)
    except compiler.ProtocErrors as errors:
        raise InputError(_problems(errors, file)) from None
    except Exception as error:  # noqa: BLE001  (the compiler's own bindings raise a bare Exception)
        message = f"protoc does not take it: {str(error)[:200]}"
        raise InputError([Problem(message, Position(file.as_posix()))]) from None
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "set.binpb"
        options = [b"--include_imports", b"--descriptor_set_out=" + made.as_posix().encode()]
        with _quiet():
            status = compiler.run_main([b"protoc", *(b"-I" + one for one in roots), *options, name])
        if status != 0:
            raise InputError([Problem("protoc does not take it", Position(file.as_posix()))])
        return made.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep protoc's own log off the standard error: a file without a syntax line is no fault."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _compiler() -> tuple[Any, bytes]:
    """Protoc as a library, and the folder of the standard imports."""
    try:
        from grpc_tools import _protoc_compiler as compiler
    except ImportError:
        raise MissingExtraError("reading .proto files", "contracts") from None
    return compiler, (Path(compiler.__file__).parent / "_proto").as_posix().encode()


def _problems(errors: Any, file: Path) -> list[Problem]:
    """Protoc's complaints; it counts lines from 0 and names imports as they are imported."""
    found = []
    for error in errors.errors()[:_MOST_PROBLEMS]:
        named = _text(error.filename)
        own = file.as_posix() if file.as_posix().endswith(named) or not named else named
        line = error.line + 1 if error.line >= 0 else 0
        place = Position(own, line, error.column + 1 if line else 0)
        found.append(Problem(f"not Protobuf: {_text(error.message)[:300]}", place))
    return found or [Problem("not Protobuf", Position(file.as_posix()))]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
