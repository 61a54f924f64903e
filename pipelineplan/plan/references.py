"""The files that a plan names: followed inside the root only, read once, all problems reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, TypeVar

from pipelineplan.documents import Path, Root
from pipelineplan.errors import InputError, Problem
from pipelineplan.plan.composing import Composed
from pipelineplan.quantities import Dimension, QuantityError, parse

if TYPE_CHECKING:
    from pipelineplan.contracts import Contract
    from pipelineplan.contracts.evolution.recorded import Recorded
    from pipelineplan.plan.prices import PriceList
    from pipelineplan.sources import RateTrace, StreamProfile

Read = TypeVar("Read")


@dataclass
class References:
    """What the references of a plan led to, and what was wrong with them."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    profiles: dict[str, StreamProfile] = field(default_factory=dict)
    traces: dict[str, RateTrace] = field(default_factory=dict)
    versions: dict[str, Recorded] = field(default_factory=dict)
    prices: dict[str, PriceList] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


_CONTRACTS = (("sources", "*", "contract"), ("sinks", "*", "contract"))
_PROFILES = (
    ("sources", "*", "rate", "profile"),
    ("sources", "*", "semantics", "lateness", "profile"),
    ("sources", "*", "semantics", "disorder", "profile"),
)
_VERSIONS = (("contracts", "*", "versions"), ("contracts", "policies", "*", "versions"))
# Files that must be there, and that another part of the tool reads when it needs them.
_PLAIN = (("facts", "files", "*"),)
_LISTED = (("facts", "*"),)
_PRICES = (("capacity", "price_file"),)


def follow(composed: Composed, root: Root) -> References:
    """Read every contract, profile and trace that the plan refers to.

    It needs the tree and not the model, so that missing files are reported beside other mistakes.
    """
    found = References()
    for path, reference in _places(composed.data, _CONTRACTS):
        _read(found.contracts, reference, path, composed, root, found.problems, _contract)
    for path, reference in _places(composed.data, _PROFILES):
        if FilePath(reference).suffix == ".csv":
            interval = _interval(composed.data, path)
            _read(found.traces, reference, path, composed, root, found.problems, _trace(interval))
        else:
            _read(found.profiles, reference, path, composed, root, found.problems, _profile)
    for path, reference in _places(composed.data, _VERSIONS):
        _read(found.versions, reference, path, composed, root, found.problems, _recorded)
    for path, reference in _places(composed.data, _PRICES):
        _read(found.prices, reference, path, composed, root, found.problems, _prices)
    listed = isinstance(composed.data.get("facts"), list)
    for path, reference in _places(composed.data, _PLAIN + _LISTED if listed else _PLAIN):
        if not any(sign in reference for sign in "*?["):
            _read({}, reference, path, composed, root, found.problems, lambda file, _name: file)
    return found


def _places(data: Any, patterns: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """The texts of the tree whose paths match one of `patterns`; `*` is any entry."""
    for pattern in patterns:
        yield from _matching(data, pattern, ())


def _matching(data: Any, pattern: Path, path: Path) -> Iterator[tuple[Path, str]]:
    if not pattern:
        if isinstance(data, str):
            yield path, data
        return
    step, rest = pattern[0], pattern[1:]
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, entry in entries:
        if step in {"*", key} and not str(key).startswith("x-"):
            yield from _matching(entry, rest, (*path, key))


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
        into[reference] = reader(file, root.named(file))
    except InputError as error:
        problems += [_at_reference(problem, reference, path, composed) for problem in error.problems]


def _at_reference(problem: Problem, reference: str, path: Path, composed: Composed) -> Problem:
    """What is wrong with a file as a whole is said where the plan names it."""
    if problem.position.line:
        return problem
    return composed.problem(path, f"{reference!r}: {problem.message}", problem.fix)


def _near(file: FilePath) -> str:
    from difflib import get_close_matches

    if not file.parent.is_dir():
        return "create it, or mend the path"
    close = get_close_matches(file.name, sorted(other.name for other in file.parent.iterdir()), n=1)
    return f"did you mean {close[0]!r}?" if close else "create it, or mend the path"


def _contract(file: FilePath, name: str) -> Contract:
    from pipelineplan.contracts import read_contract

    return read_contract(file, name)


def _prices(file: FilePath, name: str) -> PriceList:
    from pipelineplan.plan.prices import read_prices

    return read_prices(file, name)


def _recorded(file: FilePath, _name: str) -> Recorded:
    from pipelineplan.contracts.evolution.from_folder import recorded_at

    return recorded_at(file)


def _profile(file: FilePath, name: str) -> StreamProfile:
    from pipelineplan.sources import read_profile

    return read_profile(file, name)


def _trace(interval_seconds: float | None) -> Callable[[FilePath, str], RateTrace]:
    def read(file: FilePath, name: str) -> RateTrace:
        from pipelineplan.sources import read_trace

        return read_trace(file, shown_as=name, interval_seconds=interval_seconds)

    return read


def _interval(data: Any, path: Path) -> float | None:
    """The interval beside the trace at `path`; that it is a duration is the model's business."""
    for step in path[:-1]:
        data = data[step]
    try:
        return parse(data["interval"], Dimension.DURATION).value if "interval" in data else None
    except QuantityError:
        return None
