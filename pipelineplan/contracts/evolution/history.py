"""A history file: versions with their dates, how long records live, and a rollout.

    versions:
      - {schema: orders.v1.avsc, from: 2026-01-01}
      - {schema: orders.v2.avsc, from: 2026-01-20}
    retention: 30 d
    segment: 1 d                      a closed segment is kept as a whole
    logs: {savepoints: 7 d}           other places that records wait in
    replay: {at: 2026-02-15, range: 14 d}
    rollout:
      rollback: true
      steps:
        - {consumers: fraud, to: orders.v2}
        - {wait: 31 d}
        - {producers: checkout, to: orders.v2}

Versions are named by their file without its ending. Before the rollout everybody runs the version
before the last.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.replay import Log
from pipelineplan.contracts.evolution.rollout import Rollout, Side, Step, Upgrade, Wait
from pipelineplan.contracts.section import Section
from pipelineplan.documents import read_document
from pipelineplan.errors import InputError, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse


@dataclass(frozen=True)
class History:
    """What a history file says; times in seconds, instants since the epoch.

    `until` says of a version up to when a rollback wrote it again. `rollout` is None where none is
    declared, `replay_at` where no replay is.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    starts: tuple[float, ...]
    until: tuple[float | None, ...]
    drain_seconds: float
    logs: tuple[Log, ...]
    replay_at: float | None
    range_seconds: float
    rollout: Rollout | None


def read_history(file: Path) -> History:
    """The history in `file`; schemas are looked for beside it. Raises `InputError` with all problems."""
    document = read_document(file, file.as_posix())
    if not isinstance(document.data, dict):
        raise InputError([document.problem((), "found no mapping, wanted versions, retention, ...")])
    problems: list[Problem] = []
    top = Section(document, (), document.data, problems)
    top.known(
        ("versions", "retention", "segment", "producer_drain", "compacted", "logs", "replay", "rollout")
    )
    made = _history(top, file.parent)
    if problems:
        raise InputError(problems)
    return made


def _history(top: Section, folder: Path) -> History:
    versions = top.sections("versions")
    if len(versions) < 2:
        top.complain("versions" if top.has("versions") else None, "wanted two versions or more")
    files = tuple(folder / one.text("schema", required=True) for one in versions)
    names = tuple(one.stem for one in files)
    starts = tuple(_instant(one, "from") or 0.0 for one in versions)
    if list(starts) != sorted(set(starts)):
        top.complain("versions", "wanted the versions in the order of their dates, oldest first")
    replay = top.section("replay")
    logs = _logs(top)
    return History(
        files=files,
        names=names,
        starts=starts,
        until=tuple(_instant(one, "until") if one.has("until") else None for one in versions),
        drain_seconds=_seconds(top, "producer_drain", 0.0),
        logs=logs,
        replay_at=_instant(replay, "at") if replay else None,
        range_seconds=_seconds(replay, "range", math.inf) if replay else math.inf,
        rollout=_rollout(top, names, logs),
    )


def _logs(top: Section) -> tuple[Log, ...]:
    """The topic itself, and every other place that records wait in."""
    if not top.flag("compacted") and not top.has("retention"):
        top.complain(None, "the key 'retention' is missing", "add 'retention: 30 d' or 'compacted: true'")
    own = (
        math.inf if top.flag("compacted") else _seconds(top, "retention", 0.0) + _seconds(top, "segment", 0.0)
    )
    others = top.section("logs")
    named = [Log(name, _seconds(others, name, 0.0)) for name in others.value] if others else []
    return (Log("topic", own), *named)


def _rollout(top: Section, names: tuple[str, ...], logs: tuple[Log, ...]) -> Rollout | None:
    section = top.section("rollout")
    if section is None:
        return None
    steps = [step for one in section.sections("steps") if (step := _step(one, names)) is not None]
    groups: set[tuple[Side, str]] = {(s.side, s.group) for s in steps if isinstance(s, Upgrade)}
    before = dict.fromkeys(sorted(groups), max(len(names) - 2, 0))
    sides = {side for side, _ in groups}
    before |= {(side, "all"): len(names) - 2 for side in ("consumers", "producers") if side not in sides}
    horizon = max(log.horizon_seconds for log in logs)
    rollback = section.flag("rollback") if section.has("rollback") else True
    return Rollout(before, tuple(steps), horizon, rollback)


def _step(section: Section, names: tuple[str, ...]) -> Step | None:
    section.known(("consumers", "producers", "to", "wait", "canary"))
    if section.has("wait"):
        return Wait(_seconds(section, "wait", 0.0))
    sides: tuple[Side, Side] = ("consumers", "producers")
    side = next((one for one in sides if section.has(one)), None)
    if side is None:
        section.complain(None, "found no step, wanted consumers, producers or wait")
        return None
    to = section.text("to", required=True)
    if to not in names:
        section.complain(
            "to" if section.has("to") else None, f"found {to!r}, wanted one of {', '.join(names)}"
        )
        return None
    return Upgrade(side, section.text(side), names.index(to), section.flag("canary"))


def _seconds(section: Section, key: str, default: float) -> float:
    if not section.has(key):
        return default
    try:
        return parse(section.value[key], Dimension.DURATION).value
    except QuantityError as error:
        section.complain(key, str(error))
        return default


def _instant(section: Section, key: str) -> float | None:
    """An ISO date or instant in seconds since the epoch; without a zone it is UTC."""
    written: Any = section.text(key, required=True)
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        if written:
            section.complain(key, f"found {written!r}, wanted a date such as 2026-02-15")
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).timestamp()
