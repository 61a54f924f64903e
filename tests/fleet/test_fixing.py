"""`check --fix` removes what lets nothing pass, and touches nothing else; and which plans a run is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.conftest import FAILING, SMALL, Check

Write = Callable[..., Path]
UNUSED = "# pipelineplan: ignore CHK101 -- once needed"
USED = "# pipelineplan: ignore CAP101 -- more workers come"
WITH = f"""\
# the plan of the clicks
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: small, owner: web}}   # a comment stays
sources:
  - id: clicks      {UNUSED}
    partitions:   12
    rate: {{average: 4_000/s, peak: 11_000/s}}
stages:
  {UNUSED}
  - id: count
    inputs: [clicks]

    parallelism: 8
    capacity: 100/s  {USED}
sinks:
  - {{id: board, inputs: [count], notes: "# pipelineplan: ignore CHK101 -- no comment"}}
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\N{ZERO WIDTH NO-BREAK SPACE}"])
def test_unused_comments_go_and_every_other_byte_stays(
    check: Check, plan: Write, ending: str, mark: str
) -> None:
    file = plan(SMALL)
    file.write_bytes((mark + WITH.replace("\n", ending)).encode())
    found = check("plan.yaml", "--fix")
    assert "plan.yaml: 2 comments that let nothing pass removed" in found.err
    assert (found.status, "SUP102" in found.out) == (0, False)
    lines = WITH.splitlines(keepends=True)
    wanted = [line for line in lines if line.strip() != UNUSED]
    wanted = ["  - id: clicks\n" if "id: clicks" in line else line for line in wanted]
    assert file.read_bytes() == (mark + "".join(wanted).replace("\n", ending)).encode()


def test_what_was_mended_has_nothing_left_to_mend(check: Check, plan: Write) -> None:
    file = plan(WITH)
    check("plan.yaml", "--fix")
    once, stamp = file.read_bytes(), file.stat().st_mtime_ns
    again = check("plan.yaml", "--fix")
    assert (file.read_bytes(), file.stat().st_mtime_ns, again.err) == (once, stamp, "")


def test_a_selection_does_not_make_used_comments_unused(check: Check, plan: Write) -> None:
    file = plan(WITH)
    check("plan.yaml", "--fix", "--select", "CHK")
    assert USED in file.read_text()


def test_expired_and_reasonless_comments_are_for_people_to_decide(check: Check, plan: Write) -> None:
    expired = "# pipelineplan: ignore CAP101 until 2020-01-01 -- why"
    file = plan(FAILING.replace("capacity: 100/s", f"capacity: 100/s {expired}"))
    before = file.read_bytes()
    assert check("plan.yaml", "--fix").status == 1
    assert file.read_bytes() == before


def test_unused_entries_of_a_baseline_go(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(FAILING)
    check("plan.yaml", "--write-baseline", "--fail-on", "info")
    baseline = tmp_path / "plan.baseline.yaml"
    before = baseline.read_text().count("fingerprint")
    plan(SMALL)
    found = check("plan.yaml", "--baseline", "--fix", "--format", "json")
    assert "without a finding removed" in found.err
    assert not [code for code in found.open_codes("warning") if code.startswith("SUP")]
    assert 0 < baseline.read_text().count("fingerprint") < before


def test_a_plan_that_cannot_be_read_is_left_alone(check: Check, plan: Write) -> None:
    file = plan(WITH.replace("partitions", "partition"))
    before = file.read_bytes()
    assert check("plan.yaml", "--fix").status == 2
    assert file.read_bytes() == before


def test_no_path_is_what_the_settings_include(check: Check, plan: Write, tmp_path: Path) -> None:
    for name in ("plans/a", "plans/deep/b", "drafts/c", "parts/d"):
        plan(SMALL.replace("small", name[-1]), f"{name}/plan.yaml")
    (tmp_path / "pipelineplan.toml").write_text('include = ["plans/**/plan.yaml", "parts/*"]\n')
    names = [one["plan"] for one in check("--format", "json").json["plans"]]
    assert names == ["d", "a", "b"]
    assert [one["plan"] for one in check("drafts/c/plan.yaml", "--format", "json").json["plans"]] == ["c"]
    assert check("drafts").status == 2


def test_no_path_and_no_settings_is_a_mistake(
    check: Check, plan: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(SMALL)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert "small (../plan.yaml)" in check().out  # the settings above say which plans there are
    (tmp_path / "pipelineplan.toml").unlink()
    found = check()
    assert (found.status, "no PATH is given" in found.err) == (2, True)


def test_the_level_to_fail_on_is_the_repositorys_unless_given(
    check: Check, plan: Write, tmp_path: Path
) -> None:
    plan(SMALL)
    (tmp_path / "pipelineplan.toml").write_text('fail-level = "info"\n')
    assert check("plan.yaml").status == 1
    assert check("plan.yaml", "--fail-on", "error").status == 0


def test_a_newer_repository_stops_an_older_tool(check: Check, plan: Write, tmp_path: Path) -> None:
    plan(SMALL)
    (tmp_path / "pipelineplan.toml").write_text('required-version = "99"\n')
    for arguments in (("plan.yaml",), (".",), ()):
        found = check(*arguments)
        assert (found.status, "wants pipelineplan 99 or newer" in found.err) == (2, True)


def test_a_baseline_given_as_a_path_stands_for_its_plan(check: Check, plan: Write) -> None:
    plan(FAILING)
    check("plan.yaml", "--write-baseline")
    assert "small (plan.yaml)" in check("plan.baseline.yaml").out
