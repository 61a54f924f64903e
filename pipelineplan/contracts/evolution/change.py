"""What a change of a schema does to somebody who reads: one finding, one judgement, named policies.

    reader v3 reads a record of writer v1
      $.fields[2]  reader-field-without-default  incompatible   witness {"id": 0}
      $.fields[0]  lossy-promotion               policy         allowed: long read as double

compatible     every record of the writer is read, and means what it meant
policy         read, but somebody may mind: a policy with a name allows or refuses it
unknown        the effort ran out, and this is never passed off as compatible
incompatible   some record of the writer is not read, or is misread
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Compatibility(StrEnum):
    """Whether a reader reads what a writer writes."""

    COMPATIBLE = "compatible"
    POLICY = "policy"
    UNKNOWN = "unknown"
    INCOMPATIBLE = "incompatible"


@dataclass(frozen=True)
class Policy:
    """A question that the formats leave open, and whether the change is let pass by default."""

    name: str
    allowed: bool
    about: str


_ALLOWED = {
    "lossy-promotion": "a number or text is read as a type that cannot hold every value",
    "logical-annotation": "a logical type comes, goes or widens over the same plain type",
    "renamed": "the number or id stays and the name changes",
    "presence": "absent and zero can no longer be told apart",
    "unknown-enum-value": "an open enum keeps the number of a value that the reader has no name for",
    "sink-add": "the sink's table has no such column yet",
    "profile-allows": "only the rules of the profile in force let it pass",
}
_REFUSED = {
    "logical-type": "unit, scale or meaning of a logical type differs, and readers disagree",
    "undeclared-properties": "it breaks only records with a property that the writer never declared",
    "format-assertion": "only validators that enforce formats, or anchor patterns, refuse",
    "wire-narrowing": "the wire carries it, but a value outside the reader's type is misread",
    "wire-reshaped": "the wire carries it in another shape: one value as a list, a message as bytes",
    "default-changed": "where nothing is written, writer and reader mean different values",
    "silent-null": "a column reads as NULL although something was written that may be meant",
    "engine-cast": "one engine converts the type, and another refuses to read it",
    "partitioning": "records are partitioned by other fields, so order and pruning change",
    "sink-alter": "the sink's column must be altered before such records come",
    "profile-refuses": "only the rules of the profile in force refuse it",
}
POLICIES: Mapping[str, Policy] = {
    name: Policy(name, allowed=allowed, about=about)
    for named, allowed in ((_ALLOWED, True), (_REFUSED, False))
    for name, about in named.items()
}


@dataclass(frozen=True)
class Witness:
    """A record that the writer may write and the reader rejects or misreads.

    `record` is plain data; `outcome` says what the reader does with it.
    """

    record: Any
    outcome: str


@dataclass(frozen=True)
class Change:
    """One finding: what differs at `path` of the reader's schema, why it matters, and who breaks.

    `verdict` is never COMPATIBLE. `policy` names the policy of a POLICY verdict and `allowed` whether
    it lets the change pass. `witness` is there where a record can be shown.
    """

    change: str
    path: str
    reason: str
    verdict: Compatibility = Compatibility.INCOMPATIBLE
    policy: str = ""
    allowed: bool = False
    who: str = ""
    witness: Witness | None = None

    @property
    def passes(self) -> bool:
        """Whether this change alone would let the judgement pass."""
        return self.verdict is Compatibility.POLICY and self.allowed


@dataclass(frozen=True)
class Choices:
    """The policies as somebody set them: names to allow and to refuse, over the defaults."""

    allow: Collection[str] = ()
    refuse: Collection[str] = ()

    def allows(self, name: str) -> bool:
        """Whether the policy `name` lets a change pass."""
        if name in self.refuse:
            return False
        return name in self.allow or POLICIES[name].allowed

    def applied(self, change: Change) -> Change:
        """`change` with its policy decided."""
        if change.verdict is not Compatibility.POLICY:
            return change
        return replace(change, allowed=self.allows(change.policy))


@dataclass(frozen=True)
class Judgement:
    """Whether one reader reads one writer, with every change that has a say in it."""

    changes: tuple[Change, ...] = field(default=())

    @property
    def verdict(self) -> Compatibility:
        """The worst of the changes."""
        order = list(Compatibility)
        return max((change.verdict for change in self.changes), key=order.index, default=order[0])

    @property
    def passes(self) -> bool:
        """Compatible, or allowed by named policies."""
        return all(change.passes for change in self.changes)


def judgement_of(changes: Iterable[Change], choices: Choices, who: str = "") -> Judgement:
    """The judgement that `changes` amount to under `choices`; `who` is who breaks."""
    return Judgement(tuple(replace(choices.applied(change), who=who) for change in changes))
