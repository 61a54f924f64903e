"""Bursts, idle stretches, clocks, duplicates and fits equal an independent computation of each."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import scipy.stats

from pipelineplan.profiling import measure
from pipelineplan.profiling.counting import ValueCounts
from pipelineplan.profiling.fitting import fit
from pipelineplan.sources import StreamProfile, read_profile, to_yaml

START = 1_767_225_600_000


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame, StreamProfile]:
    """Poisson arrivals with three bursts and two silences; each device has a clock of its own."""
    rng = np.random.default_rng(11)
    steps = rng.exponential(200, 20_000)
    for start in (3000, 9000, 15_000):
        steps[start : start + 900] /= 12
    steps[[5000, 12_000]] = (47_000, 95_000)
    arrival = START + np.cumsum(steps).astype(int)
    device = rng.integers(0, 7, len(arrival))
    clock = np.array([0, 0, 0, 0, 0, 90_000, -4000])[device]
    event = arrival + clock - rng.gamma(2.0, 800, len(arrival)).astype(int) - 5
    frame = pd.DataFrame({"t": event, "at": arrival, "d": [f"d{number}" for number in device]})
    frame = pd.concat([frame, frame.iloc[[100, 7000, 7000, 19_999]].assign(at=lambda f: f["at"] + 60_000)])
    frame = frame.sort_values("at", kind="stable").reset_index(drop=True)
    file = tmp_path_factory.mktemp("recorded") / "events.csv"
    frame.to_csv(file, index=False)
    profile = measure(
        [file], event_time="t", arrival_time="at", key="d", partition="d", duplicates_by=["t", "d"]
    )
    return file, frame, profile


Recorded = tuple[Path, pd.DataFrame, StreamProfile]


def test_bursts_are_runs_of_busy_intervals(recorded: Recorded) -> None:
    _, frame, profile = recorded
    found = profile.bursts
    assert found is not None
    width = int(found.interval_seconds)
    first = frame["at"].min() // 1000
    bins = ((frame["at"] // 1000 - first) // width).value_counts().sort_index()
    counts = bins.reindex(range(bins.index.max() + 1), fill_value=0)
    complete = counts[:-1]
    assert found.dispersion == pytest.approx(complete.var(ddof=1) / complete.mean())
    assert found.threshold_per_second == pytest.approx(2 * profile.rate.average_per_second)
    high = counts / width > found.threshold_per_second
    runs = (high != high.shift()).cumsum()[high].value_counts()
    assert (found.count, found.longest_seconds) == (len(runs), runs.max() * width)
    assert found.share == pytest.approx(counts[high].sum() / len(frame))
    assert found.count >= 3


def test_idle_stretches_are_long_gaps(recorded: Recorded) -> None:
    _, frame, profile = recorded
    gaps = frame["at"].diff().dropna()
    threshold = max(1000.0, 10 * (frame["at"].max() - frame["at"].min()) / len(gaps))
    long, idle = gaps[gaps > threshold], profile.gaps.idle
    assert idle is not None
    assert idle.threshold_seconds == pytest.approx(threshold / 1000)
    assert (idle.count, idle.seconds) == (len(long), pytest.approx(long.sum() / 1000))
    assert idle.share == pytest.approx(long.sum() / (frame["at"].max() - frame["at"].min()))
    began = pd.Timestamp(frame["at"][gaps.idxmax() - 1], unit="ms").isoformat(timespec="microseconds")
    assert profile.gaps.longest_from == f"{began}Z"
    assert profile.gaps.longest_seconds == 95.0 == gaps.max() / 1000


def test_clocks_are_held_against_their_median(recorded: Recorded) -> None:
    file, _, profile = recorded
    rows = duckdb.sql(f"SELECT d, min(\"at\" - t) FROM '{file}' GROUP BY d HAVING count(*) >= 30").fetchall()
    least = dict(rows)
    middle = float(np.median(list(least.values())))
    by_partition, by_key = profile.clock_skew
    assert by_partition == by_key
    assert (by_key.field, by_key.compared) == ("d", 7)
    assert (by_key.ahead, by_key.behind) == ("d5", "d6")
    assert by_key.ahead_seconds == pytest.approx((middle - least["d5"]) / 1000)
    assert by_key.behind_seconds == pytest.approx((least["d6"] - middle) / 1000)
    # The clocks were set 90 s ahead and 4 s behind; the ways of the others differ by less than 0.2 s.
    assert by_key.ahead_seconds == pytest.approx(90, abs=0.2)
    assert by_key.behind_seconds == pytest.approx(4, abs=0.2)
    assert profile.future is not None
    ahead = duckdb.sql(f"SELECT count(*) FROM '{file}' WHERE t > \"at\"").fetchall()
    assert profile.future.count == ahead[0][0] > 1000


def test_duplicates_and_how_far_apart_they_come(recorded: Recorded) -> None:
    _, frame, profile = recorded
    found = profile.duplicates
    assert found is not None
    assert found.count == frame.duplicated(["t", "d"]).sum()
    apart = frame.groupby(["t", "d"])["at"].agg(lambda at: at.max() - at.min()).max()
    assert found.furthest_apart_seconds == apart / 1000 >= 60


def test_every_part_is_in_the_file_and_comes_back(recorded: Recorded, tmp_path: Path) -> None:
    _, _, profile = recorded
    file = tmp_path / "profile.yaml"
    file.write_text(to_yaml(profile))
    assert to_yaml(read_profile(file)) == to_yaml(profile)
    for part in ("bursts", "idle", "clock_skew", "furthest_apart_seconds", "lateness_fit", "disorder_fit"):
        assert f"{part}:" in file.read_text()


# By SciPy's names: the distribution, and how its fitted parameters read here.
FAMILIES = {
    "exponential": (scipy.stats.expon, {"scale": 2.0}),
    "weibull": (scipy.stats.weibull_min, {"c": 0.6, "scale": 3.0}),
    "gamma": (scipy.stats.gamma, {"a": 3.5, "scale": 0.4}),
    "lognormal": (scipy.stats.lognorm, {"s": 1.3, "scale": 0.7}),
    "lomax": (scipy.stats.lomax, {"c": 1.4, "scale": 0.9}),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_of_a_family_is_fitted_as_scipy_fits_it(family: str) -> None:
    law, parameters = FAMILIES[family]
    drawn = law.rvs(**parameters, size=40_000, random_state=np.random.default_rng(3))
    sample = np.maximum((drawn * 1e6).astype(np.int64), 1)
    found = fit(ValueCounts.of(sample))
    assert found is not None
    assert found.share_fitted == 1
    if found.family != family:  # a gamma or Weibull of shape near 1 may come closer than the exponential
        assert family == "exponential"
        assert found.other_misfits[family] < 0.01
        return
    seconds = sample / 1e6
    *shapes, _, scale = law.fit(seconds, floc=0)
    theirs = {"lognormal": (np.log(scale), *shapes)}.get(family, (*shapes, scale))
    assert tuple(found.parameters.values()) == pytest.approx(theirs, rel=2e-3)
    test = scipy.stats.kstest(seconds, law(*shapes, 0, scale).cdf)
    assert found.misfit == pytest.approx(test.statistic, abs=2e-4)
    assert all(misfit > found.misfit for misfit in found.other_misfits.values())
    for name, p in (("p50", 0.5), ("p99", 0.99)):
        expected = law(*shapes, 0, scale).ppf(p) / np.quantile(seconds, p) - 1
        assert found.quantile_errors[name] == pytest.approx(expected, abs=3e-3)


def test_what_no_family_fits_says_how_wrong_the_closest_is() -> None:
    two = np.repeat([1_000_000, 1_000_001, 60_000_000, 60_000_001], [3000, 3000, 2000, 2000])
    found = fit(ValueCounts.of(two))
    assert found is not None
    assert found.misfit > 0.2


def test_too_few_values_are_not_fitted() -> None:
    assert fit(ValueCounts.of(np.arange(99) + 1)) is None
    assert fit(ValueCounts.of(np.full(1000, 7))) is None
    assert fit(ValueCounts.of(np.full(1000, -7))) is None
    mixed = fit(ValueCounts.of(np.concatenate([np.zeros(300, dtype=np.int64), np.arange(100) + 1])))
    assert mixed is not None
    assert mixed.share_fitted == 0.25
