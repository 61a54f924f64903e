"""Plans that feed each other: twelve with five faults between them, and links that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan
from pipelineplan.rules import judge

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {{name: {name}, quality_level: production}}
sources:
  - id: events
    plan: {fed_by}
    partitions: 12
    rate: {{peak: {rate}}}
    semantics:
      duplicates: {duplicates}
      watermark: {{lag: 10 s, idle_timeout: {idle}}}
stages:
  - id: clean
    inputs: [events]
    parallelism: 12
    capacity: 1_000/s
    checkpoint: {{interval: {every}, duration: 5 s}}
sinks:
  - {{id: out, inputs: [clean], guarantee: {guarantee}}}
slos:
  - {{for: out, freshness: {{p95: {fresh}}}}}
replay: {{rate_limit: {limit}}}
"""
GOOD = {
    "rate": "6_000/s",
    "duplicates": "{key: [id], horizon: 1 h}",
    "idle": "3 min",
    "every": "1 min",
    "guarantee": "transactional",
    "limit": "1_000/s",
}
# plan: what feeds it, how fresh it promises to be; three chains that begin at one plan.
TREE = {
    "raw": (None, 2),
    "orders": ("raw", 4),
    "orders-clean": ("orders", 6),
    "finance": ("orders-clean", 8),
    "payouts": ("finance", 10),
    "clicks": ("raw", 4),
    "sessions": ("clicks", 6),
    "funnel": ("sessions", 8),
    "experiments": ("funnel", 10),
    "stock": ("raw", 4),
    "stores": ("stock", 6),
    "shelves": ("stores", 8),
}
FAULTS = {
    "payouts": ({"fresh": "7 min"}, "PLN101"),  # finance promises eight
    "sessions": ({"rate": "5_000/s"}, "PLN102"),  # clicks sends six thousand
    "orders": ({"guarantee": "at_least_once"}, None),  # harmless: orders-clean drops repeats by a key ...
    "finance": ({"duplicates": "{rate: 0.1 %}"}, None),  # ... and what finance reads is a transaction
    "stock": ({"guarantee": "at_least_once"}, None),
    "stores": ({"duplicates": "{rate: 0.1 %}", "limit": "9_000/s"}, "PLN104"),
    "shelves": ({}, "PLN105"),  # stores replays nine thousand beside six, on twelve thousand
    "funnel": ({"every": "5 min"}, None),
    "experiments": ({}, "PLN106"),  # funnel shows nothing for five minutes
}


def repository(folder: Path, faults: dict[str, tuple[dict[str, str], str | None]]) -> list[Path]:
    """Twelve plans in `folder`, with the values of `faults` instead of those that hold."""
    (folder / "pipelineplan.toml").write_text("")
    for name, (above, minutes) in TREE.items():
        values = {**GOOD, "fresh": f"{minutes} min", **faults.get(name, ({}, None))[0]}
        fed_by = f"{above}.yaml#out" if above else "null"
        (folder / f"{name}.yaml").write_text(PLAN.format(name=name, fed_by=fed_by, **values))
    return [folder / f"{name}.yaml" for name in TREE]


def failing(files: list[Path]) -> set[tuple[str, str]]:
    """Pairs of plan and rule about plans that feed each other, where the rule does not hold."""
    found = {file.stem: judge(read_plan(file), ["PLN"]) for file in files}
    return {(name, f.code) for name, findings in found.items() for f in findings if f.verdict != "holds"}


def test_five_faults_between_twelve_plans_are_found_and_none_is_invented(tmp_path: Path) -> None:
    files = repository(tmp_path, FAULTS)
    assert failing(files) == {(name, code) for name, (_, code) in FAULTS.items() if code}


def test_twelve_plans_that_fit_are_silent(tmp_path: Path) -> None:
    files = repository(tmp_path, {})
    assert failing(files) == set()
    assert sum(len(judge(read_plan(file), ["PLN"])) for file in files) > 40


@pytest.mark.parametrize(
    ("fed_by", "said"),
    [
        ("orders.yaml#out", "plans feed each other in a circle"),
        ("raw.yaml#out", "plans feed each other in a circle"),
        ("stock.yaml", "names no sink"),
        ("apart.yaml#outt", "did you mean out?"),
        ("none.yaml#out", "there is no plan 'none.yaml'"),
        ("../plan.yaml#out", "leaves the root folder"),
        ("https://example.org/plan.yaml#out", "a URL"),
        ("broken.yaml#out", "cannot be read: "),
    ],
)
def test_a_link_that_leads_nowhere_is_said_where_it_stands(tmp_path: Path, fed_by: str, said: str) -> None:
    repository(tmp_path, {})
    (tmp_path / "broken.yaml").write_text("kind: [")
    values = {**GOOD, "fresh": "2 min"}
    (tmp_path / "apart.yaml").write_text(PLAN.format(name="apart", fed_by="null", **values))
    (tmp_path / "raw.yaml").write_text(PLAN.format(name="raw", fed_by=fed_by, **values))
    with pytest.raises(InputError) as caught:
        read_plan(tmp_path / "raw.yaml")
    [problem] = caught.value.problems
    assert said in str(problem)
    assert (problem.position.file, problem.position.line, problem.path) == (
        "raw.yaml",
        6,
        "$.sources[0].plan",
    )
