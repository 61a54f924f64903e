"""Kafka topics as Terraform writes them, for the providers of Mongey, Confluent and Aiven.

    resource "kafka_topic" "orders" { name = "orders"  partitions = 24  config = {"retention.ms" = "..."} }
    resource "confluent_kafka_topic" "orders" { topic_name = "orders"  partitions_count = 24 }

A block with `for_each` over a literal is read once for each entry. What depends on a variable, a module or
another resource is said to be unresolved, and not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelineplan.errors import Position
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing
from pipelineplan.facts.hcl import Block, Expression, Scope, evaluate, parse
from pipelineplan.facts.topic_settings import field_of, setting

TOOL = "Terraform"
_RESOURCES = ("kafka_topic", "confluent_kafka_topic", "aiven_kafka_topic")
_BLOCK = re.compile(r'resource\s+"(?:kafka_topic|confluent_kafka_topic|aiven_kafka_topic)"')
_KEYS = {
    "partitions": "partitions",
    "partitions_count": "partitions",
    "replication_factor": "replicas",
    "replication": "replicas",
}
_NAMES = ("topic_name", "name")
# What says where and by whom, and nothing of the topic.
_ABOUT_THE_CLUSTER = {"rest_endpoint", "project", "service_name", "depends_on", "provider", "for_each"}


def recognises(file: FileText) -> bool:
    """Whether the file declares a topic."""
    return file.base.endswith((".tf", ".tofu")) and _BLOCK.search(file.text) is not None


def read(file: FileText) -> Reading:
    """Every topic that the file declares. Needs the extra `terraform`."""
    notes = Notes(TOOL, file.name)
    scope, blocks = parse(file)
    for block in blocks:
        if len(block.words) == 3 and block.words[0] == "resource" and block.words[1] in _RESOURCES:
            for inner in _repetitions(block, scope, notes):
                _topic(block, inner, notes)
    return notes.done()


def _repetitions(block: Block, scope: Scope, notes: Notes) -> Iterator[Scope]:
    """The scope of each topic that the block stands for."""
    if "count" in block.attributes:
        counted = evaluate(block.attributes["count"], scope)
        if counted.value != 1 or counted.unresolved:
            notes.skip(f"count = {counted.written}", "topics by number are not followed", counted.position)
            return
    if "for_each" not in block.attributes:
        yield scope
        return
    each = evaluate(block.attributes["for_each"], scope)
    if isinstance(each.value, dict):
        for name, value in each.value.items():
            yield scope.of_each(Expression(name, value.position, name), value)
    elif isinstance(each.value, list):
        for value in each.value:
            yield scope.of_each(value, value)
    else:
        address = ".".join(block.words[1:])
        notes.skip(f"{address}: for_each = {each.written}", _unresolved(each), each.position)


def _unresolved(expression: Expression) -> str:
    if not expression.unresolved:
        return "no value that can be read here"
    return f"{' '.join(expression.unresolved.split())[:60]!r} is decided elsewhere"


def _topic(block: Block, scope: Scope, notes: Notes) -> None:
    values = {key: evaluate(tree, scope) for key, tree in block.attributes.items()}
    name = next((values[key] for key in _NAMES if key in values), None)
    if name is None or name.unresolved or not isinstance(name.value, str):
        address = ".".join(block.words[1:])
        why = "a topic without a name" if name is None else _unresolved(name)
        notes.skip(
            f"{address}: {name.written if name else ''}", why, name.position if name else block.position
        )
        return
    topic = notes.about(Thing.TOPIC, name.value, name.position)
    for key, value in values.items():
        if key == "config":
            _settings(topic, value)
        elif key in _KEYS:
            _note(topic, _KEYS[key], key, value)
        elif key not in {*_NAMES, *_ABOUT_THE_CLUSTER}:
            topic.skip(f"{key} = {value.written}", NO_PLACE, value.position)
    for inner in block.blocks:
        if inner.words == ("config",):  # Aiven's: retention_ms for retention.ms
            for key, tree in inner.attributes.items():
                _note(topic, key.replace("_", "."), key, evaluate(tree, scope))


def _settings(topic: About, config: Expression) -> None:
    if not isinstance(config.value, dict):
        topic.skip(f"config = {config.written}", _unresolved(config), config.position)
        return
    for key, value in config.value.items():
        _note(topic, key, key, value)


def _note(topic: About, key: str, written_key: str, value: Expression) -> None:
    written = f"{written_key} = {value.written}"
    if value.unresolved or isinstance(value.value, dict | list):
        topic.skip(written, _unresolved(value), value.position, field_of(key))
    else:
        _put(topic, key, value.value, value.position, written)


def _put(topic: About, key: str, value: Any, position: Position, written: str) -> None:
    setting(topic, key, value, position, written)
