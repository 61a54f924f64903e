"""`operations/` of a bundle, and the command: the same files, verified, the same bytes again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from exporting import EXAMPLES, ORDERS, ROOT

import pipelineplan as pp


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "demo"
    pp.write(EXAMPLES / "mobile-telemetry", folder)
    return folder


def run(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelineplan", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_bundle_holds_what_export_writes(bundle: Path) -> None:
    plan = pp.read_plan(EXAMPLES / "mobile-telemetry")
    inside = bundle / "operations"
    assert (
        inside.joinpath("topics.yaml").read_text(encoding="utf-8") == pp.export(plan, "strimzi").files[0].text
    )
    assert (
        inside.joinpath("slos.yaml").read_text(encoding="utf-8") == pp.export(plan, "openslo").files[0].text
    )
    for exporter in ("kafka_exporter", "burrow"):
        made = pp.export(plan, "prometheus", settings={"exporter": exporter})
        assert (inside / "alerts" / f"{exporter}.rules.yaml").read_text(encoding="utf-8") == made.files[
            0
        ].text


def test_verify_covers_what_is_in_it(bundle: Path) -> None:
    listed = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["files"]
    inside = sorted(
        f"operations/{p.relative_to(bundle / 'operations').as_posix()}"
        for p in (bundle / "operations").rglob("*")
        if p.is_file()
    )
    assert [name for name in listed if name.startswith("operations/")] == inside
    assert pp.verify(bundle) == ()
    file = bundle / "operations/topics.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("retention.ms: ", "retention.ms: 1"), encoding="utf-8")
    assert [str(problem.position) for problem in pp.verify(bundle)] == ["operations/topics.yaml"]
    file.write_text(before, encoding="utf-8")


def test_the_command_writes_says_what_is_left_out_and_writes_the_same_again(tmp_path: Path) -> None:
    place = tmp_path / "deploy" / "topics.yaml"
    first = run("export", ORDERS, "strimzi", "-o", place, "--set", "cluster=main")
    assert (first.returncode, first.stdout) == (0, "")
    assert f"wrote {place}" in first.stderr
    assert "left out: " in first.stderr
    before = place.read_bytes()
    assert b"strimzi.io/cluster: main" in before
    run("export", ORDERS, "strimzi", "-o", place, "--set", "cluster=main")
    assert place.read_bytes() == before
    assert list(place.parent.iterdir()) == [place]


def test_the_envelope_has_every_value_with_its_place() -> None:
    done = run("export", ORDERS, "flink", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["schema"], found["format"]) == (0, "pipelineplan/export/v1", "flink")
    values = {one["at"]: one for one in found["files"][0]["values"]}
    interval = values["$['execution.checkpointing.interval']"]
    assert interval["value"] == "1 min"
    assert interval["from"][0]["path"] == "$.stages[0].checkpoint.interval"
    assert interval["from"][0]["line"] > 0
    assert {"what", "why", "file", "line", "column"} <= set(found["dropped"][0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["strimz"], "did you mean 'strimzi'?"),
        (["strimzi", "--set", "clster=main"], "did you mean 'cluster'?"),
        (["strimzi", "--set", "cluster"], "wanted NAME=VALUE"),
        (
            ["prometheus", "--set", "exporter=x"],
            "wanted one of kafka_exporter, kafka_lag_exporter, burrow, flink",
        ),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], said: str) -> None:
    done = run("export", ORDERS, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plan_without_any_of_it_says_so() -> None:
    done = run("export", EXAMPLES / "ledger-batch", "strimzi")
    assert done.returncode == 2
    assert "states nothing that strimzi has a place for" in done.stderr


def test_check_does_not_load_it() -> None:
    asked = (
        "from pipelineplan.cli import run; run(['check', 'examples/demo-fails']); import sys;"
        "assert not [m for m in sys.modules if m.startswith('pipelineplan.exchange')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
