"""What a plan may say, and what is said about everything else: where, what was found, what is wanted."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelineplan import catalogue
from pipelineplan.errors import InputError, Problem
from pipelineplan.plan import Plan, read_plan
from pipelineplan.workflow import check


def test_short_forms_are_the_long_ones(read: Callable[..., Plan], small: str) -> None:
    short = read(small.replace("partitions: 12", "partitions: 12\n    retention: 3 d\n    mutation: append"))
    long = read(
        small.replace(
            "partitions: 12", "partitions: 12\n    retention: {time: 3 d}\n    mutation: {kind: append}"
        )
        .replace("inputs: [clicks]", "inputs: [{from: clicks, exchange: forward, selectivity: 1.0}]")
        .replace("parallelism: 8", "parallelism: {now: 8}")
    )
    assert short.model == long.model


@pytest.mark.parametrize(
    ("old", "new", "path", "line", "said"),
    [
        ("kind: DataPlan", "kind: DataPln", "$.kind", 2, "wanted 'DataPlan'"),
        ("metadata:", "metdata:", "$.metdata", 3, "did you mean 'metadata'?"),
        ("{name: small}", "{nme: small}", "$.metadata.nme", 3, "did you mean 'name'?"),
        ("partitions: 12", "partition: 12", "$.sources[0].partition", 6, "did you mean 'partitions'?"),
        ("average: 4_000/s", "avrage: 4_000/s", "$.sources[0].rate.avrage", 7, "did you mean 'average'?"),
        (
            "inputs: [clicks]",
            "inputs: [{form: clicks}]",
            "$.stages[0].inputs[0].form",
            9,
            "did you mean 'from'?",
        ),
        (
            "inputs: [clicks]",
            "inputs: [{from: clicks, exchange: keyd}]",
            "$.stages[0].inputs[0].exchange",
            9,
            "did you mean 'keyed'?",
        ),
        ("11_000/s", "11_000", "$.sources[0].rate.peak", 7, "without a unit"),
        ("11_000/s", "-1/s", "$.sources[0].rate.peak", 7, "not negative"),
        ("partitions: 12", "partitions: 0", "$.sources[0].partitions", 6, "greater than or equal to 1"),
        ("partitions: 12", "partitions: 1.5", "$.sources[0].partitions", 6, "whole number"),
        ("partitions: 12", "partitions: '12'", "$.sources[0].partitions", 6, "whole number"),
        ("partitions: 12", "partitions: true", "$.sources[0].partitions", 6, "whole number"),
        ("partitions: 12", "keys: {hottest_key: 150 %}", "$.sources[0].keys.hottest_key", 6, "at most 100 %"),
        ("- id: clicks", "- name: clicks", "$.sources[0]", 5, "'id' is missing"),
        ("- id: clicks", "- id: click s", "$.sources[0].id", 5, "match pattern"),
        ("inputs: [clicks]", "inputs: []", "$.stages[0].inputs", 9, "at least 1"),
        ("inputs: [clicks]", "inputs: clicks", "$.stages[0].inputs", 9, "wanted a list"),
        ("{id: board, inputs: [count]}", "board", "$.sinks[0]", 11, "wanted a mapping"),
        (
            "capacity: 2_000/s",
            "window: {fixed: 1 min, session: 1 min}",
            "$.stages[0].window",
            9,
            "exactly one of fixed, sliding, session",
        ),
        (
            "capacity: 2_000/s",
            "dead_letters: {alert: {agee: 1 h}}",
            "$.stages[0].dead_letters.alert.agee",
            9,
            "'age'",
        ),
        (
            "partitions: 12",
            "semantics: {disorder: {p50: 5 s, p99: 1 s}}",
            "$.sources[0].semantics.disorder",
            6,
            "quantiles that fall",
        ),
        (
            "partitions: 12",
            "semantics: {disorder: {p50: 5 s, p99: 0 s .. 20 s}}",
            "$.sources[0].semantics.disorder",
            6,
            "quantiles that fall",
        ),
        (
            "partitions: 12",
            "semantics: {disorder: {p0: 5 s}}",
            "$.sources[0].semantics.disorder.p0",
            6,
            "the key 'p0' is unknown",
        ),
    ],
)
def test_a_mistake_is_found_where_it_is(
    problems: Callable[..., tuple[Problem, ...]],
    small: str,
    old: str,
    new: str,
    path: str,
    line: int,
    said: str,
) -> None:
    assert old in small
    found = problems(small.replace(old, new, 1))
    matching = [p for p in found if p.path == path and p.position.line == line]
    assert matching, [str(p) for p in found]
    assert said in f"{matching[0].message}; {matching[0].fix}"


def test_keys_of_ones_own_start_with_x_at_every_level(read: Callable[..., Plan], small: str) -> None:
    plan = read(
        small.replace("{name: small}", "{name: small, x-a: 1}").replace(
            "partitions: 12", "x-b: {c: [on-call]}"
        )
        + "x-top: {anything: [at, all]}\n"
    )
    assert plan.name == "small"


def test_labels_are_open(read: Callable[..., Plan], small: str) -> None:
    plan = read(small.replace("{name: small}", "{name: small, labels: {any: {thing: [1]}}}"))
    assert plan.model.metadata.labels == {"any": {"thing": [1]}}


def test_everything_that_is_wrong_is_said_at_once(
    problems: Callable[..., tuple[Problem, ...]], small: str
) -> None:
    """A typo hides neither an input that is nobody, nor a missing file, nor a wrong unit."""
    text = (
        small.replace("{name: small}", "{name: small, ownr: us}")
        .replace("partitions: 12", "contract: contracts/none.yaml")
        .replace("11_000/s", "11 m")
        .replace("inputs: [count]", "inputs: [cuont]")
    )
    assert [(p.position.line, p.path) for p in problems(text)] == [
        (3, "$.metadata.ownr"),
        (6, "$.sources[0].contract"),
        (7, "$.sources[0].rate.peak"),
        (11, "$.sinks[0].inputs[0]"),
    ]


def test_a_typo_does_not_hide_a_cycle_or_an_id_used_twice(
    problems: Callable[..., tuple[Problem, ...]], small: str
) -> None:
    text = small.replace("{name: small}", "{nme: small}").replace(
        "sinks:",
        "  - {id: clicks, inputs: [count]}\nsinks:",
    )
    said = " ".join(p.message for p in problems(text))
    assert "a cycle: count -> clicks -> count" in said
    assert "the id 'clicks' is used twice" in said


def test_a_typo_in_an_id_does_not_accuse_its_readers(
    problems: Callable[..., tuple[Problem, ...]], small: str
) -> None:
    """While an id cannot be read, an input that is nobody may be that one."""
    found = problems(small.replace("- id: clicks", "- idd: clicks"))
    assert {p.path for p in found} == {"$.sources[0].idd", "$.sources[0]"}


def test_another_version_names_itself(problems: Callable[..., tuple[Problem, ...]], small: str) -> None:
    (found,) = problems(small.replace("pipelineplan/v1", "pipelineplan/v2"))
    assert "'pipelineplan/v2', this version reads 'pipelineplan/v1'" in found.message
    assert found.fix == "install a version of pipelineplan that reads pipelineplan/v2"


@pytest.mark.parametrize("text", ["[a, b]", "just text", "5", "---\n"])
def test_a_file_without_sections_is_no_plan(problems: Callable[..., tuple[Problem, ...]], text: str) -> None:
    (found,) = problems(text)
    assert "found no mapping" in found.message


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file or folder"):
        read_plan(tmp_path / "nowhere.yaml")


ODD = [None, True, 0, -1, 1.5, "", "x", "5 s", "0 s", "1e29 s", "0/s", "1e29/s", "0 %", "100 %", "0 s .. 1 h"]
ODD += [
    [],
    {},
    ["a"],
    {"a": 1},
    [[1]],
    10**18,
    1e300,
    "a\x1b[31m",
    "..",
    "*",
    "clicks",
    "count",
    "5 min ± 10 %",
]
KEYS = [
    "x-a",
    "notes",
    "foo",
    "id",
    "from",
    "profile",
    "kind",
    "time",
    "p50",
    "p0",
    "",
    "policies",
    "extends",
]


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every path of `tree` with the container it is in."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(entries):
        yield tree, key
        yield from places(value)


def mutated(tree: Any, chance: random.Random) -> Any:
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice([1, 1, 2, 3])):
        container, key = chance.choice(list(places(tree)))
        match chance.randrange(4):
            case 0 | 1:
                container[key] = copy.deepcopy(chance.choice(ODD))
            case 2:
                del container[key]
            case _ if isinstance(container[key], dict):
                container[key][chance.choice(KEYS)] = copy.deepcopy(chance.choice(ODD))
            case _ if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
    return tree


def check_mutated(name: str, seed: int, count: int, tmp_path: Path) -> int:
    """Checks `count` mutations of an example; returns how many of them were plans."""
    chance, plans = random.Random(seed), 0
    tree = yaml.safe_load((catalogue.folder("examples") / name / "plan.yaml").read_text())
    for _ in range(count):
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(mutated(tree, chance), sort_keys=False))
        try:
            found = check(tmp_path / "plan.yaml").findings
        except InputError:
            continue
        plans += 1
        assert all(finding.message for finding in found)
    return plans


@pytest.mark.parametrize("name", ["demo-fails", "demo-holds"])
def test_law_a_mutated_plan_is_judged_or_refused(name: str, tmp_path: Path) -> None:
    """Deleted, replaced, doubled and odd values: never anything but findings or an `InputError`."""
    assert 10 < check_mutated(name, 7, 120, tmp_path) < 110


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_law_many_mutated_plans(seed: int, tmp_path: Path) -> None:
    for name in ("demo-fails", "demo-holds"):
        check_mutated(name, seed, 700, tmp_path)


@pytest.mark.parametrize(
    ("section", "where"),
    [
        ("design: {components: [{id: api, inputs: [wbe]}]}", r"\$\.design\.components\[0\]\.inputs\[0\]"),
        ("design: {caches: [{id: a, of: tracks}]}", r"\$\.design\.caches\[0\]\.of"),
        ("design: {entities: [{id: a, store: tracks}]}", r"\$\.design\.entities\[0\]\.store"),
        ("design: {users: {source: inn}}", r"\$\.design\.users\.source"),
        (
            "operations: {alerts: [{signal: burn_rate, objective: outt}]}",
            r"\$\.operations\.alerts\[0\]\.objective",
        ),
    ],
)
def test_what_a_design_names_has_to_be_there(section: str, where: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(
        "apiVersion: pipelineplan/v1\nkind: DataPlan\nmetadata: {name: a}\nsources: [{id: in}]\n"
        f"sinks: [{{id: out, inputs: [in]}}]\n{section}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=rf"{where}: nothing here is called"):
        read_plan(file)
