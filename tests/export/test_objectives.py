"""Objectives: every promise of the plan, with its own numbers, under names that OpenSLO accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from exporting import ORDERS, small, text_of

from pipelineplan import export, read_plan


def documents(plan: Any, kind: str, **settings: str) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load_all(text_of(plan, "openslo", **settings))
    return {one["metadata"]["name"]: one["spec"] for one in found if one["kind"] == kind}


def test_every_promise_is_an_objective_with_its_own_numbers() -> None:
    plan, slos = read_plan(ORDERS), documents(ORDERS, "SLO")
    compared = {name: spec["objectives"][0] for name, spec in slos.items()}
    seen = 0
    for slo in plan.model.slos:
        for kind in ("freshness", "latency"):
            promise = getattr(slo, kind)
            for quantile, probability, value in promise.targets() if promise is not None else ():
                found = compared[f"{slo.subject}-{kind}-{quantile}"]
                assert (found["op"], found["value"], found["target"]) == ("lte", value.value, probability)
                seen += 1
        for kind in ("availability", "durability"):
            promised = getattr(slo, kind)
            if promised is not None:
                assert compared[f"{slo.subject}-{kind}"]["target"] == promised.value
                seen += 1
    assert compared["warehouse-completeness"]["target"] == 0.9995
    assert seen + 1 == len(slos) == 7


def test_it_is_what_the_specification_wants() -> None:
    text = text_of(ORDERS, "openslo", freshness="age", errors="bad", requests="all")
    found = list(yaml.safe_load_all(text))
    names = [one["metadata"]["name"] for one in found]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)
    indicators = {one["metadata"]["name"] for one in found if one["kind"] == "SLI"}
    assert indicators == {"warehouse-freshness-sli", "warehouse-availability-sli"}
    for one in found:
        assert one["apiVersion"] == "openslo/v1"
        if one["kind"] == "SLO":
            (window,), (objective,) = one["spec"]["timeWindow"], one["spec"]["objectives"]
            assert re.fullmatch(r"[1-9][0-9]*[mhdwMQY]", window["duration"])
            assert 0 <= objective["target"] < 1
            assert one["spec"]["budgetingMethod"] == "Occurrences"
            assert one["spec"]["service"] in names


def test_an_indicator_is_written_where_its_metric_is_named_and_listed_where_not() -> None:
    text = text_of(ORDERS, "openslo")
    assert documents(ORDERS, "SLI") == {}
    assert "#   warehouse-availability-sli: the share of requests that are answered" in text
    spec = documents(ORDERS, "SLI", errors="bad", requests="all")["warehouse-availability-sli"]
    source = spec["ratioMetric"]["bad"]["metricSource"]
    assert source == {"type": "Prometheus", "spec": {"query": "bad"}}


@pytest.mark.parametrize(
    ("slo", "why"),
    [
        ({"availability": "100 %"}, "leaves no budget"),
        ({"availability": "99 % ± 0.5 %"}, "is an interval"),
        ({"freshness": {"p95": "2 min ± 15 s"}}, "is an interval"),
    ],
)
def test_what_is_no_objective_is_left_out_and_said(tmp_path: Path, slo: dict[str, object], why: str) -> None:
    kept = {"for": "board", "durability": "99 %", "window": "30 d"}
    made = export(small(tmp_path, slos=[{**kept, **slo}]), "openslo")
    assert [one.why for one in made.dropped if why in one.why] != []
    assert list(documents(small(tmp_path, slos=[{**kept, **slo}]), "SLO")) == ["board-durability"]


def test_a_window_that_is_not_stated_is_a_comment(tmp_path: Path) -> None:
    text = text_of(small(tmp_path, slos=[{"for": "board", "availability": "99 %"}]), "openslo")
    assert "# timeWindow:  # state window: of the slo for board" in text
    assert "timeWindow" not in yaml.safe_load_all(text)
