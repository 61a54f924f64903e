"""Which faults the plan's checks notice, as the rows of a table: one for each dataset and kind of fault.

orders | null | 8 of 9 | order_id is not null; amount_cents is not null ... | legacy_status is missing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.quality.mutation import Mutant, MutationReport

_MOST = 3
NOTICED_HEAD = ("dataset", "fault", "noticed", "by", "unnoticed")


@dataclass(frozen=True)
class Noticed:
    """One row: in plain text, nothing of it escaped."""

    dataset: str
    fault: str
    noticed: str
    by: str
    unnoticed: str


def noticed(report: MutationReport) -> tuple[Noticed, ...]:
    """A row for every dataset and class of faults that it was given or could not be given."""
    pairs = dict.fromkeys((mutant.dataset, mutant.kind) for mutant in report.mutants)
    rows = []
    for dataset, kind in pairs:
        mutants = report.of(dataset, kind)
        killed = [mutant for mutant in mutants if mutant.killed_by]
        titles = tuple(dict.fromkeys(title for mutant in killed for title in mutant.killed_by))
        left = tuple(_left(mutant) for mutant in mutants if not mutant.killed_by)
        count = f"{len(killed)} of {len(mutants)}"
        rows.append(Noticed(dataset, kind, count, _few(titles), _few(left)))
    rows += [Noticed(hole.dataset, hole.kind, "not put in", "", hole.reason) for hole in report.impossible]
    return tuple(rows)


def summary(report: MutationReport) -> str:
    """The score in a sentence, and what kills nothing."""
    killed = sum(bool(mutant.killed_by) for mutant in report.mutants)
    parts = [f"{killed} of {len(report.mutants)} faults that were put into the data are noticed."]
    parts += [f"The checks of {name} notice nothing at all." for name in report.useless]
    if report.failing_before:
        parts.append(f"{len(report.failing_before)} checks failed before any fault and notice nothing.")
    return " ".join(parts)


def _left(mutant: Mutant) -> str:
    return f"{mutant.words} ({mutant.unnoticed})" if mutant.unnoticed else mutant.words


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return "; ".join(names[:_MOST]) + more
