"""Apache Beam on a Flink cluster of this machine: started, waited for, and ended as one.

    job server  -->  job manager  -->  two task managers  -->  worker pool (Python, no Docker)
    takes Beam's     one JVM           one JVM and one         starts an interpreter for each
    pipelines                          slot each               task manager

All listen on 127.0.0.1, on ports that were free, and log below one folder. They are children of one
process that ends its whole group when we are gone, also when we were killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.engines.beam_flink_environment import BeamFlink
from pipelineplan.errors import PipelinePlanError

TASK_MANAGERS = 2
KEEPER = Path(__file__).with_name("keeper.py")
_LONGEST_START_SECONDS = 120.0
_HOST = "127.0.0.1"
# Flink reaches into the JDK, which Java 17 allows only where it is said.
_OPENED = (
    *("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util"),
    *("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"),
)
_MODULES = [
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED),
]
_CLUSTER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"
# What Flink's shell scripts would work out: nothing starts without it.
_MEMORY = {
    "cpu.cores": "1.0",
    "memory.task.heap.size": "256m",
    "memory.task.off-heap.size": "0b",
    "memory.framework.heap.size": "128m",
    "memory.framework.off-heap.size": "128m",
    "memory.managed.size": "256m",
    "memory.network.min": "128m",
    "memory.network.max": "128m",
    "memory.jvm-metaspace.size": "200m",
    "memory.jvm-overhead.min": "100m",
    "memory.jvm-overhead.max": "100m",
}


class ClusterError(PipelinePlanError):
    """The cluster did not start; the message carries its last words."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: its REST interface, and the options that bring a Beam pipeline to it."""

    rest: str
    runner_options: tuple[str, ...]

    def ask(self, path: str) -> Any:
        """What the REST interface answers to a GET of `path`."""
        with urllib.request.urlopen(f"{self.rest}{path}", timeout=10) as answer:  # noqa: S310 -- our own
            return json.load(answer)

    def task_managers_of(self, job: str) -> dict[str, set[str]]:
        """By the name of each step of a job: the task managers that records reached in it."""
        found: dict[str, set[str]] = {}
        for vertex in self.ask(f"/jobs/{job}")["vertices"]:
            subtasks = self.ask(f"/jobs/{job}/vertices/{vertex['id']}")["subtasks"]
            reached = {task["taskmanager-id"] for task in subtasks if task["metrics"]["read-records"]}
            found[vertex["name"]] = reached
        return found


@contextmanager
def beam_on_flink(
    environment: BeamFlink, work: Path, task_managers: int = TASK_MANAGERS
) -> Iterator[Cluster]:
    """A cluster of so many task managers, for as long as the context lasts; logs go below `work`.

    Raises `ClusterError` when it does not start.
    """
    names = ("rest", "rpc", "blob", "job", "artifact", "pool")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    _configure(work, ports)
    commands = _commands(environment, work, ports, task_managers)
    keeper = subprocess.Popen(  # noqa: S603 -- our own script
        [sys.executable, "-I", str(KEEPER), json.dumps(commands), str(work)],
        cwd=work,
        env=_variables(work),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        cluster = Cluster(f"http://{_HOST}:{ports['rest']}", _options(ports, task_managers))
        _wait(cluster, ports, task_managers, work)
        yield cluster
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.communicate()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _configure(work: Path, ports: dict[str, int]) -> None:
    settings = {
        "jobmanager.rpc.address": _HOST,
        "jobmanager.rpc.port": ports["rpc"],
        "jobmanager.bind-host": _HOST,
        "blob.server.port": ports["blob"],
        "rest.address": _HOST,
        "rest.bind-address": _HOST,
        "rest.port": ports["rest"],
        "taskmanager.host": _HOST,
        "taskmanager.bind-host": _HOST,
        "taskmanager.numberOfTaskSlots": 1,
        # The job server sends its whole class path with each job, and the cluster has the same.
        "classloader.resolve-order": "parent-first",
        "io.tmp.dirs": str(work / "flink"),
    }
    (work / "flink").mkdir()
    (work / "conf").mkdir()
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
    (work / "conf" / "config.yaml").write_text("".join(lines), encoding="utf-8")


def _commands(
    environment: BeamFlink, work: Path, ports: dict[str, int], task_managers: int
) -> dict[str, list[str]]:
    """By name: what is started."""

    def java(megabytes: int, entry: str, *given: str) -> list[str]:
        heap = [f"-Xmx{megabytes}m", "-XX:MaxDirectMemorySize=400m", f"-Djava.io.tmpdir={work}"]
        return [str(environment.java), *heap, *_MODULES, "-cp", f"{environment.folder}/*", entry, *given]

    conf = ["--configDir", str(work / "conf")]
    memory = [f"-Dtaskmanager.{name}={size}" for name, size in _MEMORY.items()]
    server = {
        "flink-master": f"{_HOST}:{ports['rest']}",
        "artifacts-dir": str(work / "artifacts"),
        "job-host": _HOST,
        "job-port": str(ports["job"]),
        "artifact-port": str(ports["artifact"]),
        "expansion-port": "0",
    }
    return {
        "job-manager": java(400, _CLUSTER, *conf),
        **{f"task-manager-{at + 1}": java(500, _TASK_MANAGER, *conf, *memory) for at in range(task_managers)},
        "job-server": java(300, _JOB_SERVER, *(f"--{name}={value}" for name, value in server.items())),
        "worker-pool": [sys.executable, "-m", "pipelineplan.engines.worker_pool", str(ports["pool"])],
    }


def _variables(work: Path) -> dict[str, str]:
    """Our own variables without those of another Flink."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLINK_", "_JAVA"))}
    return {**kept, "TMPDIR": str(work)}


def _options(ports: dict[str, int], task_managers: int) -> tuple[str, ...]:
    return (
        "--runner=PortableRunner",
        f"--job_endpoint={_HOST}:{ports['job']}",
        f"--artifact_endpoint={_HOST}:{ports['artifact']}",
        "--environment_type=EXTERNAL",
        f"--environment_config={_HOST}:{ports['pool']}",
        f"--parallelism={task_managers}",
        # It would ask pip, which is not everywhere.
        "--experiments=disable_logging_submission_environment",
    )


def _wait(cluster: Cluster, ports: dict[str, int], task_managers: int, work: Path) -> None:
    until = time.monotonic() + _LONGEST_START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError, urllib.error.URLError):
            if len(cluster.ask("/taskmanagers")["taskmanagers"]) == task_managers:
                for name in ("job", "artifact", "pool"):
                    socket.create_connection((_HOST, ports[name]), timeout=2).close()
                return
        time.sleep(0.3)
    waited = f"did not start within {_LONGEST_START_SECONDS:.0f} s"
    raise ClusterError(f"the Flink cluster {waited}; its last words: {last_words(work)}")


def last_words(work: Path, most: int = 1500) -> str:
    """What the logs say that went wrong, without the stack of every layer above it."""
    said = []
    for log in sorted(work.glob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        wrong = [line for line in lines if re.search(r"ERROR|Exception|Error:", line) and "INFO" not in line]
        said += [f"{log.stem}: {line.strip()}" for line in wrong[-3:]]
    return " | ".join(said)[-most:] or "none"
