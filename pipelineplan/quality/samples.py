"""A few of the rows that break a check, the same ones every time.

    order_id is unique    fail    order_id=o-4
                                  order_id=o-9

Where the engine hands rows out in an order of its own (groups, joins), they are asked for again
in the order of their values.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelineplan.quality import sql
from pipelineplan.quality.check import Check, Suite
from pipelineplan.quality.draft import wants_unique
from pipelineplan.quality.engine import Ask
from pipelineplan.quality.outcome import Answer, shown
from pipelineplan.quality.report import CheckVerdict
from pipelineplan.quality.select_only import rendered

_UNIQUE = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})


def sampled(answers: Mapping[str, Answer], suite: Suite, ask: Ask) -> dict[str, Answer]:
    """`answers` by check id, those that failed with what was observed or with a few bad rows."""
    checks = {check.id: check for check in suite.checks}
    return {
        check_id: _sampled(answer, checks[check_id], suite, ask)
        if answer.verdict is CheckVerdict.FAIL
        else answer
        for check_id, answer in answers.items()
    }


def _sampled(answer: Answer, check: Check, suite: Suite, ask: Ask) -> Answer:
    query = _query(check, sql.identifier(suite.table))
    rows = ask(query) if query else None
    if rows is None:
        return answer
    samples = tuple(shown(row) for row in rows)
    if check.expectation_type in _UNIQUE:
        return replace(answer, samples=samples)
    if rows and rows[0].keys() == {"observed"}:
        return replace(answer, observed=shown(rows[0]["observed"]))
    count = int(answer.observed) if answer.observed.isdigit() else None
    return replace(answer, observed="", unexpected_count=count, samples=samples)


def _query(check: Check, table: str) -> str:
    """The query whose rows are samples; empty where those of Great Expectations do."""
    if check.how == "sql" and not wants_unique(check):
        return rendered(str(check.kwargs["unexpected_rows_query"]), table)
    if check.how != "sql" and (check.expectation_type not in _UNIQUE or not check.columns):
        return ""
    columns = ", ".join(sql.identifier(column) for column in check.columns)
    known = " AND ".join(f"{sql.identifier(column)} IS NOT NULL" for column in check.columns)
    return f"SELECT {columns} FROM {table} WHERE {known} GROUP BY {columns} HAVING COUNT(*) > 1"
