"""What facts do to a plan: they fill what it leaves open, and nothing else unless it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelineplan import workflow
from pipelineplan.bundle.manifest import inputs_of
from pipelineplan.errors import InputError, Position
from pipelineplan.plan import Plan, read_plan
from pipelineplan.plan.real_system import same_schedule
from pipelineplan.rules import RULES, apply
from pipelineplan.rules.questions import questions_of
from pipelineplan.verdicts import Basis, Verdict

PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: clicks, quality_level: production}
facts: FACTS
sources:
  - id: clicks
    system: kafka
    retention: 7 d
stages:
  - {id: parse, inputs: [clicks], engine: flink}
  - {id: count, inputs: [parse], engine: flink, checkpoint: {timeout: 5 min}}
sinks:
  - {id: board, inputs: [count]}
"""
TOPICS = """\
kind: KafkaTopic
metadata: {name: clicks}
spec:
  partitions: 12
  config:
    retention.ms: 259200000   # pipelineplan: ignore SYN201 -- a stranger's wish
    segment.ms: 86400000
"""
FLINK = "execution.checkpointing.interval: 1 min\nstate.backend: rocksdb\nparallelism.default: 4\n"


def plan_with(folder: Path, facts: str, **files: str) -> Plan:
    for name, text in {"topics.yaml": TOPICS, "flink-conf.yaml": FLINK, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "plan.yaml").write_text(PLAN.replace("FACTS", facts), encoding="utf-8")
    return read_plan(folder / "plan.yaml")


def failing(plan: Plan, code: str) -> list[str]:
    return [f.message for f in workflow.check(plan).findings if f.code == code and f.verdict is Verdict.FAILS]


def test_what_is_open_is_filled_and_says_where_from(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, "[topics.yaml]")
    source = plan.model.sources[0]
    assert (source.partitions, source.retention.time.text, source.retention.segment.text) == (
        12,
        "7 d",
        "1 d",
    )
    operand = plan.operand("P", source, "partitions")
    assert operand is not None
    assert (operand.basis, operand.position) == (Basis.IMPORTED, Position("topics.yaml", 4, 15))
    stated = plan.operand("R", source.retention, "time")
    assert stated is not None
    assert (stated.basis, stated.position) == (Basis.DECLARED, Position("plan.yaml", 8, 16))


def test_what_is_stated_stays_and_the_contradiction_has_both_places(tmp_path: Path) -> None:
    [message] = failing(plan_with(tmp_path, "[topics.yaml]"), "SYN201")
    assert message == "the plan says 7 d, topics.yaml:6:19 says 3 d (retention.ms: 259200000)"


def test_under_prefer_facts_the_real_value_is_judged_and_the_plans_is_told(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, "{files: [topics.yaml], prefer: facts}")
    retention = plan.model.sources[0].retention
    assert retention.time.value == 3 * 86_400
    operand = plan.operand("R", retention, "time")
    assert operand is not None
    assert (operand.basis, operand.position.file) == (Basis.IMPORTED, "topics.yaml")
    assert failing(plan, "SYN201") == []
    [finding] = [f for f in apply(RULES["SYN303"], plan) if f.verdict is Verdict.FAILS]
    assert finding.position == Position("plan.yaml", 8, 16)


def test_settings_of_a_job_go_where_the_plan_speaks_of_them(tmp_path: Path) -> None:
    parse, count = plan_with(tmp_path, "[flink-conf.yaml]").model.stages
    assert parse.checkpoint is None
    assert (count.checkpoint.interval.text, count.checkpoint.timeout.text) == ("1 min", "5 min")
    assert (parse.state, count.state) == (None, None)  # nobody has said that there is any
    assert (parse.parallelism.now, count.parallelism.now) == (4, 4)


def test_a_recorded_value_is_measured(tmp_path: Path) -> None:
    lag = "time,topic,partition,log_end_offset,lag\n0,clicks,0,0,0\n10,clicks,0,500,0\n"
    plan = plan_with(tmp_path, "[lag.csv]", **{"lag.csv": lag})
    operand = plan.operand("r", plan.model.sources[0].rate, "average")
    assert operand is not None
    assert (operand.value, operand.basis) == (50.0, Basis.MEASURED)


def test_a_plan_without_facts_reads_none(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, "[]")
    assert (plan.real.readings, plan.model.sources[0].partitions) == ((), None)


def test_a_comment_in_a_file_of_facts_suppresses_nothing(tmp_path: Path) -> None:
    assert "topics.yaml" not in plan_with(tmp_path, "[topics.yaml]").own_lines
    assert len(failing(plan_with(tmp_path, "[topics.yaml]"), "SYN201")) == 1


def test_a_bundle_names_every_file_of_facts_among_its_inputs(tmp_path: Path) -> None:
    plan = plan_with(
        tmp_path, "[topics.yaml, other.yaml]", **{"other.yaml": TOPICS.replace("clicks", "other")}
    )
    named = inputs_of(plan)
    assert set(named) == {"plan.yaml", "topics.yaml", "other.yaml"}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("[gone.yaml]", "there is no file 'gone.yaml'"),
        ("[../outside.yaml]", "leaves the root"),
        ("[https://example.org/t.yaml]", "a URL"),
        ("[1]", "found 1, wanted text"),
        ("{prefer: facts}", "'files' is missing"),
        ("{files: [topics.yaml], prefer: neither}", "wanted 'plan' or 'facts'"),
    ],
)
def test_files_that_cannot_be_named_keep_the_plan_from_being_read(
    tmp_path: Path, facts: str, says: str
) -> None:
    (tmp_path / "pipelineplan.toml").write_text("")
    with pytest.raises(InputError, match=says):
        plan_with(tmp_path, facts)


@pytest.mark.parametrize("glob", ["/etc/*", "../*.yaml", "*/../../*.yaml", "no*where"])
def test_a_glob_never_leaves_the_root_and_says_that_it_names_nothing(tmp_path: Path, glob: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "pipelineplan.toml").write_text("")
    (tmp_path / "secret.yaml").write_text(TOPICS)
    plan = plan_with(inside, f'["{glob}"]')
    assert plan.real.readings == ()
    assert len(failing(plan, "SYN101")) == 1


def test_a_link_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "pipelineplan.toml").write_text("")
    (tmp_path / "secret.yaml").write_text(TOPICS)
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    assert plan_with(inside, '["l*.yaml"]').real.readings == ()


def test_questions_come_by_how_much_they_settle(tmp_path: Path) -> None:
    findings = workflow.check(plan_with(tmp_path, "[topics.yaml]")).findings
    asked = questions_of(findings)
    settles = [question.settles for question in asked]
    assert settles == sorted(settles, reverse=True)
    open_ones = [f for f in findings if f.verdict is not Verdict.HOLDS and not f.code.startswith("SYN")]
    assert sum(settles) == len(open_ones) > 20


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("@daily", "0 0 * * *", True),
        ("0 0 * * sun", "0  0 * * 7", True),
        ("@weekly", "0 0 * * 0", True),
        ("0 4 * * 1-5", "0 4 * * MON-FRI", True),
        ("*/15 * * * *", "0,15,30,45 * * * *", True),
        ("0 0 1-31 * *", "0 0 * * 0-6", True),
        ("0 0 1-31 * 1", "0 0 * * 1", False),  # a day that fits one of both, against one that fits both
        ("0 4 * * *", "0 5 * * *", False),
        ("nonsense", "NONSENSE", True),
        ("nonsense", "0 4 * * *", False),
    ],
)
def test_schedules_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert same_schedule(one, other) is same


def test_a_check_without_facts_loads_no_reader() -> None:
    code = (
        "from pipelineplan.cli import run; run(['check', 'examples/demo-holds', '--no-cache'])\n"
        "import sys; print([name for name in sys.modules if name.startswith('pipelineplan.facts')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
