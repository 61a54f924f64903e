"""The versions of one schema file in its git history: each was live from the date of its commit.

git log -- schemas/order.avsc     1a2b3c4 2026-01-01, 5d6e7f8 2026-01-20, and the file as it is now
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from pipelineplan.contracts.evolution.recorded import Content, Recorded, read_contents
from pipelineplan.documents.revision import Revision, revision_at, revisions_of
from pipelineplan.errors import InputError, Position, Problem


def versions_in_git(file: Path, base: str | None = None, schema_type: str | None = None) -> Recorded:
    """The versions of `file`, oldest first, the last one as it is now; with `base`, that one and this.

    A commit that leaves the schema as it was makes no version. Raises `InputError` where there is no
    file, no git repository, or no such revision.
    """
    if not file.is_file():
        raise InputError([Problem("there is no such file", Position(file.as_posix()))])
    revisions = [revision_at(file, base)] if base is not None else revisions_of(file)
    found = [_content(file, one) for one in revisions]
    found.append(Content(f"{file.name} now", file.read_bytes(), time.time()))
    # Clocks of committers differ; a version is not older than the one that it replaces.
    starts = accumulate((one.start or 0.0 for one in found), max)
    found = [replace(one, start=start) for one, start in zip(found, starts, strict=True)]
    changed = [
        one for number, one in enumerate(found) if not number or one.content != found[number - 1].content
    ]
    return read_contents(changed, file.suffix, schema_type)


def _content(file: Path, revision: Revision) -> Content:
    date = time.strftime("%Y-%m-%d", time.gmtime(revision.seconds))
    return Content(f"{file.name} at {revision.commit[:7]} ({date})", revision.content, revision.seconds)
