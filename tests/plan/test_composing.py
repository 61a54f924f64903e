"""One plan out of several files, and every value at the place where it was last written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelineplan.errors import InputError, Problem
from pipelineplan.plan import Plan, read_plan


def test_an_overlay_changes_what_it_names_and_nothing_else(read: Callable[..., Plan]) -> None:
    overlay = """\
sources:
  - id: clicks
    rate: {peak: 22_000/s}
  - {id: orders, partitions: 3}
"""
    plan = read(env="prod", **{"plan.prod": overlay})
    clicks, orders = plan.model.sources
    assert (clicks.rate.average.value, clicks.rate.peak.value, clicks.partitions) == (4000, 22_000, 12)
    assert orders.partitions == 3
    places = {
        ("sources", 0, "rate", "peak"): "plan.prod.yaml:3:18",
        ("sources", 0, "rate", "average"): "plan.yaml:7:21",
        ("sources", 1, "partitions"): "plan.prod.yaml:4:30",
        ("sinks", 0, "id"): "plan.yaml:11:10",
    }
    assert {path: str(plan.position(path)) for path in places} == places


def test_the_operands_of_an_overlaid_value_point_into_the_overlay(read: Callable[..., Plan]) -> None:
    plan = read(env="prod", **{"plan.prod": "stages: [{id: count, capacity: 9_000/s}]\n"})
    operand = plan.operand("μ", plan.stage("count"), "capacity")
    assert (operand.value, str(operand.position)) == (9000, "plan.prod.yaml:1:32")


def test_null_in_an_overlay_removes(read: Callable[..., Plan], small: str) -> None:
    text = small.replace("{name: small}", "{name: small, quality_level: secure}")
    overlay = "metadata: {quality_level: null}\nsources: [{id: clicks, rate: null}]\n"
    plan = read(text, env="prod", **{"plan.prod": overlay})
    assert plan.source("clicks").rate is None
    assert plan.model.metadata.quality_level == "prototype"  # the default again, and not a null


def test_a_key_that_both_files_have_stands_in_the_upper_one(
    problems: Callable[..., tuple[Problem, ...]],
) -> None:
    found = problems(
        "extends: base.yaml\nmetdata: {name: b}\n",
        base="apiVersion: pipelineplan/v1\nkind: DataPlan\nmetdata: {name: a}\n",
    )
    assert "plan.yaml:2:1" in {str(problem.position) for problem in found}


def test_a_list_without_ids_is_replaced_whole(read: Callable[..., Plan], small: str) -> None:
    text = small.replace("{name: small}", "{name: small, sequence: [a, b]}")
    plan = read(text, env="prod", **{"plan.prod": "metadata: {sequence: [c]}\n"})
    assert plan.model.metadata.sequence == ("c",)


def test_a_missing_overlay_is_named(problems: Callable[..., tuple[Problem, ...]]) -> None:
    def missing(**_: str) -> tuple:
        return problems(env="prod")

    (found,) = missing()
    assert "no overlay for the environment 'prod', wanted plan.prod.yaml" in found.message


def test_a_chain_of_plans_is_read_from_its_base(read: Callable[..., Plan], small: str) -> None:
    plan = read(
        "extends: middle.yaml\nmetadata: {version: '3'}\n",
        middle="extends: base.yaml\nmetadata: {version: '2', owner: us}\n",
        base=small.replace("{name: small}", "{name: small, version: '1'}"),
    )
    assert (plan.name, plan.model.metadata.version, plan.model.metadata.owner) == ("small", "3", "us")
    assert str(plan.position(("metadata", "owner"))) == "middle.yaml:2:33"
    assert plan.position(("sources", 0)).file == "base.yaml"


def test_a_circle_of_plans_is_an_error_and_not_a_loop(
    problems: Callable[..., tuple[Problem, ...]], small: str
) -> None:
    (found,) = problems(f"extends: other.yaml\n{small}", other="extends: plan.yaml\n")
    assert "a circle of plans" in found.message
    assert str(found.position) == "other.yaml:1:10"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nowhere.yaml", "there is no file"),
        ("../outside.yaml", "leaves the root"),
        ("https://example.com/base.yaml", "a URL"),
        (".", "there is no file"),
        ("[a]", "there is no file"),
    ],
)
def test_a_base_that_cannot_be_read_says_why(
    problems: Callable[..., tuple[Problem, ...]], reference: str, said: str
) -> None:
    (found,) = problems(f"extends: {reference}\n")
    assert said in found.message
    assert found.position.line == 1


def parts(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_the_files_of_a_folder_are_one_plan(tmp_path: Path, small: str) -> None:
    head, sources = small.split("sources:")
    plan = read_plan(
        parts(tmp_path / "p", a=head, b=f"sources:{sources}", c="sinks: [{id: lake, inputs: [clicks]}]\n")
    )
    assert [sink.id for sink in plan.model.sinks] == ["board", "lake"]
    assert str(plan.position(("sinks", 1, "id"))) == "c.yaml:1:14"
    assert plan.position(("metadata", "name")).file == "a.yaml"


def test_two_files_of_a_folder_may_not_say_the_same(tmp_path: Path, small: str) -> None:
    folder = parts(tmp_path / "p", a=small, b="metadata: {name: other}\n", c="metadata: {owner: us}\n")
    with pytest.raises(InputError) as caught:
        read_plan(folder)
    assert [str(p.position) for p in caught.value.problems] == ["b.yaml:1:1", "c.yaml:1:1"]
    assert all("is also in" in p.message for p in caught.value.problems)


def test_the_same_id_in_two_files_of_a_folder_is_used_twice(tmp_path: Path, small: str) -> None:
    folder = parts(tmp_path / "p", a=small, b="sources: [{id: clicks}]\n")
    with pytest.raises(InputError, match=r"b\.yaml:1:16.*'clicks' is used twice"):
        read_plan(folder)


def test_files_of_another_kind_in_the_folder_are_no_part_of_the_plan(tmp_path: Path, small: str) -> None:
    folder = parts(tmp_path / "p", a=small, b="kind: DataContract\nid: x\n")
    assert read_plan(folder).name == "small"


def test_a_folder_without_a_plan_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without a plan file"):
        read_plan(parts(tmp_path / "p"))


def test_a_folder_has_its_overlays_in_overlays(tmp_path: Path, small: str) -> None:
    folder = parts(tmp_path / "p", a=small)
    parts(folder / "overlays", prod="metadata: {owner: us}\n")
    assert read_plan(folder, "prod").model.metadata.owner == "us"


def test_attestations_of_a_base_are_inherited_and_renewed_one_by_one(
    read: Callable[..., Plan], small: str
) -> None:
    plan = read(
        "extends: base.yaml\nattestations:\n"
        "  - {criterion: W2.2, by: Bo, at: 2026-05-01}\n  - {criterion: W3.1, by: Bo, at: 2026-05-01}\n",
        base=small + "attestations:\n"
        "  - {criterion: W1.1, by: Ann, at: 2026-01-01, valid_for: 90 d}\n"
        "  - {criterion: W2.2, by: Ann, at: 2026-01-01, ref: minutes}\n",
    )
    found = {one.criterion: (one.by, one.at, one.ref) for one in plan.model.attestations}
    assert found == {
        "W1.1": ("Ann", "2026-01-01", None),
        "W2.2": ("Bo", "2026-05-01", "minutes"),
        "W3.1": ("Bo", "2026-05-01", None),
    }
    assert str(plan.position(("attestations", 0, "by"))) == "base.yaml:13:27"
    assert str(plan.position(("attestations", 1, "by"))) == "plan.yaml:3:27"


def test_a_plan_in_parts_may_extend_a_base(tmp_path: Path, small: str) -> None:
    (tmp_path / "base.yaml").write_text(small.replace("{name: small}", "{name: small, owner: us}"))
    (tmp_path / "parts").mkdir()
    (tmp_path / "pipelineplan.toml").touch()
    (tmp_path / "parts/a.yaml").write_text("extends: ../base.yaml\nmetadata: {name: mine}\n")
    (tmp_path / "parts/b.yaml").write_text("stages: [{id: count, capacity: 9_000/s}]\n")
    plan = read_plan(tmp_path / "parts")
    assert (plan.name, plan.model.metadata.owner) == ("mine", "us")
    assert plan.stage("count").capacity is not None
    assert plan.position(("stages", 0, "capacity")).file == "parts/b.yaml"


def test_an_overlay_that_extends_something_is_a_mistake(problems: Callable[..., tuple[Problem, ...]]) -> None:
    (found,) = problems(env="prod", **{"plan.prod": "extends: base.yaml\n"})
    assert str(found) == "plan.prod.yaml:1:1: $.extends: an overlay extends nothing; let the plan extend it"
