"""Whether a rule's SQL is one SELECT and nothing else, as DuckDB's own parser reads it.

SELECT * FROM checked WHERE amount < 0          one SELECT
SELECT 1; DROP TABLE orders                     two statements: refused
COPY orders TO 'x.csv'                          refused
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelineplan.quality.check import Check

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_STAND_IN = "batch_of_rows"


def why_not_select(connection: DuckDBPyConnection, check: Check) -> str:
    """Why a query of `check` may not run; empty when each is a single SELECT."""
    for name, value in check.kwargs.items():
        if name.endswith("query") and isinstance(value, str):
            reason = _why_not(connection, value)
            if reason:
                return reason
    return ""


def rendered(query: str, table: str) -> str:
    """`query` as it reaches the database, with `table` for its rows."""
    return query.format(batch=table).replace("\\:", ":")


def _why_not(connection: DuckDBPyConnection, query: str) -> str:
    import duckdb

    try:
        statements = connection.extract_statements(rendered(query, _STAND_IN))
    except (KeyError, IndexError, ValueError):
        return "the query holds a brace that names nothing; double it to mean a brace"
    except duckdb.Error as error:
        return f"the query cannot be parsed: {str(error).strip().splitlines()[0]}"
    if len(statements) != 1:
        return f"the query holds {len(statements)} statements, wanted one SELECT"
    if statements[0].type != duckdb.StatementType.SELECT:
        return f"the query is a {statements[0].type.name}, wanted one SELECT"
    return ""
