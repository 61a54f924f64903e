"""The engines that checks can run on, by name.

duckdb      the files where they are; needs no server, and larger data than memory fits
pandas      data frames; SQL and patterns go to DuckDB all the same
sqlite      a copy in a temporary database
postgresql  a copy in a schema of its own of the database that PIPELINEPLAN_DATABASE names
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import get_args

from pipelineplan.quality.check import Suites
from pipelineplan.quality.engine import Backend, Engine
from pipelineplan.quality.in_duckdb import duckdb_engine
from pipelineplan.quality.in_pandas import pandas_engine
from pipelineplan.quality.in_postgresql import postgresql_engine
from pipelineplan.quality.in_sqlite import sqlite_engine
from pipelineplan.quality.sql import Dialect
from pipelineplan.quality.tables import Tables

BACKENDS: tuple[Backend, ...] = get_args(Backend)

Opening = Callable[[Suites, Tables], AbstractContextManager[Engine]]

ENGINES: Mapping[Backend, Opening] = {
    "duckdb": duckdb_engine,
    "pandas": pandas_engine,
    "sqlite": sqlite_engine,
    "postgresql": postgresql_engine,
}


def dialect_of(backend: Backend) -> Dialect:
    """The dialect that suites for `backend` are compiled in."""
    return "sqlite" if backend == "sqlite" else "standard"
