"""The evidence file: lines that many people add at once, and that strangers may have written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelineplan.bundle.evidence import LONGEST_LINE, MOST_BYTES, Entry, append, evidence_file, read_evidence
from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan

ENTRY = Entry(
    "2026-12-05T16:20:00Z", "cutover", "parity", "0 rows", "at most 0 rows", verdict="holds", by="jane"
)
LINE = ENTRY.line().encode()
PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small, owner: us}
sources: [{id: orders, rate: {average: 100/s}}]
sinks: [{id: out, inputs: [orders]}]
"""
WRITER = """\
import sys
from pathlib import Path
from pipelineplan.bundle.evidence import Entry, append
for number in range(50):
    step = f"{sys.argv[2]}-{number}"
    append(Path(sys.argv[1]), Entry("2026-12-05T16:20:00Z", "cutover", step, note="x" * 1900))
"""


def test_a_record_is_one_line_that_a_person_can_read(tmp_path: Path) -> None:
    file = tmp_path / "plan.evidence.jsonl"
    append(file, ENTRY)
    append(file, replace(ENTRY, at="2026-12-06T04:00:00Z", step="reads-1", note="calm\nand quiet"))
    assert file.read_text(encoding="utf-8").startswith(
        '{"at": "2026-12-05T16:20:00Z", "kind": "cutover", "step": "parity", "measured": "0 rows", '
    )
    told = read_evidence(file)
    assert [entry.step for entry in told.entries] == ["parity", "reads-1"]
    assert [entry.position.line for entry in told.entries] == [1, 2]
    assert told.problems == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_recorded_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, note: str, by: str
) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in note + by):
        return  # no text that could be written
    file = tmp_path_factory.mktemp("evidence") / "e.jsonl"
    append(file, replace(ENTRY, note=note, by=by))
    (entry,) = read_evidence(file).entries
    assert (entry.note, entry.by) == (note, by)


def test_two_who_record_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "plan.evidence.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), name]) for name in ("jane", "joe")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    told = read_evidence(file)
    assert told.problems == ()
    assert {entry.step for entry in told.entries} == {
        f"{who}-{n}" for who in ("jane", "joe") for n in range(50)
    }


def test_a_torn_last_line_is_reported_and_costs_no_other(tmp_path: Path) -> None:
    file = tmp_path / "plan.evidence.jsonl"
    file.write_bytes(LINE + LINE[:40])
    (problem,) = read_evidence(file).problems
    assert (problem.position.line, "torn" in problem.message) == (2, True)
    append(file, replace(ENTRY, step="soak"))
    told = read_evidence(file)
    assert [entry.step for entry in told.entries] == ["parity", "soak"]
    assert [problem.position.line for problem in told.problems] == [2]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are asked of POSIX")
def test_what_could_only_be_written_in_part_is_taken_back(tmp_path: Path) -> None:
    """A file that may not grow beyond its limit, as a disk that is full."""
    file = tmp_path / "plan.evidence.jsonl"
    file.write_bytes(LINE)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(LINE) + 20}, {len(LINE) + 20}))\n"
        "from pathlib import Path; from pipelineplan.bundle.evidence import Entry, append\n"
        "append(Path(sys.argv[1]), Entry('2026-12-05T16:20:00Z', 'cutover', 'soak'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "nothing was recorded" in done.stderr
    assert file.read_bytes() == LINE


HOSTILE = {
    "another language": b"<<<<<<< HEAD",
    "no object": b"[1, 2]",
    "not UTF-8": b'{"at": "\xff"}',
    "an unknown key": json.dumps(
        {"at": "2026-12-05T16:20:00Z", "kind": "cutover", "step": "a", "x": "y"}
    ).encode(),
    "a number for text": b'{"at": "2026-12-05T16:20:00Z", "kind": "cutover", "step": 7}',
    "no kind": b'{"at": "2026-12-05T16:20:00Z", "step": "parity"}',
    "no step": b'{"at": "2026-12-05T16:20:00Z", "kind": "cutover"}',
    "no time": b'{"kind": "cutover", "step": "parity"}',
    "no day of any year": b'{"at": "0000-13-99", "kind": "cutover", "step": "parity"}',
    "before all years": b'{"at": "0001-01-01T00:00:00+14:00", "kind": "cutover", "step": "parity"}',
    "a verdict of its own": LINE.replace(b"holds", b"great").strip(),
    "a key twice": b'{"at": "2026-12-05", "at": "2026-12-06", "kind": "cutover", "step": "a"}',
    "no duration": b'{"at": "2026-12-05T16:20:00Z", "kind": "cutover", "step": "a", "valid_for": "12 rows"}',
    "too deep": b"[" * (LONGEST_LINE - 1),
    "a number without end": b"1" * (LONGEST_LINE - 1),
    "NaN": b"NaN",
    "too long": b" " * LONGEST_LINE + b"{",
    "NUL": b"\0",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_line_that_is_no_record_is_reported_with_its_place(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "plan.evidence.jsonl"
    file.write_bytes(LINE + line + b"\r\n\n" + LINE)
    told = read_evidence(file)
    assert len(told.entries) == 2
    assert [(problem.position.line, problem.fix[:4]) for problem in told.problems] == [(2, "mend")]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_a_fault(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("bytes") / "e.jsonl"
    file.write_bytes(content)
    told = read_evidence(file)
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert len(told.entries) + len(told.problems) == sum(bool(line.strip()) for line in lines)


def test_a_file_that_is_too_large_or_none_is_an_input_error(tmp_path: Path) -> None:
    large = tmp_path / "large.jsonl"
    large.write_bytes(b"\n" * (MOST_BYTES + 1))
    for file, said in ((large, "larger than 8 MiB"), (tmp_path, "cannot be read")):
        with pytest.raises(InputError, match=said):
            read_evidence(file)
    with pytest.raises(InputError, match="cannot be written"):
        append(tmp_path, ENTRY)
    with pytest.raises(InputError, match="cannot be written"):
        append(tmp_path / "nowhere" / "e.jsonl", ENTRY)


def test_the_usual_place_is_beside_the_plan_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").touch()
    (tmp_path / "orders").mkdir()
    plan = tmp_path / "orders" / "plan.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    wanted = (tmp_path / "orders" / "plan.evidence.jsonl").resolve()
    assert evidence_file(read_plan(plan)) == wanted
    assert evidence_file(read_plan(plan.parent)) == wanted
    (tmp_path / "orders" / "more.yaml").write_text("context: {problem: it is late}\n", encoding="utf-8")
    assert evidence_file(read_plan(plan.parent)).name == "evidence.jsonl"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "pipelineplan.toml").touch()
    (root / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "secret").write_text("token", encoding="utf-8")
    (root / "plan.evidence.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="leaves the root"):
        evidence_file(read_plan(root / "plan.yaml"))
