"""Recorded events through Apache Flink: files in, jobs in Flink's own environment, files out.

    records.csv, job.json  ->  [flink-2.2.1/bin/python flink_job.py]  ->  answer.csv  ->  Agreement

Flink's own bounded-out-of-orderness generator stays one millisecond behind `max - lag`, SQL's
`ts - INTERVAL` does not; the interval that is handed over differs by that millisecond, so either
route can be judged by either rule. They run alone, with limits on time and memory, in a
process group that is ended with them.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipelineplan.engines.flink_answer import Agreement, Run, compare
from pipelineplan.engines.flink_environment import FlinkEnvironment
from pipelineplan.errors import PipelinePlanError

JOB = Path(__file__).with_name("flink_job.py")
LONGEST_SECONDS = 900.0
HEAP = "-Xmx2g"
_LAST_WORDS = 1500


class FlinkError(PipelinePlanError):
    """Flink ran and did not come to an end; the message carries its last words."""


def run_flink(environment: FlinkEnvironment, runs: Sequence[Run]) -> list[Agreement]:
    """Run the jobs on Flink, one after the other, and compare each with its prediction.

    The rule of a job's judgement decides which watermark Flink is given. Raises `FlinkError` when
    one fails, or all together take longer than `LONGEST_SECONDS`.
    """
    with tempfile.TemporaryDirectory(prefix="pipelineplan-flink-") as name:
        work = Path(name)
        jobs = [write_job(work / str(number), run) for number, run in enumerate(runs)]
        run_alone([str(environment.python), "-I", str(JOB), *map(str, jobs)], environment, work)
        return [compare(run, _answer(job)) for run, job in zip(runs, jobs, strict=True)]


def write_job(folder: Path, run: Run) -> Path:
    """The files that `flink_job.py` reads: the records, and what to do with them."""
    folder.mkdir()
    records, judgement = run.records, run.judgement
    rows = np.column_stack([np.arange(len(records.key)), records.event_time_ms, records.key])
    np.savetxt(folder / "records.csv", rows, fmt="%d", delimiter=",")
    job = {
        "route": run.route.value,
        "records": str(folder / "records.csv"),
        "output": str(folder / "answer.csv"),
        "work": str(folder / "work"),
        "lag_ms": judgement.watermark.lag_ms - judgement.rule.instants.watermark_ms,
        "size_ms": judgement.windows.size_ms,
        "allowed_ms": judgement.windows.allowed_lateness_ms,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder / "job.json"


def _answer(job: Path) -> list[list[int]]:
    with job.with_name("answer.csv").open(encoding="utf-8", newline="") as file:
        return [[int(cell) for cell in row] for row in csv.reader(file)]


def run_alone(
    command: list[str], environment: FlinkEnvironment, work: Path, longest_seconds: float = LONGEST_SECONDS
) -> None:
    """Run one command of Flink's to its end; nothing of it is left running, whatever happens.

    Its temporary files and logs go below `work`. Raises `FlinkError` with its last words.
    """
    with (work / "log.txt").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own script and Flink's own interpreter
            command,
            cwd=work,
            env=_variables(environment, work),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(longest_seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end(process)
    if status != 0:
        ended = f"took longer than {longest_seconds:.0f} s" if status is None else f"ended with {status}"
        raise FlinkError(f"Apache Flink {ended}; its last words: {_last_words(work / 'log.txt')}")


def _variables(environment: FlinkEnvironment, work: Path) -> dict[str, str]:
    """What Flink's processes see: our Java first, memory limits, and no settings of another Flink."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLINK_", "PYTHON"))}
    path = os.pathsep.join([str(environment.java.parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "JVM_ARGS": HEAP, "TMPDIR": str(work), "FLINK_LOG_DIR": str(work)}
    return {**kept, **own}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: Flink's Java and its Python workers too."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_words(log: Path) -> str:
    """The cause, without the stack of every layer above it."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    causes = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("at ", "..."))]
    return " | ".join(causes[-12:])[-_LAST_WORDS:] or "none"
