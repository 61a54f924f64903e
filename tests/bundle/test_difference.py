from pathlib import Path

from pipelineplan.bundle import Difference, compare
from pipelineplan.plan import read_plan
from pipelineplan.rules import judge
from pipelineplan.simulation import simulate

DEMO = Path(__file__).parents[2] / "examples" / "demo-fails" / "plan.yaml"


def difference(folder: Path, *edits: tuple[str, str], simulated: bool = True) -> Difference:
    text = DEMO.read_text(encoding="utf-8")
    (folder / "old.yaml").write_text(text)
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    (folder / "new.yaml").write_text(text)
    sides = []
    for name in ("old.yaml", "new.yaml"):
        plan = read_plan(folder / name)
        sides.append((plan, judge(plan), simulate(plan) if simulated else None))
    return compare(*sides)


def test_nothing_changed_nothing_said(tmp_path: Path) -> None:
    found = difference(tmp_path, ("# yaml-language-server", "# another comment\n# yaml-language-server"))
    assert found.empty
    assert not found.worse
    assert found.to_text() == found.to_markdown() == ""


def test_a_mended_plan_says_what_was_resolved_and_how_far_figures_moved(tmp_path: Path) -> None:
    found = difference(tmp_path, ("parallelism: 8", "parallelism: 12"))
    assert [(v.path, v.before, v.after, v.position) for v in found.values] == [
        ("$.stages[0].parallelism", "8", "12", "new.yaml:21:18")
    ]
    turned = {c.after.code: (c.before.verdict.value, c.after.verdict.value) for c in found.changed}
    assert turned["CAP201"] == ("fails", "holds")
    drain = next(f for f in found.figures if f.scenario == "job-outage" and f.name == "drain_seconds")
    assert drain.relative is not None
    assert -0.95 < drain.relative < -0.9
    assert ("job-outage", "holds") in {(p.scenario, p.after.verdict.value) for p in found.promises}
    assert not found.worse
    assert "job-outage drain: 11.1 h -> " in found.to_text()
    assert "$.stages[0].parallelism: 8 -> 12 (new.yaml:21:18)" in found.to_text()


def test_a_plan_made_worse_is_worse(tmp_path: Path) -> None:
    found = difference(
        tmp_path,
        ("parallelism: 8", "parallelism: 5"),
        ("quality_level: prototype", "quality_level: production"),
    )
    assert found.worse
    assert found.to_json_dict()["worse"] is True


def test_without_a_simulation_values_and_findings_are_still_compared(tmp_path: Path) -> None:
    found = difference(tmp_path, ("parallelism: 8", "parallelism: 12"), simulated=False)
    assert found.figures == ()
    assert found.changed


def test_an_entry_that_moves_in_its_list_is_no_change(tmp_path: Path) -> None:
    extra = "sinks:\n  - {id: other, inputs: [count], mode: upsert}\n"
    found = difference(tmp_path, ("sinks:\n", extra), simulated=False)
    assert {value.path for value in found.values} == {
        "$.sinks[0].id", "$.sinks[0].inputs[0]", "$.sinks[0].mode",
    }  # fmt: skip
    assert all(value.before == "" for value in found.values)


def test_a_longer_run_alone_does_not_move_counts_of_late_records(tmp_path: Path) -> None:
    found = difference(tmp_path, ("repair: 54 min", "repair: 60 min"))
    assert not [f for f in found.figures if f.name in {"arrived_records", "late_records", "dropped_records"}]


def test_hostile_values_are_escaped(tmp_path: Path) -> None:
    found = difference(tmp_path, ("owner: web-data", 'owner: "<script>|\\e[31m"'), simulated=False)
    assert "<script>" not in found.to_markdown()
    assert "\x1b" not in found.to_text()
