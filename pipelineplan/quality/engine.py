"""What Great Expectations is pointed at: a database by its URL, or data frames.

duckdb, sqlite, postgresql   SqlEngine    the compiled project, loaded from a folder
pandas                       FrameEngine  core expectations on data frames; SQL and patterns go to DuckDB
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Backend = Literal["duckdb", "pandas", "sqlite", "postgresql"]

Ask = Callable[[str], "list[dict[str, Any]] | None"]


@dataclass(frozen=True)
class SqlEngine:
    """A database: its SQLAlchemy URL, and the first rows of a query for samples (None: no answer).

    `inexact` gives for a dataset and column why the engine cannot hold its values exactly.
    """

    url: str
    ask: Ask
    inexact: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameEngine:
    """Data frames by dataset, and the database that answers what frames cannot be asked."""

    frames: Mapping[str, Any]
    database: SqlEngine


Engine = SqlEngine | FrameEngine
