"""Schema files, a mode, and the judgement: what the command `compat` and the API of its name run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.change import POLICIES, Change, Choices
from pipelineplan.contracts.evolution.history import read_history
from pipelineplan.contracts.evolution.modes import CompatResult, Mode, Version, judge_mode
from pipelineplan.contracts.evolution.replay import judge_replay, live, written
from pipelineplan.contracts.evolution.rollout import judge_window
from pipelineplan.contracts.evolution.schemas import FORMATS, Format, format_of
from pipelineplan.errors import InputError, Position, Problem


def compat(
    schemas: Sequence[Path | str],
    *,
    mode: str = "BACKWARD",
    schema_type: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
    prove: int = 0,
) -> CompatResult:
    """Judge the last of `schemas` (files, oldest first) against those before it, as `mode` asks.

    `schema_type` names the format where the ending does not. `allow` and `refuse` set policies by
    name. With `prove` above 0 witnesses are really written and read, and so are that many generated
    records where nothing breaks (extra `contracts`). Raises `InputError` for what cannot be used.
    """
    files = [Path(schema) for schema in schemas]
    _check(files, mode, schema_type, (*allow, *refuse))
    form = format_of(files, schema_type)
    versions = _versions(files, form)
    return judge_mode(versions, Mode(mode), _reads(form, prove), Choices(allow, refuse))


def compat_over_time(
    history: Path | str,
    *,
    mode: str,
    schema_type: str | None = None,
    allow: Collection[str] = (),
    refuse: Collection[str] = (),
    prove: int = 0,
) -> CompatResult:
    """Judge the versions of a history file: `mode` REPLAY or WINDOW.

    REPLAY: the latest version against every one still live when the declared replay begins. WINDOW:
    every reader and writer that the declared rollout lets meet, and an order of steps that is safe.
    Otherwise as `compat`.
    """
    given = read_history(Path(history))
    problems = _policy_problems((*allow, *refuse))
    if problems:
        raise InputError(problems)
    form = format_of(list(given.files), schema_type)
    versions, choices = _versions(list(given.files), form), Choices(allow, refuse)
    versions = [Version(name, one.schema) for name, one in zip(given.names, versions, strict=True)]
    reads = _reads(form, prove)
    place = Position(Path(history).as_posix())
    match mode:
        case "REPLAY" if given.replay_at is not None:
            spans = written(given.starts, given.drain_seconds, given.until)
            alive = live(spans, given.logs, given.replay_at, given.range_seconds)
            return judge_replay(versions[-1], [versions[i] for i in alive], reads, choices)
        case "WINDOW" if given.rollout is not None:
            return judge_window(given.rollout, versions, reads, choices)
    missing = "replay: {at: DATE}" if mode == "REPLAY" else "rollout: {steps: [...]}"
    raise InputError([Problem(f"the mode {mode} wants '{missing}' in the history", place)])


def _policy_problems(policies: Collection[str]) -> list[Problem]:
    return [_wrong("--allow/--refuse", name, POLICIES) for name in policies if name not in POLICIES]


def _check(files: list[Path], mode: str, schema_type: str | None, policies: Collection[str]) -> None:
    problems = _policy_problems(policies)
    if mode not in set(Mode):
        problems.append(_wrong("--mode", mode, list(Mode)))
    if schema_type is not None and schema_type not in FORMATS:
        problems.append(_wrong("--type", schema_type, FORMATS))
    if len(files) < 2:
        problems.append(Problem("wanted an older and a newer schema", Position("compat")))
    if problems:
        raise InputError(problems)


def _wrong(option: str, found: str, known: Collection[str]) -> Problem:
    return Problem(f"found {found!r}, wanted one of {', '.join(known)}", Position(option))


def _versions(files: list[Path], form: Format) -> list[Version[Any]]:
    """Every file read; all problems of all files at once."""
    versions: list[Version[Any]] = []
    problems: list[Problem] = []
    for file in files:
        try:
            versions.append(Version(file.as_posix(), form.read(file)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    form.lineage([one.schema for one in versions])
    return versions


def _reads(form: Format, records: int) -> Any:
    def reads(reader: Any, writer: Any) -> list[Change]:
        changes = form.reads(reader, writer)
        return form.prove(reader, writer, changes, records) if records else changes

    return reads
