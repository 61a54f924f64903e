"""Rate traces: values counted per interval or rates, bad rows with their lines, recorded data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipelineplan.errors import InputError
from pipelineplan.sources import read_trace

RECORDED = Path(__file__).parents[2] / "../shared/data/arrival-traces"


def written(folder: Path, text: str) -> Path:
    file = folder / "trace.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_counts_become_rates_and_a_missing_interval_counted_none(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "timestamp,value\n2026-01-01 00:00:00,600\n2026-01-01 00:05:00,300\n2026-01-01 00:15:00,900\n",
    )
    trace = read_trace(file, interval_seconds=300)
    assert trace.steps == ((0, 2), (300, 1), (600, 0), (900, 3))
    assert (trace.length_seconds, trace.peak_per_second) == (1200, 3)
    assert trace.average_per_second == pytest.approx(1800 / 1200)
    assert trace.starts_at == "2026-01-01 00:00:00"


def test_rates_hold_until_the_next_row(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, "start_seconds;rate_per_second\n10;5\n20;7.5\n50;1\n"))
    assert trace.steps == ((0, 5), (10, 7.5), (40, 1))
    assert trace.length_seconds == 70
    assert trace.average_per_second == pytest.approx((50 + 225 + 30) / 70)


def test_columns_can_be_named_and_zones_and_milliseconds_are_read(tmp_path: Path) -> None:
    text = "when,n\n2026-01-01T00:00:00+01:00,10\n1767222060000,20\n"
    trace = read_trace(written(tmp_path, text), interval_seconds=60, time="when", value="n")
    assert trace.steps == ((0, 10 / 60), (60, 20 / 60))


@pytest.mark.parametrize(
    ("text", "interval", "line", "says"),
    [
        ("timestamp,value\n2026-01-01,5\nnever,6\n", 60.0, 3, "found 'never', wanted a time"),
        ("timestamp,value\n2026-01-01,-5\n", 60.0, 2, "a number of 0 or more"),
        ("timestamp,value\n2026-01-01,nan\n", 60.0, 2, "a number of 0 or more"),
        ("timestamp,value\n2026-01-02,5\n2026-01-01,5\n", 60.0, 3, "wanted times that rise"),
        ("timestamp,value\n0,5\n30,5\n", 60.0, 3, "30 s apart, wanted at least the interval of 60 s"),
        ("timestamp,value\n0\n", 60.0, 2, "found 1 columns, wanted 2"),
        ("timestamp,value\n0,1\n60,2\n", None, 1, "over which interval is not said"),
        ("timestamp,rate\n0,1\n60,2\n", 60.0, 1, "is per second, but an interval is declared"),
        ("timestamp,rate\n0,1\n", None, 0, "wanted at least two"),
        ("when,value\n0,1\n", 60.0, 1, "wanted times in one of timestamp"),
        ("", 60.0, 1, "the file is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, interval: float | None, line: int, says: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(written(tmp_path, text), "deploy/trace.csv", interval)
    (problem,) = caught.value.problems
    assert problem.position.file == "deploy/trace.csv"
    assert problem.position.line == line
    assert says in problem.message


def test_all_problems_are_said_and_a_near_column_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_trace(written(tmp_path, "time,value\nx,1\ny,2\nz,w\n"), interval_seconds=1)
    assert len(caught.value.problems) == 4
    with pytest.raises(InputError, match="did you mean 'volume'"):
        read_trace(written(tmp_path, "time,volume\n0,1\n"), interval_seconds=1, value="volumes")


def test_a_folder_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_trace(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_trace(tmp_path / "binary.csv")


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("Twitter_volume_AAPL.csv", 300.0),
        ("Twitter_volume_GOOG.csv", 300.0),
        ("elb_request_count_8c0756.csv", 300.0),
        ("nyc_taxi.csv", 1800.0),
    ],
)
def test_recorded_traces_keep_every_record(name: str, interval: float) -> None:
    file = RECORDED / name
    if not file.exists():
        pytest.skip("the recorded arrival traces are not beside this repository")
    with file.open(encoding="utf-8") as stream:
        values = [float(row["value"]) for row in csv.DictReader(stream)]
    trace = read_trace(file, interval_seconds=interval)
    assert trace.average_per_second * trace.length_seconds == pytest.approx(sum(values), rel=1e-12)
    assert trace.peak_per_second == max(values) / interval
    assert len(trace.steps) >= len(values)
