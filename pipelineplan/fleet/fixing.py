"""Mending what can be mended safely: comments and baseline entries that let nothing pass are removed.

Only the text of the comment goes; all else in the file stays byte for byte. What was mended once has
nothing left to mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelineplan.fleet.baseline import without_entries
from pipelineplan.fleet.checking import Asked, check_plans
from pipelineplan.fleet.replacing import replace_text
from pipelineplan.verdicts import Finding
from pipelineplan.verdicts.of_plan import PlanVerdicts


@dataclass(frozen=True)
class Fixed:
    """A file that was changed, and what was done in it."""

    file: Path
    what: str


def fix_plans(plans: Sequence[Path], asked: Asked, *, jobs: int = 0) -> Iterator[Fixed]:
    """Mend every plan that can be read; what cannot be read is left as it is.

    Every rule is judged for it, whatever was selected: only then is it known what lets nothing pass.
    """
    whole = replace(asked, select=(), ignore=(), env=None, holding=False)
    for one in check_plans(plans, whole, jobs=jobs).judged:
        if one.verdicts is not None:
            yield from _without_comments(one.verdicts)
            gone = {found.subject for found in one.verdicts.findings if found.code == "SUP202"}
            file = without_entries(one.plan, one.verdicts.about.root, gone)
            if file is not None:
                yield Fixed(file, f"{_many(len(gone), 'entry', 'entries')} without a finding removed")


def _without_comments(verdicts: PlanVerdicts) -> Iterator[Fixed]:
    unused = [found for found in verdicts.findings if found.code == "SUP102"]
    for name in sorted({found.position.file for found in unused}):
        here = [found for found in unused if found.position.file == name]
        file = verdicts.about.root / name
        text = file.read_bytes().decode("utf-8")
        replace_text(file, _cut(text, here))
        yield Fixed(file, f"{_many(len(here), 'comment', 'comments')} that let nothing pass removed")


def _cut(text: str, comments: list[Finding]) -> str:
    """`text` without the comments at these places; a line of its own goes whole."""
    lines = text.splitlines(keepends=True)
    for comment in comments:
        number, column = comment.position.line - 1, comment.position.column - 1
        # A byte order mark is part of the first line here, and not where positions are counted.
        column += int(number == 0 and text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"))
        before, whole = lines[number][:column].rstrip(" \t"), lines[number]
        ending = whole[len(whole.rstrip("\r\n")) :]
        lines[number] = before + ending if before.strip("\N{ZERO WIDTH NO-BREAK SPACE}") else before
    return "".join(lines)


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
