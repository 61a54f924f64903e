"""Rows as the tables that people go on with: pandas in a notebook, Arrow in a program.

Results give their own rows as plain values (`to_rows()`); these two functions are what their
`to_pandas()` and `to_arrow()` call, so that neither library is needed by anybody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelineplan.errors import MissingExtraError


def rows_to_arrow(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A `pyarrow.Table` with one column per key; raises `MissingExtraError` without pyarrow."""
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("a table of Arrow", "data") from None
    return pa.Table.from_pylist([dict(row) for row in rows])


def rows_to_pandas(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A `pandas.DataFrame` with one column per key; raises `MissingExtraError` without pandas."""
    try:
        import pandas as pd
    except ImportError:
        raise MissingExtraError("a table of pandas", "quality") from None
    return pd.DataFrame([dict(row) for row in rows])


def rows_to_html(rows: Sequence[Mapping[str, Any]], title: str) -> str:
    """A small HTML table for notebooks, every cell escaped."""
    from html import escape

    names = list(rows[0]) if rows else []
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(row[name]))}</td>" for name in names) + "</tr>" for row in rows
    )
    return f"<p><b>{escape(title)}</b></p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
