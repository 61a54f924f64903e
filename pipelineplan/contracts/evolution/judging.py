"""Recorded versions, a mode, and the judgement: what the command `compat` and the API of its name run."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.change import POLICIES, Change, Choices
from pipelineplan.contracts.evolution.from_folder import in_folder
from pipelineplan.contracts.evolution.history import instant_of, read_history
from pipelineplan.contracts.evolution.modes import CompatResult, Mode, Reads, judge_mode
from pipelineplan.contracts.evolution.recorded import Found, Recorded, read_recorded
from pipelineplan.contracts.evolution.replay import Log, judge_replay, live
from pipelineplan.contracts.evolution.rollout import judge_window
from pipelineplan.contracts.evolution.schemas import FORMATS, Format
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse


def compat(
    schemas: Sequence[Path | str],
    *,
    mode: str | None = None,
    schema_type: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
    prove: int = 0,
    retention: str | None = None,
    at: str | None = None,
) -> CompatResult:
    """Judge the last of `schemas` (files, oldest first, or one folder) against others, as `mode` asks.

    Without a `mode` it is BACKWARD, and FORWARD for contracts: does the new one keep what readers of the
    old one count on. `schema_type` names the format where the ending does not. `allow` and `refuse`
    set policies by name. With `prove` above 0 witnesses are really written and read, and so are that
    many generated records where nothing breaks (extra `contracts`, for columns `data`). Raises
    `InputError` for what cannot be used.
    """
    files = [Path(schema) for schema in schemas]
    _check(mode, schema_type, (*allow, *refuse))
    folder = files[0] if len(files) == 1 and files[0].is_dir() else None
    found = in_folder(folder) if folder else [Found(file, file.as_posix()) for file in files]
    _enough(found)
    recorded = read_recorded(found, schema_type)
    return compat_recorded(
        recorded, mode=mode, allow=allow, refuse=refuse, prove=prove, retention=retention, at=at
    )


def compat_recorded(
    recorded: Recorded,
    *,
    mode: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
    prove: int = 0,
    retention: str | None = None,
    at: str | None = None,
) -> CompatResult:
    """Judge the newest of `recorded` as `mode` asks: of a folder, a git history or a registry.

    REPLAY wants dates and `retention` (`30 d`, or `for ever`); `at` is when the replay begins, by
    default when the newest version was first written. Otherwise as `compat`.
    """
    _check(mode, None, (*allow, *refuse))
    _enough(recorded.versions)
    choices, reads = Choices(allow, refuse), _reads(recorded.form, prove)
    mode = mode or (recorded.form.mode if recorded.form else "BACKWARD")
    if mode != "REPLAY":
        return judge_mode(recorded.versions, Mode(mode), reads, choices)
    if not recorded.dated:
        fix = "put dates in the file names, or write a history file"
        message = "REPLAY wants to know when each version was first written"
        raise InputError([Problem(message, Position(recorded.names[-1]), fix=fix)])
    spans = recorded.spans()
    begins = _instant(at) if at is not None else spans[-1].start_seconds
    alive = live(spans, [Log("log", _kept(retention))], begins, math.inf)
    return judge_replay(recorded.versions[-1], [recorded.versions[i] for i in alive], reads, choices)


def compat_over_time(
    history: Path | str,
    *,
    mode: str | None = None,
    schema_type: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
    prove: int = 0,
) -> CompatResult:
    """Judge the versions of a history file in any mode, REPLAY and WINDOW among them.

    REPLAY: the latest version against every one still live when the declared replay begins. WINDOW:
    every reader and writer that the declared rollout lets meet, and an order of steps that is safe.
    Otherwise as `compat`.
    """
    _check(mode, schema_type, (*allow, *refuse))
    given = read_history(Path(history))
    recorded = read_recorded(given.found, schema_type)
    versions, choices, reads = recorded.versions, Choices(allow, refuse), _reads(recorded.form, prove)
    mode = mode or (recorded.form.mode if recorded.form else "BACKWARD")
    match mode:
        case "REPLAY" if given.replay_at is not None:
            spans = recorded.spans(given.drain_seconds)
            alive = live(spans, given.logs, given.replay_at, given.range_seconds)
            return judge_replay(versions[-1], [versions[i] for i in alive], reads, choices)
        case "WINDOW" if given.rollout is not None:
            return judge_window(given.rollout, versions, reads, choices)
        case "REPLAY" | "WINDOW":
            missing = "replay: {at: DATE}" if mode == "REPLAY" else "rollout: {steps: [...]}"
            message = f"the mode {mode} wants '{missing}' in the history"
            raise InputError([Problem(message, Position(Path(history).as_posix()))])
    return judge_mode(versions, Mode(mode), reads, choices)


def _check(mode: str | None, schema_type: str | None, policies: Collection[str]) -> None:
    problems = [_wrong("--allow/--refuse", name, POLICIES) for name in policies if name not in POLICIES]
    if mode is not None and mode not in {*Mode, "REPLAY", "WINDOW"}:
        problems.append(_wrong("--mode", mode, [*Mode, "REPLAY", "WINDOW"]))
    if schema_type is not None and schema_type not in FORMATS:
        problems.append(_wrong("--type", schema_type, FORMATS))
    if problems:
        raise InputError(problems)


def _enough(versions: Sequence[object]) -> None:
    if len(versions) < 2:
        raise InputError([Problem("wanted an older and a newer schema", Position("compat"))])


def _wrong(option: str, found: str, known: Collection[str]) -> Problem:
    return Problem(f"found {found!r}, wanted one of {', '.join(known)}", Position(option))


def _kept(retention: str | None) -> float:
    """For how many seconds records are kept."""
    if retention is None:
        message = "REPLAY wants to know how long records are kept"
        raise InputError([Problem(message, Position("--retention"), fix="say 30 d, or 'for ever'")])
    if retention == "for ever":
        return math.inf
    try:
        return parse(retention, Dimension.DURATION).value
    except QuantityError as error:
        raise InputError([Problem(str(error), Position("--retention"))]) from None


def _instant(text: str) -> float:
    try:
        return instant_of(text)
    except ValueError:
        message = f"found {text!r}, wanted a date such as 2026-02-15"
        raise InputError([Problem(message, Position("--at"))]) from None


def _reads(form: Format | None, records: int) -> Reads[Any]:
    def reads(reader: Any, writer: Any) -> list[Change]:
        if form is None:
            raise ValueError("versions without a format")
        changes = form.reads(reader, writer)
        return form.prove(reader, writer, changes, records) if records else changes

    return reads
