"""The baseline of a plan: what was there passes, what is new fails, and nothing moves with the lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fleet.conftest import FAILING, SMALL, Check

Write = Callable[..., Path]
FILE = "plan.baseline.yaml"


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))["accepted"]
    return found


def test_a_baseline_lets_pass_what_was_there_and_nothing_else(
    check: Check, plan: Write, tmp_path: Path
) -> None:
    plan(FAILING)
    assert check("plan.yaml").status == 1
    written = check("plan.yaml", "--write-baseline", "--reason", "as found", "--until", "2027-01-31")
    assert (written.status, written.out) == (0, "plan.baseline.yaml: 1 finding accepted\n")
    (entry,) = entries(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{16}", entry["fingerprint"])
    assert entry["finding"].startswith("CAP101 count: ")
    assert (entry["reason"], entry["owner"], str(entry["until"])) == ("as found", "web", "2027-01-31")
    assert check("plan.yaml").status == 1  # it is used where it is asked for
    assert check("plan.yaml", "--baseline", "--as-of", "2027-01-31").status == 0
    worse = FAILING + "outages: [{of: job, detect: 1 min, repair: 1 h, drain_target: 1 min}]\n"
    plan(worse)
    found = check("plan.yaml", "--baseline", "--format", "json", "--as-of", "2027-01-31")
    assert found.status == 1
    assert "CAP101" not in found.open_codes()
    assert "CAP201" in found.open_codes()


def test_the_settings_may_ask_for_it(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(FAILING)
    check("plan.yaml", "--write-baseline")
    (tmp_path / "pipelineplan.toml").write_text("baseline = true\n")
    assert check("plan.yaml").status == 0
    assert check("plan.yaml", "--no-baseline").status == 1


def test_writing_again_keeps_what_people_wrote_and_drops_what_is_gone(
    check: Check, plan: Write, tmp_path: Path
) -> None:
    plan(FAILING.replace("partitions: 12", "partitions: 12\n    retention: 1 s"))
    check("plan.yaml", "--write-baseline", "--fail-on", "info")
    before = {entry["finding"]: entry for entry in entries(tmp_path)}
    assert len(before) > 5
    text = (tmp_path / FILE).read_text().replace('"there when the baseline was written"', '"asked Ann"')
    (tmp_path / FILE).write_text(text)
    plan(SMALL)
    check("plan.yaml", "--write-baseline", "--reason", "new")
    after = {entry["finding"]: entry for entry in entries(tmp_path)}
    assert set(after) < set(before)
    assert {entry["reason"] for entry in after.values()} == {"asked Ann"}


def test_the_file_goes_with_its_last_entry(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(FAILING)
    check("plan.yaml", "--write-baseline")
    plan(SMALL)
    assert check("plan.yaml", "--write-baseline").status == 0
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    ("change", "plan_text", "code", "fails"),
    [
        (("until: 2026-06-30", "until: 2026-05-31"), FAILING, "SUP201", True),
        (('reason: "as found"', 'reason: ""'), FAILING, "SUP203", True),
        (("as found", "as found"), SMALL, "SUP202", False),
    ],
)
def test_expired_unused_and_reasonless_entries_are_findings(
    check: Check, plan: Write, tmp_path: Path, change: tuple[str, str], plan_text: str, code: str, fails: bool  # noqa: FBT001
) -> None:  # fmt: skip
    plan(FAILING)
    check("plan.yaml", "--write-baseline", "--reason", "as found", "--until", "2026-06-30")
    text = (tmp_path / FILE).read_text()
    assert change[0] in text
    (tmp_path / FILE).write_text(text.replace(*change))
    plan(plan_text)
    found = check("plan.yaml", "--baseline", "--format", "json", "--as-of", "2026-06-01")
    (told,) = [one for one in found.json["plans"][0]["findings"] if one["code"].startswith("SUP")]
    assert (told["code"], told["severity"], told["file"], told["line"]) == (code, "warning", FILE, 5)
    assert found.status == int(fails)
    assert "SUP" not in check("plan.yaml", "--as-of", "2026-06-01").out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accepted: []\n", "no baseline"),
        ("kind: Baseline\naccepted: 3\n", "no baseline"),
        ("kind: Baseline\naccepted: [3]\n", "wanted a mapping"),
        ("kind: Baseline\naccepted: [{reason: why}]\n", "'fingerprint' is missing"),
        ("kind: Baseline\naccepted: [{fingerprint: a, why: b}]\n", "unknown key 'why'"),
        ("kind: Baseline\naccepted: [{fingerprint: 3}]\n", "found 3, wanted text"),
        ("kind: Baseline\naccepted: [{fingerprint: a, until: soon}]\n", "no day of the calendar"),
        ("kind: [", "not YAML"),
    ],
)
def test_a_broken_baseline_is_said_with_its_place(check: Check, plan: Write, text: str, says: str) -> None:
    plan(FAILING, plan__baseline__yaml=text)
    found = check("plan.yaml", "--baseline")
    assert found.status == 2
    assert says in found.err
    assert f"{FILE}:" in found.err
    assert check("plan.yaml", "--write-baseline").status == 2  # and is not written over


def test_a_day_that_is_none_is_refused_before_anything_is_written(
    check: Check, plan: Write, tmp_path: Path
) -> None:
    plan(FAILING)
    found = check("plan.yaml", "--write-baseline", "--until", "soon")
    assert (found.status, (tmp_path / FILE).exists()) == (2, False)
    assert "no day of the calendar" in found.err


def test_the_baselines_of_plans_in_one_folder_and_in_parts(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(FAILING.replace("small", "one"), "many/one.yaml")
    plan(FAILING.replace("small", "two"), "many/two.yaml")
    head, rest = FAILING.split("stages:\n")
    plan(head, "parts/a.yaml")
    plan("apiVersion: pipelineplan/v1\nkind: DataPlan\nstages:\n" + rest, "parts/b.yaml")
    assert check(".", "--write-baseline").status == 0
    written = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*baseline.yaml"))
    assert written == ["many/one.baseline.yaml", "many/two.baseline.yaml", "parts/baseline.yaml"]
    assert check(".", "--baseline").status == 0
    assert check(".").status == 1


def fingerprints(check: Check) -> list[tuple[str, str, str]]:
    plans = check("plan.yaml", "--format", "json").json["plans"]
    return sorted((one["fingerprint"], one["code"], one["verdict"]) for one in plans[0]["findings"])


WIDE = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: wide, quality_level: production}
sources:
  - {id: clicks, partitions: 12, rate: {average: 4_000/s, peak: 11_000/s}, retention: 1 h}
  - {id: views, partitions: 6, rate: {average: 400/s, peak: 1_000/s}}
stages:
  - {id: count, inputs: [clicks], parallelism: 8, capacity: 100/s, checkpoint: {interval: 1 min}}
  - {id: join, inputs: [count, views], parallelism: 4, capacity: 2_000/s}
sinks:
  - {id: board, inputs: [join]}
  - {id: lake, inputs: [count]}
slos:
  - {for: board, freshness: {p95: 1 min}}
  - {for: lake, freshness: {p95: 9 min}}
outages:
  - {of: job, detect: 1 min, repair: 1 h, drain_target: 1 h}
  - {of: broker, detect: 1 min, repair: 2 h, drain_target: 1 h}
"""


def moved(text: str) -> dict[str, str]:
    lines = text.splitlines(keepends=True)
    sections = re.split(r"(?m)^(?=\w)", text)
    swapped = list(lines)
    for name in ("clicks, part", "count, inputs", "board, inputs", "for: board", "of: job"):
        at = next(i for i, line in enumerate(swapped) if name in line)
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    return {
        "lines": "".join(f"# words\n\n{line}" for line in lines),
        "sections": "".join([*sections[:3], *reversed(sections[3:])]),
        "entries": "".join(swapped),
    }


@pytest.mark.parametrize("what", ["lines", "sections", "entries"])
def test_fingerprints_stay_when_things_move(check: Check, plan: Write, what: str) -> None:
    plan(WIDE)
    before = fingerprints(check)
    assert len(before) > 60
    text = moved(WIDE)[what]
    assert text != WIDE
    plan(text)
    assert fingerprints(check) == before


def test_fingerprints_tell_findings_of_one_plan_apart(check: Check, plan: Write) -> None:
    plan(WIDE)
    found = [one for one, _, _ in fingerprints(check)]
    assert len(set(found)) == len(found)


def test_an_entry_that_comes_before_changes_no_other_fingerprint(check: Check, plan: Write) -> None:
    plan(WIDE)
    before = set(fingerprints(check))
    plan(WIDE.replace("sources:\n", "sources:\n  - {id: aaa, partitions: 1}\n"))
    gone = {code for _, code, _ in before - set(fingerprints(check))}
    # What is only said of the plan as a whole while it holds everywhere is said of the new entry now.
    assert not {code for code in gone if code.startswith(("CAP", "EVT", "CHK", "DLV", "SLO"))}
