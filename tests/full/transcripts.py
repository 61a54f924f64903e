"""Every transcript that Flink can express, played by a real Flink.

    uv run python tests/full/transcripts.py [records] [panes] [probes]

records   what becomes of each record of a tumbling window, with one watermark or one per partition
panes     what each pane holds: tumbling, sliding and session windows, accumulating and discarding
probes    watermarks by probes of the arrival clock, and partitions that fall silent

The first two by Flink's DataStream API, the third by Flink's own generators and their minimum under a
clock that the transcript moves. What Flink has no trigger for is named with the reason and left out.
Ends with 1 when Flink says anything else than the transcript, and names it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipelineplan.engines.flink_answer import Records
from pipelineplan.engines.flink_environment import FlinkEnvironment, find_flink
from pipelineplan.errors import InputError
from pipelineplan.eventtime.timeliness import FixedWindows, Timeliness
from pipelineplan.eventtime.watermarks import Scope, Watermark

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from full.partitions import Stream, run, run_java  # noqa: E402 -- needs the path above

FOLDER = ROOT / "tests/transcripts"
JAVA = Path(__file__).parent / "java"
# Triggers that Flink's own do not make up: EventTimeTrigger takes no other one beside it.
NOT_BUILT_IN = ("early_count", "early_delay", "late_count")
RULE = "flink-datastream"


def read(pattern: str) -> list[dict[str, Any]]:
    """The transcripts of the files that match."""
    files = sorted(FOLDER.glob(pattern))
    return [one for file in files for one in yaml.safe_load(file.read_text(encoding="utf-8"))]


def records(flink: FlinkEnvironment) -> list[tuple[str, object, object]]:
    """Name, expected, found for every transcript of records."""
    transcripts = read("*.yaml")
    found = run(flink, [stream(one) for one in transcripts])
    return [
        (one["name"], expected_kinds(one), [Timeliness(kind).name.lower() for kind in kinds])
        for one, kinds in zip(transcripts, found, strict=True)
    ]


def stream(transcript: dict[str, Any]) -> Stream:
    """A transcript's records, watermark and windows."""
    watermark, windows = transcript["watermark"], transcript["windows"]
    pairs = [(record["at"], record.get("partition", 0)) for record in transcript["records"]]
    times, partition = np.array(pairs, dtype=np.int64).T
    scope = Scope(watermark.get("scope", "merged"))
    return Stream(
        Records(times.copy(), np.zeros(len(times), dtype=np.int64)),
        partition.copy(),
        Watermark(watermark["lag"], scope, watermark.get("partitions", 1)),
        FixedWindows(windows["size"], windows.get("allowed_lateness", 0), windows.get("offset", 0)),
    )


def expected_kinds(transcript: dict[str, Any]) -> list[str]:
    """What the transcript says of each record under the rule of Flink's DataStream API."""
    return [record.get("but", {}).get(RULE, record["expect"]) for record in transcript["records"]]


def panes(flink: FlinkEnvironment) -> list[tuple[str, object, object]]:
    """Name, expected, found for every transcript of panes that Flink can express."""
    transcripts = [one for one in read("panes/*.yaml") if is_expressible(one)]
    with tempfile.TemporaryDirectory(prefix="pipelineplan-flink-") as name:
        work, arguments = Path(name), []
        for number, one in enumerate(transcripts):
            (work / f"{number}.csv").write_text("\n".join(steps(one)) + "\n", encoding="utf-8")
            arguments += [str(work / f"{number}.csv"), str(work / f"{number}.txt"), *windows(one)]
        run_java(flink, work, JAVA / "Panes.java", arguments)
        fired = [
            (work / f"{number}.txt").read_text(encoding="utf-8").splitlines()
            for number in range(len(transcripts))
        ]
    return [
        (one["name"], in_order(expected_panes(one)), in_order(lines))
        for one, lines in zip(transcripts, fired, strict=True)
    ]


def is_expressible(transcript: dict[str, Any]) -> bool:
    """Whether Flink has such windows and triggers; says so where it has not."""
    missing = [f"{key.replace('_', ' ')} beside the watermark" for key in NOT_BUILT_IN if key in transcript]
    if missing:
        print(f"not in Flink: {transcript['name']}: {', '.join(missing)}")
    return not missing


def in_order(lines: list[str]) -> list[str]:
    """Panes by their text, records by number: merged state of sessions promises no order within a pane."""
    parts = (line.partition(":") for line in lines)
    return sorted(f"{head}: {sorted(map(int, numbers.split()))}" for head, _, numbers in parts)


def steps(transcript: dict[str, Any]) -> list[str]:
    """The steps as `Panes.java` reads them."""
    lines, number = [], 0
    for step in transcript["steps"]:
        if step.get("watermark") == "end":  # which the end of the records is
            continue
        if "watermark" in step:
            lines.append(f"watermark,{step['watermark']}")
        else:
            lines.append(f"record,{number},{step.get('key', 'a')},{step['at']}")
            number += 1
    return lines


def windows(transcript: dict[str, Any]) -> list[str]:
    """Kind, length, period, allowed lateness, offset, and whether panes are purged."""
    said = transcript["windows"]
    kind = next(kind for kind in ("fixed", "sliding", "session", "global") if kind in said)
    numbers = (int(said[kind]), said.get("every", 0), said.get("allowed_lateness", 0), said.get("offset", 0))
    return [kind, *map(str, numbers), str(transcript.get("accumulation") == "discarding").lower()]


def expected_panes(transcript: dict[str, Any]) -> list[str]:
    """What the transcript says that Flink fires; every line with its key."""
    said = transcript["panes"]
    lines: list[str] = next(said[name] for name in (RULE, "flink", "all") if name in said)
    keyed = any("key" in step for step in transcript["steps"])
    return lines if keyed else [f"a {line}" for line in lines]


def probes(flink: FlinkEnvironment) -> list[tuple[str, object, object]]:
    """Name, expected, found of the watermark that each record finds; Flink's is 1 ms before the newest."""
    transcripts = read("clocked/*.yaml")
    with tempfile.TemporaryDirectory(prefix="pipelineplan-flink-") as name:
        work, arguments = Path(name), []
        for number, one in enumerate(transcripts):
            rows = (",".join(map(str, record)) for record in one["records"])
            (work / f"{number}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
            numbers = (one["interval"], one.get("idle_timeout", 0), one.get("partitions", 1))
            arguments += [str(work / f"{number}.csv"), str(work / f"{number}.txt"), *map(str, numbers)]
        run_java(flink, work, JAVA / "Probes.java", arguments)
        found = [(work / f"{number}.txt").read_text("utf-8").split() for number in range(len(transcripts))]
    return [
        (one["name"], ["NONE" if at == "NONE" else str(at - 1) for at in one["watermarks"]], lines)
        for one, lines in zip(transcripts, found, strict=True)
    ]


PARTS = {"records": records, "panes": panes, "probes": probes}


def main(names: list[str]) -> int:
    """Play the named parts, or all of them."""
    try:
        flink = find_flink()
    except InputError as error:
        print(error)
        return 2
    differing = 0
    for name in names or list(PARTS):
        started, played = time.monotonic(), PARTS[name](flink)
        wrong = [(said, expected, found) for said, expected, found in played if expected != found]
        for said, expected, found in wrong:
            print(f"DIFFERS: {said}\n  expected {expected}\n  Flink    {found}")
        agree = len(played) - len(wrong)
        print(
            f"{name}: {agree} of {len(played)} transcripts agree ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
        differing += len(wrong)
    return 0 if differing == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
