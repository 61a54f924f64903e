"""Which life of its number a field is in, over all versions of a schema, oldest first.

    v1  3: ssn       v2  -       v3  3: email
    life 0                       life 1        a record of v1 shows v3 a number for an address

Two versions alone cannot tell this from a rename.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelineplan.contracts.protobuf.types import ProtoSchema


def note_lives(versions: Sequence[ProtoSchema]) -> None:
    """Write into each of `versions` which life every number is in."""
    last: dict[tuple[str, int], tuple[int, int]] = {}
    for at, version in enumerate(versions):
        version.lives = {}
        for name, message in version.messages.items():
            for number in message.fields:
                before, life = last.get((name, number), (at, 0))
                life += before < at - 1
                last[name, number] = (at, life)
                version.lives[name, number] = life
