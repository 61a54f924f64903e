"""Plans drawn up from what a company's configuration says: one for each pipeline that it tells of.

A pipeline is, in this order, and nothing that belongs to an earlier one begins another:

1. an application of AsyncAPI that receives something: from the topics it receives to those it sends;
2. a Debezium connector: from the topics of the tables that it captures;
3. a job of Flink that has a name: with the topic of that name, else with an input that nobody named;
4. a topic that is none of Kafka's own, nor the dead letters of another;
5. a source of dbt: its tables, read in batches;
6. a DAG of Airflow;
7. a data contract.

What has the name of a pipeline, or of its topic or table, joins it: a table of dbt as its sink, a DAG as
its schedule, a contract. Settings of Flink without a name join the pipelines of the nearest folder that
has any. Names are the same when they differ only in case and in `.`, `-` and `_`, or when the last part
of a dotted one is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelineplan.facts.fact import Fact, Named, Reading, Thing
from pipelineplan.plan.draft import Draft, Said, identifier, said

_INTERNAL = re.compile(r"^(?:_|connect-(?:configs|offsets|status))|-(?:changelog|repartition)$")
_DEAD_LETTERS = re.compile(r"^(.+?)[._-](?:dlq|dlt|dead[._-]?letters?(?:[._-]?queue)?)$", re.IGNORECASE)
_OF_FLINK = ("checkpoint.", "state.backend", "parallelism.")


@dataclass
class Known:
    """All things and facts of the readings, and which of them a draft has taken."""

    readings: tuple[Reading, ...]
    things: dict[Thing, dict[str, list[Named]]] = field(default_factory=dict)
    facts: dict[tuple[Thing, str], list[Fact]] = field(default_factory=dict)
    taken: set[tuple[Thing, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Sort everything by thing."""
        for reading in self.readings:
            for one in reading.named:
                self.things.setdefault(one.of, {}).setdefault(one.subject, []).append(one)
            for fact in reading.facts:
                self.facts.setdefault((fact.of, fact.subject), []).append(fact)

    def all(self, of: Thing) -> list[str]:
        """The names of all things of a kind."""
        return list(self.things.get(of, {}))

    def left(self, of: Thing) -> list[str]:
        """The names of the things of a kind that no draft has taken."""
        return [name for name in self.all(of) if (of, name) not in self.taken]

    def links(self, of: Thing, name: str, kind: str) -> list[str]:
        """What a thing says that it is linked to, over all files that tell of it."""
        found = [other for one in self.things[of][name] for other in one.links.get(kind, ())]
        return list(dict.fromkeys(found))

    def files(self, of: Thing, name: str) -> list[str]:
        """The files that tell of a thing."""
        return [one.position.file for one in self.things.get(of, {}).get(name, [])]

    def take(self, of: Thing, name: str) -> list[Fact]:
        """The facts of a thing, which is taken from now on."""
        self.taken.add((of, name))
        return self.facts.get((of, name), [])


def drafts_of(readings: Iterable[Reading]) -> tuple[Draft, ...]:
    """The plans that the readings give, in the order of the rule, each with a name of its own."""
    known = Known(tuple(readings))
    drafts = [
        *_applications(known),
        *_connectors(known),
        *_jobs(known),
        *_topics(known),
    ]
    for draft in drafts:
        _join(draft, known)
    drafts += [*_tables(known), *_dags(known), *_contracts(known)]
    for draft in drafts:
        _flink(draft, known)
        _finish(draft)
    return _named_apart(drafts)


def left_over(readings: Iterable[Reading], drafts: Iterable[Draft]) -> tuple[Named, ...]:
    """Things that no draft rests on: each is in a file that none of them names."""
    used = {file for draft in drafts for file in draft.files}
    return tuple(one for reading in readings for one in reading.named if reading.file not in used)


def same(one: str, other: str) -> bool:
    """Whether two names are the same but for case and separators, or for what stands before the last dot."""
    return bool(_spellings(one) & _spellings(other))


def _spellings(name: str) -> set[str]:
    plain = {name, name.rpartition(".")[2]}
    return {re.sub(r"[._-]+", "_", each.lower()).strip("_") for each in plain} - {""}


def _applications(known: Known) -> Iterator[Draft]:
    for name in known.all(Thing.APPLICATION):
        received = known.links(Thing.APPLICATION, name, "receives")
        if not received:
            continue
        draft = Draft(identifier(name.lower()), f"the application {name}")
        draft.rests_on(*known.files(Thing.APPLICATION, name))
        groups = known.take(Thing.APPLICATION, name)
        for topic in received:
            source = _source(draft, topic, known)
            for fact in groups:
                draft.put(tuple(fact.field.split(".")), fact, source)
        for topic in known.links(Thing.APPLICATION, name, "sends"):
            known.take(Thing.TOPIC, topic)
            draft.rests_on(*known.files(Thing.TOPIC, topic))
            _sink(draft, topic)
        yield draft


def _connectors(known: Known) -> Iterator[Draft]:
    for name in known.all(Thing.CONNECTOR):
        draft = Draft(identifier(name), f"the connector {name}")
        draft.rests_on(*known.files(Thing.CONNECTOR, name))
        facts = known.take(Thing.CONNECTOR, name)
        topics = known.links(Thing.CONNECTOR, name, "topics") or [
            topic
            for prefix in known.links(Thing.CONNECTOR, name, "prefix")
            for topic in known.left(Thing.TOPIC)
            if topic.startswith(f"{prefix}.")
        ]
        for topic in topics or [name]:
            source = _source(draft, topic, known)
            source["mutation"] = Said("cdc", "what a connector of Debezium writes")
            source.setdefault("cdc", {})["connector"] = Said(name)
            for fact in facts:
                draft.put(tuple(fact.field.split(".")), fact, source)
        draft.tree["ingestion"] = {"mode": Said("cdc")}
        yield draft


def _jobs(known: Known) -> Iterator[Draft]:
    for name in [name for name in known.all(Thing.JOB) if name]:
        draft = Draft(identifier(name), f"the Flink job {name}")
        topic = next((topic for topic in known.left(Thing.TOPIC) if same(topic, name)), None)
        source = _source(draft, topic or f"{name}-input", known)
        if topic is None:
            source["system"] = Said("other", "which topic it reads, the configuration does not say")
        _stage(draft, known.take(Thing.JOB, name), name)
        draft.rests_on(*known.files(Thing.JOB, name))
        yield draft


def _topics(known: Known) -> Iterator[Draft]:
    topics = [name for name in known.left(Thing.TOPIC) if not _INTERNAL.search(name)]
    for name in topics:
        found = _DEAD_LETTERS.match(name)
        if found and any(same(found[1], other) for other in known.all(Thing.TOPIC) if other != name):
            continue  # it joins the pipeline whose dead letters they are
        draft = Draft(identifier(name), f"the topic {name}")
        _source(draft, name, known)
        yield draft


def _source(draft: Draft, topic: str, known: Known) -> dict[str, Any]:
    """A source for a topic, with all that is known of it."""
    own = _free(identifier(topic), draft)
    source: dict[str, Any] = {"id": Said(own), "system": Said("kafka")}
    if own != topic:
        source["topic"] = Said(topic)
    draft.tree.setdefault("sources", []).append(source)
    for fact in known.take(Thing.TOPIC, topic):
        draft.put(tuple(fact.field.split(".")), fact, source)
    draft.rests_on(*known.files(Thing.TOPIC, topic))
    return source


def _sink(draft: Draft, name: str, **more: Any) -> dict[str, Any]:
    sink = {"id": Said(_free(identifier(name), draft)), **more}
    draft.tree.setdefault("sinks", []).append(sink)
    return sink


def _free(own: str, draft: Draft) -> str:
    """`own`, or with a number behind it where the plan has something of that name already."""
    nodes = [*draft.tree.get("sources", []), *draft.tree.get("sinks", []), *draft.tree.get("stages", [])]
    taken = {node["id"].value for node in nodes} | {"process", "consumers"}
    return next(
        name for name in (own, *(f"{own}-{n}" for n in range(2, len(taken) + 3))) if name not in taken
    )


def _stage(draft: Draft, facts: Iterable[Fact], job: str = "") -> None:
    """A stage of Flink with what its configuration says; there is one, as nobody says how many there are."""
    stages = draft.tree.setdefault("stages", [{"id": Said("process"), "inputs": [], "engine": Said("flink")}])
    if job:
        stages[0]["job"] = Said(job)
    for fact in facts:
        if fact.field.startswith(_OF_FLINK) or fact.field == "guarantee":
            draft.put(tuple(fact.field.split(".")), fact, stages[0])


def _join(draft: Draft, known: Known) -> None:
    """Everything that has the pipeline's name, or that of one of its topics."""
    names = [draft.name, *(_name(source) for source in draft.tree["sources"])]
    for table in known.left(Thing.TABLE):
        if any(same(table, name) for name in names):
            _table_sink(draft, table, known)
    for dag in known.left(Thing.DAG):
        if any(same(dag, name) for name in names):
            _schedule(draft, dag, known)
    for contract in known.left(Thing.CONTRACT):
        objects = known.links(Thing.CONTRACT, contract, "datasets")
        if any(same(one, name) for one in [contract, *objects] for name in names):
            known.take(Thing.CONTRACT, contract)
            draft.rests_on(*known.files(Thing.CONTRACT, contract))
    for topic in known.left(Thing.TOPIC):
        found = _DEAD_LETTERS.match(topic)
        if found and any(same(found[1], name) for name in names):
            _dead_letters(draft, topic, known)


def _dead_letters(draft: Draft, topic: str, known: Known) -> None:
    """A topic of dead letters: of the stage where there is one, else only named among the files."""
    facts = known.take(Thing.TOPIC, topic)
    draft.rests_on(*known.files(Thing.TOPIC, topic))
    for stage in draft.tree.get("stages", [])[:1]:
        stage["dead_letters"] = {"topic": Said(topic)}
        kept = next((fact for fact in facts if fact.field == "retention.time"), None)
        if kept is not None:
            draft.put(("dead_letters", "retention"), kept, stage)


def _name(source: dict[str, Any]) -> str:
    return str((source.get("topic") or source["id"]).value)


def _table_sink(draft: Draft, table: str, known: Known) -> None:
    sink = _sink(draft, table, table=Said(table))
    facts = known.take(Thing.TABLE, table)
    draft.rests_on(*known.files(Thing.TABLE, table))
    _checks(draft, str(sink["id"].value), facts)


def _checks(draft: Draft, dataset: str, facts: Iterable[Fact]) -> None:
    """The freshness that dbt checks, as checks of the plan: an error, and a warning."""
    fields = next((fact for fact in facts if fact.field == "freshness.fields"), None)
    for limit, severity in (("error_after", "error"), ("warn_after", "warning")):
        fact = next((fact for fact in facts if fact.field == f"freshness.{limit}"), None)
        if fact is not None and fields is not None:
            check = {
                "dataset": Said(dataset),
                "check": Said("freshness"),
                "fields": said(fields),
                "within": said(fact),
                "severity": Said(severity),
            }
            draft.tree.setdefault("quality", []).append(check)


def _schedule(draft: Draft, dag: str, known: Known) -> None:
    ingestion = draft.tree.setdefault("ingestion", {"mode": Said("batch")})
    ingestion["dag"] = Said(dag)
    facts = known.take(Thing.DAG, dag)
    draft.rests_on(*known.files(Thing.DAG, dag))
    has_cron = any(fact.field == "schedule.cron" for fact in facts)
    for fact in sorted(facts, key=lambda fact: fact.field != "schedule.cron"):
        if has_cron or not fact.field.startswith("schedule."):
            draft.put(tuple(fact.field.split(".")), fact, ingestion)


def _tables(known: Known) -> Iterator[Draft]:
    """One plan for each source of dbt, with the tables that joined nothing."""
    by_source: dict[str, list[str]] = {}
    for table in known.left(Thing.TABLE):
        by_source.setdefault(next(iter(known.links(Thing.TABLE, table, "source")), table), []).append(table)
    for source, tables in by_source.items():
        draft = Draft(identifier(source), f"the dbt source {source}")
        draft.tree["ingestion"] = {"mode": Said("batch", "what dbt reads, it reads in batches")}
        for table in tables:
            own = _free(identifier(table), draft)
            draft.tree.setdefault("sources", []).append({"id": Said(own), "system": Said("other")})
            draft.rests_on(*known.files(Thing.TABLE, table))
            _checks(draft, own, known.take(Thing.TABLE, table))
        for dag in known.left(Thing.DAG):
            if same(dag, source):
                _schedule(draft, dag, known)
        yield draft


def _dags(known: Known) -> Iterator[Draft]:
    for dag in known.left(Thing.DAG):
        draft = Draft(identifier(dag), f"the DAG {dag}")
        note = "what it reads, the export does not say"
        draft.tree["sources"] = [{"id": Said("input"), "system": Said("other", note)}]
        _schedule(draft, dag, known)
        yield draft


def _contracts(known: Known) -> Iterator[Draft]:
    for contract in known.left(Thing.CONTRACT):
        draft = Draft(identifier(contract), f"the contract {contract}")
        known.take(Thing.CONTRACT, contract)
        names = known.links(Thing.CONTRACT, contract, "datasets")[:1] or ["input"]
        draft.tree["sources"] = [{"id": Said(identifier(names[0])), "system": Said("other")}]
        draft.rests_on(*known.files(Thing.CONTRACT, contract))
        yield draft


def _flink(draft: Draft, known: Known) -> None:
    """Settings of Flink without a job's name, of the nearest folder above the draft's own files."""
    mode = draft.tree.get("ingestion", {}).get("mode")
    if mode is not None and mode.value == "batch":
        return
    facts = known.facts.get((Thing.JOB, ""), [])
    files = dict.fromkeys(known.files(Thing.JOB, ""))
    near = [file for file in files if any(_is_above(file, own) for own in draft.files)]
    deepest = max((file.count("/") for file in near), default=0)
    for file in near:
        if file.count("/") == deepest:
            _stage(draft, [fact for fact in facts if fact.position.file == file])
            draft.rests_on(file)


def _is_above(file: str, own: str) -> bool:
    """Whether `file` lies in the folder of `own` or in one above it, the top of all left out."""
    folder = file.rpartition("/")[0]
    return file != own and bool(folder) and own.startswith(f"{folder}/")


def _finish(draft: Draft) -> None:
    """A sink, since every plan has one, and the inputs of stages and sinks."""
    sources = [source["id"].value for source in draft.tree["sources"]]
    if "sinks" not in draft.tree:
        _sink(draft, "consumers")["id"] = Said("consumers", "who reads the result, only a person can say")
    for stage in draft.tree.get("stages", []):
        stage["inputs"] = [Said(name) for name in sources]
    ends = ["process"] if draft.tree.get("stages") else sources
    for sink in draft.tree["sinks"]:
        sink["inputs"] = [Said(name) for name in ends]
    order = ("sources", "ingestion", "stages", "sinks", "quality")
    draft.tree = {section: draft.tree[section] for section in order if section in draft.tree}


def _named_apart(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    taken: dict[str, int] = {}
    made = []
    for draft in drafts:
        key = draft.name.lower()
        taken[key] = taken.get(key, 0) + 1
        draft.name = draft.name if taken[key] == 1 else f"{draft.name}-{taken[key]}"
        made.append(draft)
    return tuple(made)
