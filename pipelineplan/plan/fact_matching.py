"""Which part of a plan a thing of the real system is: by the names that both give it.

topic `orders`           the source with `topic: orders`, or with that id where its system is Kafka
connector                the sources whose topics it writes, or that name it under `cdc.connector`
job of Flink             the stage with that `job` or id; the only job of the files is every Flink stage's
table of dbt             the source or sink with that `table`, `dataset` or id
DAG                      the plan with that `ingestion.dag` or name; the only DAG of the files is the plan's
contract                 the sources and sinks that its objects are named after
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents import Path
from pipelineplan.facts.fact import Named, Thing, listing, mapping
from pipelineplan.plan.real_system import Relation

Target = tuple[Path, Relation]
_OF_DBT = {"dbt", "sql"}
_ONLY_OF = {"mode": "stages", "idempotency_key": "sinks"}


@dataclass(frozen=True)
class Places:
    """Where in a plan's data the things of the real system stand; `things` are all that the files name."""

    data: Any
    things: tuple[Named, ...]

    def of(self, one: Named) -> Iterator[Path]:
        """The objects of the plan that `one` is."""
        match one.of:
            case Thing.TOPIC | Thing.CONNECTOR | Thing.APPLICATION:
                yield from (path for path, source in self.sources() if _is_source(source, one))
            case Thing.JOB:
                yield from self._stages_of_job(one)
            case Thing.MODEL:
                yield from self._of_model(one)
            case Thing.TABLE:
                yield from (path for path, node in self._ends() if _is_table(node, one))
            case Thing.CONTRACT:
                names = one.links.get("datasets", ())
                yield from (path for path, node in self._ends() if set(names_of(node)) & set(names))
            case Thing.DAG:
                if self._is_dag(one):
                    yield ("ingestion",)
            case Thing.POOL:
                return

    def sources(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Every source, with its place."""
        yield from self.entries("sources")

    def stages(self, *engines: str) -> list[tuple[Path, dict[str, Any]]]:
        """Every stage of one of `engines`, with its place."""
        return [(path, stage) for path, stage in self.entries("stages") if stage.get("engine") in engines]

    def entries(self, section: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The mappings of a section that is a list, with their places."""
        for index, entry in enumerate(listing(mapping(self.data).get(section))):
            if isinstance(entry, dict):
                yield (section, index), entry

    def _ends(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        yield from self.entries("sources")
        yield from self.entries("sinks")

    def _stages_of_job(self, job: Named) -> Iterator[Path]:
        stages = self.stages("flink")
        if not job.subject:  # settings of every job
            yield from (path for path, _ in stages)
            return
        own = [path for path, stage in stages if job.subject in (stage.get("job"), stage.get("id"))]
        jobs = {one.subject for one in self.things if one.of is Thing.JOB and one.subject}
        is_plan = job.subject == mapping(mapping(self.data).get("metadata")).get("name")
        unnamed = [path for path, stage in stages if not stage.get("job")]
        yield from own or (unnamed if is_plan or jobs == {job.subject} else [])

    def _of_model(self, model: Named) -> Iterator[Path]:
        for path, stage in self.stages(*_OF_DBT):
            if model.subject in (stage.get("job"), stage.get("id")):
                yield path
        yield from (path for path, sink in self.entries("sinks") if model.subject in names_of(sink))

    def _is_dag(self, dag: Named) -> bool:
        named = mapping(mapping(self.data).get("ingestion")).get("dag")
        if named is not None:
            return bool(named == dag.subject)
        dags = {one.subject for one in self.things if one.of is Thing.DAG}
        return dag.subject == mapping(mapping(self.data).get("metadata")).get("name") or dags == {dag.subject}


def topic_of(source: dict[str, Any]) -> str | None:
    """The name of the topic that a source reads, or None where it reads none."""
    if isinstance(source.get("topic"), str):
        return str(source["topic"])
    return str(source.get("id")) if source.get("system", "other") in {"kafka", "other"} else None


def names_of(node: dict[str, Any]) -> list[str]:
    """What the real system may call a source or a sink."""
    return [str(node[key]) for key in ("table", "topic", "dataset", "id") if isinstance(node.get(key), str)]


def _is_source(source: dict[str, Any], one: Named) -> bool:
    match one.of:
        case Thing.TOPIC:
            return topic_of(source) == one.subject
        case Thing.CONNECTOR:
            return _captured(source, one)
        case _:
            return topic_of(source) in one.links.get("receives", ())


def _captured(source: dict[str, Any], connector: Named) -> bool:
    named = mapping(source.get("cdc")).get("connector")
    if named is not None:
        return bool(named == connector.subject)
    topic, topics = topic_of(source), connector.links.get("topics", ())
    prefixes = () if topics else connector.links.get("prefix", ())
    return topic is not None and (topic in topics or any(topic.startswith(f"{each}.") for each in prefixes))


def _is_table(node: dict[str, Any], table: Named) -> bool:
    short = [*table.links.get("identifier", ()), table.subject.rpartition(".")[2]]
    return any(name == table.subject or name in short for name in names_of(node))


def targets(places: Places, of: Thing, field: str, path: Path) -> Iterator[Target]:
    """The fields, and how they relate, that a fact `field` of a thing at `path` speaks of."""
    if of is Thing.TABLE:
        yield from _of_table(places, field, path)
    elif field == "promise.retention":
        if path[0] == "sources":
            yield (*path, "retention", "time"), "at_least"
    elif field == "promise.latency":
        yield from _promised_freshness(places, path)
    elif field.startswith("semantics.") and of is Thing.JOB:
        for source in _above(places, path):
            yield (*source, *field.split(".")), "is"
    elif path[0] != _ONLY_OF.get(field, path[0]):
        return
    else:
        relation: Relation = "near" if field == "rate.average" else "is"
        if not field.startswith("checkpoint.") or path in _checkpointing(places):
            yield (*path, *field.split(".")), relation


def dead_letters(places: Places, topic: str) -> Iterator[Path]:
    """The retention of dead letters whose topic is `topic`."""
    for path, stage in places.entries("stages"):
        if mapping(stage.get("dead_letters")).get("topic") == topic:
            yield (*path, "dead_letters", "retention")


def _checkpointing(places: Places) -> list[Path]:
    """The stages of Flink that say something of checkpoints; else the first of them, for all of the job."""
    stages = places.stages("flink")
    saying = [path for path, stage in stages if "checkpoint" in stage]
    return saying or [path for path, _ in stages[:1]]


def _of_table(places: Places, field: str, path: Path) -> Iterator[Target]:
    """A freshness check of the node's dataset, by its severity; and what an SLO promises of the sink."""
    node = mapping(places.data[path[0]][path[1]])
    checks = enumerate(listing(mapping(places.data).get("quality")))
    for index, check in checks:
        own = mapping(check)
        if own.get("check") != "freshness" or own.get("dataset") not in names_of(node):
            continue
        wanted = "freshness.warn_after" if own.get("severity") == "warning" else "freshness.error_after"
        if field == wanted:
            yield ("quality", index, "within"), "is"
        elif field == "freshness.fields" and "fields" in own:
            yield ("quality", index, "fields"), "is"
    if field == "freshness.error_after":
        yield from _promised_freshness(places, path)


def _promised_freshness(places: Places, path: Path) -> Iterator[Target]:
    """The slowest target of the freshness that is promised of a sink."""
    if path[0] != "sinks":
        return
    sink = places.data["sinks"][path[1]].get("id")
    for index, slo in enumerate(listing(mapping(places.data).get("slos"))):
        freshness = mapping(mapping(slo).get("freshness"))
        last = next((p for p in ("p99", "p95", "p50") if p in freshness), None)
        if mapping(slo).get("for") == sink and last is not None:
            yield ("slos", index, "freshness", last), "at_most"


def _above(places: Places, stage: Path) -> list[Path]:
    """The sources that a stage reads itself."""
    inputs = listing(places.data["stages"][stage[1]].get("inputs"))
    named = {str(mapping(one).get("from") if isinstance(one, dict) else one) for one in inputs}
    return [path for path, source in places.sources() if source.get("id") in named]
