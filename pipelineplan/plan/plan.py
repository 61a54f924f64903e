"""The plan that judges get: the model, where every value stands, what it refers to, its graph.

A judge asks for operands, not for raw values: an operand knows its symbol, its interval, and
whether the plan states it (declared), a profile measured it, or a default assumed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_args

from pipelineplan.documents import Path, Root, dotted
from pipelineplan.errors import Position
from pipelineplan.plan.composing import Composed
from pipelineplan.plan.data_plan import DataPlan
from pipelineplan.plan.graph import Graph
from pipelineplan.plan.real_system import RealSystem
from pipelineplan.plan.section import Section
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, Quantity
from pipelineplan.verdicts import Basis, Operand

if TYPE_CHECKING:
    from pipelineplan.contracts import Contract
    from pipelineplan.contracts.evolution.recorded import Recorded
    from pipelineplan.plan.prices import PriceList
    from pipelineplan.sources import RateTrace, StreamProfile


Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def once(
    question: Callable[Concatenate[Plan, Given], Answer],
) -> Callable[Concatenate[Plan, Given], Answer]:
    """Keep the answer to a question about a plan with the plan: many rules ask the same.

    Its arguments are names, numbers and sections; an answer is nothing that its askers change.
    """

    @wraps(question)
    def answered(plan: Plan, /, *about: Given.args, **named: Given.kwargs) -> Answer:
        # Sections are known by identity, which is theirs alone for as long as they are kept here.
        key = (question, *[id(one) if isinstance(one, Section) else one for one in about])
        if named:
            key += tuple(named.items())
        found = plan.answers.get(key)
        if found is None:
            found = plan.answers[key] = (question(plan, *about, **named), about)
        answer: Answer = found[0]
        return answer

    return answered


@dataclass(frozen=True)
class Upstream:
    """The plan that feeds a source, and the sink of it that the source reads."""

    plan: Plan
    sink: Sink


@dataclass(frozen=True)
class Plan:
    """A plan that could be read: sections in `model`, files by reference, nodes in `graph`.

    `answers` are those that `once` keeps.
    """

    model: DataPlan
    file: str
    root: Root
    composed: Composed
    graph: Graph
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    profiles: Mapping[str, StreamProfile] = field(default_factory=dict)
    traces: Mapping[str, RateTrace] = field(default_factory=dict)
    versions: Mapping[str, Recorded] = field(default_factory=dict)
    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    env: str | None = None
    real: RealSystem = field(default_factory=RealSystem)
    prices: Mapping[str, PriceList] = field(default_factory=dict)
    _paths: Mapping[int, Path] = field(default_factory=dict, repr=False)
    answers: dict[Any, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The plan's own name."""
        return self.model.metadata.name

    @property
    def own_lines(self) -> Mapping[str, tuple[str, ...]]:
        """The text of the plan's own files by line, without that of the real system's."""
        return {file: lines for file, lines in self.composed.lines.items() if file not in self.real.files}

    def source(self, node: str) -> Source:
        """The source with the id `node`."""
        return next(source for source in self.model.sources if source.id == node)

    def stage(self, node: str) -> Stage:
        """The stage with the id `node`."""
        return next(stage for stage in self.model.stages if stage.id == node)

    def sink(self, node: str) -> Sink:
        """The sink with the id `node`."""
        return next(sink for sink in self.model.sinks if sink.id == node)

    def path(self, section: Section, *fields: str) -> Path:
        """Where `section` (and a field of it) stands in the document."""
        return (*self._paths.get(id(section), ()), *fields)

    def position(self, path: Path) -> Position:
        """The file, line and column of `path`, or of the nearest thing around it."""
        return self.composed.position(path)

    def identity(self, path: Path) -> str:
        """`path` with list entries named by what names them, so that it survives a reordering.

        `$.sources[clicks].rate` and not `$.sources[0].rate`; entries that nothing names keep their number.
        """
        steps: list[str | int] = []
        data: object = self.composed.data
        for step in path:
            steps.append(_name_in(data, step))
            data = _below(data, step)
        return dotted(tuple(steps))

    @once
    def operand(
        self, symbol: str, section: Section | None, field_name: str, name: str = ""
    ) -> Operand | None:
        """The value of `section.field_name` as an operand, or None when there is none."""
        value = getattr(section, field_name, None) if section is not None else None
        if section is None or value is None or isinstance(value, bool):
            return None
        path = self._written(section, field_name)
        words = name or field_name.replace("_", " ")
        basis = self._basis(path) if field_name in section.model_fields_set else Basis.ASSUMED
        quantity = isinstance(value, Quantity)
        low, high = (value.low, value.high) if quantity else (float(value), float(value))
        dimension = value.dimension if quantity else None
        return Operand(
            symbol, words, float(value), low, high, basis, dotted(path), self.position(path), dimension
        )

    def _basis(self, path: Path) -> Basis:
        """Whether a value that is there was stated, or comes from the real system."""
        fact = self.real.imported.get(path)
        if fact is not None and fact.measured:
            return Basis.MEASURED
        return Basis.IMPORTED if fact is not None or path in self.real.replaced else Basis.DECLARED

    def assumed(
        self,
        symbol: str,
        name: str,
        value: float,
        dimension: Dimension | None,
        path: Path,
        between: tuple[float, float] | None = None,
    ) -> Operand:
        """An operand that the plan does not state, and the range that it might as well be in.

        A verdict that is the same all over that range does not rest on the assumption.
        """
        low, high = between or (value, value)
        return Operand(
            symbol, name, value, low, high, Basis.ASSUMED, dotted(path), self.position(path), dimension
        )

    def _written(self, section: Section, field_name: str) -> Path:
        """The path of a field; of the section itself where its short form was written."""
        path = self.path(section, _alias(section, field_name))
        parent = path[:-1]
        if path not in self.composed.positions and parent in self.composed.positions:
            value = self.composed_value(parent)
            if not isinstance(value, dict | list):
                return parent
        return path

    def composed_value(self, path: Path) -> object:
        """What the file says at `path`, before defaults."""
        data = self.composed.data
        for step in path:
            data = data[step]
        return data


def paths_of(model: DataPlan) -> dict[int, Path]:
    """The document path of every section of `model`, by identity."""
    return {id(section): path for section, path in _walk(model, ())}


def _walk(section: Section, path: Path) -> Iterator[tuple[Section, Path]]:
    yield section, path
    for name, alias in _aliases_below(type(section)).items():
        value = getattr(section, name)
        if not value:
            continue
        below = (*path, alias)
        if isinstance(value, Section):
            yield from _walk(value, below)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                if isinstance(entry, Section):
                    yield from _walk(entry, (*below, index))
        elif isinstance(value, dict):
            # `contracts.policies` is gathered by the model; in the file its entries stand one level up.
            above = path if name == "policies" else below
            for key, entry in value.items():
                if isinstance(entry, Section):
                    yield from _walk(entry, (*above, key))


def _name_in(data: object, step: str | int) -> str | int:
    """What names the entry `step` of the list `data` among its neighbours, else its number."""
    if not isinstance(data, list) or not isinstance(step, int) or step >= len(data):
        return step
    for key in ("id", "criterion", "for", "of", "name", "version"):
        names = [entry.get(key) if isinstance(entry, dict) else None for entry in data]
        if isinstance(names[step], str) and names.count(names[step]) == 1:
            return f"{key}:{names[step]}"
    return step


def _below(data: object, step: str | int) -> object:
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _alias(section: Section, name: str) -> str:
    return _aliases(type(section))[name]


@cache
def _aliases(section: type[Section]) -> dict[str, str]:
    """How the file calls each field; asked for so often that pydantic's own way costs time."""
    return {name: info.alias or name for name, info in section.model_fields.items()}


@cache
def _aliases_below(section: type[Section]) -> dict[str, str]:
    """Those of the fields that can hold sections: most hold plain values, and need no looking into."""
    fields = section.model_fields
    return {
        name: alias for name, alias in _aliases(section).items() if _holds_section(fields[name].annotation)
    }


def _holds_section(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return True
    return any(_holds_section(inner) for inner in get_args(annotation))
