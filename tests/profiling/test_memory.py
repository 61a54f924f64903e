"""Memory stays within a bound that does not grow with the recording; each run is a process of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pipelineplan.errors import InputError
from pipelineplan.profiling import measure
from pipelineplan.profiling import recording as recording_module
from pipelineplan.profiling.by_partition import DisorderByPartition
from pipelineplan.profiling.recording import Batch

GROWTH = Path(__file__).parents[1] / "benchmarks" / "profile_growth.py"


@pytest.fixture(scope="module")
def growth() -> ModuleType:
    spec = importlib.util.spec_from_file_location("profile_growth", GROWTH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["profile_growth"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows", "options"),
    [
        ("events.parquet", 5_300_000, ()),
        ("events.csv", 2_100_000, ("--key", "k", "--partition", "p", "--duplicates-by", "k,t")),
        ("events.jsonl", 1_700_000, ("--window", "1 min")),
    ],
)
def test_300_megabytes_take_less_than_450(
    tmp_path: Path, growth: ModuleType, name: str, rows: int, options: tuple[str, ...]
) -> None:
    file = growth.write(tmp_path / name, rows, wide=True)
    assert file.stat().st_size > 290e6
    # A process of its own between this one and the run: a child's peak begins with its parent's.
    code = (
        f"import sys; sys.path.insert(0, {str(GROWTH.parent)!r}); import pathlib, profile_growth as g;"
        f"print(g.profiled(pathlib.Path({str(file)!r}), *{options!r}).megabytes)"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 50 < float(done.stdout) < 450


def test_many_partitions_share_the_room_of_one() -> None:
    rng = np.random.default_rng(4)
    within = DisorderByPartition([str(number) for number in range(4096)])
    for start in range(0, 2_000_000, 200_000):
        event = np.arange(start, start + 200_000) * 1_000_000 - rng.exponential(3e9, 200_000).astype(np.int64)
        partition = rng.integers(0, 4096, 200_000).astype(np.int32)
        list(within.watching([Batch(event, None, partition)]))
    found = within.found()
    assert sum(len(counts.values) for counts in found.of.values()) < 4096 * 4096
    assert found.pooled.total == sum(counts.total for counts in found.of.values()) == 2_000_000


@pytest.mark.parametrize("room_mb", [8, 32])  # too little before the first row, and while rows are read
def test_a_sort_that_runs_out_of_room_is_tried_with_more(
    tmp_path: Path, growth: ModuleType, monkeypatch: pytest.MonkeyPatch, room_mb: int
) -> None:
    file = growth.write(tmp_path / "events.parquet", 2_000_000, shuffled=True)
    failed: list[str] = []
    consumed = recording_module.Recording._consumed

    def listening(self: recording_module.Recording, *given: Any) -> Any:
        try:
            return consumed(self, *given)
        except Exception as error:
            failed.append(str(error))
            raise

    monkeypatch.setattr(recording_module.Recording, "_consumed", listening)
    monkeypatch.setattr(recording_module.Recording._with_room, "__defaults__", (room_mb,))
    profile = measure([file], event_time="t", arrival_time="loaded")
    assert any("Out of Memory" in words for words in failed)
    assert (profile.events, profile.unreadable.count) == (2_000_000, 0)


@pytest.mark.parametrize("error", [OSError("Out of Memory Error: 122 MiB used"), OSError("disk is gone")])
def test_only_what_more_room_can_mend_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    file = tmp_path / "events.csv"
    file.write_text("t\n1700000000\n")
    tried: list[int] = []

    def fails(*_: Any) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(recording_module.Recording, "_consumed", fails)
    with pytest.raises(InputError if "Memory" in str(error) else OSError, match=r"cannot be sorted|is gone"):
        measure([file], event_time="t")
    assert len(tried) == (7 if "Memory" in str(error) else 1)


def test_what_no_memory_can_group_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "events.csv"
    rows = "".join(f"{1_700_000_000 + i},{'k' * 200}{i}\n" for i in range(40_000))
    file.write_text(f"t,k\n{rows}")
    monkeypatch.setattr(recording_module, "GROUPING_MEMORY_MB", 1)
    monkeypatch.setattr(recording_module, "_MOST_DOUBLINGS", 1)
    with pytest.raises(InputError, match="cannot be sorted or grouped within 1 MB"):
        measure([file], event_time="t", key="k")
    monkeypatch.setattr(recording_module, "_MOST_DOUBLINGS", 8)
    profile = measure([file], event_time="t", key="k")
    assert profile.keys is not None
    assert profile.keys.values == 40_000
