"""SYN: does what the plan says agree with the real system, and is all of that system read?

    plan.yaml:14:16        retention: 7 d
    deploy/topics.yaml:11  retention.ms: 259200000        3 d: one of the two is out of date

The plan's value stands and is judged by every other rule; with `prefer: facts` the real one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelineplan.documents import Path, dotted
from pipelineplan.errors import Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.real_system import NEAR, Link, agrees
from pipelineplan.quantities import QuantityError, parse
from pipelineplan.rules.claim import Claim
from pipelineplan.rules.inequality import statement
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand

_FIX = "bring the plan or the configuration up to date, or say facts: {files: [...], prefer: facts}"
_HAS_TO_BE = {"is": "", "at_least": "at least ", "at_most": "at most ", "near": "near "}
_KINDS = {
    "topic": "topic",
    "job": "Flink job",
    "connector": "connector",
    "table": "table",
    "dag": "DAG",
}


@rule(
    "SYN101",
    title="Every file of facts can be read",
    why="A file that is broken, gone or of an unknown kind says nothing, and the plan drifts from it unseen.",
    formula="files of facts that are broken, unknown or missing = 0",
    bad="facts: [deploy/topics.yaml], and that file is no longer YAML",
    good="facts: [deploy/topics.yaml], and its topics are read",
    fix="mend the file, or name another one in facts:",
    source="the plan's own references",
    severity=BY_LEVEL,
)
def files_are_read(plan: Plan) -> Iterator[Claim]:
    """One claim for each broken file, and one for all that were read."""
    broken: dict[tuple[Path, str], list[Problem]] = {}
    for path, problem in plan.real.broken:
        broken.setdefault((path, problem.position.file), []).append(problem)
    for (path, file), problems in broken.items():
        first = problems[0]
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        if "needs the extra" in first.message:
            missing = f"{file}: {first.message}, or state its values in the plan"
            yield Claim(path, file, missing=missing)
        else:
            said = f"{first}{more}" if file != plan.file else first.message
            yield statement(path, file, said, true=False)
    if plan.real.readings:
        values = sum(len(reading.facts) for reading in plan.real.readings)
        files = len(plan.real.files)
        what = f"{values} values were read from {files} file{'' if files == 1 else 's'}"
        yield statement(("facts",), "read", what, true=True)


@dataclass(frozen=True)
class _Both:
    """A plan's value and the fact about it, as operands of a verdict."""

    plan: Plan
    link: Link

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Both sides with their places, where they are amounts or counts."""
        fact, link = self.link.fact, self.link
        ends = ((link.stated, "P", "plan"), (fact.value, "F", "real system"))
        made = []
        for value, symbol, name in ends:
            bounds = _bounds(value, link)
            if bounds is None:
                return ()
            here = symbol == "P"
            basis = Basis.DECLARED if here else Basis.MEASURED if fact.measured else Basis.IMPORTED
            place = self.plan.position(link.path) if here else fact.position
            if here and link.stated_at is not None:
                place = link.stated_at
            path = dotted(link.path) if here else fact.id
            low, middle, high = bounds
            made.append(Operand(symbol, name, middle, low, high, basis, path, place, fact.dimension))
        return tuple(made)

    @property
    def says(self) -> str:
        """Both values, each with where it stands."""
        fact, link = self.link.fact, self.link
        stated = ", ".join(map(str, link.stated)) if isinstance(link.stated, list) else str(link.stated)
        stated = stated.lower() if isinstance(link.stated, bool) else stated
        wanted = _HAS_TO_BE[link.relation]
        return f"the plan says {stated}, {fact.position} says {wanted}{fact.shown} ({fact.written})"


def _bounds(value: object, link: Link) -> tuple[float, float, float] | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if link.fact.dimension is None:
        return (float(value),) * 3 if isinstance(value, int) else None
    try:
        amount = parse(value, link.fact.dimension)
    except QuantityError:
        return None
    return amount.low, amount.value, amount.high


def _compared(plan: Plan, *of: str, measured: bool = False) -> Iterator[Claim]:
    """A claim for every value that both sides state, of things of the kinds `of`."""
    for link in plan.real.links:
        fact = link.fact
        if fact.of not in of or fact.measured is not measured or not link.compares:
            continue
        if link.path in plan.real.replaced:
            continue
        true = agrees(link.stated, fact, link.relation)
        if true is not None:
            both = _Both(plan, link)
            yield statement(
                link.path, f"{fact.id} in {fact.position.file}", both.says, true=true, operands=both.operands
            )
    yield from () if measured else _open(plan, of)


def _open(plan: Plan, of: tuple[str, ...]) -> Iterator[Claim]:
    """What stands in a file and could not be read, where it belongs in the plan: said, not guessed."""
    for path, one in plan.real.unresolved:
        if one.of in of:
            missing = f"{one.position}: {one.written}: {one.why}; state {dotted(path)} or what it resolves to"
            yield Claim(path, f"{one.of}/{one.subject}/{one.field}", missing=missing)


@rule(
    "SYN201",
    title="Topics are as the plan says",
    why="Partitions, retention and cleanup decide how far a pipeline may fall behind; a plan that has other "
    "ones than the cluster gives verdicts about a system that is not there.",
    formula="plan's value = value of the topic, in the same unit",
    bad="retention: 7 d, and the topic has retention.ms: 259200000",
    good="retention: 7 d, and the topic has retention.ms: 604800000",
    fix=_FIX,
    source="Apache Kafka documentation, Topic-Level Configs; Strimzi, Terraform, AsyncAPI",
    severity=BY_LEVEL,
)
def topics_agree(plan: Plan) -> Iterator[Claim]:
    """Partitions, replication, retention and the rest of each topic."""
    yield from _compared(plan, "topic")


@rule(
    "SYN202",
    title="Flink runs with the settings of the plan",
    why="Checkpoint interval and timeout decide what is replayed and for how long a transaction stays open; "
    "in the plan they are wishes until the job has them.",
    formula="plan's value = value of the job's configuration, in the same unit",
    bad="checkpoint: {interval: 60 s}, and execution.checkpointing.interval: 10 min",
    good="checkpoint: {interval: 60 s}, and execution.checkpointing.interval: 1 min",
    fix=_FIX,
    source="Flink documentation, Configuration, 1.x and 2.x",
    severity=BY_LEVEL,
)
def flink_agrees(plan: Plan) -> Iterator[Claim]:
    """Checkpoints, state, parallelism and watermarks of each job."""
    yield from _compared(plan, "job")


@rule(
    "SYN203",
    title="Connectors capture as the plan says",
    why="Without the heartbeat that the plan counts on, a quiet table holds the write-ahead log until the "
    "disk is full.",
    formula="plan's value = value of the connector, in the same unit",
    bad="cdc: {heartbeat: 10 s}, and heartbeat.interval.ms: 0",
    good="cdc: {heartbeat: 10 s}, and heartbeat.interval.ms: 10000",
    fix=_FIX,
    source="Debezium documentation, connector properties",
    severity=BY_LEVEL,
)
def connectors_agree(plan: Plan) -> Iterator[Claim]:
    """Heartbeat and keys of each connector."""
    yield from _compared(plan, "connector")


@rule(
    "SYN204",
    title="dbt is told the freshness that the plan promises",
    why="Where dbt raises its alarm after an hour, a promise of four is an alarm every day; the other way "
    "round nobody hears of a promise that is broken.",
    formula="within = error_after (warn_after of a warning); slowest freshness target <= error_after",
    bad="freshness: {p95: 24 h}, and error_after: {count: 12, period: hour}",
    good="freshness: {p95: 4 h}, and error_after: {count: 12, period: hour}",
    fix=_FIX,
    source="dbt documentation, freshness",
    severity=BY_LEVEL,
)
def dbt_agrees(plan: Plan) -> Iterator[Claim]:
    """Freshness of tables, and how models are built."""
    yield from _compared(plan, "table", "model")


@rule(
    "SYN205",
    title="The scheduler runs the plan's schedule",
    why="A run that starts by another clock, or catches up where the plan says it does not, is another "
    "pipeline than the one that was judged.",
    formula="plan's value = value of the DAG: schedule, zone, catch-up, runs at once",
    bad='schedule: {cron: "15 4 * * *"}, and the DAG has @daily',
    good='schedule: {cron: "0 0 * * *"}, and the DAG has @daily',
    fix=_FIX,
    source="Airflow documentation, DAG runs and timetables",
    severity=BY_LEVEL,
)
def schedule_agrees(plan: Plan) -> Iterator[Claim]:
    """Cron expression, zone, catch-up and concurrency."""
    yield from _compared(plan, "dag")


@rule(
    "SYN206",
    title="What contracts promise of the stream, the plan keeps",
    why="A contract that grants seven days to read and a log that keeps three leave four days in which the "
    "reader was right and the records are gone.",
    formula="retention >= the contract's retention; slowest freshness target <= the contract's latency",
    bad="retention: 3 d, and the contract promises retention 7 d",
    good="retention: 7 d, and the contract promises retention 7 d",
    fix=_FIX,
    source="Open Data Contract Standard 3.1.0, service levels",
    severity=BY_LEVEL,
)
def promises_are_kept(plan: Plan) -> Iterator[Claim]:
    """Retention of sources and freshness of sinks against service levels."""
    yield from _compared(plan, "contract")


@rule(
    "SYN207",
    title="The application reads as the plan says",
    why="Offsets belong to a consumer group: under another name a restart begins somewhere else.",
    formula="consumer.group = groupId of the application's operation",
    bad="consumer: {group: billing}, and the application's groupId is billing-v2",
    good="consumer: {group: billing}, and the application's groupId is billing",
    fix=_FIX,
    source="AsyncAPI specification, Kafka operation binding",
    severity=BY_LEVEL,
)
def application_agrees(plan: Plan) -> Iterator[Claim]:
    """The consumer group."""
    yield from _compared(plan, "application")


@rule(
    "SYN208",
    title="The recording shows the stream that the plan describes",
    why="A plan is made once and traffic grows: what was recorded is what it has to hold for.",
    formula=f"partitions = those recorded; average rate within {NEAR:.0%} of the recorded one",
    bad="rate: {average: 4_000/s}, and the log grew by 9_100/s",
    good="rate: {average: 4_000/s}, and the log grew by 4_300/s",
    fix="state the recorded values, or `pipelineplan simulate PLAN --metrics` to calibrate more of them",
    source="kafka_exporter, kafka-lag-exporter, Burrow",
    severity=ADVICE,
)
def recording_agrees(plan: Plan) -> Iterator[Claim]:
    """Partitions, rate and group of what was recorded."""
    yield from _compared(plan, "topic", measured=True)


@rule(
    "SYN301",
    title="What the plan names is there",
    why="A topic or job that was renamed or deleted leaves a plan that is compared with nothing: green.",
    formula="names in the plan that no file of facts of that kind has = 0",
    bad="topic: orders, and the topics of the cluster are orders-v2 and users",
    good="topic: orders-v2",
    fix="name it as the real system does, or list the file that has it in facts:",
    source="the plan's own facts",
    severity=BY_LEVEL,
)
def names_are_known(plan: Plan) -> Iterator[Claim]:
    """Topics, connectors, jobs and DAGs that the plan names."""
    gone = {path for path, _, _ in plan.real.missing}
    for path, of, name in plan.real.missing:
        others = sorted({one.subject for one in plan.real.named(of)} - {""})
        listed = f"{', '.join(others[:5])}{', ...' if len(others) > 5 else ''}"
        what = f"no {_KINDS.get(of, str(of))} is called {name!r}: the files of facts have {listed}"
        subject = f"{of}/{name}"
        if path[-1] == "id":  # nobody has said that the id is the topic's name
            yield Claim(
                path, subject, missing=f"{what}; state {dotted((*path[:-1], 'topic'))}, or list its file"
            )
        else:
            yield statement(path, subject, what, true=False)
    for index, source in enumerate(plan.model.sources):
        place = ("sources", index, "topic")
        if source.topic is not None and place not in gone and plan.real.named("topic"):
            yield statement(place, source.topic, f"the topic {source.topic!r} is in the facts", true=True)


@rule(
    "SYN302",
    title="Facts do not contradict each other",
    why="Where two files configure the same thing with different values, the one that was applied last won, "
    "and the other one is believed.",
    formula="values of one thing that differ between files of facts = 0",
    bad="retention.ms is 604800000 in topics.yaml and 259200000 in topics.tf",
    good="retention.ms is 604800000 in both",
    fix="keep one of the two, or list only the file that is applied in facts:",
    source="the plan's own facts",
    severity=BY_LEVEL,
)
def facts_agree(plan: Plan) -> Iterator[Claim]:
    """Each field of the plan that more than one fact speaks of in the same way."""
    first: dict[tuple[object, ...], Link] = {}
    for link in plan.real.links:
        fact = link.fact
        if fact.default or fact.measured or link.relation != "is":
            continue
        other = first.setdefault((link.path, fact.of, fact.subject), link)
        if other.fact.position == fact.position:
            continue
        true = fact.value == other.fact.value or (
            fact.value is not None and agrees(_plain(fact.value), other.fact) is True
        )
        one, two = (f"{each.position} says {each.shown}" for each in (other.fact, fact))
        yield statement(link.path, f"{fact.id} in {fact.position.file}", f"{one}, {two}", true=true)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@rule(
    "SYN303",
    title="Values that gave way to facts are brought up to date",
    why="With prefer: facts the real system's value is judged and the plan's is not: whoever reads the plan "
    "believes a number that nothing rests on.",
    formula="values of the plan that facts replace = 0",
    bad="retention: 7 d under prefer: facts, and the topic keeps 3 d",
    good="retention: 3 d, or no retention at all, so that it is imported",
    fix="write the real value, or leave the field out so that it is imported",
    source="the plan's own facts",
    severity=ADVICE,
)
def replaced_values_are_current(plan: Plan) -> Iterator[Claim]:
    """What the plan states and a fact has taken the place of."""
    for link in plan.real.links:
        if plan.real.prefer == "facts" and link.compares and link.relation == "is" and not link.fact.measured:
            true = link.path not in plan.real.replaced
            both = _Both(plan, link)
            said = both.says if true else f"{both.says}; the real value is judged"
            claim = statement(link.path, link.fact.id, said, true=true, operands=both.operands)
            yield replace(claim, at=link.stated_at)
