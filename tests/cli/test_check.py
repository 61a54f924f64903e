"""The command line as people and CI meet it: real processes, exit statuses, nothing that bites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
SMALL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small}
sources:
  - {id: clicks, partitions: 12, rate: 4_000/s}
stages:
  - {id: count, inputs: [clicks], parallelism: 12, capacity: 2_000/s}
sinks:
  - {id: board, inputs: [count]}
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(20)
)


def run(*arguments: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    return subprocess.run(
        [sys.executable, "-m", "pipelineplan", *map(str, arguments)],
        cwd=cwd,
        env={**clean, **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def written(folder: Path, text: str | bytes, name: str = "plan.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


BROKEN = [
    ("typo in a key", SMALL.replace("partitions", "partition"), ":5:18", "did you mean 'partitions'?"),
    ("wrong unit", SMALL.replace("4_000/s", "4_000 m"), ":5:40", "wanted a rate such as 45_000/s"),
    (
        "missing contract",
        SMALL.replace("12, rate", "12, contract: c.yaml, rate"),
        ":5:44",
        "no file 'c.yaml'",
    ),
    ("negative rate", SMALL.replace("4_000/s", "-4_000/s"), ":5:40", "not negative"),
    ("duplicate key", SMALL + "sinks: []\n", ":10:1", "the key 'sinks' is here twice, first on line 8"),
    ("unknown input", SMALL.replace("[clicks]", "[clikcs]"), ":7:26", "did you mean 'clicks'?"),
    ("cycle", SMALL.replace("[clicks]", "[count]"), ":7:26", "a cycle: count -> count"),
    ("bad YAML", SMALL.replace("12, rate", "12 rate: [", 1), ":", "not YAML"),
    ("empty file", "", ":1:1", "the file is empty"),
    ("binary file", b"\x89PNG\r\n\x1a\n\x00\x01\x02", ":1:1", "is not UTF-8"),
    ("alias bomb", BOMB, ":6:", "more than 400,000 values"),
]


@pytest.mark.parametrize(("text", "place", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_a_broken_plan_exits_2_and_says_where(
    tmp_path: Path, text: str | bytes, place: str, said: str
) -> None:
    written(tmp_path, text)
    found = run("check", "plan.yaml", cwd=tmp_path)
    assert found.returncode == 2
    assert f"plan.yaml{place}" in found.stderr
    assert said in found.stderr
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
    assert "keeps this input from being used" in found.stderr


def test_a_caret_stands_under_what_is_wrong(tmp_path: Path) -> None:
    written(tmp_path, SMALL.replace("4_000/s", "4_000"))
    line, caret = run("check", "plan.yaml", cwd=tmp_path).stderr.splitlines()[1:3]
    assert line[caret.index("^") :].startswith("4_000")


def test_what_is_written_nowhere_has_no_caret(tmp_path: Path) -> None:
    written(tmp_path, SMALL)
    said = run("check", "plan.yaml", "--verbose", "--select", "CTX,SRC", cwd=tmp_path).stdout
    assert "plan.yaml:1:1: CTX102 fails" in said
    assert "| apiVersion" not in said
    assert "5 |   - {id: clicks" in said  # an entry that lacks something is shown


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = (
        SMALL.replace("partitions", "partition").replace("4_000/s", "4_000 m").replace("[count]", "[cuont]")
    )
    written(tmp_path, text + "facts: [none.yaml]\n")
    found = run("check", "plan.yaml", cwd=tmp_path)
    assert [said in found.stderr for said in (":5:18", ":5:39", ":9:26", ":10:9")] == [True] * 4
    assert "4 problems keep this input from being used" in found.stderr


def test_the_golden_text_of_the_demo_that_fails() -> None:
    """The figures are worked out by hand in tests/plan/test_capacity.py."""
    found = run("check", "examples/demo-fails", cwd=ROOT)
    assert found.returncode == 1
    for said in (
        "1,833/s of 2,000/s at peak, 92 %",
        "11 h to drain",
        "the mean over workers says 2.2 h",
        "8 to 11 workers are one plateau",
        "12 would take 50.8 min",
        "between 99 % and 99.9 % of the records",
    ):
        assert said in found.stdout
    judged = found.stdout.split("\nopen, and not required")[0] + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        (GOLDEN / "demo-fails.txt").write_text(judged, encoding="utf-8")
    assert judged == (GOLDEN / "demo-fails.txt").read_text(encoding="utf-8")


def test_a_measured_profile_is_no_plan(tmp_path: Path) -> None:
    """It carries the same apiVersion as its plan, and may lie in a folder of its own."""
    written(tmp_path, SMALL)
    written(tmp_path / "profiles", "apiVersion: pipelineplan/v1\nkind: StreamProfile\nevents: 1\n")
    found = run("check", ".", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("(plan.yaml)") == 1


def test_exit_statuses(tmp_path: Path) -> None:
    good = written(tmp_path / "good", SMALL)
    bad = written(tmp_path / "bad", SMALL.replace("2_000/s", "100/s"))
    broken = written(tmp_path / "broken", "a: [")
    assert run("check", good, cwd=tmp_path).returncode == 0
    assert run("check", bad, cwd=tmp_path).returncode == 1
    assert run("check", broken, cwd=tmp_path).returncode == 2
    assert run("check", bad, broken, cwd=tmp_path).returncode == 2  # the highest wins
    assert run("check", bad, "--select", "CHK", cwd=tmp_path).returncode == 0
    assert run("check", bad, "--ignore", "CAP", cwd=tmp_path).returncode == 0
    assert run("check", cwd=tmp_path).returncode == 2
    assert run("check", good, "--format", "xml", cwd=tmp_path).returncode == 2
    assert run("no-such-verb", cwd=tmp_path).returncode == 2
    assert run(cwd=tmp_path).returncode == 2
    assert run("--version", cwd=tmp_path).returncode == 0


def test_how_severe_and_how_strict_is_the_callers_choice(tmp_path: Path) -> None:
    written(tmp_path, SMALL + "slos: [{for: board, freshness: {p95: 1 min}}]\n")
    assert run("check", "plan.yaml", cwd=tmp_path).returncode == 0
    assert run("check", "plan.yaml", "--fail-on", "info", cwd=tmp_path).returncode == 1
    bad = SMALL.replace("12, cap", "12, checkpoint: {interval: 1 min}, cap")
    written(tmp_path, bad.replace("name: small", "name: small, quality_level: production"))
    loose = run("check", "plan.yaml", "--select", "CHK101", cwd=tmp_path)
    strict = run("check", "plan.yaml", "--select", "CHK101", "--strict", cwd=tmp_path)
    assert (loose.returncode, strict.returncode) == (0, 1)  # unknown counts in full under --strict


def test_a_folder_of_plans_reports_the_others_when_one_is_broken(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").touch()
    written(tmp_path / "a", SMALL.replace("small", "first"))
    written(tmp_path / "b", SMALL.replace("partitions", "partition"))
    written(tmp_path / "c/deep", SMALL.replace("small", "third"))
    found = run("check", ".", cwd=tmp_path)
    assert found.returncode == 2
    assert "first (a/plan.yaml)" in found.stdout
    assert "third (c/deep/plan.yaml)" in found.stdout
    assert "b/plan.yaml:5:18" in found.stderr


def test_a_path_that_is_not_there_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").touch()
    written(tmp_path / "a", SMALL)
    (tmp_path / "empty").mkdir()
    found = run("check", "nowhere.yaml", "empty", "a", cwd=tmp_path)
    assert found.returncode == 2
    assert "small (a/plan.yaml)" in found.stdout
    assert "nowhere.yaml: there is no such file or folder" in found.stderr
    assert "empty: no plan in this folder or below it" in found.stderr


def test_a_fault_in_its_kind_hides_no_plan(tmp_path: Path) -> None:
    text = (ROOT / "examples/demo-holds/plan.yaml").read_text("utf-8")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/plan.yaml").write_text(
        text.replace("kind: DataPlan", "kind: DataPlam"), encoding="utf-8"
    )
    found = run("check", "plans", cwd=tmp_path)
    assert found.returncode == 2
    assert "DataPlam" in found.stderr


@pytest.mark.parametrize("where", ["file", "folder", "plan"])
def test_what_may_not_be_read(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system says no in three places; root may read everything, so it is made to say so here."""
    from pipelineplan.cli import run as run_here

    plan = written(tmp_path / "p", SMALL)

    def refuse(place: Path, *_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied", str(place))

    if where == "folder":
        monkeypatch.setattr(os, "scandir", refuse)
    else:
        monkeypatch.setattr(Path, "open", refuse)
    assert run_here(["check", str(plan if where == "plan" else tmp_path / "p")]) == 2
    assert "permission denied" in capsys.readouterr().err


def test_a_folder_whose_plan_is_a_dangling_link_or_a_device(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/plan.yaml").symlink_to(tmp_path / "gone.yaml")
    assert run("check", "p", cwd=tmp_path).returncode == 2
    assert run("check", "p/plan.yaml", cwd=tmp_path).returncode == 2
    assert run("check", os.devnull, cwd=tmp_path).returncode == 2


def test_json_is_one_envelope_pure_on_stdout(tmp_path: Path) -> None:
    good = written(tmp_path / "good", SMALL)
    broken = written(tmp_path / "broken", SMALL.replace("partitions", "partition"))
    found = run("check", good, broken, "--format", "json", cwd=tmp_path)
    whole = json.loads(found.stdout)
    assert found.stderr == ""
    assert (whole["schema"], whole["exit_status"], found.returncode) == ("pipelineplan/check/v1", 2, 2)
    (problem,) = whole["problems"]
    assert (problem["line"], problem["column"], problem["path"]) == (5, 18, "$.sources[0].partition")
    (plan,) = whole["plans"]
    assert plan["plan"] == "small"
    assert sum(plan["counts"].values()) == len(plan["findings"])
    assert {
        "code",
        "verdict",
        "severity",
        "message",
        "path",
        "file",
        "line",
        "operands",
        "fingerprint",
    } <= set(plan["findings"][0])


def test_numbers_that_are_not_finite_do_not_spoil_the_json(tmp_path: Path) -> None:
    full = (
        SMALL.replace("2_000/s", "1/s")
        + "outages: [{of: job, detect: 1 min, repair: 1 h, drain_target: 1 h}]\n"
    )
    written(tmp_path, full)
    found = run("check", "plan.yaml", "--format", "json", cwd=tmp_path)
    assert json.loads(found.stdout)["exit_status"] == 1


@pytest.mark.parametrize("chosen", ["sarif", "junit"])
def test_other_formats_stay_whole_beside_problems(tmp_path: Path, chosen: str) -> None:
    import xml.etree.ElementTree as ET

    (tmp_path / "pipelineplan.toml").touch()
    good = written(tmp_path / "good", SMALL.replace("2_000/s", "100/s"))
    found = run("check", good, written(tmp_path / "b", "a: ["), "--format", chosen, cwd=tmp_path)
    assert found.returncode == 2
    assert "b/plan.yaml:" in found.stderr
    if chosen == "sarif":
        assert json.loads(found.stdout)["runs"][0]["results"]
    else:
        assert ET.fromstring(found.stdout).tag in {"testsuites", "testsuite"}


def test_no_colour_where_nobody_looks(tmp_path: Path) -> None:
    written(tmp_path, SMALL.replace("2_000/s", "100/s"))
    assert "\033" not in run("check", "plan.yaml", cwd=tmp_path).stdout


def test_colour_on_a_terminal_unless_it_is_not_wanted(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="terminals of this kind are a Unix thing")
    written(tmp_path, SMALL.replace("2_000/s", "100/s"))

    def on_terminal(**env: str) -> bytes:
        clean = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        main, other = pty.openpty()
        command = [sys.executable, "-m", "pipelineplan", "check", "plan.yaml", "--select", "CAP101"]
        done = subprocess.Popen(command, cwd=tmp_path, stdout=other, env={**clean, **env})
        os.close(other)
        seen = b""
        while True:
            try:
                more = os.read(main, 65_536)
            except OSError:
                break
            if not more:
                break
            seen += more
        done.wait(timeout=30)
        os.close(main)
        return seen

    assert b"\033[31mfails" in on_terminal()
    assert b"\033" not in on_terminal(NO_COLOR="1")


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    for index in range(60):
        written(tmp_path / f"p{index}", SMALL.replace("2_000/s", "100/s"))
    command = f"{sys.executable} -m pipelineplan check . --verbose | head -1"
    found = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (found.stderr, len(found.stdout.splitlines())) == ("", 1)


@pytest.mark.parametrize("broken", [False, True])
def test_a_plan_cannot_drive_a_terminal(tmp_path: Path, broken: bool) -> None:  # noqa: FBT001  (a parameter)
    """Escapes that YAML's own escapes smuggle in: colours, titles, the C1 control, a carriage return."""
    name = '"\\e]0;owned\\a\\e[2J\\x9b31m\\roverwritten"'
    sly = SMALL.replace("id: board", f"id: board, owner: {name}").replace("2_000/s", "100/s")
    if broken:
        sly += f"slos: [{{for: board, {name}: 1}}]\nkind2: {name}\n"
    written(tmp_path, sly)
    for command in (("check", "plan.yaml", "--verbose"), ("explain", "CAP101", "plan.yaml")):
        found = run(*command, cwd=tmp_path)
        for text in (found.stdout, found.stderr):
            assert not {"\033", "\a", "\x9b", "\r"} & set(text)


def test_a_name_of_a_file_cannot_drive_a_terminal_either(tmp_path: Path) -> None:
    written(tmp_path, SMALL.replace("partitions", "partition"), "a\033[31m.yaml")
    found = run("check", "a\033[31m.yaml", cwd=tmp_path)
    assert (found.returncode, "\033" in found.stderr) == (2, False)
    written(tmp_path / "d", SMALL, "b\033[31m.yaml")
    assert "\033" not in run("check", "d", cwd=tmp_path).stdout


def test_deep_and_long_names_stay_on_their_lines(tmp_path: Path) -> None:
    written(tmp_path, SMALL.replace("partitions: 12", "contract: " + "é" * 900))
    found = run("check", "plan.yaml", cwd=tmp_path)
    assert found.returncode == 2
    assert max(len(line) for line in found.stderr.splitlines() if " | " in line) < 120


def test_output_that_the_terminals_encoding_cannot_write(tmp_path: Path) -> None:
    """λ and ± on a terminal of 1963: replaced, not a crash."""
    written(
        tmp_path,
        SMALL.replace("4_000/s", "4_000/s ± 5 %").replace("name: small", 'name: small, owner: "Zoë"'),
    )
    found = run("explain", "CAP101", "plan.yaml", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (found.returncode, found.stderr) == (0, "")
