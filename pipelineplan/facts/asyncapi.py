"""Channels and operations of an application in AsyncAPI 2 and 3, with their Kafka bindings.

channels: {orders: {bindings: {kafka: {partitions: 24, topicConfiguration: {retention.ms: 604800000}}}}}

In version 3 an operation says whether the application sends or receives; in version 2 `subscribe` is what
others may subscribe to, so the application sends it. References inside the file are followed, others are
said. Source: AsyncAPI 2.6 and 3.0 specifications, Kafka bindings 0.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents import Document, Path
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing, mapping
from pipelineplan.facts.topic_settings import setting

TOOL = "AsyncAPI"
_VERSION = re.compile(r"""["']?asyncapi["']?\s*:\s*["']?[23]\.\d""")
_MOST_STEPS = 10
_BOUND = {"partitions", "replicas"}
_SAID_ELSEWHERE = {"topic", "topicConfiguration", "bindingVersion"}


def recognises(file: FileText) -> bool:
    """Whether the file says its version of AsyncAPI."""
    return file.base.endswith((".yaml", ".yml", ".json")) and _VERSION.search(file.text[:4000]) is not None


def read(file: FileText) -> Reading:
    """The application, and the topics of its channels."""
    notes = Notes(TOOL, file.name)
    for document in file.documents:
        if "asyncapi" in mapping(document.data):
            _application(document, notes)
    return notes.done()


@dataclass(frozen=True)
class _Node:
    """A value of the document and where it stands, after references have been followed."""

    document: Document
    path: Path
    value: dict[str, Any]

    def below(self, *steps: str, notes: Notes | None = None) -> _Node:
        """The mapping under `steps`; a reference out of the file is noted and leads to nothing."""
        node = self
        for step in steps:
            node = _followed(_Node(self.document, (*node.path, step), mapping(node.value.get(step))), notes)
        return node

    def entries(self, notes: Notes) -> list[tuple[str, _Node]]:
        """The mappings in this one, by key."""
        return [(key, self.below(key, notes=notes)) for key in self.value]


def _followed(node: _Node, notes: Notes | None) -> _Node:
    for _ in range(_MOST_STEPS):
        reference = node.value.get("$ref")
        if not isinstance(reference, str):
            return node
        if not reference.startswith("#/"):
            if notes is not None:
                place = node.document.position((*node.path, "$ref"))
                notes.skip(f"$ref: {reference}", "another file, which is not followed", place)
            break
        path: Path = tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/"))
        value: Any = node.document.data
        for step in path:
            value = mapping(value).get(str(step))
        node = _Node(node.document, path, mapping(value))
    return _Node(node.document, node.path, {})


def _application(document: Document, notes: Notes) -> None:
    top = _Node(document, (), mapping(document.data))
    topics = {key: _topic(key, channel, notes) for key, channel in top.below("channels").entries(notes)}
    links: dict[str, list[str]] = {"receives": [], "sends": []}
    groups: list[tuple[Any, Path]] = []
    for direction, channel, operation in [*_second(top, notes), *_third(top, notes)]:
        if topics.get(channel):
            links[direction].append(topics[channel])
        binding = operation.below("bindings", "kafka", notes=notes)
        if direction == "receives" and "groupId" in binding.value:
            groups.append((binding.value["groupId"], (*binding.path, "groupId")))
    title = str(top.below("info").value.get("title") or "")
    place = document.position(("info", "title"))
    about = notes.about(Thing.APPLICATION, title, place, **{k: dict.fromkeys(v) for k, v in links.items()})
    for group, path in groups[:1]:
        _group(about, group, document, path)


def _group(about: About, group: Any, document: Document, path: Path) -> None:
    known = group if isinstance(group, str) else None
    options = mapping(group).get("enum")
    if isinstance(options, list) and len(options) == 1:
        known = str(options[0])
    if known:
        about.fact("consumer.group", known, f"groupId: {known}", document.position(path))
    else:
        about.skip("groupId", "a schema and not one name", document.position(path), "consumer.group")


def _second(top: _Node, notes: Notes) -> list[tuple[str, str, _Node]]:
    """Operations of version 2: under each channel, from the point of view of others."""
    if not str(top.value.get("asyncapi")).startswith("2"):
        return []
    directions = {"publish": "receives", "subscribe": "sends"}
    return [
        (direction, key, channel.below(word, notes=notes))
        for key, channel in top.below("channels").entries(notes)
        for word, direction in directions.items()
        if word in channel.value
    ]


def _third(top: _Node, notes: Notes) -> list[tuple[str, str, _Node]]:
    """Operations of version 3: each names its channel by reference."""
    found = []
    for _, operation in top.below("operations").entries(notes):
        reference = str(mapping(operation.value.get("channel")).get("$ref") or "")
        direction = {"receive": "receives", "send": "sends"}.get(str(operation.value.get("action")))
        if direction and reference.startswith("#/channels/"):
            key = reference.removeprefix("#/channels/").replace("~1", "/").replace("~0", "~")
            found.append((direction, key, operation))
    return found


def _topic(key: str, channel: _Node, notes: Notes) -> str:
    """Note the topic of a channel; empty where its name has parameters or is none of Kafka's."""
    binding = channel.below("bindings", "kafka", notes=notes)
    unknown = channel.value.get("address", key) is None  # version 3: known only while it runs
    name = str(binding.value.get("topic") or channel.value.get("address") or ("" if unknown else key))
    place = channel.document.position(channel.path)
    if not name:
        notes.skip(f"{key}: address: null", "an address that is known only while it runs", place)
        return ""
    if "{" in name:
        notes.skip(name, "an address with parameters: many topics", place)
        return ""
    topic = notes.about(Thing.TOPIC, name, place)
    for own, value in binding.value.items():
        if own in _BOUND:
            setting(topic, own, value, binding.document.position((*binding.path, own)))
        elif own not in _SAID_ELSEWHERE:
            topic.skip(own, NO_PLACE, binding.document.position((*binding.path, own)))
    settings = binding.below("topicConfiguration", notes=notes)
    for own, value in settings.value.items():
        setting(topic, own, value, settings.document.position((*settings.path, own)))
    return name
