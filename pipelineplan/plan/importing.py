"""Reads the facts of a plan, fills what it leaves open, and keeps both sides where both say something.

facts: [...] -> files -> readings -> links -> the plan's data with imported values

What the plan states stays as it is, unless it says `prefer: facts`; then the fact's value stands in its
place, and the finding that says so has both positions.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from pipelineplan.documents import Path, Root
from pipelineplan.documents.reads import note_read
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.facts import read_facts
from pipelineplan.facts.fact import Fact, Named, Reading, Thing, Unread, mapping
from pipelineplan.plan.composing import Composed, shown
from pipelineplan.plan.fact_matching import Places, dead_letters, targets, topic_of
from pipelineplan.plan.real_system import Link, RealSystem, agrees

MOST_FILES = 2000
# The one key that a section's short form stands for (`retention: 7 d`).
_SHORT = {"retention": "time", "parallelism": "now", "ttl": "time", "rate": "average"}
# A section that cannot be without this key is not begun for another one.
_NEEDS = {"schedule": "cron", "parallelism": "now", "ttl": "time"}
# What a plan has to begin itself: a fact about it does not mean that the plan's author thought of it.
_ONLY_WITHIN = {"state", "watermark", "dead_letters", "quality", "slos"}


def import_facts(composed: Composed, root: Root) -> tuple[Composed, RealSystem]:
    """The plan's data with what its facts add to it, and everything that the facts say."""
    files, prefer = _asked(composed.data)
    if not files:
        return composed, RealSystem()
    readings, broken, lines = _read(files, composed, root)
    things = tuple(one for reading in readings for one in reading.named)
    places = Places(composed.data, things)
    links = tuple(_links(places, readings, composed))
    tree = _Tree(composed)
    imported, replaced = _fill(tree, links, prefer)
    names = tuple(dict.fromkeys(reading.file for reading in readings))
    used = {fact.position.file for fact in imported.values()}
    after = tree.composed({name: text for name, text in lines.items() if name in used})
    return after, RealSystem(
        prefer,
        names,
        readings,
        broken,
        links,
        tuple(_unresolved(places, readings)),
        tuple(_missing(places)),
        imported,
        replaced,
    )


def _asked(data: Any) -> tuple[list[tuple[Path, str]], Any]:
    """Places and texts of the files that the plan names, and whom it prefers; the model complains."""
    asked = mapping(data).get("facts")
    path: Path = ("facts",)
    prefer = "plan"
    if isinstance(asked, dict):
        prefer = "facts" if asked.get("prefer") == "facts" else "plan"
        asked, path = asked.get("files"), ("facts", "files")
    found = enumerate(asked) if isinstance(asked, list) else ()
    return [((*path, index), name) for index, name in found if isinstance(name, str)], prefer


def _read(
    files: Iterable[tuple[Path, str]], composed: Composed, root: Root
) -> tuple[tuple[Reading, ...], tuple[tuple[Path, Problem], ...], dict[str, tuple[str, ...]]]:
    """Readings in the order of the files, what is wrong with them, and the lines of every file read."""
    readings: list[Reading] = []
    broken: list[tuple[Path, Problem]] = []
    lines: dict[str, tuple[str, ...]] = {}
    for path, reference in files:
        named, problem = named_files(reference, root)
        if problem:
            broken.append((path, composed.problem(path, problem)))
        for file in named:
            name = shown(file, root.folder)
            try:
                found = read_facts(file, name)
            except InputError as error:
                broken += [(path, one) for one in error.problems]
                continue
            except MissingExtraError as error:
                broken.append((path, Problem(str(error), Position(name))))
                continue
            if not found:
                broken.append((path, Problem("no tool that is known writes such a file", Position(name))))
            readings += [reading for reading in found if reading not in readings]
            lines[name] = _lines(file) if found else ()
    return tuple(readings), tuple(broken), lines


def _lines(file: FilePath) -> tuple[str, ...]:
    """The text by line, for a message to quote; a file of megabytes is quoted by nobody."""
    return tuple(file.read_text(encoding="utf-8-sig").splitlines()) if file.stat().st_size < 1_000_000 else ()


def named_files(reference: str, root: Root) -> tuple[list[FilePath], str]:
    """The files inside the root that a name or glob of `facts` means, and what is wrong with it.

    That a single file is missing is said where all references are followed.
    """
    steps = reference.split("/")
    first = next((i for i, step in enumerate(steps) if any(sign in step for sign in "*?[")), None)
    try:
        if first is None:
            file = root.resolve(reference)
            return ([file] if file.is_file() else []), ""
        start = root.resolve("/".join(steps[:first]) or ".")
        if ".." in steps[first:]:
            return [], f"{reference!r} goes up behind a wildcard, wanted a folder first"
        _note_folders(start, deep=len(steps) - first > 1)
        found = []
        for file in sorted(start.glob("/".join(steps[first:]))):
            if file.is_file() and file.resolve().is_relative_to(root.folder.resolve()):
                found.append(file)
            if len(found) > MOST_FILES:
                return [], f"{reference!r} names more than {MOST_FILES} files, wanted a narrower one"
    except (ValueError, OSError) as error:
        return [], f"{reference!r} is {error}"
    return found, "" if found else f"{reference!r} names no file"


def _note_folders(start: FilePath, *, deep: bool) -> None:
    """A glob looks at listings of folders too: a new file in one of them changes what it names."""
    note_read(start)
    for here, inner, _ in os.walk(start) if deep else ():
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in inner:
            note_read(FilePath(here) / name)


def _links(places: Places, readings: Iterable[Reading], composed: Composed) -> Iterator[Link]:
    """Every fact with every field of the plan that it speaks of."""
    for reading in readings:
        objects = _objects(places, reading)
        for fact in reading.facts:
            for path in objects.get((fact.of, fact.subject), ()):
                for field, relation in targets(places, fact.of, fact.field, path):
                    yield _link(field, fact, relation, composed)
            if fact.of is Thing.TOPIC and fact.field == "retention.time":
                for field in dead_letters(places, fact.subject):
                    yield _link(field, fact, "is", composed)


def _objects(places: Places, reading: Reading) -> Mapping[tuple[Thing, str], tuple[Path, ...]]:
    """The objects of the plan for each thing that a reading has facts or open values of."""
    subjects = {(fact.of, fact.subject) for fact in reading.facts}
    subjects |= {(one.of, one.subject) for one in reading.unread if one.of is not None}
    named = {(one.of, one.subject): one for one in reading.named}
    return {
        key: tuple(places.of(named.get(key) or Named(*key, Position(reading.file))))
        for key in sorted(subjects)
    }


def _link(path: Path, fact: Fact, relation: Any, composed: Composed) -> Link:
    found, place = _stated(composed.data, path)
    return Link(path, fact, relation, found, composed.position(place) if found is not None else None)


def _stated(data: Any, path: Path) -> tuple[Any, Path]:
    """What stands at `path`, in the section's short form too, and where."""
    value = data
    for index, step in enumerate(path):
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(str(step))
        elif value is not None and index == len(path) - 1 and _SHORT.get(str(path[-2])) == step:
            return value, path[:-1]
        else:
            return None, path
    return (None if isinstance(value, dict) else value), path


def _unresolved(places: Places, readings: Iterable[Reading]) -> Iterator[tuple[Path, Unread]]:
    """What stands in the files, would belong in the plan, and could not be read."""
    for reading in readings:
        objects = _objects(places, reading)
        for one in reading.unread:
            if one.of is None or one.placeless or not one.field:
                continue
            for path in objects.get((one.of, one.subject), ()):
                yield from ((field, one) for field, _ in targets(places, one.of, one.field, path))


def _missing(places: Places) -> Iterator[tuple[Path, Thing, str]]:
    """Things that the plan names and the files, which tell of their kind, do not."""
    known: dict[Thing, set[str]] = {}
    for one in places.things:
        known.setdefault(one.of, set()).add(one.subject)
    written = {topic for one in places.things for topic in one.links.get("topics", ())}
    if Thing.TOPIC in known:
        known[Thing.TOPIC] |= written  # a connector makes the topics that it writes
    for path, source in places.sources():
        yield from _not_known(known, Thing.TOPIC, (*path, "topic"), source.get("topic"))
        connector = mapping(source.get("cdc")).get("connector")
        yield from _not_known(known, Thing.CONNECTOR, (*path, "cdc", "connector"), connector)
        if source.get("system") == "kafka" and "topic" not in source:
            yield from _not_known(known, Thing.TOPIC, (*path, "id"), topic_of(source))
    for path, stage in places.stages("flink"):
        yield from _not_known(known, Thing.JOB, (*path, "job"), stage.get("job"))
    dag = mapping(mapping(places.data).get("ingestion")).get("dag")
    yield from _not_known(known, Thing.DAG, ("ingestion", "dag"), dag)


def _not_known(
    known: Mapping[Thing, set[str]], of: Thing, path: Path, name: object
) -> Iterator[tuple[Path, Thing, str]]:
    if isinstance(name, str) and of in known and name not in known[of] and known[of] != {""}:
        yield path, of, name


def _fill(tree: _Tree, links: Iterable[Link], prefer: str) -> tuple[dict[Path, Fact], frozenset[Path]]:
    """Put values where the plan has none, or where it prefers the facts; the first fact of a field counts."""
    imported: dict[Path, Fact] = {}
    replaced: set[Path] = set()
    for link in sorted(links, key=lambda link: link.path[-1] not in _NEEDS.values()):
        value = link.fact.value
        if link.relation not in {"is", "near"} or value is None or link.path in imported:
            continue
        if link.stated is None:
            if link.fact.field != "guarantee" and tree.put(link.path, value, link.fact.position):
                imported[link.path] = link.fact
        elif prefer == "facts" and _gives_way(link) and link.path not in replaced:
            tree.put(link.path, value, link.fact.position)
            replaced.add(link.path)
    return imported, frozenset(replaced)


def _gives_way(link: Link) -> bool:
    """Whether the plan's value differs from a fact that could stand in its place."""
    could = link.compares and link.relation == "is" and not link.fact.measured
    return could and agrees(link.stated, link.fact) is False


class _Tree:
    """A copy of the plan's data that facts are put into, with their positions."""

    def __init__(self, composed: Composed) -> None:
        self.before = composed
        self.data: Any = copy.deepcopy(composed.data)
        self.positions: dict[Path, Position] = dict(composed.positions)

    def put(self, path: Path, value: Any, position: Position) -> bool:
        """Put `value` at `path`, and begin the sections that it stands in; False where it has no place."""
        place = self.data
        for index, step in enumerate(path[:-1]):
            here = path[: index + 1]
            if isinstance(place, list):
                place = place[int(step)]
                continue
            if place.get(step) is None:
                if not self._may_begin(str(step), path):
                    return False
                place[step] = {}
                self.positions.setdefault(here, position)
            elif not isinstance(place[step], dict | list):
                if str(step) not in _SHORT:
                    return False
                self._open_short_form(place, str(step), here)
            place = place[step]
        place[path[-1]] = list(value) if isinstance(value, tuple) else value
        self.positions[path] = position
        return True

    def _may_begin(self, section: str, path: Path) -> bool:
        needed = _NEEDS.get(section)
        return section not in _ONLY_WITHIN and (needed is None or path[-1] == needed)

    def _open_short_form(self, place: dict[str, Any], step: str, here: Path) -> None:
        """`retention: 7 d` becomes `retention: {time: 7 d}`, at the same position."""
        key = _SHORT[step]
        place[step] = {key: place[step]}
        self.positions[(*here, key)] = self.positions[here]

    def composed(self, lines: Mapping[str, tuple[str, ...]]) -> Composed:
        """The data with its positions, and the lines of the files that values came from."""
        return replace(
            self.before, data=self.data, positions=self.positions, lines={**self.before.lines, **lines}
        )
