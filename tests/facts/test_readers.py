"""Each reader on small files of its tool: values with their places, and what is left with its reason."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipelineplan.errors import PipelinePlanError
from pipelineplan.facts import FACTS, Fact, Reading, read_facts
from pipelineplan.facts.amounts import duration_ms, flink_duration, size_bytes, whole
from pipelineplan.facts.fact import FileText
from pipelineplan.facts.gathering import gather

STRIMZI = """\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata:
  name: orders-topic
spec:
  topicName: shop.orders
  partitions: 24
  config:
    retention.ms: -1
    cleanup.policy: "compact,delete"
    compression.type: zstd
    segment.ms: "${SEGMENT}"
---
kind: Kafka
metadata: {name: cluster}
---
kind: List
items:
  - kind: KafkaTopic
    metadata: {name: inside}
    spec: {partitions: 3}
"""
CONFLUENT = """\
apiVersion: platform.confluent.io/v1beta1
kind: KafkaTopic
metadata: {name: raw}
spec: {partitionCount: 24, configs: {retention.ms: "60000"}}
"""
TERRAFORM = """\
locals {
  day = 24 * 60 * 60 * 1000
  sizes = { big = 48 }
}
variable "env" { default = "dev" }
resource "kafka_topic" "a" {
  name               = "a"
  partitions         = local.sizes["big"]
  replication_factor = 3
  config = {
    "retention.ms" = 7 * local.day
    "segment.ms"   = var.segment
  }
}
resource "confluent_kafka_topic" "many" {
  for_each         = toset(["b", "c"])
  topic_name       = "team.${each.key}"
  partitions_count = 6
  credentials { secret = "hunter2" }
}
resource "confluent_kafka_topic" "hidden" {
  topic_name = "${var.env}-x"
}
resource "kafka_topic" "rest" {
  for_each = var.topics
  name     = each.key
}
resource "aiven_kafka_topic" "d" {
  topic_name = "d"
  partitions = 3
  config {
    retention_ms = "86400000"
  }
}
"""
DESCRIBED = (
    "Topic: a\tTopicId: x\tPartitionCount: 2\tReplicationFactor: 3\t"
    "Configs: cleanup.policy=compact,delete,retention.ms=604800000\n"
    "\tTopic: a\tPartition: 0\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3\n"
)
FLINK_NESTED = """\
jobmanager:
  rpc: {address: here}
execution:
  checkpointing:
    interval: 3min
    mode: AT_LEAST_ONCE
    unaligned.enabled: true
state.backend.type: org.apache.flink.state.forst.ForStStateBackendFactory
table.exec.state.ttl: 0
s3: {secret-key: hunter2}
"""
FLINK_LINES = """\
# jobmanager.rpc.address: commented
execution.checkpointing.interval: 60000   # a minute
env.java.opts: -Da="x: y" [not yaml
state.backend: rocksdb
parallelism.default:8
pipeline.max-parallelism: many
"""
CONFIG_MAP = """\
kind: ConfigMap
metadata: {name: flink-config}
data:
  flink-conf.yaml: |+
    jobmanager.rpc.address: here
    execution.checkpointing.timeout: PT10M
"""
DEBEZIUM = """\
[{"name": "cdc", "config": {"connector.class": "io.debezium.connector.mysql.MySqlConnector",
  "topic.prefix": "db", "database.password": "hunter2",
  "table.include.list": "shop\\\\.orders,shop.items,shop.log_.*",
  "message.key.columns": "shop.orders:id,line;shop.gone:x",
  "topic.creation.default.partitions": "6",
  "heartbeat.interval.ms": "0"}}]
"""
SOURCES = """\
version: 2
sources:
  - name: raw
    loaded_at_field: at
    freshness: {error_after: {count: 12, period: hour}, warn_after: {count: 6, period: fortnight}}
    tables:
      - name: orders
        identifier: orders_v2
      - name: items
        freshness: null
        config: {loaded_at_field: "cast(x as timestamp)"}
"""
AIRFLOW = """\
{"dags": [
  {"dag_id": "a", "schedule_interval": {"__type": "CronExpression", "value": "@daily"}, "max_active_runs": 3},
  {"dag_id": "b", "schedule_interval": {"__type": "TimeDelta", "days": 1}, "catchup": true},
  {"dag_id": "c", "timetable_summary": "15 4 * * *", "timezone": "Europe/Berlin"}
]}
"""
LAG = """\
time,topic,partition,group,current_offset,log_end_offset
1700000000,a,0,app,0,100
1700000000,a,1,app,0,0
1700000010,a,0,app,5,300
1700000010,a,1,app,5,100
"""


def readings(folder: Path, name: str, text: str) -> tuple[Reading, ...]:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return read_facts(folder / name, name)


def only(found: tuple[Reading, ...]) -> Reading:
    assert len(found) == 1, [reading.tool for reading in found]
    return found[0]


def values(reading: Reading) -> dict[str, object]:
    return {fact.id: fact.value for fact in reading.facts}


def why(reading: Reading) -> dict[str, str]:
    return {one.written: one.why for one in reading.unread if not one.placeless}


def at(reading: Reading, name: str) -> tuple[int, int]:
    fact: Fact = next(fact for fact in reading.facts if fact.id == name)
    return fact.position.line, fact.position.column


def test_topics_of_strimzi_in_many_documents(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "topics.yaml", STRIMZI))
    assert values(found) == {
        "topic/shop.orders/partitions": 24,
        "topic/shop.orders/retention.time": None,
        "topic/shop.orders/retention.cleanup": "compact_delete",
        "topic/inside/partitions": 3,
    }
    assert at(found, "topic/shop.orders/partitions") == (7, 15)
    assert at(found, "topic/inside/partitions") == (21, 24)
    assert why(found) == {"segment.ms: ${SEGMENT}": "found '${SEGMENT}', which is no value of segment.ms"}
    assert [one.written for one in found.unread if one.placeless] == ["compression.type: zstd"]


def test_topics_of_confluent_for_kubernetes(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "topic.yml", CONFLUENT))
    assert values(found) == {"topic/raw/partitions": 24, "topic/raw/retention.time": "1 min"}


def test_topics_of_terraform_without_a_guess(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "topics.tf", TERRAFORM))
    assert values(found) == {
        "topic/a/partitions": 48,
        "topic/a/replication": 3,
        "topic/a/retention.time": "7 d",
        "topic/team.b/partitions": 6,
        "topic/team.c/partitions": 6,
        "topic/d/partitions": 3,
        "topic/d/retention.time": "1 d",
    }
    assert at(found, "topic/a/retention.time") == (11, 22)
    assert why(found) == {
        "segment.ms = var.segment": "'var.segment' is decided elsewhere",
        'confluent_kafka_topic.hidden: "${var.env}-x"': "'\"${var.env}-x\"' is decided elsewhere",
        "kafka_topic.rest: for_each = var.topics": "'var.topics' is decided elsewhere",
    }
    assert "hunter2" not in repr(found)


def test_locals_that_multiply_end_soon(tmp_path: Path) -> None:
    steps = "\n".join(f"  a{n} = [local.a{n + 1}, local.a{n + 1}]" for n in range(60))
    circle = "  b = local.c\n  c = local.b\n"
    topic = 'resource "kafka_topic" "x" {\n  name = local.b\n  config = local.a0\n}\n'
    text = f"locals {{\n{steps}\n{circle}}}\n{topic}"
    found = only(readings(tmp_path, "bomb.tf", text))
    assert values(found) == {}
    assert list(why(found).values()) == ["'local.b' is decided elsewhere"]


def test_topics_described(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "topics.txt", DESCRIBED))
    assert values(found) == {
        "topic/a/partitions": 2,
        "topic/a/replication": 3,
        "topic/a/retention.cleanup": "compact_delete",
        "topic/a/retention.time": "7 d",
    }
    assert at(found, "topic/a/partitions") == (1, DESCRIBED.index("2\tRep") + 1)


def test_flink_nested_and_flat_in_one_file(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "conf/config.yaml", FLINK_NESTED))
    assert values(found) == {
        "job/*/checkpoint.interval": "3 min",
        "job/*/guarantee": "at_least_once",
        "job/*/checkpoint.mode": "unaligned",
        "job/*/state.backend": "forst",
        "job/*/state.ttl.time": None,
    }
    assert at(found, "job/*/checkpoint.interval") == (5, 15)
    assert "hunter2" not in repr(found)


def test_flink_by_line_as_its_first_version_reads_it(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "flink-conf.yaml", FLINK_LINES))
    assert values(found) == {"job/*/checkpoint.interval": "1 min", "job/*/state.backend": "rocksdb"}
    assert at(found, "job/*/checkpoint.interval") == (2, 35)
    assert sorted(why(found).values()) == [
        "no `key: value` with a space after the colon",
        "no value that Flink documents for this key",
    ]


def test_flink_inside_a_config_map(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "cm.yaml", CONFIG_MAP))
    assert values(found) == {"job/*/checkpoint.timeout": "10 min"}
    assert at(found, "job/*/checkpoint.timeout") == (6, 38)


def test_debezium_tables_keys_and_topics(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "cdc.json", DEBEZIUM))
    assert values(found) == {
        "topic/db.shop.orders/cdc.primary_key": ("id", "line"),
        "topic/db.shop.orders/partitions": 6,
        "topic/db.shop.items/partitions": 6,
        "connector/cdc/cdc.heartbeat": None,
    }
    assert found.named[0].links["topics"] == ("db.shop.orders", "db.shop.items")
    assert set(why(found)) == {"table.include.list: shop.log_.*", "message.key.columns: shop.gone:x"}
    assert "hunter2" not in repr(found)


def test_dbt_freshness_of_source_and_table(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "models/raw.yml", SOURCES))
    assert values(found) == {
        "table/raw.orders/freshness.error_after": "12 h",
        "table/raw.orders/freshness.fields": ("at",),
    }
    assert [one.subject for one in found.named] == ["raw.orders", "raw.items"]
    assert why(found) == {
        "warn_after: 6 fortnight": "no count of minutes, hours or days",
        "loaded_at_field: cast(x as timestamp)": "an expression and not one field",
    }


def test_airflow_presets_periods_and_zones(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "dags.json", AIRFLOW))
    assert values(found) == {
        "dag/a/schedule.cron": "0 0 * * *",
        "dag/a/concurrency": 3,
        "dag/b/schedule.catch_up": True,
        "dag/c/schedule.cron": "15 4 * * *",
        "dag/c/schedule.zone": "Europe/Berlin",
    }
    assert list(why(found).values()) == ["no cron expression: a period, a dataset or a timetable"]


def test_recorded_lag_measures_rate_and_group(tmp_path: Path) -> None:
    found = only(readings(tmp_path, "lag.csv", LAG))
    assert values(found) == {
        "topic/a/partitions": 2,
        "topic/a/rate.average": "30/s",  # (200 + 100) records in 10 s
        "topic/a/consumer.group": "app",
    }
    assert all(fact.measured for fact in found.facts)


def test_a_file_of_many_tools_is_read_by_each(tmp_path: Path) -> None:
    job = "---\nkind: FlinkDeployment\nmetadata: {name: j}\nspec: {job: {parallelism: 4}}\n"
    found = readings(tmp_path, "all.yaml", STRIMZI + job)
    assert [reading.tool for reading in found] == ["Strimzi", "Flink"]


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "a: 1", "version: 2\nservices:\n  jobmanager:\n    image: x\n", '{"slots": []}']
)
def test_what_no_tool_writes_is_read_by_none(tmp_path: Path, text: str) -> None:
    assert readings(tmp_path, "other.yaml", text) == ()


SAMPLES = {
    "a.yaml": STRIMZI,
    "a.tf": TERRAFORM,
    "a.txt": DESCRIBED,
    "config.yaml": FLINK_NESTED,
    "flink-conf.yaml": FLINK_LINES,
    "cm.yaml": CONFIG_MAP,
    "cdc.json": DEBEZIUM,
    "raw.yml": SOURCES,
    "dags.json": AIRFLOW,
    "lag.csv": LAG,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_law_a_damaged_file_is_read_or_named_and_never_an_accident(tmp_path: Path, name: str) -> None:
    """Cut, with bytes swapped, with a line twice: facts or an error with a place, nothing else."""
    chance, text = random.Random(5), SAMPLES[name]
    for number in range(60):
        damaged = list(text[: chance.randrange(1, len(text))] if number % 2 else text)
        for _ in range(chance.randrange(4)):
            damaged[chance.randrange(len(damaged))] = chance.choice('{}[]":,\n\t -#$0')
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / name).write_text("".join(damaged), encoding="utf-8")
    found = gather([tmp_path], tmp_path)
    assert all(problem.position.file for problem in found.broken)
    named = {*found.files, *found.unknown, *(problem.position.file for problem in found.broken)}
    assert len(named) == 60


def test_what_is_broken_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(STRIMZI)
    (tmp_path / "cut.yaml").write_text(STRIMZI[:60] + "\n  name: {")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00kind: KafkaTopic")
    (tmp_path / "link.yaml").symlink_to("/etc/hostname")
    found = gather([tmp_path], tmp_path)
    assert found.files == ("good.yaml",)
    assert {problem.position.file for problem in found.broken} == {"cut.yaml", "bytes.yaml"}


def test_a_missing_extra_is_said_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "hcl2", None)
    monkeypatch.setitem(sys.modules, "hcl2.api", None)
    with pytest.raises(PipelinePlanError, match=r"pip install 'pipelineplan\[terraform\]'"):
        readings(tmp_path, "x.tf", TERRAFORM)


def test_every_reader_is_there_with_its_two_functions() -> None:
    from importlib import import_module

    for module in FACTS.values():
        reader = import_module(f"pipelineplan.facts.{module}")
        assert reader.recognises(FileText("nothing.bin", "")) is False
        assert callable(reader.read)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(0, "0 ms"), (1, "1 ms"), (1500, "1500 ms"), (60_000, "1 min"), (90_000, "90 s"), (604_800_000, "7 d")],
)
def test_amounts_are_exact(milliseconds: int, words: str) -> None:
    assert duration_ms(milliseconds) == words


def test_amounts_as_flink_and_kafka_write_them() -> None:
    said = [flink_duration(text) for text in ("10 min", "3min", 60_000, "PT10M", "1 fortnight", "")]
    assert said == ["10 min", "3 min", "1 min", "10 min", None, None]
    assert [size_bytes(2**30), size_bytes(10**9), size_bytes(7)] == ["1 GiB", "1 GB", "7 B"]
    kept = [whole(text) for text in ("1.0E3", "12", "1.5", "x" * 99)]
    assert kept == [1000, 12, None, None]


def test_the_page_of_real_files_has_every_reader() -> None:
    from importlib import import_module

    page = (Path(__file__).parents[2] / "docs/background/real-configurations.md").read_text(encoding="utf-8")
    tools = {import_module(f"pipelineplan.facts.{module}").TOOL for module in FACTS.values()}
    listed = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    assert tools <= listed
    assert page.count("\nCommit ") >= 15
