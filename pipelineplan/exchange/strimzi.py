"""Kafka topics as Strimzi's `KafkaTopic`: one resource for each topic that the plan reads or sets aside.

sources[].partitions: 24         spec.partitions: 24
sources[].retention.time: 7 d    spec.config.retention.ms: 604800000

`facts` reads the same names back. Source: Strimzi documentation, "KafkaTopic"; Apache Kafka documentation,
"Topic-Level Configs".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelineplan.exchange.exported import Export
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import distinct, one_line
from pipelineplan.exchange.traced import Needs, Place, Traced, agreed
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan
from pipelineplan.plan.source import Retention, Source
from pipelineplan.plan.stage import DeadLetters, Stage

TITLE = "Kafka topics as Strimzi KafkaTopic resources"
ASKS = {"cluster": "the name of the Kafka resource that the topics belong to (strimzi.io/cluster)"}

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}\Z")  # org.apache.kafka.common.internals.Topic
_RESOURCE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\Z")
_CLEANUP = {"delete": "delete", "compact": "compact", "compact_delete": "compact,delete"}
_TIMESTAMPS = {"create": "CreateTime", "log_append": "LogAppendTime"}
_LARGEST_INT = 2**31 - 1
_MOST_REPLICAS = 32_767
# By its name, each topic with the place that names it, and what its resource specifies.
Topics = dict[str, tuple[Place, dict[str, Any]]]
_OF_TOPIC = frozenset(
    {"id", "topic", "system", "partitions", "replication", "min_insync_replicas", "retention"}
)


def export(plan: Plan, settings: Settings) -> Export | None:
    """Every topic of the plan as a resource; None when it reads no Kafka topic."""
    tracer = Tracer(plan)
    topics: Topics = {}
    for source in plan.model.sources:
        if source.system == "kafka":
            _add(tracer, topics, _source(tracer, source), source)
            tracer.left(source, _OF_TOPIC, "no setting of a topic")
        else:
            tracer.drop(source, "", f"its system is {source.system!r} and not kafka")
    _dead_letters(tracer, topics)
    if not topics:
        return None
    names = distinct(topics, _resource_name)
    documents = [_resource(names[topic], topic, *known, settings) for topic, known in topics.items()]
    head = (f"Kafka topics of the plan {plan.name}, for Strimzi.", *settings.head(tracer.dropped))
    return Export("strimzi", (as_yaml("topics.yaml", head, documents),), tuple(tracer.dropped))


def _add(tracer: Tracer, topics: Topics, spec: dict[str, Any], source: Source) -> None:
    name = source.topic or source.id
    if not _TOPIC.match(name) or name in {".", ".."}:
        tracer.drop(source, "topic", f"{one_line(name)[:60]!r} is no name that Kafka accepts")
    elif name in topics:
        tracer.drop(source, "", f"the topic {name!r} is written already, for another source")
    else:
        topics[name] = (tracer.place(source, "topic" if source.topic else "id"), spec)


def _source(tracer: Tracer, source: Source) -> dict[str, Any]:
    found = {"partitions": tracer.stated(source, "partitions"), "replicas": _replicas(tracer, source)}
    wanted = {"partitions": "partitions", "replicas": "replication"}
    spec: dict[str, Any] = {
        key: value or Needs(f"<{key.upper()}>", f"state {wanted[key]}: of {source.id}")
        for key, value in found.items()
    }
    least = tracer.stated(source, "min_insync_replicas")
    config = {**({"min.insync.replicas": least} if least else {}), **_config(tracer, source.retention)}
    return {**spec, **({"config": config} if config else {})}


def _replicas(tracer: Tracer, source: Source) -> Traced | None:
    found = tracer.stated(source, "replication")
    if found is not None and found.value > _MOST_REPLICAS:
        tracer.drop(source, "replication", f"a KafkaTopic takes at most {_MOST_REPLICAS}")
        return None
    return found


def _config(tracer: Tracer, retention: Retention | None) -> dict[str, Traced]:
    found = {
        "retention.ms": tracer.whole(retention, "time", 1000, "milliseconds"),
        "retention.bytes": tracer.whole(retention, "bytes_per_partition", 1, "bytes"),
        "segment.ms": tracer.whole(retention, "segment", 1000, "milliseconds"),
        "segment.bytes": tracer.whole(retention, "segment_bytes", 1, "bytes"),
        "cleanup.policy": _word(tracer.stated(retention, "cleanup"), _CLEANUP),
        "message.timestamp.type": _word(tracer.stated(retention, "timestamps"), _TIMESTAMPS),
        "delete.retention.ms": tracer.whole(retention, "tombstones", 1000, "milliseconds"),
    }
    large = found["segment.bytes"]
    if retention is not None and large is not None and int(large.value) > _LARGEST_INT:
        tracer.drop(retention, "segment_bytes", f"Kafka takes at most {_LARGEST_INT} bytes")
        found["segment.bytes"] = None
    return {key: value for key, value in found.items() if value is not None}


def _word(traced: Traced | None, words: Mapping[str, str]) -> Traced | None:
    return traced.as_value(words[str(traced.value)]) if traced is not None else None


def _dead_letters(tracer: Tracer, topics: Topics) -> None:
    """Topics for dead letters, below stages that read Kafka alone: elsewhere it may be a table."""
    by_topic: dict[str, list[DeadLetters]] = {}
    for stage in tracer.plan.model.stages:
        letters = stage.dead_letters
        if letters is None or letters.topic is None or letters.topic in topics:
            continue
        if _TOPIC.match(letters.topic) and _reads_kafka(tracer.plan, stage):
            by_topic.setdefault(letters.topic, []).append(letters)
        else:
            tracer.drop(letters, "topic", "may be a table: not all that the stage reads is Kafka")
    for topic, letters_of in by_topic.items():
        topics[topic] = (tracer.place(letters_of[0], "topic"), _of_dead_letters(tracer, topic, letters_of))


def _of_dead_letters(tracer: Tracer, topic: str, letters: list[DeadLetters]) -> dict[str, Any]:
    stated = [tracer.whole(one, "retention", 1000, "milliseconds") for one in letters]
    known = [one for one in stated if one is not None]
    kept = agreed(known)
    if known and kept is None:
        tracer.drop(letters[0], "retention", f"stages that write to {topic!r} state different ones")
    return {
        "partitions": Needs("<PARTITIONS>", "no key of a plan; without it the broker's num.partitions"),
        "replicas": Needs("<REPLICAS>", "no key of a plan; without it default.replication.factor"),
        **({"config": {"retention.ms": kept}} if kept is not None else {}),
    }


def _reads_kafka(plan: Plan, stage: Stage) -> bool:
    above = [plan.source(name) for name in plan.graph.above(stage.id) if plan.graph.kinds[name] == "source"]
    return bool(above) and all(source.system == "kafka" for source in above)


def _resource_name(topic: str) -> str:
    """A name that Kubernetes accepts, made from a topic's: small letters, digits, dots and dashes."""
    if _RESOURCE.match(topic):
        return topic
    return re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-")[:200] or "topic"


def _resource(
    name: str, topic: str, place: Place, spec: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    why = "the Kafka resource, which no plan names: --set cluster=NAME"
    only_open = all(isinstance(value, Needs) for value in spec.values())
    # Asked for only where a resource cannot be called so; a specification must not be empty.
    named = {"topicName": Traced(topic, (place,))} if name != topic or only_open else {}
    cluster = settings.get("cluster") or Needs("<CLUSTER>", why)
    return {
        "apiVersion": "kafka.strimzi.io/v1beta2",
        "kind": "KafkaTopic",
        "metadata": {"name": Traced(name, (place,)), "labels": {"strimzi.io/cluster": cluster}},
        "spec": {**named, **spec},
    }
