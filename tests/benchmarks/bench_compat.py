"""200 pairs of contracts, a cold `compat`, and the same pairs with datacontract-cli and buf in the same run.

    uv run python tests/benchmarks/bench_compat.py [pairs]

Every contract has 31 fields, and every second pair breaks. `compat` is called once per pair in one fresh
process: start, imports and reading of files are in the time, which is the median of five runs. A peer is
taken from the path, or from the environment variables DATACONTRACT and BUF; one that is not there is said
to be missing:

    uv tool install datacontract-cli
    go install github.com/bufbuild/buf/cmd/buf@latest
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.contracts.evolution import FORMATS

FIELDS = 31
RUNS = 5
MANY = """
import sys
from pathlib import Path
from pipelineplan import compat
ending, broken = sys.argv[2], 0
for old in sorted(Path(sys.argv[1], "old").glob("*" + ending)):
    broken += not compat([old, Path(sys.argv[1], "new", old.name)]).passes
print(broken)
"""


def avro(number: int, *, new: bool) -> str:
    fields = [{"name": f"field_{n}", "type": "long"} for n in range(FIELDS)]
    fields += [{"name": "more", "type": "string", **({} if number % 2 else {"default": ""})}] if new else []
    return json.dumps({"type": "record", "name": f"Order{number}", "fields": fields})


def json_schema(number: int, *, new: bool) -> str:
    properties = {f"field_{n}": {"type": "integer", "minimum": 0} for n in range(FIELDS)}
    if new:
        properties["field_7"]["minimum"] = 1 if number % 2 else -1
    return json.dumps({"type": "object", "properties": properties, "required": ["field_0"]})


def proto(number: int, *, new: bool) -> str:
    kind = "string" if new and number % 2 else "int64"
    fields = "\n".join(f"  {kind if n == 7 else 'int64'} field_{n} = {n + 1};" for n in range(FIELDS))
    more = "  string more = 100;\n" if new else ""
    return f'syntax = "proto3";\npackage p{number};\nmessage Order {{\n{fields}\n{more}}}\n'


def odcs(number: int, *, new: bool) -> str:
    kinds = ["integer"] * FIELDS
    kinds[7] = "string" if new and number % 2 else "integer"
    fields = "\n".join(f"      - {{name: field_{n}, logicalType: {kind}}}" for n, kind in enumerate(kinds))
    return (
        f"apiVersion: v3.1.0\nkind: DataContract\nid: orders-{number}\nname: orders\n"
        f"version: 1.{int(new)}.0\nstatus: active\nschema:\n"
        f"  - name: orders\n    physicalType: table\n    properties:\n{fields}\n"
    )


WRITERS: dict[str, tuple[str, Callable[..., str]]] = {
    "avro": (".avsc", avro),
    "json": (".json", json_schema),
    "protobuf": (".proto", proto),
    "odcs": (".odcs.yaml", odcs),
}


def write_pairs(folder: Path, name: str, pairs: int) -> Path:
    ending, text = WRITERS[name]
    for side in ("old", "new"):
        (folder / name / side).mkdir(parents=True)
        for number in range(pairs):
            file = folder / name / side / f"c{number:04}{ending}"
            file.write_text(text(number, new=side == "new"), encoding="utf-8")
    return folder / name


@dataclass(frozen=True)
class Measured:
    """Medians over the runs, in seconds: by the clock on the wall, and of processor time; the last output."""

    wall: float
    cpu: float
    out: str

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.cpu:.2f} s of processor)"


def timed(command: list[str], runs: int, expected: tuple[int, ...] = (0,)) -> Measured:
    """`command` run `runs` times; the processor's time counts the processes that it starts."""
    walls, cpus, out = [], [], ""
    for _ in range(runs):
        used, start = children(), time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        walls.append(time.perf_counter() - start)
        cpus.append(children() - used)
        if done.returncode not in expected:
            raise SystemExit(
                f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}"
            )
        out = done.stdout.strip()
    return Measured(statistics.median(walls), statistics.median(cpus), out)


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(folder: Path, pairs: int) -> None:
    for name, (ending, _) in WRITERS.items():
        if name not in FORMATS:
            print(f"pipelineplan, {name}: no such format in this version")
            continue
        data = write_pairs(folder, name, pairs)
        all_pairs = timed([sys.executable, "-c", MANY, str(data), ending], RUNS)
        said = f"{pairs} pairs in {all_pairs}, {all_pairs.out} of them break"
        files = [str(data / side / f"c0001{ending}") for side in ("old", "new")]
        cold = timed([sys.executable, "-m", "pipelineplan", "compat", *files], RUNS, (1,))
        print(f"pipelineplan, {name}: {said}; one pair by the command, cold: {cold}")


def datacontract(folder: Path) -> None:
    program = shutil.which(os.environ.get("DATACONTRACT", "datacontract"))
    if program is None:
        print("datacontract-cli: not on the path, so not measured (uv tool install datacontract-cli)")
        return
    data = folder / "odcs" if (folder / "odcs").exists() else write_pairs(folder, "odcs", 2)
    files = [str(data / side / "c0001.odcs.yaml") for side in ("old", "new")]
    one = timed([program, "breaking", *files], 3, (0, 1))
    version = timed([program, "--version"], 1).out
    print(f"datacontract-cli {version}, odcs: one pair by the command: {one}")


def buf(folder: Path, pairs: int) -> None:
    program = shutil.which(os.environ.get("BUF", "buf"))
    if program is None:
        print("buf: not on the path, so not measured (go install github.com/bufbuild/buf/cmd/buf@latest)")
        return
    data = folder / "protobuf" if (folder / "protobuf").exists() else write_pairs(folder, "protobuf", pairs)
    config = '{"version":"v2","breaking":{"use":["WIRE"]}}'
    command = [program, "breaking", str(data / "new"), "--against", str(data / "old"), "--config", config]
    found = timed(command, RUNS, (0, 100))
    version = timed([program, "--version"], 1).out or "(version not said)"
    print(f"buf {version}, protobuf: {pairs} pairs in one call: {found}")


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        ours(Path(folder), pairs)
        datacontract(Path(folder))
        buf(Path(folder), pairs)


if __name__ == "__main__":
    main()
