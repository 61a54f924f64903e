"""Kafka topics as `kafka-topics --describe` prints them.

Topic: orders  TopicId: x  PartitionCount: 24  ReplicationFactor: 3  Configs: retention.ms=604800000,...
        Topic: orders  Partition: 0  Leader: 1  Replicas: 1,2,3  Isr: 1,2,3
"""

from __future__ import annotations

import re

from pipelineplan.facts.fact import About, FileText, Notes, Reading, Thing
from pipelineplan.facts.topic_settings import setting

TOOL = "kafka-topics"
_HEAD = re.compile(
    r"^[ \t]*Topic:[ \t]*(\S{1,249})[ \t][^\n]{0,4000}?PartitionCount:[ \t]*(\d{1,9})", re.MULTILINE
)
_REPLICAS = re.compile(r"ReplicationFactor:[ \t]*(\d{1,9})")
_CONFIGS = re.compile(r"Configs:[ \t]*(\S{1,20000})")
# A value may hold commas (`cleanup.policy=compact,delete`): a new setting begins at a key and a "=".
_SETTING = re.compile(r"([a-z][a-z0-9.]{1,100})=(.*?)(?=,[a-z][a-z0-9.]{1,100}=|\Z)")


def recognises(file: FileText) -> bool:
    """Whether the text has the head line of a described topic."""
    return "PartitionCount:" in file.text and _HEAD.search(file.text) is not None


def read(file: FileText) -> Reading:
    """Every topic that is described."""
    notes = Notes(TOOL, file.name)
    for found in _HEAD.finditer(file.text):
        _topic(file, found, notes)
    return notes.done()


def _topic(file: FileText, found: re.Match[str], notes: Notes) -> None:
    end = file.text.find("\n", found.start(1))
    end = len(file.text) if end < 0 else end
    topic = notes.about(Thing.TOPIC, found[1], file.at(found.start(1)))
    setting(topic, "partitions", found[2], file.at(found.start(2)), f"PartitionCount: {found[2]}")
    replicas = _REPLICAS.search(file.text, found.start(), end)
    if replicas:
        written = f"ReplicationFactor: {replicas[1]}"
        setting(topic, "replicas", replicas[1], file.at(replicas.start(1)), written)
    configs = _CONFIGS.search(file.text, found.start(), end)
    if configs:
        _settings(file, configs, topic)


def _settings(file: FileText, configs: re.Match[str], topic: About) -> None:
    text = configs[1]
    read_to = 0
    for each in _SETTING.finditer(text):
        setting(topic, each[1], each[2], file.at(configs.start(1) + each.start(2)), each[0])
        read_to = each.end()
    rest = text[read_to:].strip(", \r")
    if rest:
        topic.skip(rest, "no key=value", file.at(configs.start(1) + read_to))
