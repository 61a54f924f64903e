"""A profile file says the same after writing and reading, and says where it was broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.errors import InputError
from pipelineplan.sources import (
    Duplicates,
    Future,
    Gaps,
    MeasuredRate,
    OutOfOrder,
    Split,
    Spread,
    StreamProfile,
    Unreadable,
    read_profile,
    to_yaml,
)

SPREAD = Spread(
    0.0, 0.5, 1.25, {"p50": 0.0, "p99.9": 40.0, "max": 4000.5}, ((0.0, 0.75), (1e-06, 0.8), (4000.5, 1.0))
)
PROFILE = StreamProfile(
    events=12,
    first_event_time="2026-01-01T00:00:00.000000Z",
    last_event_time="2026-01-01T00:01:00.000000Z",
    columns={"event_time": "occurred at", "arrival_time": "on: arrival"},
    files=("a.csv", "ünïcode #1.csv"),
    unreadable=Unreadable(1, ("a.csv row 3: 'nie'",)),
    rate=MeasuredRate("arrival", 0.2, 1.0, 1.0, 60.0, ((0.0, 1.0), (30.0, 0.0))),
    out_of_order=OutOfOrder(3, 0.25),
    disorder_seconds=SPREAD,
    gaps=Gaps(12.0, 11.5),
    lateness_seconds=SPREAD,
    future=Future(1, 2.0),
    partitions=Split("p", 2, 0.5, (0.5, 0.5)),
    keys=None,
    duplicates=Duplicates(("id", "no"), 1, 1 / 12),
)


def written(folder: Path, text: str) -> Path:
    file = folder / "profile.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    text = to_yaml(PROFILE)
    read = read_profile(written(tmp_path, text))
    assert to_yaml(read) == text
    assert read.disorder() == SPREAD.curve
    assert read.duplicates is not None
    assert read.duplicates.share == pytest.approx(1 / 12, rel=1e-11)
    assert read.keys is None


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("kind: StreamProfile", "kind: DataPlan", "$", "wanted pipelineplan/v1 and StreamProfile"),
        ("events: 12", "events: many", "$.events", "integer"),
        ("events: 12", "events: 0", "$.events", "at least one"),
        ("events: 12", "events: 12\nevnets: 3", "$.evnets", "unexpected"),
        ("share: 0.25", "share: 25", "$.out_of_order.share", "from 0 to 1"),
        ("[4000.5, 1.0]", "[4000.5, 0.9]", "$.disorder_seconds.curve", "share of 1"),
        ("[1.0e-06, 0.8]", "[0.0, 0.8]", "$.disorder_seconds.curve[1]", "rising"),
        ("[0.0, 0.75]", "[-1.0, 0.75]", "$.disorder_seconds.curve[0]", "negative"),
        ("[30.0, 0.0]", "[30.0, -1.0]", "$.rate.steps[1]", "0 or more"),
        ("[0.0, 1.0]", "[5.0, 1.0]", "$.rate.steps", "starts at 0"),
    ],
)
def test_a_broken_profile_says_where(tmp_path: Path, old: str, new: str, path: str, says: str) -> None:
    text = to_yaml(PROFILE)
    assert old in text
    with pytest.raises(InputError) as caught:
        read_profile(written(tmp_path, text.replace(old, new, 1)), "profiles/orders.yaml")
    problem = caught.value.problems[0]
    assert problem.path == path
    assert says in problem.message
    assert problem.position.file == "profiles/orders.yaml"
    assert problem.position.line > 0


def test_a_document_that_is_no_mapping(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="StreamProfile"):
        read_profile(written(tmp_path, "- 1\n"))
