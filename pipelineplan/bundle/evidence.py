"""What was measured on the day, one line per record, in a file beside the plan that only grows.

    plan.yaml  ->  plan.evidence.jsonl         a folder of parts: evidence.jsonl

    {"at": "2026-12-05T16:20:00Z", "kind": "cutover", "step": "parity", "measured": "0 rows",
     "limit": "at most 0 rows", "verdict": "holds", "by": "finance-ops", ..., "plan": "9f86d081884c7d65"}

Lines of two people merge in git (`*.evidence.jsonl merge=union`). A line that cannot be read, torn by a
full disk perhaps, is reported with its place and counts as nothing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.documents.reads import bytes_of, note_read
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.quantities import Dimension, QuantityError, parse

ENDING = "evidence.jsonl"
KINDS = ("cutover", "rollback", "launch")
VERDICTS = ("holds", "fails", "unknown")
MOST_BYTES = 8 * 1024 * 1024
_NOWHERE = Position("")
LONGEST_LINE = 16_000  # bytes; and so no line nests deep enough to hurt
LONGEST_TEXT = 2_000
_FIX = "mend the line or remove it; what it says is not counted"


@dataclass(frozen=True)
class Entry:
    """One record: which step, when (`2026-12-05T16:20:00Z`), by whom, what was measured, and the verdict.

    `limit` is what `measured` was compared with, `threshold` the runbook's words for it; both may be
    empty. `plan` is the digest of the plan's files then, `valid_for` a duration as it was written.
    """

    at: str
    kind: str
    step: str
    measured: str = ""
    limit: str = ""
    threshold: str = ""
    verdict: str = "unknown"
    by: str = ""
    note: str = ""
    ref: str = ""
    valid_for: str = ""
    env: str = ""
    plan: str = ""
    position: Position = _NOWHERE

    def ends(self) -> dt.datetime | None:
        """When its validity ends; None where it says nothing of it, or never in our time."""
        if not self.valid_for:
            return None
        with suppress(OverflowError):
            return dt.datetime.fromisoformat(self.at) + dt.timedelta(
                seconds=parse(self.valid_for, Dimension.DURATION).low
            )
        return None

    def line(self) -> str:
        """The record as a line of the file: what is empty is left out."""
        data = {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        return json.dumps(data, ensure_ascii=False) + "\n"


_TEXTS = tuple(field.name for field in dataclasses.fields(Entry) if field.name != "position")


@dataclass(frozen=True)
class Evidence:
    """The records of a file in the order of their time, and the lines that could not be read."""

    file: str
    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


def instant_text(at: dt.datetime) -> str:
    """An instant as evidence writes it, so that texts sort as times do: `2026-12-05T16:20:00Z`."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def evidence_file(plan: Plan) -> Path:
    """Where the evidence of `plan` lies when nobody says otherwise: beside it, and inside its root.

    Raises `InputError` when a link there leads out of the root.
    """
    place = plan.root.folder / plan.file
    if place.is_dir():
        own = [Path(name) for name in plan.own_lines if (plan.root.folder / name).parent == place]
        name = f"{own[0].stem}.{ENDING}" if len(own) == 1 else ENDING
    else:
        name = f"{place.stem}.{ENDING}"
    try:
        return plan.root.resolve(name)
    except ValueError as error:
        raise InputError(
            [Problem(str(error), Position(name), fix="say where with --evidence FILE")]
        ) from None


def read_evidence(file: Path, shown_as: str = "") -> Evidence:
    """The records in `file`, none where it is not there.

    Raises `InputError` for a file that cannot be opened or is too large.
    """
    name = shown_as or file.as_posix()
    note_read(file)
    try:
        content = bytes_of(file, MOST_BYTES + 1)
    except FileNotFoundError:
        return Evidence(name)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError([Problem(f"cannot be read: {reason}", Position(name))]) from error
    if len(content) > MOST_BYTES:
        message = f"the file is larger than {MOST_BYTES // 1024**2} MiB, too large for evidence"
        raise InputError([Problem(message, Position(name))])
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    found = [_read(line, Position(name, number, 1)) for number, line in enumerate(lines, 1) if line.strip()]
    entries = sorted((each for each in found if isinstance(each, Entry)), key=lambda each: each.at)
    return Evidence(name, tuple(entries), tuple(each for each in found if isinstance(each, Problem)))


def append(file: Path, entry: Entry) -> None:
    """Add `entry` at the end of `file`: whole, on a line of its own, whoever writes at the same time.

    Raises `InputError` where it cannot be written; what could only be written in part is taken back.
    """
    line = entry.line().encode()
    try:
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise _unwritten(file, error) from error
    try:
        with _locked(handle):
            size = os.lseek(handle, 0, os.SEEK_END)
            torn = size > 0 and _last_byte(handle, size) != b"\n"
            _write_whole(handle, (b"\n" if torn else b"") + line, size)
    except OSError as error:
        raise _unwritten(file, error) from error
    finally:
        os.close(handle)


def _write_whole(handle: int, content: bytes, size: int) -> None:
    written = 0
    try:
        written = os.write(handle, content)
        os.fsync(handle)
    finally:
        if written != len(content):
            os.ftruncate(handle, size)
    if written != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    """Alone with the file, where the system can; O_APPEND keeps lines whole where it cannot."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)


def _unwritten(file: Path, error: OSError) -> InputError:
    reason = (error.strerror or str(error)).lower()
    return InputError(
        [Problem(f"cannot be written: {reason}; nothing was recorded", Position(file.as_posix()))]
    )


def _read(line: bytes, where: Position) -> Entry | Problem:
    """The record on one line, or why there is none; what stands there is not repeated."""
    try:
        if len(line) > LONGEST_LINE:
            raise ValueError(f"longer than {LONGEST_LINE:,} bytes")  # noqa: TRY301  (one way out for all faults)
        return _entry(json.loads(line.decode("utf-8"), object_pairs_hook=_once_each), where)
    except UnicodeDecodeError:
        return Problem("no record: this line is not UTF-8 text", where, fix=_FIX)
    except json.JSONDecodeError:
        return Problem("no record: this line is torn or no JSON object", where, fix=_FIX)
    except (ValueError, RecursionError) as error:
        said = str(error) if not isinstance(error, RecursionError) else "nested too deep"
        return Problem(f"no record: {said}", where, fix=_FIX)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once: of two values for one key a reader would see only one."""
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key that is there twice")
    return data


def _entry(data: Any, where: Position) -> Entry:
    """A record of plain data; `ValueError` names the first thing that is wrong with it."""
    if not isinstance(data, dict):
        raise ValueError("wanted a JSON object")  # noqa: TRY004  (one way out for all faults)
    unknown = [key for key in data if key not in _TEXTS]
    if unknown:
        raise ValueError(f"an unknown key {unknown[0][:40]!r}; known are {', '.join(_TEXTS)}")
    for key, value in data.items():
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise ValueError(f"{key}: wanted text of at most {LONGEST_TEXT:,} characters")
    if data.get("kind") not in KINDS:
        raise ValueError(f"kind: wanted one of {', '.join(KINDS)}")
    if data.get("verdict", "unknown") not in VERDICTS:
        raise ValueError(f"verdict: wanted one of {', '.join(VERDICTS)}")
    if not data.get("step"):
        raise ValueError("step: is missing")
    _check_validity(data.get("valid_for", ""))
    return Entry(**data | {"at": _instant(data.get("at", "")), "position": where})


def _check_validity(text: str) -> None:
    try:
        parse(text or "1 s", Dimension.DURATION)
    except QuantityError as error:
        raise ValueError(f"valid_for: {error}") from None


def _instant(text: str) -> str:
    try:
        found = dt.datetime.fromisoformat(text)
        return instant_text(found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found)
    except (ValueError, OverflowError):
        raise ValueError("at: wanted an instant such as 2026-12-05T16:20:00Z") from None
