"""How often a record is delivered by each link of the way to a sink, and what the plan promises.

0  at most once      some records may be lost
1  at least once     some may count twice
2  exactly once      each counts once: what fails is read again, and writing it again changes nothing

source (2) -> stage (1, may repeat) -> sink (2, writes by key)     the key absorbs the repeats
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.documents import Path, dotted
from pipelineplan.errors import Position
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.verdicts import Basis, Operand

_BY_WORD = {"at_most_once": 0, "at_least_once": 1, "exactly_once": 2, "idempotent": 2, "transactional": 2}
_READ_AGAIN = {"kafka", "kinesis", "pulsar", "files"}


@dataclass(frozen=True)
class Link:
    """One link: its name in words, where the plan states it, and how often it delivers (0, 1, 2).

    A link that `absorbs` drops what repeats before it, by a key; one that `changes` writes other values
    when it is repeated, which no key absorbs.
    """

    name: str
    path: Path
    position: Position
    level: int
    absorbs: bool = False
    changes: bool = False

    def operand(self, symbol: str) -> Operand:
        """The link as an operand of a formula."""
        level = float(self.level)
        return Operand(
            symbol, self.name, level, level, level, Basis.DECLARED, dotted(self.path), self.position
        )


def promised_at(plan: Plan, sink: Sink) -> Link | None:
    """The strongest delivery that the sink, or a stage that writes to it, promises; None where none does."""
    writers = [
        edge.upstream for edge in plan.graph.into(sink.id) if plan.graph.kinds[edge.upstream] == "stage"
    ]
    links = [_of_guarantee(plan, plan.stage(name)) for name in writers]
    if sink.guarantee is not None:
        path = plan.path(sink, "guarantee")
        links.append(_link(plan, f"sink {sink.id!r}", path, _BY_WORD[sink.guarantee.kind]))
    return max((link for link in links if link is not None), key=lambda link: link.level, default=None)


def links_to(plan: Plan, sink: Sink) -> tuple[Link, ...]:
    """The links that decide what arrives at `sink`: repeats that a later link absorbs do not count."""
    names = plan.graph.above(sink.id)
    links = [_of_source(plan, plan.source(name)) for name in names if plan.graph.kinds[name] == "source"]
    for name in names:
        if plan.graph.kinds[name] == "stage":
            stage = plan.stage(name)
            links += [_of_guarantee(plan, stage), _of_replay(plan, stage)]
    known = [link for link in (*links, _of_sink(plan, sink)) if link is not None]
    last = max((place for place, link in enumerate(known) if link.absorbs), default=0)
    return tuple(link for place, link in enumerate(known) if place >= last or link.level != 1 or link.changes)


def level_of(sink: Sink) -> int | None:
    """How often `sink` says that it delivers: 0, 1 or 2; None where it says nothing."""
    return _BY_WORD[sink.guarantee.kind] if sink.guarantee is not None else None


def _of_source(plan: Plan, source: Source) -> Link | None:
    """A log or a file can be read again; what its producers do not wait for may be lost before it."""
    if source.acks == "0":
        return _link(plan, f"{source.id!r} without acknowledgements", plan.path(source, "acks"), 0)
    if source.system == "api":
        name = f"{source.id!r}, an interface that cannot be read again"
        return _link(plan, name, plan.path(source, "system"), 0)
    if source.system in _READ_AGAIN or source.cdc is not None:
        return _link(plan, f"{source.id!r}, which can be read again", plan.path(source), 2)
    return None


def _of_guarantee(plan: Plan, stage: Stage) -> Link | None:
    """A stage that counts exactly once drops repeats where it builds its result anew or knows their key."""
    if stage.guarantee is None:
        return None
    level = _BY_WORD[stage.guarantee]
    absorbs = level == 2 and (stage.mode == "recompute" or _knows_repeats(plan, stage))
    return _link(plan, f"stage {stage.id!r}", plan.path(stage, "guarantee"), level, absorbs=absorbs)


def _knows_repeats(plan: Plan, stage: Stage) -> bool:
    above = [plan.source(name) for name in plan.graph.above(stage.id) if plan.graph.kinds[name] == "source"]
    meant = [source.semantics.duplicates for source in above if source.semantics is not None]
    return bool(meant) and all(duplicates is not None and duplicates.key for duplicates in meant)


def _of_replay(plan: Plan, stage: Stage) -> Link | None:
    """A replay that looks something up, or reads the clock, writes other values for the same record."""
    if stage.determinism is None or not (stage.determinism.lookups or stage.determinism.processing_time):
        return None
    name = f"the replay of stage {stage.id!r}, which depends on lookups or the clock"
    path = plan.path(stage, "determinism")
    return Link(name, path, plan.position(path), 1, changes=True)


def _of_sink(plan: Plan, sink: Sink) -> Link | None:
    """What the sink gives; without a key to write by it is idempotent in name only."""
    if sink.guarantee is None:
        return None
    path, kind = plan.path(sink, "guarantee"), sink.guarantee.kind
    if kind == "idempotent" and not sink.idempotency_key:
        return _link(plan, f"sink {sink.id!r} without idempotency_key", path, 1)
    return _link(plan, f"sink {sink.id!r}", path, _BY_WORD[kind], absorbs=kind == "idempotent")


def _link(plan: Plan, name: str, path: Path, level: int, *, absorbs: bool = False) -> Link:
    return Link(name, path, plan.position(path), level, absorbs)
