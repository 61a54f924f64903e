"""Apache Flink 2.2 against the prediction, at scale: what .ci/full runs after `doctor --install flink`.

    uv run python tests/full/flink.py [scale] [records] [recorded]

scale       random records at, 1 ms before and 1 ms after every deadline: per window and key
records     the same, record by record, through the DataStream API and its late side output
recorded    three recordings of mobile devices, five lags by three windows, and two allowed latenesses

Prints one line per run, and ends with 1 when any of them differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from pipelineplan.engines.flink import run_flink
from pipelineplan.engines.flink_answer import Agreement, Route, Run
from pipelineplan.engines.flink_environment import find_flink
from pipelineplan.engines.flink_plan import Case, read_records
from pipelineplan.errors import InputError
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from full.adversarial import adversarial  # noqa: E402 -- needs the path above

RECORDED = ROOT / "../shared/data/out-of-order"
EVENT_TIME, KEY = "S.Client.Detection.Time", "S.Device.ID"
RULES = (EngineRule.FLINK_SQL, EngineRule.FLINK_DATASTREAM)
# Window, lag, allowed lateness, in ms.
SETTINGS = ((1_000, 0, 0), (1_000, 500, 700), (10_000, 2_000, 5_000), (60_000, 1_000, 30_000))
LAGS_MS = (0, 500, 1_000, 1_500, 2_000)
WINDOWS_MS = (1_000, 10_000, 60_000)


def scale() -> Iterator[tuple[str, Run]]:
    """200,000 records for each setting, half of them by the rule of each interface."""
    for seed, (setting, rule) in enumerate(zip(SETTINGS, RULES * 2, strict=True)):
        yield _random(200_000, setting, Route.SQL, rule, seed)


def records() -> Iterator[tuple[str, Run]]:
    """2,000 records one by one, and 500 more by the other rule and with other windows."""
    yield _random(2_000, SETTINGS[2], Route.DATASTREAM, EngineRule.FLINK_DATASTREAM, seed=11)
    yield _random(500, SETTINGS[1], Route.DATASTREAM, EngineRule.FLINK_SQL, seed=12)


def recorded() -> Iterator[tuple[str, Run]]:
    """Every recording whole, in its order of arrival, keyed by device."""
    files = sorted(RECORDED.glob("d-*.csv"))
    if not files:
        print("skipped: the recorded out-of-order events are not beside this repository")
    for file in files:
        events = read_records(Case("", "", file, EVENT_TIME, KEY, Watermark(0), FixedWindows(1)))
        settings = [(size, lag, 0) for lag, size in product(LAGS_MS, WINDOWS_MS)]
        for size, lag, allowed in [*settings, (1_000, 0, 1_000), (10_000, 500, 2_000)]:
            judgement = Judgement(Watermark(lag), FixedWindows(size, allowed), EngineRule.FLINK_SQL)
            yield f"{file.stem} {_said(size, lag, allowed)}", Run(Route.SQL, judgement, events)


def _random(
    number: int, setting: tuple[int, int, int], route: Route, rule: EngineRule, seed: int
) -> tuple[str, Run]:
    size, lag, allowed = setting
    watermark, windows = Watermark(lag), FixedWindows(size, allowed)
    events = adversarial(number, watermark, windows, seed)
    return f"random {_said(*setting)} {rule.value}", Run(route, Judgement(watermark, windows, rule), events)


def _said(size: int, lag: int, allowed: int) -> str:
    return f"window {size} ms, lag {lag} ms, allowed {allowed} ms"


def _line(name: str, done: Agreement) -> str:
    counts = " / ".join(f"{number:,}" for number in done.measured)
    verdict = "agrees" if done.agrees else f"DIFFERS in {done.different:,}: {done.examples[0]}"
    return f"{verdict}: {name}: {len(done.run.records.key):,} records, {done.compared:,} compared, {counts}"


PARTS: dict[str, Callable[[], Iterator[tuple[str, Run]]]] = {
    "scale": scale,
    "records": records,
    "recorded": recorded,
}


def main(names: list[str]) -> int:
    """Run the named parts, or all of them."""
    try:
        flink = find_flink()
    except InputError as error:
        print(error)
        return 2
    agree = True
    for name in names or list(PARTS):
        started, jobs = time.monotonic(), list(PARTS[name]())
        print(f"== {name}: on time / late / dropped", flush=True)
        done = run_flink(flink, [run for _, run in jobs]) if jobs else []
        for (said, _), one in zip(jobs, done, strict=True):
            print(_line(said, one), flush=True)
            agree = agree and one.agrees
        print(f"   {len(jobs)} runs in {time.monotonic() - started:.0f} s", flush=True)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
