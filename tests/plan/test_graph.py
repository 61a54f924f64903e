"""Sources, stages and sinks as a graph, and the files that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelineplan.errors import Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.stage import Parallelism

STAGES = "  - {id: count, inputs: [clicks], parallelism: 8, capacity: 2_000/s}\n"


def stages(small: str, *lines: str) -> str:
    return small.replace(STAGES, "".join(f"  - {line}\n" for line in lines))


def test_nodes_stand_after_their_inputs(read: Callable[..., Plan], small: str) -> None:
    graph = read(
        stages(small, "{id: count, inputs: [b, a]}", "{id: b, inputs: [a]}", "{id: a, inputs: [clicks]}")
    ).graph
    assert graph.order == ("clicks", "a", "b", "count", "board")
    assert graph.above("board") == ("clicks", "a", "b", "count")
    assert graph.above("clicks") == ()
    assert [edge.upstream for edge in graph.into("count")] == ["b", "a"]
    assert [edge.downstream for edge in graph.out_of("a")] == ["count", "b"]


@pytest.mark.parametrize(
    ("lines", "path", "said"),
    [
        (["{id: count, inputs: [clikcs]}"], "$.stages[0].inputs[0]", "did you mean 'clicks'?"),
        (["{id: count, inputs: [zzz]}"], "$.stages[0].inputs[0]", "wanted one of clicks"),
        (["{id: count, inputs: [board]}"], "$.stages[0].inputs[0]", "the sink 'board' cannot be an input"),
        (["{id: count, inputs: [count]}"], "$.stages[0].inputs[0]", "a cycle: count -> count"),
        (["{id: count, inputs: [b]}", "{id: b, inputs: [clicks, count]}"], "$.stages", "a cycle:"),
        (["{id: count, inputs: [clicks]}", "{id: count, inputs: [clicks]}"], "$.stages[1].id", "used twice"),
        (["{id: clicks, inputs: [clicks]}", "{id: count, inputs: [clicks]}"], "$.stages[0].id", "used twice"),
    ],
)
def test_what_is_no_graph_says_why(
    problems: Callable[..., tuple[Problem, ...]], small: str, lines: list[str], path: str, said: str
) -> None:
    found = problems(stages(small, *lines))
    assert any(p.path.startswith(path) and said in p.message for p in found), [str(p) for p in found]


def test_unknown_inputs_do_not_hide_a_cycle(problems: Callable[..., tuple[Problem, ...]], small: str) -> None:
    found = problems(stages(small, "{id: count, inputs: [b, zzz]}", "{id: b, inputs: [count]}"))
    assert sorted(p.message.split()[0] for p in found) == ["a", "no"]


def test_an_slo_and_a_consumer_name_what_is_there(
    problems: Callable[..., tuple[Problem, ...]], small: str
) -> None:
    text = small.replace("{id: board, inputs: [count]}", "{id: board, inputs: [count], consumers: [finace]}")
    text += "context: {consumers: [{id: finance}]}\nslos: [{for: bord, availability: 99 %}]\n"
    assert [(p.path, "did you mean" in p.message) for p in problems(text)] == [
        ("$.sinks[0].consumers[0]", True),
        ("$.slos[0].for", True),
    ]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("contracts/none.yaml", "there is no file 'contracts/none.yaml'"),
        ("oter.yaml", "did you mean 'other.yaml'?"),
        ("../../x.yaml", "leaves the root"),
        ("/etc/passwd", "an absolute path"),
        ("https://example.com/x.yaml", "a URL"),
        ("folder", "'folder': found a file that ends in ''"),
        ("folder.yaml", "'folder.yaml': cannot be read: is a directory"),
        ("circle", "a circle of links"),
        ("a" * 300, "not a file name"),
        ("other.yaml", ""),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(
    problems: Callable[..., tuple[Problem, ...]], small: str, tmp_path: Path, reference: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    found = problems(small.replace("partitions: 12", f"contract: {reference}"), other="just: yaml\n")
    assert any(said in f"{p.message}; {p.fix}" for p in found)
    if reference != "other.yaml":  # a file that is no contract is wrong in that file
        assert all(str(p.position).startswith("plan.yaml:6:15") for p in found)


def test_all_missing_files_are_named(problems: Callable[..., tuple[Problem, ...]], small: str) -> None:
    text = small.replace(
        "partitions: 12", "semantics: {disorder: {profile: d.yaml}, lateness: {profile: l.yaml}}"
    )
    text = text.replace("average: 4_000/s", "profile: rate.csv").replace(
        "[count]}", "[count], contract: c.yaml}"
    )
    text += "capacity: {price_file: p.yaml}\nfacts: [f.yaml, 'topics/*.yaml']\n"
    text += "contracts: {clicks: {compatibility: BACKWARD, versions: v/}}\n"
    assert [p.path for p in problems(text)] == [
        "$.sources[0].semantics.disorder.profile",
        "$.sources[0].semantics.lateness.profile",
        "$.sources[0].rate.profile",
        "$.sinks[0].contract",
        "$.capacity.price_file",
        "$.facts[0]",
        "$.contracts.clicks.versions",
    ]


def test_operands_know_where_they_come_from(read: Callable[..., Plan], small: str) -> None:
    plan = read(small)
    stage, source = plan.stage("count"), plan.source("clicks")
    written = plan.operand("p", stage.parallelism, "now")  # the short form `parallelism: 8`
    assert (written.basis, written.path, written.position.column) == (
        "declared",
        "$.stages[0].parallelism",
        48,
    )
    assert plan.operand("G", stage.parallelism, "max") is None
    peak = plan.operand("λ", source.rate, "peak", "peak arrival rate")
    assert (peak.basis, peak.shown, str(peak.position)) == ("declared", "11,000/s", "plan.yaml:7:36")
    assert plan.operand("R", source.retention, "time") is None
    assert plan.operand("μ", stage, "service_cv") is None


def test_a_default_that_the_plan_states_is_declared(read: Callable[..., Plan], small: str) -> None:
    plan = read(small.replace("parallelism: 8", "parallelism: {now: 8, max: 128}"))
    assert plan.operand("G", plan.stage("count").parallelism, "max").basis == "declared"


@pytest.mark.parametrize(
    ("now", "groups"), [(1, 128), (85, 128), (86, 256), (170, 256), (171, 512), (40_000, 32_768)]
)
def test_key_groups_that_are_not_stated_are_those_that_flink_would_choose(now: int, groups: int) -> None:
    """The next power of two from 1.5 * now, between 128 and 32,768."""
    assert Parallelism(now=now).key_groups == groups
    assert Parallelism(now=now, max=7).key_groups == 7
