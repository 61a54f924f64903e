"""A company with fifty pipelines, configured as companies are: every tool, several shapes, some files broken.

build(folder, seed) writes the files and gives what is true of them, to be compared with what is read.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = [
    "orders",
    "refunds",
    "payments",
    "carts",
    "clicks",
    "views",
    "searches",
    "sessions",
    "invoices",
    "shipments",
    "returns",
    "prices",
    "stock",
    "suppliers",
    "users",
    "logins",
    "devices",
    "alerts",
    "meters",
    "trips",
    "fares",
    "routes",
    "vehicles",
    "drivers",
    "tickets",
    "messages",
    "calls",
    "surveys",
    "reviews",
    "ratings",
    "coupons",
    "rewards",
    "audits",
    "ledgers",
    "transfers",
    "cards",
    "loans",
    "quotes",
    "claims",
    "policies",
    "visits",
    "referrals",
    "campaigns",
    "leads",
    "accounts",
    "contacts",
    "events",
    "metrics",
    "traces",
    "logs",
    "readings",
    "samples",
    "batches",
]


@dataclass
class Company:
    """What was written: the values of each pipeline by the plan's path, the broken files, all files."""

    folder: Path
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    places: dict[str, tuple[str, str]] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def break_(self, name: str, text: str | bytes) -> None:
        self.write(name, text)
        self.broken.append(name)


@dataclass
class Topic:
    """A topic as it really is; `retention_ms` None leaves the broker's default."""

    name: str
    partitions: int
    replicas: int
    retention_ms: int | None
    cleanup: str
    segment_ms: int

    @property
    def settings(self) -> dict[str, str]:
        kept = {"retention.ms": str(self.retention_ms)} if self.retention_ms is not None else {}
        return {**kept, "cleanup.policy": self.cleanup, "segment.ms": str(self.segment_ms)}

    @property
    def truth(self) -> dict[str, Any]:
        seconds = {"retention.time": self.retention_ms / 1000} if self.retention_ms is not None else {}
        cleanup = {"delete": "delete", "compact": "compact", "compact,delete": "compact_delete"}[self.cleanup]
        return {
            "partitions": self.partitions,
            "replication": self.replicas,
            "retention.cleanup": cleanup,
            "retention.segment": self.segment_ms / 1000,
            **seconds,
        }


def build(folder: Path, seed: int = 7) -> Company:
    company, chance = Company(folder), random.Random(seed)
    names = iter(chance.sample(WORDS, 50))
    for make in (_strimzi, _terraform, _described, _connectors, _jobs, _applications, _dbt, _airflow):
        make(company, chance, names)
    _contracts_and_lag(company, chance)
    _broken(company)
    company.write("README.md", "How we deploy.\n")
    company.write("charts/values.yaml", "replicas: 3\nimage: {tag: 1.2.3}\n")
    company.write("package.json", '{"name": "site", "version": "1.0.0"}')
    return company


def _topic(chance: random.Random, name: str) -> Topic:
    return Topic(
        name,
        chance.choice([3, 6, 12, 24, 48]),
        3,
        chance.choice([86_400_000, 259_200_000, 604_800_000, 90_061_001]),
        chance.choice(["delete", "delete", "compact", "compact,delete"]),
        chance.choice([3_600_000, 86_400_000]),
    )


def _strimzi_text(topic: Topic) -> str:
    settings = "".join(f"    {key}: {value}\n" for key, value in topic.settings.items())
    return (
        "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaTopic\nmetadata:\n"
        f"  name: {topic.name.replace('.', '-')}\n  labels: {{strimzi.io/cluster: main}}\nspec:\n"
        f"  topicName: {topic.name}\n  partitions: {topic.partitions}\n  replicas: {topic.replicas}\n"
        f"  config:\n{settings}"
    )


def _strimzi(company: Company, chance: random.Random, names: Any) -> None:
    """Twelve topics in three files of four documents, one file of them a list."""
    for number in range(3):
        topics = [_topic(chance, next(names)) for _ in range(4)]
        for topic in topics:
            company.pipelines[topic.name] = topic.truth
            company.places[topic.name] = (f"deploy/topics/group-{number}.yaml", "strimzi")
        company.write(f"deploy/topics/group-{number}.yaml", "---\n".join(map(_strimzi_text, topics)))


def _terraform(company: Company, chance: random.Random, names: Any) -> None:
    """Six topics: Mongey's provider with products of numbers, Confluent's with for_each and a variable."""
    own = [_topic(chance, next(names)) for _ in range(3)]
    blocks = ["locals {\n  hour_ms = 60 * 60 * 1000\n}\n"]
    for topic in own:
        blocks.append(
            f'resource "kafka_topic" "{topic.name}" {{\n  name = "{topic.name}"\n'
            f"  partitions = {topic.partitions}\n  replication_factor = {topic.replicas}\n  config = {{\n"
            f'    "retention.ms" = {topic.retention_ms}\n    "cleanup.policy" = "{topic.cleanup}"\n'
            f'    "segment.ms" = {topic.segment_ms // 3_600_000} * local.hour_ms\n  }}\n}}\n'
        )
        company.pipelines[topic.name] = topic.truth
    company.write("terraform/kafka/topics.tf", "\n".join(blocks))
    own = [_topic(chance, next(names)) for _ in range(3)]
    entries = "".join(
        f'    "{t.name}" = {{ partitions = {t.partitions}, cleanup = "{t.cleanup}", '
        f"segment = {t.segment_ms} }}\n"
        for t in own
    )
    company.write(
        "terraform/confluent/main.tf",
        f'locals {{\n  topics = {{\n{entries}  }}\n}}\n\nvariable "retention" {{ default = 1 }}\n\n'
        'resource "confluent_kafka_topic" "all" {\n  for_each = local.topics\n  topic_name = each.key\n'
        "  partitions_count = each.value.partitions\n  config = {\n"
        '    "cleanup.policy" = each.value.cleanup\n    "segment.ms" = each.value.segment\n'
        '    "retention.ms" = var.retention\n  }\n}\n',
    )
    for topic in own:
        topic.retention_ms = None
        truth = topic.truth
        company.pipelines[topic.name] = {key: truth[key] for key in truth if key != "replication"}
        company.unresolved.append(topic.name)


def _described(company: Company, chance: random.Random, names: Any) -> None:
    """Six topics in what `kafka-topics --describe` printed."""
    lines = []
    for _ in range(6):
        topic = _topic(chance, next(names))
        settings = ",".join(f"{key}={value}" for key, value in topic.settings.items())
        lines.append(
            f"Topic: {topic.name}\tTopicId: q1\tPartitionCount: {topic.partitions}\t"
            f"ReplicationFactor: {topic.replicas}\tConfigs: {settings}"
        )
        lines += [
            f"\tTopic: {topic.name}\tPartition: {p}\tLeader: 1\tReplicas: 1,2,3\tIsr: 1,2,3" for p in range(3)
        ]
        company.pipelines[topic.name] = topic.truth
    company.write("exports/topics.txt", "\n".join(lines) + "\n")


def _connectors(company: Company, chance: random.Random, names: Any) -> None:
    """Eight connectors in three shapes, each with the topic of its table beside it."""
    for number in range(8):
        name = next(names)
        beat = chance.choice([5000, 10_000, 60_000])
        config = {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": "db",
            "database.password": "hunter2",
            "topic.prefix": f"db-{name}",
            "table.include.list": f"public.{name}",
            "heartbeat.interval.ms": str(beat),
        }
        topic = _topic(chance, f"db-{name}.public.{name}")
        company.write(f"connect/{name}/topic.yaml", _strimzi_text(topic))
        if number % 3 == 0:
            company.write(
                f"connect/{name}/connector.json",
                json.dumps({"name": f"cdc-{name}", "config": config}, indent=2),
            )
        elif number % 3 == 1:
            company.write(f"connect/{name}/cdc-{name}.json", json.dumps(config))
        else:
            own = {key: value for key, value in config.items() if key != "connector.class"}
            resource = {
                "apiVersion": "kafka.strimzi.io/v1beta2",
                "kind": "KafkaConnector",
                "metadata": {"name": f"cdc-{name}"},
                "spec": {"class": config["connector.class"], "config": own},
            }
            company.write(f"connect/{name}/connector.yaml", json.dumps(resource, indent=2))
        company.pipelines[f"cdc-{name}"] = {**topic.truth, "cdc.heartbeat": beat / 1000}


def _jobs(company: Company, chance: random.Random, names: Any) -> None:
    """Five jobs of Flink's operator, each with its topic, under keys of 1.x and of 2.x; one bare file."""
    for number in range(5):
        name = next(names)
        topic = _topic(chance, name)
        seconds = chance.choice([10, 60, 180])
        backend = "state.backend.type" if number % 2 else "state.backend"
        settings = (
            f"    execution.checkpointing.interval: {seconds} s\n    {backend}: rocksdb\n"
            "    s3.secret-key: hunter2\n"
        )
        company.write(f"streams/{name}/topic.yaml", _strimzi_text(topic))
        company.write(
            f"streams/{name}/job.yaml",
            f"apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata:\n  name: {name}\nspec:\n"
            f"  flinkConfiguration:\n{settings}  job:\n    parallelism: {2 * number + 2}\n",
        )
        company.pipelines[name] = {
            **topic.truth,
            "stage:checkpoint.interval": float(seconds),
            "stage:state.backend": "rocksdb",
            "stage:parallelism.now": 2 * number + 2,
        }
    text = "execution.checkpointing.timeout: 10 min # old spelling\nexecution.checkpointing.min-pause: 5000\n"
    company.write("streams/flink-conf.yaml", text)
    for name, truth in company.pipelines.items():
        if "stage:checkpoint.interval" in truth:
            company.pipelines[name] = {
                **truth,
                "stage:checkpoint.timeout": 600.0,
                "stage:checkpoint.min_pause": 5.0,
            }


def _applications(company: Company, chance: random.Random, names: Any) -> None:
    """Five applications, of AsyncAPI 2 and 3, that say what their topic is."""
    for number in range(5):
        name = next(names)
        partitions = chance.choice([4, 8, 16])
        kafka = {"partitions": partitions, "replicas": 3, "topicConfiguration": {"retention.ms": 604_800_000}}
        if number % 2:
            document: dict[str, Any] = {
                "asyncapi": "3.0.0",
                "info": {"title": f"{name} service", "version": "1.0.0"},
                "channels": {name: {"address": f"{name}.v1", "bindings": {"kafka": kafka}}},
                "operations": {
                    "read": {
                        "action": "receive",
                        "channel": {"$ref": f"#/channels/{name}"},
                        "bindings": {"kafka": {"groupId": {"type": "string", "enum": [f"{name}-readers"]}}},
                    }
                },
            }
        else:
            document = {
                "asyncapi": "2.6.0",
                "info": {"title": f"{name} service", "version": "1.0.0"},
                "channels": {
                    f"{name}.v1": {
                        "bindings": {"kafka": kafka},
                        "publish": {"bindings": {"kafka": {"groupId": {"enum": [f"{name}-readers"]}}}},
                    }
                },
            }
        company.write(
            f"services/{name}/asyncapi.{'json' if number % 2 else 'yaml'}", json.dumps(document, indent=2)
        )
        company.pipelines[f"{name}-service"] = {
            "partitions": partitions,
            "retention.time": 604_800.0,
            "consumer.group": f"{name}-readers",
        }


def _dbt(company: Company, chance: random.Random, names: Any) -> None:
    """Four sources of dbt: three in properties files, one in a manifest; one table is a topic's sink."""
    for number in range(4):
        name, hours = next(names), chance.choice([6, 12, 24])
        if number < 3:
            company.write(
                f"dbt/models/{name}/sources.yml",
                f"version: 2\n\nsources:\n  - name: {name}\n    loaded_at_field: loaded_at\n    freshness:\n"
                f"      error_after: {{count: {hours}, period: hour}}\n    tables:\n      - name: raw\n",
            )
        else:
            source = {
                "source_name": name,
                "name": "raw",
                "identifier": "raw",
                "loaded_at_field": "loaded_at",
                "freshness": {
                    "warn_after": {"count": None, "period": None},
                    "error_after": {"count": hours, "period": "hour"},
                },
            }
            manifest = {
                "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
                "nodes": {
                    "model.shop.daily": {
                        "resource_type": "model",
                        "name": "daily",
                        "config": {"materialized": "table"},
                    }
                },
                "sources": {f"source.shop.{name}.raw": source},
            }
            company.write("dbt/target/manifest.json", json.dumps(manifest))
        company.pipelines[name] = {"quality:within": hours * 3600.0}


def _airflow(company: Company, chance: random.Random, names: Any) -> None:
    """Four DAGs: two from the REST API, one serialized, one by its properties; and the pools."""
    runs = [(next(names), chance.choice(["15 4 * * *", "@daily", "0 */6 * * *"])) for _ in range(4)]
    listed = [
        {
            "dag_id": name,
            "schedule_interval": {"__type": "CronExpression", "value": cron},
            "max_active_runs": 2,
            "catchup": False,
        }
        for name, cron in runs[:2]
    ]
    company.write("exports/airflow/dags.json", json.dumps({"dags": listed, "total_entries": 2}))
    name, cron = runs[2]
    timetable = {
        "__type": "airflow.timetables.interval.CronDataIntervalTimetable",
        "__var": {"expression": cron, "timezone": "Europe/Berlin"},
    }
    company.write(
        "exports/airflow/serialized.json",
        json.dumps(
            {
                "__version": 1,
                "dag": {"_dag_id": name, "timetable": timetable, "catchup": True, "max_active_runs": 1},
            }
        ),
    )
    name, cron = runs[3]
    properties = {"dag_id": name, "schedule_interval": cron, "catchup": "False", "max_active_runs": "16"}
    company.write(
        "exports/airflow/details.yaml",
        json.dumps([{"property_name": key, "property_value": value} for key, value in properties.items()]),
    )
    company.write(
        "exports/airflow/pools.json", json.dumps({"default_pool": {"slots": 128, "description": ""}})
    )
    most = (2, 2, 1, 16)
    for (name, cron), runs_at_once in zip(runs, most, strict=True):
        spelled = {"@daily": "0 0 * * *"}.get(cron, cron)
        company.pipelines[name] = {"ingestion:schedule.cron": spelled, "ingestion:concurrency": runs_at_once}


def _contracts_and_lag(company: Company, chance: random.Random) -> None:
    """Contracts and recorded lag of topics that are there, and dead letters of one of them."""
    topics = [name for name, truth in company.pipelines.items() if company.places.get(name)]
    for name in topics[:3]:
        company.write(
            f"contracts/{name}.odcs.yaml",
            f"apiVersion: v3.1.0\nkind: DataContract\nid: {name}-contract\nversion: 1.0.0\nstatus: active\n"
            f"schema:\n  - name: {name}\nslaProperties:\n  - {{property: retention, value: 1, unit: d}}\n",
        )
    for name in topics[3:5]:
        partitions, rate = company.pipelines[name]["partitions"], chance.choice([100, 2500])
        rows = ["time,topic,partition,consumergroup,current_offset,log_end_offset"]
        for second in (0, 60, 120):
            rows += [
                f"{1_700_000_000 + second},{name},{p},{name}-app,{second},{second * rate}"
                for p in range(partitions)
            ]
        company.write(f"exports/lag/{name}.csv", "\n".join(rows) + "\n")
        company.pipelines[name] = {
            **company.pipelines[name],
            "rate.average": float(rate * partitions),
            "consumer.group": f"{name}-app",
        }
    dead = _topic(chance, f"{topics[5]}-dlq")
    company.write("deploy/topics/dead.yaml", _strimzi_text(dead))
    company.write(
        "dbt/models/landing.yml",
        f"version: 2\nsources:\n  - name: landing\n    tables:\n      - name: {topics[6]}\n"
        "        loaded_at_field: at\n        freshness: {error_after: {count: 2, period: hour}}\n",
    )


def _broken(company: Company) -> None:
    """Eight files that a tool knows and that are broken, each in another way."""
    company.break_(
        "deploy/topics/cut.yaml", "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nmetadata: {name: lost\n"
    )
    company.break_(
        "charts/templates/topic.yaml", "kind: KafkaTopic\nmetadata:\n  name: {{ .Values.topic }}\n"
    )
    company.break_(
        "connect/cut.json", '{"name": "x", "config": {"connector.class": "io.debezium.connector.mysql.MySql'
    )
    company.break_("terraform/cut.tf", 'resource "kafka_topic" "lost" {\n  name = \n')
    company.break_("exports/latin.yaml", "kind: KafkaTopic # caf\xe9\n".encode("latin-1"))
    company.break_(
        "dbt/old/manifest.json", '{"metadata": {"dbt_schema_version": "https://x/dbt/manifest/v9.json"}, '
    )
    company.break_("exports/lag/broken.csv", "time,topic,partition,lag\n1,orders,first,3\n")
    company.break_(
        "dbt/models/twice.yml",
        "sources:\n  - name: a\n    tables: []\nsources:\n  - name: b\n    tables: []\n",
    )
