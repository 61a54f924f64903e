"""Beam's runner for Flink: what is installed is what was pinned; a cluster starts, answers, and is gone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelineplan.engines import beam_flink_environment as room
from pipelineplan.engines.beam_flink_cluster import KEEPER, ClusterError, beam_on_flink
from pipelineplan.engines.beam_flink_environment import BeamFlink, find_beam_flink, install_beam_flink
from pipelineplan.engines.beam_profile import measure_on_beam
from pipelineplan.errors import InputError
from pipelineplan.profiling import measure, to_json_dict
from tests.full import beam_on_flink as full


def test_every_jar_is_pinned_and_the_runner_is_among_them() -> None:
    pinned = room._pinned()
    assert len(pinned) == int(room.SIZE.partition(" ")[0])
    assert all(path.endswith(".jar") and len(digest) == 64 for path, digest in pinned)
    runner = f"beam-runners-flink-{room.FLINK_VERSION.rpartition('.')[0]}-{room.RUNNER_VERSION}.jar"
    assert any(path.endswith(f"/{runner}") for path, _ in pinned)
    assert any(path.endswith(f"/flink-runtime-{room.FLINK_VERSION}.jar") for path, _ in pinned)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one jar, which is all that is pinned."""
    jar = tmp_path / "repository" / "a" / "one-1.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"classes")
    pinned = tmp_path / "jars.txt"
    pinned.write_text(f"# jars\na/one-1.jar {hashlib.sha256(b'classes').hexdigest()}\n", encoding="utf-8")
    monkeypatch.setattr(room, "JARS", pinned)
    monkeypatch.setattr(room, "_maven_central", (tmp_path / "repository").as_uri)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return jar


def test_installing_fetches_what_is_pinned_once(repository: Path) -> None:
    assert not room.is_installed()
    home = install_beam_flink(lambda text: None)
    assert room.is_installed()
    assert (home / "one-1.jar").read_bytes() == b"classes"
    repository.unlink()
    assert install_beam_flink(lambda text: None) == home


def test_an_altered_jar_is_not_kept(repository: Path) -> None:
    repository.write_bytes(b"other classes")
    with pytest.raises(InputError, match=r"one-1\.jar has the SHA-256 [0-9a-f]{64}, wanted"):
        install_beam_flink(lambda text: None)
    assert not room.is_installed()
    assert list(room.folder().iterdir()) == []


def test_a_jar_out_of_reach_is_named_and_what_is_there_is_not_fetched_again(repository: Path) -> None:
    repository.unlink()
    with pytest.raises(InputError, match=r"a/one-1\.jar could not be fetched.*is Maven Central within reach"):
        install_beam_flink(lambda text: None)
    assert not room.is_installed()


def test_another_list_of_jars_is_another_installation(repository: Path) -> None:
    install_beam_flink(lambda text: None)
    room.JARS.write_text(room.JARS.read_text(encoding="utf-8") + "# newer\n", encoding="utf-8")
    assert not room.is_installed()


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for processes in /proc")
def test_what_the_keeper_started_ends_with_its_owner(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    sleeper = json.dumps({"sleeper": [sys.executable, "-c", code]})
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER), sleeper, str(tmp_path)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    log = tmp_path / "sleeper.log"
    until = time.monotonic() + 20
    while not (log.is_file() and log.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.05)
    pid = int(log.read_text())
    assert _alive(pid)
    keeper.communicate()  # closes its standard input, as our own end would
    until = time.monotonic() + 10
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(pid)


def test_a_cluster_that_does_not_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'ERROR there is no such class' >&2\nexit 1\n", encoding="utf-8")
    java.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr("pipelineplan.engines.beam_flink_cluster._LONGEST_START_SECONDS", 1.5)
    with (
        pytest.raises(ClusterError, match="ERROR there is no such class"),
        beam_on_flink(BeamFlink(java, tmp_path), work),
    ):
        pass


@pytest.mark.slow
def test_two_task_managers_measure_what_one_process_measures(tmp_path: Path) -> None:
    try:
        environment = find_beam_flink()
    except InputError as error:
        pytest.skip(f"{error}")
    work, data = tmp_path / "cluster", tmp_path / "data"
    work.mkdir()
    data.mkdir()
    _, files, columns = next(full.streams(data, 60_000))
    alone = measure([files], **vars(columns))
    with beam_on_flink(environment, work) as cluster:
        on_flink = measure_on_beam([files], columns, cluster.runner_options, rows=3_000)
        assert len(full.spread(cluster)) == full.TASK_MANAGERS
    assert to_json_dict(on_flink) == to_json_dict(alone)
    assert on_flink.out_of_order.count > 1_000
