"""`check` of many plans with their contracts: cold, with kept verdicts, as their number grows, and peers.

    uv run python tests/benchmarks/bench_fleet.py [plans] [runs]

The plans are the three shipped examples that have contracts (five, and a measured profile, between
them) and the one that takes values from facts (three files), in turn, each with a name and a load of its own.
Processor seconds are of the process and all that it started; wall time depends on who else is on the machine.
Every process finds Python's bytecode in a folder made for it, as it would in an installation, whatever the
environment says of writing it.
Peers, if installed: `datacontract lint` of the contracts in one process (DATACONTRACT_PYTHON), and
`buf lint` of a Protobuf file for each plan (BUF).
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ("orders-to-warehouse", "ledger-batch", "mobile-telemetry", "adopt")
TOLD = {0, 1, 100}  # nothing, something (pipelineplan), something (buf) was found
CHECK = [sys.executable, "-m", "pipelineplan", "check"]
PEER = """
import sys, logging
logging.disable(logging.CRITICAL)
from datacontract.data_contract import DataContract
for file in sys.argv[1:]:
    DataContract(data_contract_file=file).lint()
"""


@dataclass(frozen=True)
class Cost:
    """One run: wall and processor seconds, and the largest process in MB."""

    wall_seconds: float
    cpu_seconds: float
    memory_mb: float


def company(folder: Path, plans: int) -> list[Path]:
    """Write `plans` plans below `folder`; their contracts."""
    (folder / "pipelineplan.toml").write_text('edition = "2026"\n')
    for number in range(plans):
        example = ROOT / "examples" / EXAMPLES[number % len(EXAMPLES)]
        target = folder / f"team-{number % 20}" / f"plan-{number}"
        ignored = shutil.ignore_patterns("golden", "data", "old", "README.md")
        shutil.copytree(example, target, ignore=ignored)
        plan = target / "plan.yaml"
        text = re.sub(r"(?m)^(  name: )\S+", rf"\g<1>plan-{number}", plan.read_text(), count=1)
        plan.write_text(re.sub(r"(?m)(capacity: \d+)(?=[\d_]*/s)", rf"\g<1>{number % 10}", text))
    return sorted(folder.rglob("*.odcs.yaml"))


def once(command: list[str], cwd: Path, **env: str) -> Cost:
    """One process and its children; raises `RuntimeError` when there was something that it could not read."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=cwd, env={**os.environ, **env})
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in TOLD:
        raise RuntimeError(f"{' '.join(command)} in {cwd} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def told(title: str, costs: list[Cost]) -> Cost:
    """Print the medians of some runs."""
    middle = Cost(
        statistics.median(one.wall_seconds for one in costs),
        statistics.median(one.cpu_seconds for one in costs),
        max(one.memory_mb for one in costs),
    )
    wall, cpu, memory = middle.wall_seconds, middle.cpu_seconds, middle.memory_mb
    print(f"{title:<52}{wall:>8.2f} s{cpu:>8.2f} s CPU{memory:>8.0f} MB", flush=True)
    return middle


def cold_and_warm(folder: Path, runs: int) -> None:
    kept = folder.parent / "kept"
    env = {"PIPELINEPLAN_CACHE": str(kept)}
    one = [once([*CHECK, "--no-cache", "--jobs", "1"], folder) for _ in range(runs)]
    two = [once([*CHECK, "--no-cache", "--jobs", "2"], folder) for _ in range(runs)]
    filling = []
    for _ in range(runs):
        shutil.rmtree(kept, ignore_errors=True)
        filling.append(once([*CHECK, "--jobs", "2"], folder, **env))
    floor = [
        once([sys.executable, "-c", "import pydantic, yaml; pydantic.BaseModel"], folder) for _ in range(5)
    ]
    told("the floor: a process that imports pydantic and yaml", floor)
    told("cold, one process", one)
    told("cold, two processes", two)
    told("cold, two processes, filling the cache", filling)
    size = sum(file.stat().st_size for file in kept.rglob("*.json")) / 1e6
    warm = [once([*CHECK, "--jobs", "1"], folder, **env) for _ in range(runs)]
    told(f"warm, one process ({size:.1f} MB kept)", warm)
    told("one plan, cold", [once([*CHECK, "--no-cache", "team-0/plan-0"], folder) for _ in range(runs)])
    told("one plan, warm", [once([*CHECK, "team-0/plan-0"], folder, **env) for _ in range(runs + 1)][1:])


def growth(place: Path, most: int) -> None:
    """Processor seconds of one process, cold, from an eighth of `most` plans to twice as many."""
    print("plans        cold, one process     of them for each plan")
    before: tuple[int, float] | None = None
    for plans in (most // 8, most // 4, most // 2, most, 2 * most):
        folder = place / f"growth-{plans}"
        folder.mkdir()
        company(folder, plans)
        cost = min(once([*CHECK, "--no-cache", "--jobs", "1"], folder).cpu_seconds for _ in range(2))
        more = f"{(cost - before[1]) / (plans - before[0]) * 1e3:.1f} ms" if before else ""
        print(f"{plans:>5}{cost:>18.2f} s CPU{more:>20}", flush=True)
        before = plans, cost
        shutil.rmtree(folder)


def peers(folder: Path, contracts: list[Path], plans: int) -> None:
    python = os.environ.get("DATACONTRACT_PYTHON")
    if python:
        name = f"datacontract lint of {len(contracts)} contracts, in process"
        told(name, [once([python, "-c", PEER, *map(str, contracts)], folder)])
    else:
        print("datacontract-cli is not there: set DATACONTRACT_PYTHON to a Python that has it")
    buf = shutil.which(os.environ.get("BUF", "buf"))
    if buf:
        for number in range(plans):
            proto = folder / f"proto/p{number}/clicks.proto"
            proto.parent.mkdir(parents=True)
            proto.write_text(f'syntax = "proto3";\npackage p{number};\nmessage Click {{ string id = 1; }}\n')
        (folder / "proto/buf.yaml").write_text("version: v2\n")
        told(f"buf lint of {plans} files", [once([buf, "lint"], folder / "proto")])
    else:
        print("buf is not there: set BUF to it")


def main() -> None:
    plans = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "company"
        folder.mkdir()
        contracts = company(folder, plans)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(place) / "bytecode")
        once([*CHECK, "--no-cache", "--jobs", "1"], folder)
        print(f"{plans} plans, {len(contracts)} contracts; medians of {runs}, largest process")
        cold_and_warm(folder, runs)
        growth(Path(place), plans)
        peers(folder, contracts[:plans], plans)


if __name__ == "__main__":
    main()
