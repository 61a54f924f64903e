"""The section `contracts`: what is read of it, who runs what by it, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan.contracts.evolution.rollout import Upgrade, Wait
from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan
from pipelineplan.plan.succession import nobodies, rollout_of, strangers, successions

DAY = 86_400.0
ID = '{"type": "record", "name": "Click", "fields": [{"name": "id", "type": "int"}]}'


def plan_in(folder: Path, contracts: Any, **source: Any) -> Path:
    plan = {
        "apiVersion": "pipelineplan/v1",
        "kind": "DataPlan",
        "metadata": {"name": "clicks"},
        "sources": [
            {"id": "clicks", "owner": "shop", "retention": {"time": "7 d", "segment": "1 d"}, **source}
        ],
        "stages": [{"id": "count", "inputs": ["clicks"], "dead_letters": {"retention": "3 d"}}],
        "sinks": [{"id": "board", "inputs": ["count"]}],
        "contracts": contracts,
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    return folder / "plan.yaml"


ROLLOUT = {
    "clicks": {
        "consumers": {"board": "1.0.0", "fraud": {"reads": "1.0.0", "needs": ["id"], "upgrade": "3 d"}}
    },
    "rollout": [
        {"at": "2 d", "upgrade": "shop", "to": "1.1.0"},
        {"at": "0 h", "upgrade": "board", "to": "1.1.0", "canary": True},
    ],
}


def test_a_rollout_in_the_order_of_its_times_with_the_waits_between(tmp_path: Path) -> None:
    (one,) = successions(read_plan(plan_in(tmp_path, ROLLOUT)))
    rollout = rollout_of(one)
    assert rollout is not None
    assert one.names == ("1.0.0", "1.1.0")
    assert rollout.steps == (
        Upgrade("consumers", "board", 1, canary=True),
        Wait(2 * DAY),
        Upgrade("producers", "shop", 1),
    )
    assert rollout.before == {("consumers", "board"): 0, ("consumers", "fraud"): 0, ("producers", "shop"): 0}
    assert rollout.back is None
    assert rollout.horizon_seconds == 8 * DAY
    assert strangers(one) == []


def test_versions_go_by_the_numbers_in_their_names(tmp_path: Path) -> None:
    contracts = {
        "clicks": {"consumers": {"a": "v10", "b": "v9"}},
        "rollout": [{"at": "0 s", "upgrade": "a", "to": 11}],
    }
    (one,) = successions(read_plan(plan_in(tmp_path, contracts)))
    assert one.names == ("v9", "v10", "11")
    assert (one.index("9"), one.index("v11"), one.index("12")) == (0, 2, None)


def test_records_wait_for_the_longest_of_all_places(tmp_path: Path) -> None:
    contracts = {"clicks": {"logs": {"lake": "400 d", "dead_letters_of_fraud": "9 d"}}}
    (one,) = successions(read_plan(plan_in(tmp_path, contracts)))
    assert {operand.symbol: operand.value / DAY for operand in one.kept} == {
        "R": 7,
        "segment": 1,
        "dead_letters": 3,
        "lake": 400,
        "dead_letters_of_fraud": 9,
    }
    assert one.horizon_seconds == 400 * DAY


def test_who_is_not_there_is_named_with_its_place(tmp_path: Path) -> None:
    contracts = {**ROLLOUT, "rollback": [{"at": "0 s", "upgrade": "nobody", "to": "1.0.0"}]}
    assert nobodies(read_plan(plan_in(tmp_path, contracts))) == [
        (("contracts", "rollback", 0, "upgrade"), "nobody")
    ]


@pytest.mark.parametrize(
    ("contracts", "said"),
    [
        ({"clicks": {"deprecations": [{"announced": "2026-01-01"}]}}, "wanted either a field or a version"),
        (
            {"clicks": {"deprecations": [{"field": "a", "version": "b"}]}},
            "wanted either a field or a version",
        ),
        ({"clicks": {"deprecations": [{"field": "a", "removed": "2026-02-30"}]}}, "no day of the calendar"),
        ({"clicks": {"consumers": {"a": {"needs": ["x"]}}}}, "'reads' is missing"),
        ({"clicks": {"consumers": {"a": {"reads": "1", "upgrade": "soon"}}}}, "soon"),
        ({"clicks": {"versions": "none"}}, "there is no file 'none'"),
        ({"clicks": {"versions": "../../etc"}}, "leaves the root"),
        ({"rollout": [{"at": "0 s", "upgrade": "a", "to": "1"}] * 101}, "at most 100"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(tmp_path: Path, contracts: Any, said: str) -> None:
    with pytest.raises(InputError, match=r"\$\.contracts") as found:
        read_plan(plan_in(tmp_path, contracts))
    assert said in str(found.value)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"2026-01-01.v1.avsc": "{"}, "not JSON"),
        ({"2026-01-01.v1.avsc": ID, "v2.avsc": ID}, "some files have a date"),
        ({"v1.avsc": ID, "v2.json": "{}"}, "schemas of several formats"),
        ({"history.yaml": "versions: [{schema: ../v1.avsc, from: 2026-01-01}]"}, "leaves the root folder"),
        ({"history.yaml": "versions: [{schema: v1.avsc, from: soon}]"}, "wanted a date"),
        ({"history.yaml": "- 1"}, "found no mapping"),
    ],
)
def test_recorded_versions_that_cannot_be_used(tmp_path: Path, files: dict[str, str], said: str) -> None:
    (tmp_path / "versions").mkdir()
    for name, text in files.items():
        (tmp_path / "versions" / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as found:
        read_plan(plan_in(tmp_path, {"clicks": {"versions": "versions"}}))
    assert said in str(found.value)


def test_an_empty_folder_records_nothing(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "README.md").write_text("later", encoding="utf-8")
    (one,) = successions(read_plan(plan_in(tmp_path, {"clicks": {"versions": "versions"}})))
    assert one.names == ()
    assert one.recorded.form is None
