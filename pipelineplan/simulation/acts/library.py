"""The scenario library: one YAML file per thing that happens to pipelines, read with positions.

    scenario: sink-outage
    title: The sink takes nothing for a while
    source: ...                        where this was seen
    look_at: [...]                     what to read in the result
    load: {level: peak}                average or peak of the plan, and a burst on top
    outage: {of: sink, detect: 5 min, repair: 40 min}
    laws: [conserved, bounded, drains_when_stable]

Values are relative to the plan: its rates, its own outage of that kind where it declares one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from pipelineplan import catalogue
from pipelineplan.documents import Document, read_document
from pipelineplan.documents.document import Path
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.quantities import Dimension, QuantityError, parse
from pipelineplan.simulation.acts.happenings import HAPPENINGS
from pipelineplan.simulation.scenario import Breaks, Burst

# What the tests check of every scenario that names it.
LAWS: Mapping[str, str] = {
    "conserved": "appended = read + waiting in every partition, read = passed on + waiting in every edge",
    "bounded": "no queue is negative or above its room",
    "drains_when_stable": "where the busiest worker's load is below its capacity, lag returns to zero",
    "replays_what_was_read": "replayed = what was read since the last completed checkpoint began",
    "replays_nothing": "no position goes back",
    "remembers_what_came": "state is not negative, and not more than what came to its stage, or was there",
    "loses_nothing": "no record expires unread while its age stays below the retention",
}
_KEYS = (
    "scenario",
    "title",
    "source",
    "look_at",
    "expected",
    "load",
    "outage",
    "hot_key",
    "laws",
    *HAPPENINGS,
)
_REQUIRED = ("scenario", "title", "source", "look_at", "load", "laws")


@dataclass(frozen=True)
class Broken:
    """An outage of the library, for plans that declare none of its kind."""

    of: Breaks
    detect_seconds: float
    repair_seconds: float


@dataclass(frozen=True)
class Recipe:
    """A scenario of the library, before it meets a plan. `level` is `average` or `peak`.

    `hottest_key` is the least share that the hottest key has in it, `happenings` are pairs of a key
    of `happenings.HAPPENINGS` and its values in base units, `expected` says what size to expect.
    """

    name: str
    title: str
    source: str
    look_at: tuple[str, ...]
    level: str
    laws: tuple[str, ...]
    burst: Burst | None = None
    broken: Broken | None = None
    hottest_key: float = 0.0
    happenings: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    expected: str = ""


def read_library() -> tuple[Recipe, ...]:
    """Every scenario that ships with the package, by name."""
    return tuple(_read_shipped(file) for file in _shipped().values())


def _shipped() -> dict[str, FilePath]:
    """The files of the library; each is called as its scenario is."""
    files = sorted((catalogue.folder("simulations") / "scenarios").glob("*.yaml"))
    return {file.stem: file for file in files}


def _read_shipped(file: FilePath) -> Recipe:
    return read_recipe(file, f"simulations/scenarios/{file.name}")


def recipes_named(names: tuple[str | FilePath, ...]) -> tuple[Recipe, ...] | None:
    """The scenarios by these names or files, or the whole library for "all"; None for no name.

    Raises `InputError` for a name that is none, with the nearest one.
    """
    if not names:
        return None
    library = _shipped()
    found: dict[str, Recipe] = {}
    problems: list[Problem] = []
    for name in map(str, names):
        if name == "all":
            found |= {recipe.name: recipe for recipe in read_library()}
        elif name in library:
            found[name] = _read_shipped(library[name])
        elif FilePath(name).suffix in {".yaml", ".yml"}:
            found[name] = read_recipe(FilePath(name), name)
        else:
            close = get_close_matches(name, library, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(library)}"
            problems.append(Problem(f"there is no scenario {name!r}", Position("--scenario"), fix=hint))
    if problems:
        raise InputError(problems)
    return tuple(found.values())


def read_recipe(file: FilePath, shown_as: str | None = None) -> Recipe:
    """Read one scenario file; raises `InputError` with every problem and its position."""
    document = read_document(file, shown_as)
    reader = _Reader(document)
    recipe = reader.recipe()
    if reader.problems or recipe is None:
        raise InputError(reader.problems)
    return recipe


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def recipe(self) -> Recipe | None:
        data = self.mapping((), self.document.data, _KEYS, _REQUIRED)
        if self.problems:
            return None
        load = self.mapping(("load",), data["load"], ("level", "burst"), ("level",))
        return Recipe(
            name=self.text(("scenario",), data["scenario"]),
            title=self.text(("title",), data["title"]),
            source=self.text(("source",), data["source"]),
            look_at=self.texts(("look_at",), data["look_at"]),
            level=self.one_of(("load", "level"), load.get("level"), ("average", "peak")),
            laws=tuple(
                self.one_of(("laws", index), law, tuple(LAWS))
                for index, law in enumerate(self.texts(("laws",), data["laws"]))
            ),
            burst=self.burst(load.get("burst")),
            broken=self.broken(data.get("outage")),
            hottest_key=self.hot_key(data.get("hot_key")),
            happenings=tuple(self.happening(name, data[name]) for name in HAPPENINGS if name in data),
            expected=self.text(("expected",), data["expected"]) if "expected" in data else "",
        )

    def happening(self, name: str, value: Any) -> tuple[str, tuple[tuple[str, float], ...]]:
        kind = HAPPENINGS[name]
        required = tuple(key for key in kind.fields if key not in kind.optional)
        data = self.mapping((name,), value, tuple(kind.fields), required)
        found = dict(kind.optional)
        for key in kind.fields:
            if key in data:
                found[key] = self.number((name, key), data[key], kind.fields[key])
        return name, tuple(found.items())

    def number(self, path: Path, value: Any, dimension: Dimension | str) -> float:
        if isinstance(dimension, Dimension):
            return self.quantity(path, value, dimension)
        if not isinstance(value, int | float) or not 0 <= value < 1e12:
            self.complain(path, f"found {value!r}, wanted a number that is not negative")
            return 0.0
        return float(value)

    def burst(self, value: Any) -> Burst | None:
        if value is None:
            return None
        path: Path = ("load", "burst")
        data = self.mapping(path, value, ("factor", "length"), ("factor", "length"))
        factor = data.get("factor")
        if not isinstance(factor, int | float) or isinstance(factor, bool) or factor <= 0:
            self.complain((*path, "factor"), f"found {factor!r}, wanted a number above 0")
            return None
        return Burst(float(factor), self.seconds((*path, "length"), data.get("length")))

    def broken(self, value: Any) -> Broken | None:
        if value is None:
            return None
        data = self.mapping(("outage",), value, ("of", "detect", "repair"), ("of", "detect", "repair"))
        kinds = tuple(kind.value for kind in Breaks)
        of = self.one_of(("outage", "of"), data.get("of"), kinds)
        detect = self.seconds(("outage", "detect"), data.get("detect"))
        repair = self.seconds(("outage", "repair"), data.get("repair"))
        return Broken(Breaks(of), detect, repair) if of in kinds else None

    def hot_key(self, value: Any) -> float:
        if value is None:
            return 0.0
        data = self.mapping(("hot_key",), value, ("share",), ("share",))
        share = self.quantity(("hot_key", "share"), data.get("share"), Dimension.SHARE)
        if not 0 < share <= 1:
            self.complain(
                ("hot_key", "share"), f"found {data.get('share')!r}, wanted above 0 % and at most 100 %"
            )
        return share

    def mapping(
        self, path: Path, value: Any, known: tuple[str, ...], required: tuple[str, ...]
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.complain(path, f"wanted a mapping with {', '.join(required)}")
            return {}
        for key in value:
            if key not in known:
                self.complain(
                    (*path, key), f"unknown key {key!r}, wanted one of {', '.join(known)}", at_key=True
                )
        for key in required:
            if key not in value:
                self.complain(path, f"{key!r} is missing")
        return value

    def text(self, path: Path, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self.complain(path, f"found {value!r}, wanted text")
            return ""
        return value.strip()

    def texts(self, path: Path, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            self.complain(path, "wanted a list of at least one text")
            return ()
        return tuple(self.text((*path, index), each) for index, each in enumerate(value))

    def one_of(self, path: Path, value: Any, known: tuple[str, ...]) -> str:
        if value not in known:
            self.complain(path, f"found {value!r}, wanted one of {', '.join(known)}")
            return known[0]
        return str(value)

    def seconds(self, path: Path, value: Any) -> float:
        return self.quantity(path, value, Dimension.DURATION)

    def quantity(self, path: Path, value: Any, dimension: Dimension) -> float:
        read: Callable[..., Any] = parse
        try:
            return float(read(value, dimension).value)
        except QuantityError as error:
            self.complain(path, str(error))
            return 0.0

    def complain(self, path: Path, message: str, *, at_key: bool = False) -> None:
        self.problems.append(self.document.problem(path, message, at_key=at_key))
