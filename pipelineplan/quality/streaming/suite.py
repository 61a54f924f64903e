"""Limits on a table of stream metrics as core expectations, which anybody's Great Expectations loads.

late      at most 0.5 %    expect_column_values_to_be_between {"column": "late_share", "max_value": 0.005}
gap       none             expect_column_values_to_be_between {"column": "gap", "max_value": 0}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelineplan.contracts import Place
from pipelineplan.quality.check import Accounted, Check, Suite, Suites, stable_id
from pipelineplan.quality.draft import Draft, expectation
from pipelineplan.verdicts import Severity


@dataclass(frozen=True)
class Limit:
    """The largest share of a window's records that may have a flag; where the plan says so.

    With `over_all` it is a share of all records: a rate says nothing of a window with a few of them.
    """

    share: float
    place: Place
    severity: Severity = Severity.ERROR
    over_all: bool = False


def stream_suites(dataset: str, limits: Mapping[str, Limit], records: int) -> Suites:
    """One check per limit, on the table of metrics called `dataset`, which counts so many `records`."""
    checks = tuple(_check(dataset, flag, limit, records) for flag, limit in sorted(limits.items()))
    account = tuple(
        Accounted(dataset, f"stream {check.columns[0]}", "expectation", check.place, (check.id,))
        for check in checks
    )
    return Suites((Suite(dataset, dataset, checks),), account)


def _check(dataset: str, flag: str, limit: Limit, records: int) -> Check:
    draft = _draft(flag, limit, records)
    return Check(
        id=stable_id(dataset, flag, str(limit.place)),
        dataset=dataset,
        title=draft.title,
        dimension=draft.dimension,
        severity=limit.severity,
        expectation_type=draft.expectation_type,
        kwargs=draft.kwargs,
        place=limit.place,
        source_rule="stream",
        how="expectation",
        columns=draft.columns,
    )


def _draft(flag: str, limit: Limit, records: int) -> Draft:
    words = flag.replace("_", " ")
    if limit.over_all:
        most = int(limit.share * records)
        title = f"{words} in at most {limit.share:.4g} of all records ({most:,} of {records:,})"
        return expectation(title, "timeliness", "expect_column_sum_to_be_between", flag, max_value=most)
    kind = "expect_column_values_to_be_between"
    if limit.share > 0:
        title = f"{words} in at most {limit.share:.4g} of every window"
        return expectation(title, "timeliness", kind, f"{flag}_share", max_value=limit.share)
    return expectation(f"no {words}", "timeliness", kind, flag, max_value=0)
