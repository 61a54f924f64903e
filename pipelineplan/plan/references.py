"""The files that a plan names: followed inside the root only, read once, all problems reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, TypeVar

from pipelineplan.documents import Path, Root
from pipelineplan.errors import InputError, Problem
from pipelineplan.plan.composing import Composed, shown
from pipelineplan.plan.data_plan import DataPlan

if TYPE_CHECKING:
    from pipelineplan.contracts import Contract
    from pipelineplan.sources import RateTrace, StreamProfile

Read = TypeVar("Read")


@dataclass
class References:
    """What the references of a plan led to, and what was wrong with them."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    profiles: dict[str, StreamProfile] = field(default_factory=dict)
    traces: dict[str, RateTrace] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def follow(model: DataPlan, composed: Composed, root: Root) -> References:
    """Read every contract, profile and trace that the plan refers to."""
    found = References()
    for path, reference in _contracts(model):
        _read(found.contracts, reference, path, composed, root, found.problems, _contract)
    for path, reference in _profiles(model):
        if FilePath(reference).suffix == ".csv":
            interval = _interval(model, path)
            _read(found.traces, reference, path, composed, root, found.problems, _trace(interval))
        else:
            _read(found.profiles, reference, path, composed, root, found.problems, _profile)
    for path, reference in _plain_files(model):
        _read({}, reference, path, composed, root, found.problems, lambda file, _name: file)
    return found


def _contracts(model: DataPlan) -> Iterator[tuple[Path, str]]:
    for index, source in enumerate(model.sources):
        if source.contract is not None:
            yield ("sources", index, "contract"), source.contract
    for index, sink in enumerate(model.sinks):
        if sink.contract is not None:
            yield ("sinks", index, "contract"), sink.contract


def _profiles(model: DataPlan) -> Iterator[tuple[Path, str]]:
    for index, source in enumerate(model.sources):
        if source.rate is not None and source.rate.profile is not None:
            yield ("sources", index, "rate", "profile"), source.rate.profile
        for name in ("lateness", "disorder"):
            quantiles = getattr(source.semantics, name, None)
            if quantiles is not None and quantiles.profile is not None:
                yield ("sources", index, "semantics", name, "profile"), quantiles.profile


def _plain_files(model: DataPlan) -> Iterator[tuple[Path, str]]:
    """Files that must be there, and that another part of the tool reads when it needs them."""
    if model.capacity is not None and model.capacity.price_file is not None:
        yield ("capacity", "price_file"), model.capacity.price_file
    for dataset, policy in (model.contracts.policies if model.contracts else {}).items():
        if policy.versions is not None:
            yield ("contracts", dataset, "versions"), policy.versions
    for index, reference in enumerate(model.facts):
        if not any(sign in reference for sign in "*?["):
            yield ("facts", index), reference


def _read(
    into: dict[str, Read],
    reference: str,
    path: Path,
    composed: Composed,
    root: Root,
    problems: list[Problem],
    reader: Callable[[FilePath, str], Read],
) -> None:
    if reference in into:
        return
    try:
        file = root.resolve(reference)
    except ValueError as error:
        problems.append(composed.problem(path, f"{reference!r} is {error}"))
        return
    if not file.exists():
        problems.append(composed.problem(path, f"there is no file {reference!r}", _near(file)))
        return
    try:
        into[reference] = reader(file, shown(file, root.folder))
    except InputError as error:
        problems += error.problems


def _near(file: FilePath) -> str:
    from difflib import get_close_matches

    if not file.parent.is_dir():
        return "create it, or mend the path"
    close = get_close_matches(file.name, sorted(other.name for other in file.parent.iterdir()), n=1)
    return f"did you mean {close[0]!r}?" if close else "create it, or mend the path"


def _contract(file: FilePath, name: str) -> Contract:
    from pipelineplan.contracts import read_contract

    return read_contract(file, name)


def _profile(file: FilePath, name: str) -> StreamProfile:
    from pipelineplan.sources import read_profile

    return read_profile(file, name)


def _trace(interval_seconds: float | None) -> Callable[[FilePath, str], RateTrace]:
    def read(file: FilePath, name: str) -> RateTrace:
        from pipelineplan.sources import read_trace

        return read_trace(file, shown_as=name, interval_seconds=interval_seconds)

    return read


def _interval(model: DataPlan, path: Path) -> float | None:
    index = path[1]
    rate = model.sources[index].rate if isinstance(index, int) else None
    return rate.interval.value if rate is not None and rate.interval is not None else None
