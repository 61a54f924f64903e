"""What a recording of lag says of topics: how many partitions, how fast they fill, who reads them.

    time,topic,partition,group,current_offset,log_end_offset      partitions, rate.average, consumer.group
    kafka_topic_partitions{topic="orders"} 24                     what kafka_exporter shows at one moment

A rate is measured from the ends of the log at the first and the last moment of the recording. The
capacity, the skew and the restarts that a recording tells of are `simulate --metrics`' business.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.facts.fact import About, FileText, Notes, Reading, Thing
from pipelineplan.facts.lag_rows import END, METRICS, LagColumns, columns_of, group_of
from pipelineplan.facts.topic_settings import setting
from pipelineplan.quantities import Dimension

TOOL = "recorded lag"
_SAMPLE = re.compile(r"^([a-z_]{5,100})\{([^}\n]{0,2000})\}[ \t]+(\S{1,40})", re.MULTILINE)
_LABEL = re.compile(r'([a-z_]{1,100})="([^"\n]{0,500})"')
_SHOWN = {"kafka_topic_partitions": "partitions", "kafka_topic_partition_replicas": "replicas"}


def recognises(file: FileText) -> bool:
    """Whether the first line names the columns of recorded lag, or an exporter's samples are in it."""
    if columns_of(next(csv.reader(file.text[:4000].splitlines()[:1]), [])) is not None:
        return True
    return "kafka_" in file.text and any(
        found[1] in {*METRICS, *_SHOWN} for found in _SAMPLE.finditer(file.text)
    )


def read(file: FileText) -> Reading:
    """Every topic of the recording."""
    notes = Notes(TOOL, file.name)
    columns = columns_of(next(csv.reader(file.text.splitlines()[:1]), []))
    if columns is None:
        _exposition(file, notes)
        return notes.done()
    for name, topic in _topics(file, columns).items():
        topic.tell(name, notes)
    return notes.done()


@dataclass
class _Topic:
    """What the rows of one topic add up to."""

    line: int
    file: str
    partitions: set[int] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    ends: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, role: str, partition: int, when: float, value: float) -> None:
        """Take one number in: only the first and the last end of each partition are kept."""
        self.partitions.add(partition)
        if role == END:
            seen = self.ends.setdefault(partition, [(when, value), (when, value)])
            seen[0], seen[1] = min(seen[0], (when, value)), max(seen[1], (when, value))

    def tell(self, name: str, notes: Notes) -> None:
        """Note what was recorded of this topic."""
        place = Position(self.file, self.line, 1)
        about = notes.about(Thing.TOPIC, name, place)
        many = len(self.partitions)
        about.fact("partitions", many, f"partitions with rows: {many}", place, measured=True)
        seconds = max((last[0] - first[0] for first, last in self.ends.values()), default=0.0)
        if seconds > 0:
            rate = sum(last[1] - first[1] for first, last in self.ends.values()) / seconds
            written = f"growth of the log over {seconds:.0f} s"
            about.fact("rate.average", f"{rate:.6g}/s", written, place, Dimension.RATE, measured=True)
        if self.groups:
            _readers(about, dict.fromkeys(sorted(self.groups), place))


def _topics(file: FileText, columns: LagColumns) -> dict[str, _Topic]:
    topics: dict[str, _Topic] = {}
    reader = csv.DictReader(file.text.splitlines())
    for number, row in enumerate(_rows(reader, file), start=2):
        plain = columns.plain(row)
        name = plain.get("topic", "")
        try:
            numbers = list(columns.numbers(plain))
        except ValueError as error:
            raise InputError([Problem(str(error), Position(file.name, number, 1))]) from None
        if not numbers or not name:
            continue
        topic = topics.setdefault(name, _Topic(number, file.name))
        topic.groups |= {group_of(plain)} - {""}
        for each in numbers:
            topic.add(*each)
    return topics


def _rows(reader: csv.DictReader[str], file: FileText) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise InputError([Problem(f"not CSV: {error}", Position(file.name, reader.line_num, 1))]) from None


def _exposition(file: FileText, notes: Notes) -> None:
    """Samples of one moment, in Prometheus' text format: partitions and replicas are said outright."""
    topics: dict[str, About] = {}
    seen: set[tuple[str, str]] = set()
    groups: dict[str, dict[str, Position]] = {}
    for found in _SAMPLE.finditer(file.text):
        labels = dict(_LABEL.findall(found[2]))
        name, topic = found[1], labels.get("topic", "")
        if not topic or (name not in METRICS and name not in _SHOWN):
            continue
        place = file.at(found.start())
        if topic not in topics:
            topics[topic] = notes.about(Thing.TOPIC, topic, place)
        if name in _SHOWN and (topic, name) not in seen:
            seen.add((topic, name))
            number = found[3].removesuffix(".0")
            setting(topics[topic], _SHOWN[name], number, place, f"{name}: {found[3]}")
        if group_of(labels):
            groups.setdefault(topic, {}).setdefault(group_of(labels), place)
    for topic, readers in groups.items():
        _readers(topics[topic], readers)


def _readers(about: About, groups: dict[str, Position]) -> None:
    """The group that reads a topic, where there is one; several are said."""
    name, place = next(iter(groups.items()))
    if len(groups) == 1:
        about.fact("consumer.group", name, f"group: {name}", place, measured=True)
    else:
        about.skip(f"groups: {', '.join(sorted(groups)[:5])}", "several read this topic", place)
