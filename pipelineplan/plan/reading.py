"""From a plan file or folder to a `Plan`, or to every reason why it cannot become one.

files -> composed tree -> model -> graph and references -> Plan
"""

from __future__ import annotations

import typing
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from pipelineplan.documents import Path, Root, find_root
from pipelineplan.documents.settings import read_settings
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan.composing import Composed, compose, shown
from pipelineplan.plan.data_plan import API_VERSION, DataPlan
from pipelineplan.plan.feeding import feeding
from pipelineplan.plan.graph import build_graph, graph_faults
from pipelineplan.plan.plan import Plan, paths_of
from pipelineplan.plan.real_system import RealSystem
from pipelineplan.plan.references import follow
from pipelineplan.plan.section import Section

_WANTED = {
    "missing": "is missing",
    "string_type": "wanted text",
    "int_type": "wanted a whole number",
    "float_type": "wanted a number",
    "bool_type": "wanted true or false",
    "tuple_type": "wanted a list",
    "dict_type": "wanted a mapping",
    "model_type": "wanted a mapping",
    "model_attributes_type": "wanted a mapping",
}


def read_plan(path: FilePath | str, env: str | None = None) -> Plan:
    """Read the plan file or folder at `path`, with the overlay of `env`, and the plans that feed it.

    Raises `InputError` with all problems of syntax, schema, units, references, ids and cycles.
    """
    return _read(FilePath(path), env, ())


def _read(file: FilePath, env: str | None, downstream: tuple[FilePath, ...]) -> Plan:
    """Read one plan; `downstream` are the files that are being read because this one feeds them."""
    if not file.exists():
        raise InputError([Problem("there is no such file or folder", Position(file.as_posix()))])
    folder = find_root(file)
    composed = _at_the_usual_level(compose(file, folder, env), folder)
    root = Root(folder, file if file.is_dir() else file.parent)
    composed, real = _with_facts(composed, root)
    model, problems = model_of(composed)
    references = follow(composed, root)
    problems += references.problems
    if model is None:
        problems += [composed.problem(place, message) for place, message in graph_faults(composed.data)]
        raise InputError(problems)
    graph, wrong = build_graph(model)
    problems += [composed.problem(place, message) for place, message in wrong]
    problems += _unknown_nodes(model, composed)
    chain = (*downstream, file.resolve())
    fed = feeding(model, composed, root, lambda other: _read(other, env, chain), chain)
    problems += fed.problems
    if problems:
        raise InputError(problems)
    return Plan(
        model,
        shown(file, folder),
        root,
        composed,
        graph,
        references.contracts,
        references.profiles,
        references.traces,
        references.versions,
        fed.upstreams,
        env,
        real,
        references.prices,
        paths_of(model),
    )


def _with_facts(composed: Composed, root: Root) -> tuple[Composed, RealSystem]:
    """The plan with what its facts add; a plan without facts loads no reader."""
    if not composed.data.get("facts"):
        return composed, RealSystem()
    from pipelineplan.plan.importing import import_facts

    return import_facts(composed, root)


def _at_the_usual_level(composed: Composed, folder: FilePath) -> Composed:
    """The plan with the repository's quality level where it states none; its place is in the settings."""
    settings = read_settings(folder)
    metadata = composed.data.get("metadata")
    if settings.quality_level is None or not isinstance(metadata, dict) or "quality_level" in metadata:
        return composed
    path: Path = ("metadata", "quality_level")
    place = settings.quality_level_position
    data = {**composed.data, "metadata": {**metadata, "quality_level": settings.quality_level}}
    return replace(composed, data=data, positions={**composed.positions, path: place})


def model_of(composed: Composed) -> tuple[DataPlan | None, list[Problem]]:
    """The model of the composed data, or None and every reason why there is none."""
    problems = _version(composed)
    if problems:
        raise InputError(problems)  # another version's plan cannot be judged by this one's model
    try:
        return DataPlan.model_validate(_without_extensions(composed.data)), []
    except ValidationError as error:
        details = [one for one in error.errors(include_url=False) if not _echo(one)]
        return None, [_problem(one, composed) for one in details]


def _echo(details: Any) -> bool:
    """A list that counts as too short only because its entries are wrong, which is said already."""
    return details["type"] == "too_short" and bool(details["input"])


def _version(composed: Composed) -> list[Problem]:
    found = composed.data.get("apiVersion")
    if not isinstance(found, str) or not found.startswith("pipelineplan/") or found == API_VERSION:
        return []
    fix = f"install a version of pipelineplan that reads {found}"
    return [composed.problem(("apiVersion",), f"found {found!r}, this version reads {API_VERSION!r}", fix)]


def _without_extensions(data: Any) -> Any:
    """The data without `x-` keys, which are open to everybody and mean nothing here."""
    if isinstance(data, dict):
        return {
            key: _without_extensions(value) if isinstance(value, dict | list) else value
            for key, value in data.items()
            if not key.startswith("x-")
        }
    if isinstance(data, list):
        return [_without_extensions(entry) if isinstance(entry, dict | list) else entry for entry in data]
    return data


def _problem(details: Any, composed: Composed) -> Problem:
    path = _document_path(details["loc"], composed.data)
    kind, found = details["type"], details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(path, composed)
    if kind == "missing":
        return composed.problem(path[:-1], f"{path[-1]!r} is missing", f"add {path[-1]}:")
    return composed.problem(path, _message(kind, details, found))


def _message(kind: str, details: Any, found: Any) -> str:
    if kind == "value_error":
        return str(details["ctx"]["error"])
    shown_value = repr(found) if len(repr(found)) <= 60 else f"{repr(found)[:57]}..."
    if isinstance(found, dict | list):
        shown_value = "a mapping" if isinstance(found, dict) else "a list"
    if kind == "literal_error":
        wanted = details["ctx"]["expected"]
        choices = [choice.strip(" '") for choice in wanted.replace(" or ", ", ").split(",")]
        close = get_close_matches(str(found), choices, n=1, cutoff=0.6)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"found {shown_value}{hint}, wanted {wanted}"
    return f"found {shown_value}, {_WANTED.get(kind) or _lowered(details['msg'])}"


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:].replace("Input should", "should").replace(
        "input should", "should"
    )


def _document_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """Pydantic's location, without the names of union members, as far as the document goes."""
    path: list[str | int] = []
    for index, step in enumerate(loc):
        if step == "policies" and isinstance(data, dict) and step not in data:
            continue
        is_last = index == len(loc) - 1
        if isinstance(data, dict) and (step in data or is_last):
            path.append(step)
            data = data.get(step) if isinstance(step, str) else None
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            path.append(step)
            data = data[step]
        elif not isinstance(data, dict | list):
            break
    return tuple(path)


def _unknown_key(path: Path, composed: Composed) -> Problem:
    key = str(path[-1])
    known = _known_keys(path[:-1])
    close = get_close_matches(key, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    fix = f"{hint}" if close else f"{hint}; keys of your own start with x-"
    return composed.problem(path, f"the key {key!r} is unknown", fix, at_key=True)


def _known_keys(path: Path) -> list[str]:
    """The keys of the section at `path`, found by following the model's own annotations."""
    section: type[Section] | None = DataPlan
    for step in path:
        if isinstance(step, int) or section is None:
            continue
        fields = {info.alias or name: info for name, info in section.model_fields.items()}
        field = fields.get(step)
        if field is None and "policies" in fields:
            field = fields["policies"]
        section = _section_in(field.annotation) if field is not None else None
    if section is None:
        return []
    return sorted(info.alias or name for name, info in section.model_fields.items())


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in typing.get_args(annotation):
        found = _section_in(inner)
        if found is not None:
            return found
    return None


def _unknown_nodes(model: DataPlan, composed: Composed) -> list[Problem]:
    """SLOs, reconciliations and consumers that name something that is not there."""
    stages = [stage.id for stage in model.stages]
    nodes = [*(source.id for source in model.sources), *stages, *(sink.id for sink in model.sinks)]
    ends = [*stages, *(sink.id for sink in model.sinks)]
    named: list[tuple[Path, str, list[str]]] = [
        (("slos", i, "for"), slo.subject, ends) for i, slo in enumerate(model.slos)
    ]
    for i, pair in enumerate(model.reconciliation):
        named += [(("reconciliation", i, "source"), pair.source, nodes)]
        named += [(("reconciliation", i, "destination"), pair.destination, nodes)]
    if model.context is not None and model.context.consumers:
        known = [consumer.id for consumer in model.context.consumers]
        for i, sink in enumerate(model.sinks):
            named += [(("sinks", i, "consumers", j), c, known) for j, c in enumerate(sink.consumers)]
    named += _named_in_design(model, ends)
    return [composed.problem(path, _nobody(name, known)) for path, name, known in named if name not in known]


def _named_in_design(model: DataPlan, ends: list[str]) -> list[tuple[Path, str, list[str]]]:
    """What the design and its alerts name: components, stores, sources, and what a promise is about."""
    named: list[tuple[Path, str, list[str]]] = []
    for i, alert in enumerate(model.operations.alerts if model.operations is not None else ()):
        if alert.objective is not None:
            named.append((("operations", "alerts", i, "objective"), alert.objective, ends))
    design = model.design
    if design is None:
        return named
    components = [one.id for one in design.components]
    stores = [one.id for one in design.stores]
    for i, one in enumerate(design.components):
        named += [(("design", "components", i, "inputs", j), c, components) for j, c in enumerate(one.inputs)]
    named += [(("design", "caches", i, "of"), cache.of, stores) for i, cache in enumerate(design.caches)]
    for i, entity in enumerate(design.entities):
        if entity.store is not None:
            named.append((("design", "entities", i, "store"), entity.store, stores))
    if design.users is not None and design.users.source is not None:
        named.append((("design", "users", "source"), design.users.source, [s.id for s in model.sources]))
    return named


def _nobody(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"nothing here is called {name!r}{hint}, wanted one of {', '.join(sorted(known)) or 'none'}"
