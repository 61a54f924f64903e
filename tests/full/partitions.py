"""Watermarks per partition, merged, and with idleness, on a real Flink in an order that is given.

    uv run python tests/full/partitions.py [adversarial] [replay] [idle]

adversarial   200,000 records around every deadline over three partitions, each compared
replay        a day is read again, partition after partition in fetches: merged against per partition
idle          one of three partitions falls silent and comes back: with and without an idle timeout

No connector that Flink ships reads several splits in an order that one can give, so `Partitions.java`
is a source that does, compiled here against Flink's own jars (a JDK is needed). Everything behind it
is Flink's: watermark per split and their minimum, generators, idleness, windows, late side output.
Prints one line per run, and ends with 1 when any of them differs.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelineplan.engines.flink import run_alone
from pipelineplan.engines.flink_answer import Records
from pipelineplan.engines.flink_environment import FlinkEnvironment, find_flink
from pipelineplan.errors import InputError
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.emission import Periodic, periodic_watermarks, timeliness_under
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from full.adversarial import adversarial as around_deadlines  # noqa: E402 -- needs the path above

SOURCE = Path(__file__).parent / "java" / "Partitions.java"
RULE = EngineRule.FLINK_DATASTREAM
Kinds = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """Records with their partitions, and by which clock they arrive when that matters."""

    records: Records
    partition: Integers
    watermark: Watermark
    windows: FixedWindows
    clock_ms: Integers | None = None
    periodic: Periodic | None = None

    def predicted(self, periodic: Periodic | None = None) -> Kinds:
        """What `eventtime` says of every record; `periodic` stands in for the stream's own."""
        times = self.records.event_time_ms
        periodic = periodic or self.periodic
        if periodic is None or self.clock_ms is None:
            return classify(Judgement(self.watermark, self.windows, RULE), times, self.partition).timeliness
        reached = periodic_watermarks(self.watermark, periodic, times, self.clock_ms, self.partition, RULE)
        windows = self.windows
        return timeliness_under(reached, times, windows.size_ms, windows.allowed_lateness_ms, RULE)

    def is_steady(self) -> bool:
        """Whether probes that come early, late or seldom, as on a busy machine, change no answer."""
        own = self.periodic
        if own is None:
            return True
        others = [Periodic(ms, -early, own.idle_timeout_ms) for ms in (50, 100, 300) for early in (0, 30, 70)]
        return all((self.predicted(other) == self.predicted()).all() for other in others)

    def write(self, file: Path) -> None:
        """The records as `Partitions.java` reads them."""
        number = len(self.partition)
        clock = np.full(number, -1) if self.clock_ms is None else self.clock_ms
        columns = (np.arange(number), self.records.event_time_ms, self.records.key, self.partition, clock)
        np.savetxt(file, np.column_stack(columns), fmt="%d", delimiter=",")

    def arguments(self) -> list[str]:
        """Scope, partitions, lag, size, allowed lateness, offset, interval, idle timeout."""
        idle = self.periodic.idle_timeout_ms if self.periodic is not None else None
        numbers = (
            self.watermark.partitions,
            self.watermark.lag_ms,
            self.windows.size_ms,
            self.windows.allowed_lateness_ms,
            self.windows.offset_ms,
            self.periodic.interval_ms if self.periodic is not None else 0,
            idle or 0,
        )
        return [self.watermark.scope.value, *map(str, numbers)]


def adversarial() -> Iterator[tuple[str, Stream]]:
    """Random partitions: each record's answer depends on the slowest of three."""
    windows, rng = FixedWindows(10_000, 5_000), random.Random(21)
    for scope in Scope:
        watermark = Watermark(2_000, scope, 3)
        records = around_deadlines(200_000, watermark, windows, seed=20)
        partition = np.array([rng.randrange(3) for _ in records.key], dtype=np.int64)
        yield f"{scope.value}, 3 partitions", Stream(records, partition, watermark, windows)


def replay() -> Iterator[tuple[str, Stream]]:
    """Four partitions with little disorder of their own: live, and read again in fetches of 500."""
    rng, partitions, number, fetch = random.Random(31), 4, 10_000, 500
    live = [
        (now, now + rng.randrange(1_500), part) for now in range(0, number * 100, 100) for part in range(4)
    ]
    queues = [[(at, part) for _, at, part in live if part == own] for own in range(partitions)]
    again = [
        one for start in range(0, number, fetch) for queue in queues for one in queue[start : start + fetch]
    ]
    for name, order in (("live", [(at, part) for _, at, part in live]), ("replayed", again)):
        for scope in Scope:
            times, partition = np.array(order, dtype=np.int64).T
            records = Records(times.copy(), partition % 2)
            watermark = Watermark(2_000, scope, partitions)
            yield f"{name}, {scope.value}", Stream(records, partition.copy(), watermark, FixedWindows(10_000))


def idle() -> Iterator[tuple[str, Stream]]:
    """A clock of 7 s, event time a hundred times as fast; partition 2 sends once and returns after 6 s.

    Every tenth of a second 0 and 1 send a record of now, and 0 one of 80 s ago. While partition 2
    counts, the watermark waits for it; once it is idle, what is 80 s old is dropped, and so is all
    that partition 2 brings when it returns.
    """
    rows = [(5_000, 2, 30)]
    for clock in range(0, 6_000, 100):
        now = clock * 100 + 5_000
        rows += [(now, 0, clock + 40), (now, 1, clock + 50)]
        # Not while it is being decided whether partition 2 is idle: that may take a probe or two.
        decided = clock < 900 or clock > 3_000
        rows += [(now - 80_000, 0, clock + 60)] if now >= 85_000 and decided else []
    rows += [(10_000 + 10_000 * number, 2, 6_100 + 10 * number) for number in range(44)]
    times, partition, clock = np.array(rows, dtype=np.int64).T
    for timeout in (None, 1_000):
        records = Records(times.copy(), np.zeros(len(times), dtype=np.int64))
        yield (
            "without idle timeout" if timeout is None else f"idle timeout {timeout} ms",
            Stream(
                records,
                partition.copy(),
                Watermark(2_000, Scope.PER_PARTITION, 3),
                FixedWindows(10_000),
                clock.copy(),
                Periodic(100, 0, timeout),
            ),
        )


def run(flink: FlinkEnvironment, streams: Sequence[Stream]) -> list[Kinds]:
    """What Flink does with every record of each stream, one after the other in one process."""
    with tempfile.TemporaryDirectory(prefix="pipelineplan-flink-") as name:
        work, arguments = Path(name), []
        for number, stream in enumerate(streams):
            stream.write(work / f"{number}.records.csv")
            files = [str(work / f"{number}.{what}.csv") for what in ("records", "answer")]
            arguments += [*files, *stream.arguments()]
        run_java(flink, work, SOURCE, arguments)
        return [_kinds(work / f"{number}.answer.csv", stream) for number, stream in enumerate(streams)]


def run_java(flink: FlinkEnvironment, work: Path, source: Path, arguments: Sequence[str]) -> None:
    """Compile one class against Flink's own jars and run it to its end."""
    (folder,) = flink.python.parents[1].glob("lib/python*/site-packages/pyflink/lib")
    jars = f"{folder}/*"
    compile_it = [shutil.which("javac") or "javac", "-d", str(work), "-cp", jars, str(source)]
    subprocess.run(compile_it, check=True, capture_output=True)
    java = [str(flink.java), "-Xmx2g", "-cp", f"{jars}:{work}", source.stem]
    run_alone([*java, *arguments], flink, work, 300.0)


def _kinds(answer: Path, stream: Stream) -> Kinds:
    kinds = np.zeros(len(stream.partition), dtype=np.uint8)
    for line in answer.read_text(encoding="utf-8").splitlines():
        number, kind = map(int, line.split(","))
        kinds[number] = max(kinds[number], kind)
    return kinds


def say(name: str, stream: Stream, found: Kinds) -> bool:
    """One line: whether Flink did what was predicted, and what that was."""
    expected = stream.predicted()
    different = int((found != expected).sum())
    counts = np.bincount(found, minlength=3)
    share = counts[2] / len(found)
    verdict = f"DIFFERS in {different:,}" if different else "agrees"
    numbers = " / ".join(f"{count:,}" for count in counts)
    print(f"{verdict}: {name}: {len(found):,} records, {numbers}, dropped {share:.2%}", flush=True)
    return different == 0


PARTS: dict[str, Callable[[], Iterator[tuple[str, Stream]]]] = {
    "adversarial": adversarial,
    "replay": replay,
    "idle": idle,
}


def main(names: list[str]) -> int:
    """Run the named parts, or all of them."""
    try:
        flink = find_flink()
    except InputError as error:
        print(error)
        return 2
    if shutil.which("javac") is None:
        print("found no javac, wanted a JDK: the source of partitions is compiled here")
        return 2
    agree = True
    for name in names or list(PARTS):
        started = time.monotonic()
        print(f"== {name}: on time / late / dropped", flush=True)
        cases = list(PARTS[name]())
        assert all(stream.is_steady() for _, stream in cases), "a prediction that a slow machine would turn"
        for (said, stream), found in zip(cases, run(flink, [stream for _, stream in cases]), strict=True):
            agree = say(said, stream, found) and agree
        print(f"   {time.monotonic() - started:.0f} s", flush=True)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
