"""Run the benchmarks and write what they print, each with date, commit and machine, as one page.

    uv run python tests/benchmarks/run.py [--only bench_day.py,...] [--write docs/background/figures.md]

With --only the other parts of the page stay as they are, with the commit that they were measured at.

Figures vary with the machine and its load: read ratios, and medians where a script gives them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BENCHMARKS = (
    ("`check` of one plan in a fresh process", ["bench_check.py", "9"]),
    ("`check` of 200 plans: cold, kept, and a peer", ["bench_fleet.py", "200", "3"]),
    ("`bundle` of the main example in a fresh process", ["bench_bundle.py", "3"]),
    ("A day of a million records a second, simulated", ["bench_day.py"]),
    ("Where the memory of that day goes, compiled", ["bench_memory.py"]),
    ("Where the memory of that day goes, on numpy", ["bench_memory.py", "numpy"]),
    ("How a run grows with partitions, stages, horizon and checkpoints", ["bench_growth.py", "0"]),
    ("How it grows with room between the stages", ["bench_growth.py", "5000"]),
    ("Replications", ["bench_replications.py", "1000", "2", "1000"]),
    ("The tiers beside general simulators", ["bench_peers.py"]),
    ("Event time and `profile`, beside bare DuckDB", ["event_time_speed.py", "10"]),
    ("`profile`: growth, and 5 GB", ["profile_growth.py", "30", "5"]),
    ("200 pairs of contracts, beside datacontract-cli and buf", ["bench_compat.py", "200"]),
    ("Compiling 200 quality rules", ["bench_compile.py"]),
    ("Reconciling ten million records, beside a full outer join", ["bench_reconcile.py", "5"]),
    ("Twenty quality checks, beside bare DuckDB and pandas", ["bench_quality.py", "10", "3"]),
)
HEAD = """# Figures

Written by `uv run python tests/benchmarks/run.py --write docs/background/figures.md`; each part is what
the named script printed. Figures vary with the machine and its load, and with how Python was built: one
without profile-guided optimisation, as pyenv makes it unless asked, took 1.16 times as long for `check`.
"""


def commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def machine() -> str:
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {python}, {platform.system()}"


def measured(title: str, script: str, arguments: list[str]) -> tuple[str, bool]:
    """One part of the page, and whether its script came to an end."""
    print(f"running {script}", file=sys.stderr)
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    shown = done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr.strip()[-500:]}"
    run = " ".join(["python", f"tests/benchmarks/{script}", *arguments])
    when = f"Measured {dt.datetime.now(dt.UTC):%Y-%m-%d} at commit {commit()} on {machine()}."
    return f"## {title}\n\n`{run}`\n\n{when}\n\n```\n{shown}\n```\n", done.returncode == 0


def standing(page: Path | None) -> dict[str, str]:
    """The parts that `page` has, by title."""
    if page is None or not page.exists():
        return {}
    parts = page.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only", default="", help="scripts, by comma")
    options = parser.parse_args()
    only, before = [name for name in options.only.split(",") if name], standing(options.write)
    parts, failed = [HEAD], 0
    with tempfile.TemporaryDirectory() as bytecode:
        # As an installation has it, whatever the environment of this run says.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        for title, (script, *arguments) in BENCHMARKS:
            if not only or script in only:
                part, well = measured(title, script, arguments)
                failed += not well
                parts.append(part)
            elif title in before:
                parts.append(before[title])
    page = "\n".join(parts)
    if options.write is not None:
        options.write.write_text(page, encoding="utf-8")
    else:
        print(page)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
