"""The profile file: what a recorded stream really did, in a form that a plan refers to.

    apiVersion: pipelineplan/v1
    kind: StreamProfile
    events: 9600
    out_of_order: {count: 1544, share: 0.160833}
    disorder_seconds:
      quantiles: {p50: 0.0, p99: 0.203, max: 4.607}
      curve:
      - [0.0, 0.839167]          share of the records with at most that disorder
      - [0.001, 0.840208]

Lateness is arrival time less event time; disorder is how far an event time lies behind the
newest one before it in arrival order. Times are seconds, shares are of all events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

from pipelineplan.documents import Document, read_document
from pipelineplan.documents.document import Path as DocumentPath
from pipelineplan.errors import InputError, Problem

Curve = tuple[tuple[float, float], ...]
VERSION = "pipelineplan/v1"
KIND = "StreamProfile"


class _Closed:
    """What pydantic reads as: a key that is not known is a problem."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Spread(_Closed):
    """A distribution of seconds: some quantiles (`p50`, `p99.9`, `max`) and its whole curve.

    Quantiles are by linear interpolation (type 7 of R. Hyndman and Y. Fan, Sample Quantiles in
    Statistical Packages, The American Statistician 50, 1996). `curve` holds points of the
    empirical distribution function, exact at each, `(seconds, share of events up to it)`; the
    last is the maximum with a share of 1. `relative_error` is above 0 only where so many
    different values came that they were rounded.
    """

    least: float
    mean: float
    deviation: float
    quantiles: Mapping[str, float]
    curve: Curve
    relative_error: float = 0.0


@dataclass(frozen=True)
class Fit(_Closed):
    """The family of distributions that comes closest to the values above 0, and how wrong it is.

    `parameters` are in seconds where they are lengths (`mu` of a lognormal is a logarithm of seconds).
    `misfit` is the Kolmogorov-Smirnov distance; `quantile_errors` say by which part of itself a quantile
    of the fit is too large; `other_misfits` are those of the other families, least first.
    """

    family: str
    parameters: Mapping[str, float]
    share_fitted: float
    misfit: float
    quantile_errors: Mapping[str, float]
    other_misfits: Mapping[str, float]


@dataclass(frozen=True)
class OutOfOrder(_Closed):
    """Events behind the newest event time before them."""

    count: int
    share: float


@dataclass(frozen=True)
class MeasuredRate(_Closed):
    """Events per second by `clock`; the peak over `peak_interval_seconds`, `steps` as in a trace."""

    clock: Literal["arrival", "event"]
    average_per_second: float
    peak_per_second: float
    peak_interval_seconds: float
    length_seconds: float
    steps: Curve


@dataclass(frozen=True)
class Bursts(_Closed):
    """Runs of intervals whose rate is above `threshold_per_second`, twice the average.

    `share` is that of the events in them. `dispersion` is the variance of the counts per interval over
    their mean: 1 for a Poisson stream, more where events come in clusters.
    """

    threshold_per_second: float
    interval_seconds: float
    count: int
    longest_seconds: float
    share: float
    dispersion: float


@dataclass(frozen=True)
class Idle(_Closed):
    """Gaps longer than a second and than ten mean gaps: how many, how long together, of the whole time."""

    threshold_seconds: float
    count: int
    seconds: float
    share: float


@dataclass(frozen=True)
class Gaps(_Closed):
    """Silence between one event and the next, by its clock; the longest began at `longest_from`."""

    longest_seconds: float
    p99_seconds: float
    longest_from: str | None = None
    idle: Idle | None = None


@dataclass(frozen=True)
class Future(_Closed):
    """Events whose own time is after their arrival: a clock that is ahead."""

    count: int
    furthest_seconds: float


@dataclass(frozen=True)
class Split(_Closed):
    """How events spread over the values of `field`: their number, and the largest shares first."""

    field: str
    values: int
    hottest_share: float
    shares: tuple[float, ...]


@dataclass(frozen=True)
class WithinPartitions(_Closed):
    """Disorder of each event within its own partition: what a watermark per partition acts on.

    `worst` is the partition with the highest p99; empty where the partition has no name.
    `worst_relative_error` says by how much its p99 may be too large, as in `Spread`.
    """

    out_of_order: OutOfOrder
    disorder_seconds: Spread
    worst: str
    worst_p99_seconds: float
    worst_relative_error: float = 0.0


@dataclass(frozen=True)
class ClockSkew(_Closed):
    """How far the clocks of the values of `field` differ, by the least lateness that each one had.

    `ahead` is the value whose least lateness lies furthest below the median of all that were
    `compared` (at least 30 events each), `behind` the one furthest above: its clock is behind, or its
    way is always that much longer.
    """

    field: str
    compared: int
    ahead: str
    ahead_seconds: float
    behind: str
    behind_seconds: float


@dataclass(frozen=True)
class Duplicates(_Closed):
    """Events beyond the first with the same values of `fields`.

    `furthest_apart_seconds` is the longest time from the first to the last of the same, by arrival, or
    by event time without one: what a deduplication has to remember.
    """

    fields: tuple[str, ...]
    count: int
    share: float
    furthest_apart_seconds: float = 0.0


@dataclass(frozen=True)
class Unreadable(_Closed):
    """Rows that are in no other figure, and where the first of them stand."""

    count: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class StreamProfile(_Closed):
    """A measured stream; what was not asked for, or could not be known, is None."""

    events: int
    first_event_time: str
    last_event_time: str
    columns: Mapping[str, str]
    files: tuple[str, ...]
    unreadable: Unreadable
    rate: MeasuredRate
    out_of_order: OutOfOrder
    disorder_seconds: Spread
    gaps: Gaps
    disorder_fit: Fit | None = None
    lateness_seconds: Spread | None = None
    lateness_fit: Fit | None = None
    bursts: Bursts | None = None
    future: Future | None = None
    partitions: Split | None = None
    within_partitions: WithinPartitions | None = None
    keys: Split | None = None
    clock_skew: tuple[ClockSkew, ...] = ()
    duplicates: Duplicates | None = None

    def disorder(self) -> Curve:
        """The distribution of disorder as points `(seconds, share)`, the last with a share of 1."""
        return self.disorder_seconds.curve

    def lateness(self) -> Curve | None:
        """The distribution of lateness in the same form, if an arrival time was given."""
        return self.lateness_seconds.curve if self.lateness_seconds is not None else None


def read_profile(file: Path, shown_as: str | None = None) -> StreamProfile:
    """Read a profile file; raises `InputError` with every problem and its position."""
    return _profile(read_document(file, shown_as))


def to_json_dict(profile: StreamProfile) -> dict[str, Any]:
    """The profile as plain data, in a fixed order and without what is None."""
    return {key: _plain(value) for key, value in asdict(profile).items() if value is not None and value != ()}


def to_yaml(profile: StreamProfile) -> str:
    """The profile file's text: the same profile gives the same bytes, which `read_profile` reads."""
    import yaml

    head = {"apiVersion": VERSION, "kind": KIND}
    return str(
        yaml.safe_dump(
            head | to_json_dict(profile),
            sort_keys=False,
            allow_unicode=True,
            width=100,
            default_flow_style=None,
        )
    )


def _plain(value: Any) -> Any:
    """Tuples as lists and floats without the noise of their last digits."""
    match value:
        case float():
            return float(f"{value:.12g}")
        case dict():
            return {key: _plain(inner) for key, inner in value.items() if inner is not None}
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _profile(document: Document) -> StreamProfile:
    from pydantic import ValidationError

    data = document.data if isinstance(document.data, dict) else {}
    if (found := (data.get("apiVersion"), data.get("kind"))) != (VERSION, KIND):
        message = f"found apiVersion {found[0]!r} and kind {found[1]!r}, wanted {VERSION} and {KIND}"
        fix = "write one with pipelineplan profile"
        raise InputError([document.problem((), message, fix)])
    body = {key: value for key, value in data.items() if key not in {"apiVersion", "kind"}}
    try:
        profile: StreamProfile = _validator().validate_python(body)
    except ValidationError as error:
        raise InputError(_problems(document, error)) from error
    if problems := list(_broken_laws(document, profile)):
        raise InputError(problems)
    return profile


@cache
def _validator() -> Any:
    """Built once: that costs more than reading a profile with it."""
    from pydantic import TypeAdapter

    return TypeAdapter(StreamProfile)


def _problems(document: Document, error: Any) -> list[Problem]:
    return [
        document.problem(
            tuple(step for step in found["loc"]), f"{found['msg'].lower()}, found {found['input']!r:.60}"
        )
        for found in error.errors()
    ]


def _broken_laws(document: Document, profile: StreamProfile) -> Iterator[Problem]:
    """What no measurement can give, whoever edited the file."""
    if profile.events < 1:
        yield document.problem(("events",), f"found {profile.events} events, wanted at least one")
    if not 0 <= profile.out_of_order.share <= 1:
        path = ("out_of_order", "share")
        yield document.problem(path, f"found {profile.out_of_order.share}, wanted a share from 0 to 1")
    for name, spread in (
        ("disorder_seconds", profile.disorder_seconds),
        ("lateness_seconds", profile.lateness_seconds),
    ):
        if spread is not None:
            yield from _not_a_distribution(document, (name, "curve"), spread.curve)
    if profile.disorder_seconds.curve and profile.disorder_seconds.curve[0][0] < 0:
        yield document.problem(
            ("disorder_seconds", "curve", 0), "found a negative disorder, wanted 0 s or more"
        )
    yield from _not_a_trace(document, ("rate", "steps"), profile.rate.steps)


def _not_a_distribution(document: Document, path: DocumentPath, curve: Curve) -> Iterator[Problem]:
    if not curve or curve[-1][1] != 1 or curve[0][1] < 0:
        yield document.problem(path, "found a curve that does not end at a share of 1")
    for index, ((x, share), (y, later)) in enumerate(pairwise(curve), start=1):
        if x >= y or share > later:
            message = f"found ({y:g} s, {later:g}) after ({x:g} s, {share:g}), wanted a rising curve"
            yield document.problem((*path, index), message)


def _not_a_trace(document: Document, path: DocumentPath, steps: Curve) -> Iterator[Problem]:
    if not steps or steps[0][0] != 0:
        yield document.problem(path, "found no step that starts at 0 s")
    for index, ((start, _), (later, _)) in enumerate(pairwise(steps), start=1):
        if start >= later:
            yield document.problem(
                (*path, index), f"found {later:g} s after {start:g} s, wanted rising steps"
            )
    for index, (_, rate) in enumerate(steps):
        if rate < 0:
            yield document.problem((*path, index), f"found {rate:g}/s, wanted a rate of 0 or more")
