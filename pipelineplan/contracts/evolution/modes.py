"""The seven modes of a schema registry: who has to read whom, and against which versions.

    BACKWARD             v3 reads v2                      consumers first
    FORWARD              v2 reads v3                      producers first
    FULL                 both                             any order
    ..._TRANSITIVE       against v1 and v2                the same
    NONE                 nothing is asked

Source: Confluent Platform 8 Documentation, "Schema Evolution and Compatibility", 2025, first table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from pipelineplan.contracts.evolution.change import Change, Choices, Compatibility, Judgement, judgement_of

Schema = TypeVar("Schema")


class Mode(StrEnum):
    """A relation between a new version and older ones."""

    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"
    NONE = "NONE"

    @property
    def transitive(self) -> bool:
        """Whether every older version counts, and not the latest alone."""
        return self.value.endswith("_TRANSITIVE")

    @property
    def backward(self) -> bool:
        """Whether the new reader has to read old records."""
        return self.value.startswith(("BACKWARD", "FULL"))

    @property
    def forward(self) -> bool:
        """Whether old readers have to read new records."""
        return self.value.startswith(("FORWARD", "FULL"))

    def promises(self, reader: int, writer: int) -> bool:
        """Whether the version number `reader` is promised to read what the version `writer` wrote."""
        near = self.transitive or abs(reader - writer) == 1
        return reader == writer or (near and (self.backward if reader > writer else self.forward))

    @property
    def first(self) -> str:
        """Who is rolled out first under this mode."""
        if self is Mode.NONE:
            return "nothing is promised"
        if self.backward and self.forward:
            return "any order"
        return "consumers first" if self.backward else "producers first"


@dataclass(frozen=True)
class Version(Generic[Schema]):
    """One version of a schema, by the name that messages use."""

    name: str
    schema: Schema


@dataclass(frozen=True)
class Pair:
    """One reader against one writer, judged."""

    reader: str
    writer: str
    judgement: Judgement

    @property
    def passes(self) -> bool:
        """Compatible, or allowed by named policies."""
        return self.judgement.passes


@dataclass(frozen=True)
class CompatResult:
    """Every pair that a mode asks for, judged; `advice` is what it says of the rollout."""

    mode: str
    pairs: tuple[Pair, ...]
    advice: str = ""
    conflict: str = ""

    @property
    def passes(self) -> bool:
        """Whether every pair passes."""
        return not self.conflict and all(pair.passes for pair in self.pairs)

    @property
    def verdict(self) -> Compatibility:
        """The worst verdict of all pairs."""
        order = list(Compatibility)
        return max((pair.judgement.verdict for pair in self.pairs), key=order.index, default=order[0])

    def to_rows(self) -> list[dict[str, object]]:
        """One flat row per change of every pair."""
        return [
            {
                "reader": pair.reader,
                "writer": pair.writer,
                "change": change.change,
                "path": change.path,
                "verdict": change.verdict.value,
                "policy": change.policy,
                "allowed": change.allowed,
                "reason": change.reason,
                "who": change.who,
            }
            for pair in self.pairs
            for change in pair.judgement.changes
        ]


Reads = Callable[[Schema, Schema], list[Change]]


def judge_mode(
    versions: Sequence[Version[Schema]], mode: Mode, reads: Reads[Schema], choices: Choices
) -> CompatResult:
    """The last of `versions` (oldest first) against the ones before it, as `mode` asks.

    `reads(reader, writer)` gives the changes that matter to that reader.
    """
    *older, new = versions
    against = older if mode.transitive else older[-1:]
    pairs = []
    for old in against:
        if mode.backward:
            pairs.append(judge_pair(new, old, reads, choices, "new readers of old records"))
        if mode.forward:
            pairs.append(judge_pair(old, new, reads, choices, "old readers of new records"))
    return CompatResult(mode.value, tuple(pairs), mode.first)


def judge_pair(
    reader: Version[Schema], writer: Version[Schema], reads: Reads[Schema], choices: Choices, who: str
) -> Pair:
    """Whether `reader` reads what `writer` writes."""
    return Pair(reader.name, writer.name, judgement_of(reads(reader.schema, writer.schema), choices, who))
