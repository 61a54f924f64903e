"""What surrounds Flink, without Flink: refusals, files in and out, the comparison, nothing left running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.engines import flink_environment, flink_job
from pipelineplan.engines.flink import FlinkError, run_alone, write_job
from pipelineplan.engines.flink_answer import Records, Route, Run, compare
from pipelineplan.engines.flink_environment import FlinkEnvironment, find_flink, folder
from pipelineplan.errors import InputError
from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement
from pipelineplan.eventtime.watermarks import Watermark

# Windows of 10 ms, lag 0, allowed lateness 5 ms, by the rule of Flink SQL:
# 2, 8 on time; 11 on time and closes [0, 10); 4 late; 25 closes it for good; 9 dropped; 30 of another key.
TIMES, KEYS = [2, 8, 11, 4, 25, 9, 30], [0, 0, 0, 0, 0, 0, 1]
RIGHT = [[0, 0, 2, 3], [0, 10, 1, 1], [0, 20, 1, 1], [1, 30, 1, 1]]


def run(route: Route = Route.SQL, times: list[int] = TIMES, keys: list[int] = KEYS) -> Run:
    judgement = Judgement(Watermark(0), FixedWindows(10, 5), route.rule)
    return Run(route, judgement, Records(np.array(times, dtype=np.int64), np.array(keys, dtype=np.int64)))


def test_an_answer_as_predicted_agrees_and_counts_what_was_dropped() -> None:
    done = compare(run(), RIGHT)
    assert done.agrees
    assert done.predicted == done.measured == (5, 1, 1)
    assert (done.compared, done.examples) == (4, ())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([[0, 0, 3, 3], *RIGHT[1:]], "predicted 2 on time, 1 late, 1 dropped; Flink 3 on time, 0 late, 1 dr"),
        ([[0, 0, 2, 4], *RIGHT[1:]], "predicted 2 on time, 1 late, 1 dropped; Flink 2 on time, 2 late, 0 dr"),
        (RIGHT[1:], "key 0, window 0: predicted 2 on time, 1 late, 1 dropped; Flink 0 on time, 0 late, 4 dr"),
        ([*RIGHT, [0, 40, 1, 1]], "key 0, window 40: predicted nothing; Flink 1 on time"),
        ([[1, 0, 2, 3], *RIGHT[1:]], "key 0, window 0: predicted 2 on time"),
    ],
    ids=["late as on time", "dropped as late", "window missing", "window too many", "key wrong"],
)
def test_every_difference_of_a_window_is_found(answer: list[list[int]], says: str) -> None:
    done = compare(run(), answer)
    assert not done.agrees
    assert done.different >= 1
    assert says in done.examples[0]


def test_records_are_compared_one_by_one() -> None:
    assert compare(run(Route.DATASTREAM), [[3, 1], [5, 2]]).agrees
    swapped = compare(run(Route.DATASTREAM), [[3, 2], [5, 1]])
    assert swapped.predicted == swapped.measured  # the totals alone would not have seen it
    assert (swapped.agrees, swapped.different) == (False, 2)
    assert swapped.examples[0].startswith("record 3: predicted 0 on time, 1 late")
    assert not compare(run(Route.DATASTREAM), [[3, 1], [5, 2], [99, 1]]).agrees


def test_nothing_to_compare_is_no_agreement() -> None:
    assert not compare(run(times=[], keys=[]), []).agrees


def test_only_the_first_differences_are_shown() -> None:
    done = compare(run(times=list(range(0, 1000, 10)), keys=[0] * 100), [])
    assert (done.different, len(done.examples)) == (100, 5)


@pytest.mark.parametrize(("rule", "lag_ms"), [(EngineRule.FLINK_SQL, 7), (EngineRule.FLINK_DATASTREAM, 8)])
def test_the_rule_of_the_generator_is_one_more_millisecond_of_lag(
    rule: EngineRule, lag_ms: int, tmp_path: Path
) -> None:
    of = run()
    job = write_job(
        tmp_path / "job", Run(Route.SQL, Judgement(Watermark(7), of.judgement.windows, rule), of.records)
    )
    written = json.loads(job.read_text(encoding="utf-8"))
    assert (written["lag_ms"], written["size_ms"], written["allowed_ms"]) == (lag_ms, 10, 5)
    assert Path(written["records"]).read_text(encoding="utf-8").splitlines()[:2] == ["0,2,0", "1,8,0"]


@pytest.mark.parametrize(
    ("duration_ms", "said"),
    [(0, "0 00:00:00.000"), (2001, "0 00:00:02.001"), (90_061_001, "1 01:01:01.001")],
)
def test_intervals_to_the_millisecond(duration_ms: int, said: str) -> None:
    assert flink_job.interval(duration_ms) == f"INTERVAL '{said}' DAY TO SECOND(3)"


def test_window_starts_as_flink_writes_them() -> None:
    written = ("1970-01-01 00:00:00", "1970-01-01 00:00:10.500", "1969-12-31 23:59:59.000")
    assert [flink_job.milliseconds(text) for text in written] == [0, 10_500, -1000]


def test_the_last_word_of_a_changelog_counts() -> None:
    def line(op: str, number: int, start: str = "1970-01-01 00:00:10.000") -> str:
        row = {"k": 3, "start": start, "number": number}
        sides = {"before": None, "after": row} if op == "c" else {"before": row, "after": None}
        return json.dumps({**sides, "op": op})

    later = line("c", 1, "1970-01-01 00:00:20.000")
    changes = [line("c", 2), line("d", 2), line("c", 3), later, line("d", 3), line("c", 4)]
    assert flink_job.last_words(iter(changes)) == {(3, 10_000): 4, (3, 20_000): 1}


@pytest.fixture
def no_flink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    return tmp_path


def test_without_flink_and_java_it_says_what_it_needs_and_how_to_get_both(no_flink: Path) -> None:
    with pytest.raises(InputError) as raised:
        find_flink()
    said = str(raised.value)
    assert f"found no Apache Flink 2.2.1 in {no_flink}" in said
    assert "pipelineplan doctor --install flink" in said
    assert "found no Java 11 or newer; install Java 17" in said


def fake_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(exist_ok=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n", encoding="utf-8")
    java.chmod(0o755)
    return java


def test_an_interrupted_or_outdated_environment_and_an_old_java_do_not_count(no_flink: Path) -> None:
    python = folder() / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    fake_java(no_flink, "1.8.0_392")
    for mark in ("", "of another time"):
        (folder() / "complete").write_text(mark, encoding="utf-8")
        with pytest.raises(InputError) as raised:
            find_flink()
        assert len(raised.value.problems) == 2
    (folder() / "complete").write_text(flink_environment._pinned(), encoding="utf-8")
    java = fake_java(no_flink, "17.0.15")
    assert find_flink() == FlinkEnvironment(python, java)


def test_installing_tells_why_it_failed_and_leaves_nothing_that_counts(
    no_flink: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('no route to host')"]
    monkeypatch.setattr(flink_environment, "_commands", lambda home: [failing])
    with pytest.raises(InputError, match=r"no route to host; is PyPI within reach\?"):
        flink_environment.install_flink(lambda text: None)
    assert not flink_environment.is_installed()


def test_every_package_is_pinned_with_hashes() -> None:
    text = flink_environment.REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert any(line.startswith(f"apache-flink=={flink_environment.FLINK_VERSION} ") for line in lines)
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


HERE = FlinkEnvironment(Path(sys.executable), Path("/usr/bin/java"))


def test_a_job_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['TMPDIR']); sys.exit('TableException: no such column')"
    with pytest.raises(FlinkError, match=r"ended with 1.*TableException: no such column") as raised:
        run_alone([sys.executable, "-c", code], HERE, tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_a_job_that_takes_too_long_ends_with_everything_it_started(tmp_path: Path) -> None:
    child = (
        "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    )
    with pytest.raises(FlinkError, match="took longer than 1 s"):
        run_alone([sys.executable, "-c", child], HERE, tmp_path, longest_seconds=1.0)
    assert is_gone(int((tmp_path / "log.txt").read_text(encoding="utf-8")))


def test_a_job_ends_when_the_command_itself_is_killed() -> None:
    job = "from pipelineplan.engines import flink_job; flink_job.end_with_parent(0.05)"
    child = f"import time; {job}; time.sleep(60)"
    start = f"p = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True, stdout=-3)"
    parent = f"import subprocess, sys, time; {start}; time.sleep(1.5); print(p.pid, p.poll())"
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=True)
    pid, ended = done.stdout.split()
    assert ended == "None"  # it lived as long as its parent did
    assert is_gone(int(pid))


def is_gone(pid: int) -> bool:
    """Whether the process has ended, or will within a moment: a killed orphan waits for its reaper."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8"):
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
