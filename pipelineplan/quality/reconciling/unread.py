"""Values that the type of comparison cannot hold: as NULL on both sides they would look alike.

source       amount 1e300        cast to DECIMAL(38,6): NULL
destination  amount 2e300        cast to DECIMAL(38,6): NULL       no difference is seen, and none is denied
"""

# ruff: noqa: S608 - names are quoted by `sql.identifier`

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.quality.reconciling.reading import Reading


def unread(reading: Reading) -> tuple[str, ...]:
    """For each column with such values, how many and on which side; an empty text is no value.

    Reads the columns whose type is not that of the comparison, and only those.
    """
    return tuple(said for role in reading.rows for said in _of_role(reading, role))


def _of_role(reading: Reading, role: str) -> Iterator[str]:
    rows = reading.rows[role]
    if not rows.casts:
        return
    counted = ", ".join(
        f"count(*) FILTER ({cast} IS NULL AND {own} IS NOT NULL AND trim({own}::VARCHAR) <> '')"
        for _, own, cast in rows.casts
    )
    found = reading.connection.execute(f"SELECT {counted} FROM {rows.table}").fetchone() or ()
    for (name, _, _), count in zip(rows.casts, found, strict=True):
        if count:
            yield f"{count:,} values of {name!r} in the {role} do not fit the type of the comparison"
