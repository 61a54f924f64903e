"""The curves and figures of a simulation as files: CSV always, Parquet with the extra `data`.

out/figures.csv   pipeline, scenario, figure, value, low, high, unit, tier, error_class
out/curves.csv    pipeline, scenario, time_seconds, arrival_rate_per_second, lag_records, ...
out/bands.csv     pipeline, scenario, time_seconds, lag_records_p05, lag_records_p50, ... (replications)
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from pipelineplan.errors import MissingExtraError
from pipelineplan.simulation.result import SimulationResult


def write_csv(result: SimulationResult, folder: Path) -> tuple[Path, ...]:
    """Write `figures.csv` and `curves.csv` into `folder`, which is made; returns their paths.

    The same result gives the same bytes. What is not finite is an empty cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, columns in _tables(result).items():
        file = folder / f"{name}.csv"
        file.write_bytes(_csv(columns).encode())
        written.append(file)
    return tuple(written)


def write_parquet(result: SimulationResult, folder: Path) -> tuple[Path, ...]:
    """Write `figures.parquet` and `curves.parquet` into `folder`, which is made; returns their paths.

    Raises `MissingExtraError` without pyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError("writing Parquet", "data") from None
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, columns in _tables(result).items():
        file = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), file, compression="zstd")
        written.append(file)
    return tuple(written)


def _tables(result: SimulationResult) -> dict[str, dict[str, list[Any]]]:
    rows = result.to_rows()
    figures = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    bands = result.band_rows()
    return {"figures": figures, "curves": result.curve_rows()} | ({"bands": bands} if bands else {})


def _csv(columns: dict[str, list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
