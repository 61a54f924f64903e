"""Kept verdicts: the same as judged ones, gone when what they rest on changes, never trusted blindly."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelineplan.fleet import Asked, check_plans
from pipelineplan.fleet.checking import Judged, check_one
from pipelineplan.fleet.keeping import ABSENT, entry_of, hashes_of
from tests.fleet.conftest import FAILING, SMALL, Check
from tests.fleet.histories import CONTRACT, OWN, filled

ROOT = Path(__file__).parents[2]
EXAMPLES = ["demo-fails", "orders-to-warehouse", "ledger-batch", "mobile-telemetry", "schema-change"]
DAY = dt.date(2026, 6, 1)
Write = Callable[..., Path]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(as_of=DAY, cache=tmp_path / "kept")


def kept_files(asked: Asked) -> list[Path]:
    assert asked.cache is not None
    return sorted(asked.cache.rglob("*.json"))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("shown", ["json", "text", "sarif"])
def test_what_is_kept_is_printed_as_what_is_judged(check: Check, name: str, shown: str) -> None:
    plan = ROOT / "examples" / name
    anew = check(plan, "--format", shown, "--no-cache", "--strict")
    filling = check(plan, "--format", shown, "--strict")
    warm = check(plan, "--format", shown, "--strict")
    assert warm == filling == anew


LISTEN = """
import json, os, sys
opened = set()
def hear(event, arguments):
    if event in {"open", "os.listdir", "os.scandir"} and arguments and isinstance(arguments[0], str):
        opened.add(os.path.normpath(os.path.join(os.getcwd(), arguments[0])))
from pathlib import Path
import datetime as dt
from pipelineplan.fleet.checking import Asked, check_one
check_one(Path(sys.argv[2]), Asked(as_of=dt.date(2026, 6, 1)))      # imports what it imports
sys.addaudithook(hear)
done = check_one(Path(sys.argv[1]), Asked(as_of=dt.date(2026, 6, 1)))
print(json.dumps([sorted(opened), sorted(done.files), [str(p) for p in done.problems]]))
"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_file_that_python_opens_is_known(name: str, tmp_path: Path) -> None:
    """The interpreter itself tells what was opened and listed below the plan's folder."""
    folder = tmp_path / name
    shutil.copytree(ROOT / "examples" / name, folder)
    (folder / "pipelineplan.toml").touch()
    (tmp_path / "warm.yaml").write_text(SMALL)
    plan = folder / "plan.yaml"
    done = subprocess.run(
        [sys.executable, "-c", LISTEN, str(plan), str(tmp_path / "warm.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    opened, known, problems = json.loads(done.stdout)
    here = {file for file in opened if Path(file).is_relative_to(folder)}
    assert problems == []
    assert str(plan) in here
    assert here - set(known) == set()


def changed(done: Judged) -> list[str]:
    return [] if done.verdicts is None else [one.code for one in done.verdicts.failing]


def test_any_change_of_any_file_is_noticed(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").touch()
    for folder in ("own", "contracts"):
        (tmp_path / folder).mkdir()
    contract, plan = tmp_path / "contracts/clicks.odcs.yaml", tmp_path / "own/plan.yaml"
    fine = filled(CONTRACT, FIELD="clicked_at", TYPE="timestamp", REQUIRED="true")
    contract.write_text(fine)
    plan.write_text(filled(OWN, NAME="a", OWNER="web", UP="../", CAPACITY="2_000"))
    first = check_one(plan, asked)
    assert check_one(plan, asked) == first
    contract.write_text(fine.replace("clicked_at", "at"))
    assert "SCH301" in changed(check_one(plan, asked))
    contract.write_text(fine)
    assert changed(check_one(plan, asked)) == changed(first)
    (tmp_path / "pipelineplan.toml").write_text('quality-level = "production"\n')
    assert len(changed(check_one(plan, asked))) > len(changed(first))
    (tmp_path / "own/pipelineplan.toml").touch()  # a nearer root: the contract lies outside of it now
    assert check_one(plan, asked).problems


def test_an_overlay_that_comes_to_be_is_noticed(asked: Asked, plan: Write) -> None:
    file = plan(SMALL, plan__prod__yaml="stages: [{id: count, capacity: 9_000/s}]\n")
    prod = replace(asked, env="prod")
    assert "CAP101" not in changed(check_one(file, prod))
    file.with_name("plan.prod.yaml").write_text("stages: [{id: count, capacity: 9/s}]\n")
    assert "CAP101" in changed(check_one(file, prod))
    assert "CAP101" not in changed(check_one(file, asked))


def test_a_file_that_joins_a_plan_in_parts_is_noticed(asked: Asked, plan: Write, tmp_path: Path) -> None:
    head, rest = SMALL.split("stages:\n")
    plan(head, "parts/a.yaml")
    plan("apiVersion: pipelineplan/v1\nkind: DataPlan\nstages:\n" + rest, "parts/b.yaml")
    folder = tmp_path / "parts"
    first = check_one(folder, asked)
    plan(
        "apiVersion: pipelineplan/v1\nkind: DataPlan\nslos: [{for: board, freshness: {p95: 1 s}}]\n",
        "parts/c.yaml",
    )
    assert check_one(folder, asked) != first


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"verdict":"fails"', '"verdict":"perhaps"'),
        lambda text: "[]\n[]\n[]\n",
        lambda text: "null\n" + text,
        lambda text: text.replace('"held":', '"hold":'),
        lambda text: "\ud800".encode("utf-8", "surrogatepass").decode("latin-1") + text,
        lambda text: text.replace("[{", '["x",{', 1),
        lambda text: text.replace('"operands":[', '"operands":[3,'),
    ],
)
def test_a_spoilt_entry_is_judged_anew_and_mended(
    asked: Asked, plan: Write, spoil: Callable[[str], str]
) -> None:
    file = plan(FAILING)
    first = check_one(file, asked)
    (entry,) = kept_files(asked)
    good = entry.read_bytes()
    entry.write_text(spoil(good.decode()), encoding="utf-8")
    assert check_one(file, asked) == first
    assert entry.read_bytes() == good


def test_binary_rubbish_is_judged_anew(asked: Asked, plan: Write) -> None:
    file = plan(FAILING)
    first = check_one(file, asked)
    (entry,) = kept_files(asked)
    entry.write_bytes(b"\xff\x00\xfe")
    assert check_one(file, asked) == first


def test_runs_beside_each_other_see_whole_entries(asked: Asked, plan: Write) -> None:
    file = plan(FAILING)
    first = check_one(file, asked)
    entry = kept_files(asked)[0]

    def run(number: int) -> Judged:
        if number % 3 == 0:
            entry.unlink(missing_ok=True)
        return check_one(file, asked)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(40)))
    assert all(one == first for one in found)
    assert [one.name for one in entry.parent.iterdir()] == [entry.name]  # nothing is left beside


def test_a_cache_that_cannot_be_written_is_no_error(plan: Write, tmp_path: Path) -> None:
    file = plan(FAILING)
    (tmp_path / "file").touch()
    done = check_one(file, Asked(as_of=DAY, cache=tmp_path / "file" / "no"))
    assert "CAP101" in changed(done)


def test_nothing_is_kept_where_it_is_not_wanted(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(FAILING)
    cache = tmp_path.parent / f"{tmp_path.name}-cache"
    check("plan.yaml", "--no-cache")
    assert not cache.exists()
    check("plan.yaml")
    assert len(list(cache.rglob("*.json"))) == 1


def test_what_cannot_be_read_is_not_kept(asked: Asked, plan: Write) -> None:
    assert check_one(plan("a: ["), asked).problems
    assert kept_files(asked) == []


def test_the_name_of_an_entry_holds_all_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = entry_of(tmp_path, tmp_path / "plan.yaml", ("-",))
    assert entry_of(tmp_path, tmp_path / "plan.yaml", ("CAP", "-")) != plain
    assert entry_of(tmp_path, tmp_path / "other.yaml", ("-",)) != plain
    monkeypatch.setattr("pipelineplan.fleet.keeping.this_package", lambda: "another version")
    assert entry_of(tmp_path, tmp_path / "plan.yaml", ("-",)) != plain


def test_hashes_of_files_folders_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    places = [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "b")]
    first = hashes_of(places)
    assert first[places[2]] == ABSENT
    (tmp_path / "b").write_text("a")
    second = hashes_of(places)
    assert first[places[1]] == second[places[1]] == second[places[2]]
    assert first[places[0]] != second[places[0]]


def test_errors_come_whole_from_another_process() -> None:
    import pickle

    from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

    wrong = InputError([Problem("what", Position("a.yaml", 1, 2), fix="how")])
    lacking = MissingExtraError("reading .proto files", "contracts")
    for error in (wrong, lacking):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert pickle.loads(pickle.dumps(wrong)).problems == wrong.problems


def test_a_fault_of_the_settings_is_said_once(check: Check, plan: Write, tmp_path: Path) -> None:
    for number in range(3):
        plan(SMALL, f"p{number}/plan.yaml")
    (tmp_path / "pipelineplan.toml").write_text("baselin = true\n")
    found = check("p0", "p1", "p2")
    assert (found.status, found.err.count("unknown key baselin")) == (2, 1)


def test_many_plans_on_two_processes_are_as_on_one(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").touch()
    plans = []
    for number in range(12):
        text = (FAILING if number % 3 == 0 else SMALL).replace("small", f"p{number}")
        plans.append(tmp_path / f"p{number}.yaml")
        plans[-1].write_text("a: [" if number == 7 else text)
    alone = check_plans(plans, Asked(as_of=DAY), jobs=1)
    assert check_plans(plans, Asked(as_of=DAY), jobs=2) == alone
    assert [one.plan for one in alone.judged] == plans
    assert alone.status == 2


def test_an_attestation_ends_on_its_day_though_the_verdicts_were_kept(check: Check, plan: Write) -> None:
    plan(SMALL + "attestations:\n  - {criterion: S2.4, by: web, at: 2026-05-01, valid_for: 31 d}\n")

    def told(day: str) -> list[str]:
        (one,) = check("plan.yaml", "--format", "json", "--as-of", day, "--select", "ATT103").json["plans"]
        return [finding["verdict"] for finding in one["findings"]]

    assert told("2026-06-01") == told("2026-06-01") == ["holds"]
    assert told("2026-06-02") == ["fails"]
    assert told("2026-04-30") == ["fails"]  # a day before it was given
