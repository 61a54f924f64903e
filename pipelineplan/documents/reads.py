"""Which files and folders a piece of work looks at, so that its result can be kept until one of them changes.

    with recording() as seen:
        read_plan(file)
    seen        {.../plan.yaml, .../contracts/orders.odcs.yaml, .../pipelineplan.toml, ...}

A file counts as looked at when it is read, or when it matters that it is not there; a folder when
its entries are listed. Names are absolute, without `..`, and with links as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_USUAL_BYTES = 64 * 1024
_SEEN: ContextVar[set[str] | None] = ContextVar("seen", default=None)


@contextmanager
def recording() -> Iterator[set[str]]:
    """Give the set that fills with all that is looked at inside; an outer recording sees it as well."""
    seen: set[str] = set()
    token = _SEEN.set(seen)
    try:
        yield seen
    finally:
        _SEEN.reset(token)
        note_reads(seen)


def note_read(place: Path) -> None:
    """Note that the work depends on the content of `place`, or on its not being there."""
    seen = _SEEN.get()
    if seen is not None:
        seen.add(os.path.abspath(place))  # noqa: PTH100  (links stay as they are)


def note_reads(places: set[str]) -> None:
    """Note many at once, as known from work that was done before."""
    seen = _SEEN.get()
    if seen is not None:
        seen |= places


def bytes_of(file: Path, most: int) -> bytes:
    """What the file holds, `most` bytes at most; raises `OSError` where it cannot be read.

    Python makes room for all that it is asked for, so little is asked for first.
    """
    with file.open("rb") as stream:
        content = stream.read(min(most, _USUAL_BYTES))
        return content if len(content) < _USUAL_BYTES else content + stream.read(most - len(content))
