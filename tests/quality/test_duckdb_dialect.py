"""What Great Expectations asks DuckDB twice is answered once where nothing was found, and the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
sqlalchemy = pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")

NONE = 'WITH checked AS (SELECT * FROM (SELECT * FROM "t") AS s) SELECT a, b FROM checked WHERE a < 0 -- none'
SOME = "SELECT a, b FROM t WHERE a >= 2 ORDER BY a"


def counting(query: str) -> str:
    return f"SELECT COUNT(*) as unexpected_row_count FROM ({query}\n) AS substituted_batch_subquery"


@pytest.fixture
def connection() -> Iterator[Any]:
    from pipelineplan.quality.duckdb_dialect import lend

    database = duckdb.connect()
    database.execute("CREATE TABLE t AS SELECT i AS a, 'x' AS b FROM range(4) r(i)")
    with lend(database) as url:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as opened:
            opened.database = database
            yield opened
        engine.dispose()


def asked(connection: Any, query: str) -> tuple[list[str], list[Any]]:
    found = connection.execute(sqlalchemy.text(query))
    return list(found.keys()), [tuple(row) for row in found.fetchall()]


@pytest.mark.parametrize("first", ["rows", "count"])
def test_where_one_found_nothing_the_other_is_not_run(connection: Any, first: str) -> None:
    both = {"rows": NONE, "count": counting(NONE)}
    expected = {"rows": (["a", "b"], []), "count": (["unexpected_row_count"], [(0,)])}
    (second,) = both.keys() - {first}
    assert asked(connection, both[first]) == expected[first]
    # A row that comes in between shows who was asked again.
    connection.database.execute("INSERT INTO t VALUES (-1, 'y')")
    assert asked(connection, both[second]) == expected[second]


def test_where_something_was_found_both_are_run(connection: Any) -> None:
    assert asked(connection, SOME) == (["a", "b"], [(2, "x"), (3, "x")])
    assert asked(connection, counting(SOME)) == (["unexpected_row_count"], [(2,)])
    assert asked(connection, SOME) == (["a", "b"], [(2, "x"), (3, "x")])


def test_rows_come_whole_however_they_are_fetched(connection: Any) -> None:
    query = sqlalchemy.text("SELECT a FROM t ORDER BY a")
    assert [row[0] for row in connection.execute(query)] == [0, 1, 2, 3]
    found = connection.execute(query)
    assert [found.fetchone()[0], [row[0] for row in found.fetchmany(2)], found.fetchall()[0][0]] == [
        0,
        [1, 2],
        3,
    ]
    assert connection.execute(query).scalar() == 0
    assert connection.execute(sqlalchemy.text("SELECT count(*) FROM t WHERE a = :a"), {"a": 9}).scalar() == 0
