"""What no schema of a contract finds: values that are well formed and cannot all be meant.

    minLength: 50            a string that is at least 50 and at most 3 characters long
    maxLength: 3             does not exist, so every row would fail

One small function per fault; each yields a problem at the value that is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipelineplan.contracts.contract import Contract, Dataset, Field, Place, Sla
from pipelineplan.contracts.patterns import why_not_a_pattern
from pipelineplan.contracts.sla import is_duration, seconds_per
from pipelineplan.errors import Position, Problem

# Semantic Versioning 2.0.0, T. Preston-Werner, 2013: the expression of its own FAQ.
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]{1,99})?(\+[0-9A-Za-z.-]{1,99})?\Z"
)
_DECIMAL = re.compile(r"\s*([A-Za-z_]+)\s*\(\s*(-?\d{1,9})\s*(?:,\s*(-?\d{1,9})\s*)?\)\s*\Z")
_DECIMAL_NAMES = ("DECIMAL", "NUMERIC", "NUMBER", "BIGNUMERIC", "BIGDECIMAL")
# The widest that any of the usual databases takes (PostgreSQL's declared maximum).
_MOST_DIGITS = 1000
_BOUNDS = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
    ("exclusiveMinimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
)


def lint(contract: Contract) -> tuple[Problem, ...]:
    """Every semantic fault of `contract`, in the order of the file."""
    found = [problem for check in _CHECKS for problem in check(contract)]
    return tuple(sorted(found, key=lambda problem: problem.position))


def _version(contract: Contract) -> Iterator[Problem]:
    if not _SEMVER.match(contract.version):
        message = f"{contract.version!r} is not a semantic version"
        place = _under(contract, Place((), Position(contract.file)), "version")
        yield _problem(contract, place, message, "write it as MAJOR.MINOR.PATCH, such as 1.2.0")


def _decimals(contract: Contract) -> Iterator[Problem]:
    for field in _fields(contract):
        reason, fix = _why_not_a_decimal(field.physical_type)
        if reason:
            place = _under(contract, field.place, "physicalType")
            yield _problem(contract, place, f"{field.physical_type!r}: {reason}", fix)


def _bounds(contract: Contract) -> Iterator[Problem]:
    for field in _fields(contract):
        for low, high in _BOUNDS:
            if _crossed(field.options, low, high):
                message = f"{low} {field.options[low]!r} and {high} {field.options[high]!r} leave no value"
                place = _under(contract, field.place, "logicalTypeOptions", low)
                yield _problem(contract, place, message, "swap them or correct one")


def _patterns(contract: Contract) -> Iterator[Problem]:
    for field in _fields(contract):
        yield from _pattern(contract, field.place, field.options, "logicalTypeOptions")
    for rule in contract.rules:
        yield from _pattern(contract, rule.place, rule.arguments, "arguments")


def _pattern(contract: Contract, place: Place, values: Mapping[str, Any], key: str) -> Iterator[Problem]:
    written = values.get("pattern")
    reason = why_not_a_pattern(written) if isinstance(written, str) else ""
    if reason:
        message = f"the pattern {written!r} is not a regular expression: {reason}"
        yield _problem(contract, _under(contract, place, key, "pattern"), message)


def _duplicate_names(contract: Contract) -> Iterator[Problem]:
    yield from _repeated(contract, contract.datasets, "dataset")
    for dataset in contract.datasets:
        yield from _repeated(contract, dataset.fields, "property")
        for field in dataset.walk():
            yield from _repeated(contract, field.fields, "property")


def _repeated(contract: Contract, items: tuple[Dataset | Field, ...], what: str) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for item in items:
        place = _under(contract, item.place, "name")
        if item.name in first:
            message = (
                f"the {what} {item.name!r} is here twice, first on line {first[item.name].position.line}"
            )
            yield _problem(contract, place, message, "rename or remove one")
        first.setdefault(item.name, place)


def _key_positions(contract: Contract) -> Iterator[Problem]:
    for dataset in contract.datasets:
        first: dict[int, Field] = {}
        for field in dataset.walk():
            position = field.primary_key_position
            if not field.primary_key or position < 1:
                continue
            if position in first:
                message = f"primaryKeyPosition {position} is taken by {first[position].name!r}"
                place = _under(contract, field.place, "primaryKeyPosition")
                yield _problem(contract, place, message, "number the key's columns 1, 2, 3")
            first.setdefault(position, field)


def _betweens(contract: Contract) -> Iterator[Problem]:
    for rule in contract.rules:
        for comparison in rule.comparisons:
            if comparison.operator.endswith("between") and comparison.values[0] > comparison.values[1]:
                low, high = comparison.values
                message = f"{comparison.key} [{low}, {high}] is reversed: no value lies between"
                yield _problem(contract, comparison.place, message, f"write [{high}, {low}]")


def _sla_units(contract: Contract) -> Iterator[Problem]:
    for sla in contract.sla:
        if is_duration(sla) and sla.unit and seconds_per(sla.unit) is None:
            message = f"{sla.unit!r} is not a unit of time"
            place = _under(contract, sla.place, "unit")
            yield _problem(contract, place, message, "write s, min, h, d, w, mo or y")


def _sla_values(contract: Contract) -> Iterator[Problem]:
    for sla in contract.sla:
        number = isinstance(sla.value, int | float) and not isinstance(sla.value, bool)
        if is_duration(sla) and number and sla.value < 0:
            message = f"{sla.name} of {sla.value}: a time cannot be negative"
            yield _problem(contract, _under(contract, sla.place, "value"), message)


def _sla_elements(contract: Contract) -> Iterator[Problem]:
    for sla in contract.sla:
        for element in sla.elements:
            if not _exists(contract, element):
                message = f"no dataset of this contract has {element!r}"
                place = _under(contract, sla.place, "element")
                yield _problem(contract, place, message, _nearest_element(contract, sla, element))


_CHECKS: tuple[Callable[[Contract], Iterator[Problem]], ...] = (
    _version,
    _decimals,
    _bounds,
    _patterns,
    _duplicate_names,
    _key_positions,
    _betweens,
    _sla_units,
    _sla_values,
    _sla_elements,
)


def _why_not_a_decimal(written: str) -> tuple[str, str]:
    parts = _DECIMAL.match(written)
    if parts is None:
        return "", ""
    name, precision, scale = parts[1].upper(), int(parts[2]), int(parts[3] or 0)
    near = difflib.get_close_matches(name, _DECIMAL_NAMES, n=1, cutoff=0.85)
    if not near:
        return "", ""
    if name != near[0]:
        return f"unknown type {parts[1]!r}", f"did you mean {near[0]}?"
    if not 1 <= precision <= _MOST_DIGITS:
        return f"a precision of {precision} digits", f"wanted 1 to {_MOST_DIGITS}"
    if scale > precision:
        return f"{scale} digits after the point of {precision} in all", "wanted scale <= precision"
    return "", ""


def _crossed(options: Mapping[str, Any], low: str, high: str) -> bool:
    """Whether the bounds leave nothing; texts (dates) are compared when of one shape."""
    first, last = options.get(low), options.get(high)
    if isinstance(first, bool) or isinstance(last, bool):
        return False
    open_end = low.startswith("exclusive") or high.startswith("exclusive")
    if isinstance(first, int | float) and isinstance(last, int | float):
        return first >= last if open_end else first > last
    if isinstance(first, str) and isinstance(last, str) and len(first) == len(last):
        # An offset would make the order of the texts another one than that of the times.
        same_zone = first[10:][-6:] == last[10:][-6:] or len(first) <= 19
        return same_zone and (first >= last if open_end else first > last)
    return False


def _exists(contract: Contract, element: str) -> bool:
    """Whether `element` names a dataset or a field; where fields are not listed, it may."""
    outer, _, inner = element.partition(".")
    dataset = contract.dataset(outer)
    if dataset is not None:
        return not inner or not dataset.fields or dataset.find(inner) is not None
    return not contract.datasets or any(not d.fields or d.find(element) for d in contract.datasets)


def _nearest_element(contract: Contract, sla: Sla, element: str) -> str:
    names = [f"{dataset.name}.{field.name}" for dataset in contract.datasets for field in dataset.walk()]
    near = difflib.get_close_matches(element, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"name a column for {sla.name!r}"


def _fields(contract: Contract) -> Iterator[Field]:
    for dataset in contract.datasets:
        yield from dataset.walk()


def _under(contract: Contract, place: Place, *steps: str) -> Place:
    path = (*place.path, *steps)
    return Place(path, contract.document.position(path)) if contract.document else place


def _problem(contract: Contract, place: Place, message: str, fix: str = "") -> Problem:
    line = contract.document.line(place.position) if contract.document else ""
    return Problem(message, place.position, str(place), fix, line)
