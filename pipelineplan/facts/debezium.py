"""Debezium's connectors: JSON with `name` and `config`, a bare config, or Strimzi's KafkaConnector.

heartbeat.interval.ms: 10000               cdc.heartbeat: 10 s
message.key.columns: shop.orders:id        cdc.primary_key: [id], for the topic of that table

A connector writes the topics `prefix.schema.table` of the tables in its include list, where that names
them and no transformation renames topics. Source: Debezium documentation, connector properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelineplan.documents import Document, Path
from pipelineplan.errors import Position
from pipelineplan.facts.amounts import duration_ms, whole
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing, mapping
from pipelineplan.facts.strimzi import at, name_of, resources
from pipelineplan.facts.topic_settings import setting
from pipelineplan.quantities import Dimension

TOOL = "Debezium"
_CLASS = re.compile(r"""["']?(?:connector\.)?class["']?\s*:\s*["']?io\.debezium\.connector\.""")
_TABLES = ("table.include.list", "table.whitelist", "collection.include.list", "collection.whitelist")
_PREFIX = ("topic.prefix", "database.server.name", "mongodb.name")
_CREATION = "topic.creation.default."
_CREATED = {"partitions": "partitions", "replication.factor": "replicas"}
_RENAMES = ("RegexRouter", "ByLogicalTableRouter", "EventRouter", "TopicRouter", "ContentBasedRouter")
# Names as they are; a dot may be escaped, since the lists hold regular expressions.
_PLAIN = re.compile(r"[\w$-]+(?:\\?\.[\w$-]+)*\Z")
_ELSEWHERE = re.compile(r"\$\{|\{\{")


@dataclass(frozen=True)
class _Config:
    document: Document
    path: Path
    values: dict[str, object]

    def text(self, *keys: str) -> str:
        """The first of `keys` that is there, as text."""
        return next((str(self.values[key]) for key in keys if self.values.get(key) is not None), "")

    def place(self, *keys: str) -> Position:
        """Where the first of `keys` that is there has its value."""
        key = next((key for key in keys if key in self.values), None)
        return self.document.position((*self.path, key) if key else self.path)


def recognises(file: FileText) -> bool:
    """Whether a connector class of Debezium is named."""
    return file.base.endswith((".json", ".yaml", ".yml")) and _CLASS.search(file.text) is not None


def read(file: FileText) -> Reading:
    """Every Debezium connector of the file; other connectors are named as such."""
    notes = Notes(TOOL, file.name)
    for document in file.documents:
        for name, path in _configs(document.data, ()):
            values = at(document, path)
            _connector(name or _base(file), _Config(document, path, values), notes)
    for document, path in resources(file, "KafkaConnector"):
        spec = at(document, (*path, "spec"))
        if "io.debezium." in str(spec.get("class")):
            config = _Config(document, (*path, "spec", "config"), at(document, (*path, "spec", "config")))
            _connector(name_of(document, path), config, notes)
    return notes.done()


def _base(file: FileText) -> str:
    return file.base.rsplit(".", 1)[0]


def _configs(value: object, path: Path, depth: int = 0) -> Iterator[tuple[str, Path]]:
    """Names and places of configurations: bare, under `config`, listed, or as the REST API expands them."""
    if depth > 4:
        return
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _configs(entry, (*path, index), depth + 1)
        return
    whole_value = mapping(value)
    if "io.debezium." in str(whole_value.get("connector.class", "")):
        yield str(whole_value.get("name") or ""), path
        return
    config = mapping(whole_value.get("config"))
    if "io.debezium." in str(config.get("connector.class", "")):
        yield str(whole_value.get("name") or config.get("name") or ""), (*path, "config")
        return
    for key, entry in whole_value.items():
        if isinstance(entry, dict | list):
            yield from _configs(entry, (*path, key), depth + 1)


def _connector(name: str, config: _Config, notes: Notes) -> None:
    prefix = config.text(*_PREFIX)
    tables = _tables(config)
    renamed = any(word in str(value) for word in _RENAMES for value in config.values.values())
    topics = [] if renamed or not prefix else [f"{prefix}.{table}" for table in tables]
    links = {"topics": topics, "prefix": [prefix] if prefix and not renamed else []}
    connector = notes.about(Thing.CONNECTOR, name, config.place("name", "connector.class"), **links)
    for key, value in config.values.items():
        _setting(connector, key, value, config.place(key), topics, notes)
    if not config.text(*_TABLES):
        why = "no list of tables: which ones are captured, only the database knows"
        connector.skip("table.include.list", why, config.place("connector.class"))
    if renamed:
        connector.skip("transforms", "a transformation renames the topics", config.place("transforms"))


def _tables(config: _Config) -> list[str]:
    names = [name.strip() for name in config.text(*_TABLES).split(",") if name.strip()]
    return [name.replace("\\.", ".") for name in names if _PLAIN.match(name)]


def _setting(
    connector: About, key: str, value: object, place: Position, topics: list[str], notes: Notes
) -> None:
    if key == "connector.class" or key in _PREFIX or key == "name":
        return
    if key == "heartbeat.interval.ms":
        _heartbeat(connector, value, place)
    elif key == "message.key.columns":
        _keys(connector, str(value), place, topics, notes)
    elif key in _TABLES:
        _patterns(connector, key, str(value), place)
    elif key.startswith(_CREATION):
        for topic in topics:
            own = key.removeprefix(_CREATION)
            about = notes.again(Thing.TOPIC, topic)
            setting(about, _CREATED.get(own, own), value, place, f"{key}: {value}")
    else:
        connector.skip(key, NO_PLACE, place)  # the key alone: values here may be secrets


def _heartbeat(connector: About, value: object, place: Position) -> None:
    written = f"heartbeat.interval.ms: {value}"
    number = whole(value)
    if number is None or number < 0:
        why = "decided elsewhere" if _ELSEWHERE.search(str(value)) else "no number of milliseconds"
        connector.skip(written, why, place, "cdc.heartbeat")
        return
    connector.fact(
        "cdc.heartbeat", duration_ms(number) if number else None, written, place, Dimension.DURATION
    )


def _keys(connector: About, text: str, place: Position, topics: list[str], notes: Notes) -> None:
    """`shop.orders:id,line;shop.users:id`: the key of each table that is not the table's own."""
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        table, found, columns = part.partition(":")
        topic = next((t for t in topics if t.endswith(f".{table.strip()}")), None)
        if not found or topic is None:
            connector.skip(f"message.key.columns: {part}", "no table of the include list", place)
            continue
        names = tuple(column.strip() for column in columns.split(",") if column.strip())
        notes.again(Thing.TOPIC, topic).fact("cdc.primary_key", names, f"message.key.columns: {part}", place)


def _patterns(connector: About, key: str, text: str, place: Position) -> None:
    for name in filter(None, (piece.strip() for piece in text.split(","))):
        if not _PLAIN.match(name):
            connector.skip(
                f"{key}: {name}", "a pattern: which tables it means, only the database knows", place
            )
