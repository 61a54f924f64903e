"""Alerts: Prometheus accepts them, and they fire when the plan's own words say so, by every exporter."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from exporting import EXAMPLES, ORDERS, small, text_of

from pipelineplan import InputError, export, read_plan
from pipelineplan.exchange.measuring_by import EXPORTERS
from pipelineplan.exchange.promql import duration, number, one_of, quoted, template

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool: apt install prometheus")
METERS = {
    "freshness": "sales_age_seconds",
    "errors": "sales_errors_total",
    "requests": "sales_requests_total",
    "dead_letters": "letters_age_seconds",
}


def promtool(
    folder: Path, rules: str, *series: tuple[str, str], **wanted: list[tuple[str, str, int]]
) -> None:
    """Check `rules`; then, a sample a minute, how many alerts of each name fire at which times."""
    assert PROMTOOL is not None
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    fired = [
        {
            "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"{more}}})',
            "eval_time": at,
            "exp_samples": [{"labels": "{}", "value": count}] if count else [],
        }
        for name, when in wanted.items()
        for at, more, count in when
    ]
    given = [{"series": name, "values": values} for name, values in series]
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": fired}],
    }
    (folder / "tests.yaml").write_text(json.dumps(tests), encoding="utf-8")
    for command in (["check", "rules", "rules.yaml"], *([["test", "rules", "tests.yaml"]] if fired else [])):
        done = subprocess.run([PROMTOOL, *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("meters", [{}, METERS], ids=["as it is", "all measured"])
def test_prometheus_accepts_the_rules(tmp_path: Path, exporter: str, meters: dict[str, str]) -> None:
    promtool(tmp_path, text_of(ORDERS, "prometheus", exporter=exporter, **meters))


@needs_promtool
@pytest.mark.parametrize("name", ["demo-holds", "ledger-batch", "mobile-telemetry", "schema-change"])
def test_prometheus_accepts_the_rules_of_every_example(tmp_path: Path, name: str) -> None:
    plan = read_plan(EXAMPLES / name)
    try:
        text = text_of(plan, "prometheus", **METERS)
    except InputError:
        assert plan.model.operations is None or not plan.model.operations.alerts
        return
    promtool(tmp_path, text)


GROUP, TOPIC = "orders-to-warehouse", "orders"
# The log grows by 600 records a minute; the group reads along for half an hour and then stands still.
END = "0+600x120"
READ = "0+600x30 18000x90"
LAG = "0x30 0+600x90"
OFFSETS = {
    "kafka_exporter": [
        (
            f'kafka_consumergroup_current_offset{{consumergroup="{GROUP}",topic="{TOPIC}",partition="0"}}',
            READ,
        ),
        (f'kafka_topic_partition_current_offset{{topic="{TOPIC}",partition="0"}}', END),
        (f'kafka_consumergroup_lag{{consumergroup="{GROUP}",topic="{TOPIC}",partition="0"}}', LAG),
        # a partition that nobody has written to, and a group that nobody asked about
        (
            f'kafka_consumergroup_current_offset{{consumergroup="{GROUP}",topic="{TOPIC}",partition="1"}}',
            "-1x120",
        ),
        (f'kafka_topic_partition_current_offset{{topic="{TOPIC}",partition="1"}}', "0x120"),
        (f'kafka_consumergroup_lag{{consumergroup="{GROUP}",topic="{TOPIC}",partition="1"}}', "0x120"),
        (
            f'kafka_consumergroup_current_offset{{consumergroup="other",topic="{TOPIC}",partition="0"}}',
            "0x120",
        ),
        (f'kafka_consumergroup_lag{{consumergroup="other",topic="{TOPIC}",partition="0"}}', END),
    ],
    "burrow": [
        (
            f'burrow_kafka_consumer_current_offset{{cluster="c",consumer_group="{GROUP}",topic="{TOPIC}",partition="0"}}',
            READ,
        ),
        (f'burrow_kafka_topic_partition_offset{{cluster="c",topic="{TOPIC}",partition="0"}}', END),
        (
            f'burrow_kafka_consumer_partition_lag{{cluster="c",consumer_group="{GROUP}",topic="{TOPIC}",partition="0"}}',
            LAG,
        ),
    ],
    "kafka_lag_exporter": [
        (
            f'kafka_consumergroup_group_lag_seconds{{cluster_name="c",group="{GROUP}",topic="{TOPIC}",partition="0"}}',
            "0x30 2+60x90",
        ),
    ],
}


@needs_promtool
@pytest.mark.parametrize("exporter", sorted(OFFSETS))
def test_lag_fires_when_the_oldest_unread_record_is_older_than_the_plan_allows(
    tmp_path: Path, exporter: str
) -> None:
    """above: 10 min, lasting: 5 min. Unread from minute 30 on: older than ten from 41 on, told at 46."""
    promtool(
        tmp_path,
        text_of(ORDERS, "prometheus", exporter=exporter),
        *OFFSETS[exporter],
        ConsumerLag=[("25m", "", 0), ("45m", "", 0), ("46m", "", 1), ("46m", ', severity="page"', 1)],
        # The worst simulated outage leaves records unread for 46 min and 3 s; there is a sample a minute.
        LagBeyondThePlan=[("77m", "", 0), ("78m", "", 1)],
    )


JOB = 'job_name="orders_to_warehouse",host="a"'


@needs_promtool
def test_alerts_on_the_job_fire_at_the_plan_s_thresholds(tmp_path: Path) -> None:
    """By Flink's reporter, which writes _ for - in the job's name."""
    rate = 6_000 * 600  # ten minutes at the stated average
    promtool(
        tmp_path,
        text_of(ORDERS, "prometheus", exporter="flink"),
        (f"flink_taskmanager_job_task_operator_pendingRecords{{{JOB}}}", f"{rate}x20 {rate + 1}x40"),
        (f"flink_taskmanager_job_task_operator_watermarkLag{{{JOB}}}", "180000x20 180001x40"),
        (f"flink_jobmanager_job_lastCheckpointDuration{{{JOB}}}", "90000x20 90001x40"),
        (f"flink_jobmanager_job_numberOfFailedCheckpoints{{{JOB}}}", "0x20 1x2 2x40"),
        (f"flink_jobmanager_job_numberOfCompletedCheckpoints{{{JOB}}}", "0+1x20 20x40"),
        ConsumerLag=[("20m", "", 0), ("26m", "", 1)],
        WatermarkLag=[("20m", "", 0), ("26m", "", 1)],
        CheckpointDuration=[("20m", "", 0), ("31m", "", 1)],
        CheckpointsFail=[("23m", "", 0), ("24m", "", 1), ("28m", "", 0)],
        NoCheckpointCompletes=[("30m", "", 0), ("31m", "", 1)],
        SeriesMissing=[("10m", "", 1), ("5m", "", 0)],  # nobody reports the size of the state
    )


@needs_promtool
def test_a_budget_burns_over_both_windows_and_ends_soon_after(tmp_path: Path) -> None:
    """99.5 %: 14.4 times too fast is 7.2 % of requests; ten in a hundred fail for an hour, then none."""
    promtool(
        tmp_path,
        text_of(ORDERS, "prometheus", **METERS),
        ("sales_requests_total", "0+100x500"),
        ("sales_errors_total", "0x120 0+10x60 600x320"),
        ErrorBudgetBurns=[
            ("2h", "", 0),
            ("2h40m", ', window="1h"', 0),
            ("2h55m", ', window="1h"', 1),
            ("3h10m", ', window="1h"', 0),
        ],
    )


HOSTILE = 'x"} or vector(1) #\n{{ query "up" }}\\'


@needs_promtool
def test_words_of_a_plan_are_never_code(tmp_path: Path) -> None:
    plan = small(
        tmp_path / "plan",
        source={"topic": "clicks", "consumer": {"group": HOSTILE}},
        stage={
            "job": HOSTILE,
            "checkpoint": {"interval": "1 min", "timeout": "1 min", "tolerable_failures": 1},
        },
        operations={
            "alerts": [
                {"signal": "lag", "above": "10 min", "runbook": HOSTILE},
                {"signal": "checkpoint", "above": "10 s", "runbook": HOSTILE},
            ],
            "on_call": {"team": HOSTILE},
        },
    )
    text = text_of(plan, "prometheus", exporter="kafka_lag_exporter")
    shown = 'x\\"} or vector(1) # {{ query \\"up\\" }}\\\\'
    lag = f'kafka_consumergroup_group_lag_seconds{{group="{shown}",topic="clicks",partition="0"}}'
    (group,) = [g for g in yaml.safe_load(text)["groups"] if g["name"] == "small stated"]
    assert group["rules"][0]["labels"]["team"].count("{{`{{`}}") == 1
    plain = json.dumps(json.loads(f'"{shown}"'))
    promtool(
        tmp_path,
        text,
        (lag, "0x10 601x20"),
        ConsumerLag=[("5m", "", 0), ("20m", "", 1), ("20m", f", team={plain}", 1)],
    )


@pytest.mark.parametrize(
    ("alert", "why"),
    [
        ({"signal": "lag", "above": "10 min ± 1 min"}, "is an interval"),
        ({"signal": "lag", "above": "far too much"}, "no duration that could be compared"),
        ({"signal": "lag"}, "states no threshold"),
        ({"signal": "skew", "above": "50 %"}, "no exporter that is known measures it"),
        ({"signal": "burn_rate", "above": "fast"}, "state burn_rate: and window:"),
    ],
)
def test_what_cannot_be_compared_is_left_out_and_said(
    tmp_path: Path, alert: dict[str, str], why: str
) -> None:
    plan = small(tmp_path, operations={"alerts": [alert, {"signal": "freshness", "above": "1 min"}]})
    made = export(plan, "prometheus")
    assert [one.what.partition("].")[0] for one in made.dropped if why in one.why] != []
    assert why in made.files[0].text


def test_what_nobody_measures_is_a_comment_until_somebody_names_it(tmp_path: Path) -> None:
    plan = small(
        tmp_path, operations={"alerts": [{"signal": "freshness", "above": "8 min", "lasting": "5 min"}]}
    )
    text = text_of(plan, "prometheus")
    assert yaml.safe_load(text) is None
    assert "# - alert: Freshness" in text
    assert "--set freshness=METRIC" in text
    rules = yaml.safe_load(text_of(plan, "prometheus", freshness="age"))["groups"][0]["rules"]
    assert [(rule["alert"], rule["expr"], rule["for"]) for rule in rules] == [
        ("Freshness", "max(age) > 480", "5m")
    ]


def test_every_threshold_says_where_it_is_from() -> None:
    made = export(ORDERS, "prometheus", settings=METERS)
    lines = (ORDERS / "plan.yaml").read_text(encoding="utf-8").splitlines()
    exprs = [traced for at, traced in made.files[0].values if at.endswith(".expr")]
    assert len(exprs) >= 15
    for traced in exprs:
        assert traced.places != ()
        for place in traced.places:
            assert lines[place.position.line - 1].strip()
    rules = [rule for group in yaml.safe_load(made.files[0].text)["groups"] for rule in group["rules"]]
    assert all("$." in rule["annotations"]["threshold_from"] for rule in rules)


def test_a_promise_that_no_alert_guards_gets_the_usual_burn_rates(tmp_path: Path) -> None:
    slo = {"for": "board", "availability": "99.9 %", "window": "30 d"}
    plan = small(tmp_path, slos=[slo], stage={"engine": "custom"})
    rules = yaml.safe_load(text_of(plan, "prometheus", errors="bad", requests="all"))["groups"][0]["rules"]
    found = [
        (rule["labels"]["window"], rule["labels"]["severity"], rule["expr"].split(" > ")[1]) for rule in rules
    ]
    assert found == [
        ("1h", "page", "0.0144 and sum(rate(bad[5m])) / sum(rate(all[5m]))"),
        ("6h", "page", "0.006 and sum(rate(bad[30m])) / sum(rate(all[30m]))"),
        ("1d", "ticket", "0.003 and sum(rate(bad[2h])) / sum(rate(all[2h]))"),
    ]


@pytest.mark.parametrize("given", [{"exporter": "burow"}, {"freshness": "a{b}"}, {"exprter": "burrow"}])
def test_a_setting_that_is_none_is_named(given: dict[str, str]) -> None:
    with pytest.raises(InputError, match="--set"):
        export(ORDERS, "prometheus", settings=given)


def test_words_of_the_query_language() -> None:
    assert [duration(s) for s in (600.0, 5400.0, 86_400.0, 0.25, 2763.0)] == [
        "10m",
        "1h30m",
        "1d",
        "250ms",
        "46m3s",
    ]
    assert [number(v) for v in (3.6e9, 0.072, 1e20, 1e-7)] == [
        "3600000000",
        "0.072",
        "1" + "0" * 20,
        "0.0000001",
    ]
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c d"'
    assert one_of("job", ["a.b", "a_b"]) == 'job=~"a\\\\.b|a_b"'
    assert template("{{ a }} {{{") == "{{`{{`}} a }} {{`{{`}}{"
