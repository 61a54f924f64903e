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
      back:                         a way back of its own; else what was done is undone in reverse
        - {producers: checkout, to: orders.v1}

Versions are named by their file without its ending. Before the rollout everybody runs the version
before the last, and it begins when the last one is first written, unless `begins` says when.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.contracts.evolution.recorded import Found, index_of
from pipelineplan.contracts.evolution.replay import Log, Written, written
from pipelineplan.contracts.evolution.rollout import Rollout, Side, Step, Upgrade, Wait
from pipelineplan.contracts.section import Section
from pipelineplan.documents import Root, read_document
from pipelineplan.errors import InputError
from pipelineplan.quantities import Dimension, QuantityError, parse

_KEYS = ("versions", "producer_drain")


@dataclass(frozen=True)
class History:
    """What a history file says; times in seconds, instants since the epoch.

    `rollout` is None where none is declared, `replay_at` where no replay is.
    """

    found: tuple[Found, ...]
    drain_seconds: float
    logs: tuple[Log, ...]
    replay_at: float | None
    range_seconds: float
    rollout: Rollout | None


def read_history(file: Path) -> History:
    """The history in `file`; schemas are looked for beside it. Raises `InputError` with all problems."""
    top = _top(file)
    top.known((*_KEYS, "retention", "segment", "compacted", "logs", "replay", "rollout"))
    made = _history(top, file.parent)
    if top.problems:
        raise InputError(top.problems)
    return made


def versions_in(file: Path) -> list[Found]:
    """Only the versions of the history in `file`. Raises `InputError` with all problems."""
    top = _top(file)
    found = _versions(top, file.parent)
    if top.problems:
        raise InputError(top.problems)
    return found


def _top(file: Path) -> Section:
    document = read_document(file, file.as_posix())
    if not isinstance(document.data, dict):
        raise InputError([document.problem((), "found no mapping, wanted versions, retention, ...")])
    return Section(document, (), document.data, [])


def _versions(top: Section, folder: Path) -> list[Found]:
    """The versions in the order of the file, which has to be that of their dates."""
    found = []
    for one in top.sections("versions"):
        file = _beside(one, folder)
        until = instant(one, "until") if one.has("until") else None
        found.append(Found(file, one.text("name") or file.stem, instant(one, "from") or 0.0, until))
    starts = [one.start for one in found]
    if starts != sorted({start for start in starts if start is not None}):
        top.complain("versions", "wanted the versions in the order of their dates, oldest first")
    return found


def _beside(one: Section, folder: Path) -> Path:
    """The schema's file, which stays in the folder of the history."""
    name = one.text("schema", required=True)
    try:
        return Root(folder, folder).resolve(name) if name else folder
    except ValueError as error:
        one.complain("schema", f"{name!r} is {error}")
        return folder


def _history(top: Section, folder: Path) -> History:
    found = _versions(top, folder)
    if len(found) < 2:
        top.complain("versions" if top.has("versions") else None, "wanted two versions or more")
    replay = top.section("replay")
    logs = _logs(top)
    drain = _seconds(top, "producer_drain", 0.0)
    return History(
        found=tuple(found),
        drain_seconds=drain,
        logs=logs,
        replay_at=instant(replay, "at") if replay else None,
        range_seconds=_seconds(replay, "range", math.inf) if replay else math.inf,
        rollout=_rollout(top, found, drain, logs),
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


def _rollout(top: Section, found: list[Found], drain_seconds: float, logs: tuple[Log, ...]) -> Rollout | None:
    section = top.section("rollout")
    if section is None:
        return None
    section.known(("begins", "rollback", "back", "steps"))
    names = [one.name for one in found]
    steps = _steps(section, "steps", names)
    groups: set[tuple[Side, str]] = {s.key for s in steps if isinstance(s, Upgrade)}
    running = max(len(names) - 2, 0)
    before = dict.fromkeys(sorted(groups), running)
    sides = {side for side, _ in groups}
    before |= {(side, "all"): running for side in ("consumers", "producers") if side not in sides}
    begins = instant(section, "begins") if section.has("begins") else None
    return Rollout(
        before,
        steps,
        max(log.horizon_seconds for log in logs),
        section.flag("rollback") if section.has("rollback") else True,
        _steps(section, "back", names) if section.has("back") else None,
        ages(written([o.start or 0.0 for o in found], drain_seconds, [o.until for o in found]), begins),
    )


def ages(spans: Sequence[Written], begins: float | None) -> dict[int, float]:
    """How many seconds old the youngest record of each earlier version is when a rollout begins.

    `begins` is an instant since the epoch; None is when the newest version was first written.
    """
    start = begins if begins is not None else spans[-1].start_seconds if spans else 0.0
    return {
        version: max(0.0, start - span.end_seconds)
        for version, span in enumerate(spans)
        if span.start_seconds < start and version < len(spans) - 1
    }


def _steps(section: Section, key: str, names: list[str]) -> tuple[Step, ...]:
    return tuple(step for one in section.sections(key) if (step := _step(one, names)) is not None)


def _step(section: Section, names: list[str]) -> Step | None:
    section.known(("consumers", "producers", "to", "wait", "canary"))
    if section.has("wait"):
        return Wait(_seconds(section, "wait", 0.0))
    sides: tuple[Side, Side] = ("consumers", "producers")
    side = next((one for one in sides if section.has(one)), None)
    if side is None:
        section.complain(None, "found no step, wanted consumers, producers or wait")
        return None
    to = section.text("to", required=True)
    index = index_of(to, names)
    if index is None:
        section.complain(
            "to" if section.has("to") else None, f"found {to!r}, wanted one of {', '.join(names)}"
        )
        return None
    return Upgrade(side, section.text(side), index, section.flag("canary"))


def _seconds(section: Section, key: str, default: float) -> float:
    if not section.has(key):
        return default
    try:
        return parse(section.value[key], Dimension.DURATION).value
    except QuantityError as error:
        section.complain(key, str(error))
        return default


def instant(section: Section, key: str) -> float | None:
    """The ISO date or instant under `key` in seconds since the epoch; without a zone it is UTC."""
    written: Any = section.text(key, required=True)
    try:
        return instant_of(written)
    except ValueError:
        if written:
            section.complain(key, f"found {written!r}, wanted a date such as 2026-02-15")
        return None


def instant_of(text: str) -> float:
    """An ISO date or instant in seconds since the epoch; raises `ValueError`."""
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).timestamp()
