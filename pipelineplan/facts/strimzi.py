"""Kafka topics as Strimzi writes them: resources of the kind KafkaTopic, one or many in a file.

spec: {topicName: orders, partitions: 24, replicas: 3, config: {retention.ms: 604800000}}

A topic's name is `spec.topicName`, else that of the resource. The KafkaTopic of Confluent for Kubernetes
(`partitionCount`, `configs`, `name`) is read too. Source: Strimzi and Confluent documentation, KafkaTopic.
"""

from __future__ import annotations

import re

from pipelineplan.documents import Document, Path
from pipelineplan.facts.fact import NO_PLACE, FileText, Notes, Reading, Thing, listing, mapping
from pipelineplan.facts.topic_settings import setting

TOOL = "Strimzi"
_COUNTS = {"partitions": "partitions", "partitionCount": "partitions", "replicas": "replicas"}
_NAMES = ("topicName", "name")
_KIND = re.compile(r"""["']?kind["']?\s*:\s*["']?KafkaTopic\b""")


def recognises(file: FileText) -> bool:
    """Whether the file has a KafkaTopic in it."""
    return file.base.endswith((".yaml", ".yml", ".json")) and _KIND.search(file.text) is not None


def read(file: FileText) -> Reading:
    """Every KafkaTopic of the file, those inside a List too."""
    notes = Notes(TOOL, file.name)
    for document, path in resources(file, "KafkaTopic"):
        _topic(document, path, notes)
    return notes.done()


def resources(file: FileText, kind: str) -> list[tuple[Document, Path]]:
    """The Kubernetes resources of one kind, each as its document and its place in it."""
    found: list[tuple[Document, Path]] = []
    for document in file.documents:
        data = mapping(document.data)
        if data.get("kind") == kind:
            found.append((document, ()))
        if data.get("kind") == "List" or (data.get("kind") or "").endswith("List"):
            items = enumerate(listing(data.get("items")))
            found += [(document, ("items", i)) for i, item in items if mapping(item).get("kind") == kind]
    return found


def at(document: Document, path: Path) -> dict[str, object]:
    """The mapping at `path`, or an empty one."""
    value = document.data
    for step in path:
        inside = isinstance(value, list) and isinstance(step, int)
        value = value[step] if inside else mapping(value).get(str(step))
    return mapping(value)


def name_of(document: Document, path: Path) -> str:
    """The name of the resource at `path`."""
    return str(at(document, (*path, "metadata")).get("name") or "")


def _topic(document: Document, path: Path, notes: Notes) -> None:
    spec = at(document, (*path, "spec"))
    name = str(next((spec[key] for key in _NAMES if spec.get(key)), name_of(document, path)))
    if not name:
        notes.skip("kind: KafkaTopic", "a topic without a name", document.position(path))
        return
    topic = notes.about(Thing.TOPIC, name, document.position((*path, "metadata", "name")))
    for key, value in spec.items():
        where = (*path, "spec", key)
        if key in {"config", "configs"} and isinstance(value, dict):
            for inner, inner_value in value.items():
                setting(topic, inner, inner_value, document.position((*where, inner)))
        elif key in _COUNTS:
            setting(topic, _COUNTS[key], value, document.position(where), f"{key}: {value}")
        elif key not in _NAMES:
            topic.skip(f"{key}: {value}", NO_PLACE, document.position(where))
