"""Draws plans up from folders of configuration and writes them: each in a folder of its own, whole or not.

deploy/, dbt/  ->  plans/orders/plan.yaml, plans/clicks/plan.yaml, ..., plans/adopted.md, and the schema
                   that lets an editor complete them
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.documents import find_root
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.facts.fact import Named
from pipelineplan.facts.gathering import Gathered, gather
from pipelineplan.plan.draft import Draft, text_of
from pipelineplan.plan.drafting import drafts_of, left_over
from pipelineplan.plan.schema import plan_schema_text

SETTINGS = "pipelineplan.toml"
REPORT = "adopted.md"
SCHEMA = "plan.schema.json"


@dataclass(frozen=True)
class DrawnUp:
    """What was written where, from what; `settings` is the root's file where it had to be made."""

    plans: tuple[Path, ...]
    drafts: tuple[Draft, ...]
    gathered: Gathered
    left_over: tuple[Named, ...]
    settings: Path | None = None


def draw_up(folder: Path, sources: Sequence[Path]) -> DrawnUp:
    """Write a plan for each pipeline that the files below `sources` tell of, into `folder`.

    A root that holds both is needed, since plans refer to the files: where there is none, a
    `pipelineplan.toml` is written into the folder that holds both. Raises `InputError` for folders that are
    not there, or that hold nothing a tool knows, and for plans that are there already.
    """
    root, made = _root(folder, sources)
    gathered = gather(sources, root)
    drafts = drafts_of(gathered.readings)
    if not drafts:
        message = f"no configuration of a known tool among {len(gathered.unknown)} files"
        problems = [Problem(message, Position(source.as_posix())) for source in sources]
        raise InputError([*problems, *gathered.broken])
    plans = tuple(folder / draft.name / "plan.yaml" for draft in drafts)
    taken = [plan for plan in plans if plan.exists()]
    if taken:
        message = f"{taken[0].as_posix()} is already there; nothing was written"
        raise InputError([Problem(message, Position(folder.as_posix()), fix="choose another folder")])
    _write(folder, plans, drafts, root, made)
    drawn = DrawnUp(plans, drafts, gathered, left_over(gathered.readings, drafts), made)
    (folder / REPORT).write_text("\n".join(_report(drawn)) + "\n", encoding="utf-8", newline="\n")
    return drawn


def _root(folder: Path, sources: Sequence[Path]) -> tuple[Path, Path | None]:
    """The root that holds `folder` and `sources`, and its settings file where it has to be made."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    root = find_root(there).resolve()
    inside = [source.resolve() for source in sources]
    marked = any((root / marker).exists() for marker in (SETTINGS, ".git"))
    if marked and all(source.is_relative_to(root) for source in inside):
        return root, None
    shared = Path(os.path.commonpath([folder.resolve(), *inside]))
    here = Path.cwd().resolve()
    if not shared.is_relative_to(here) or (marked and not root.is_relative_to(shared)):
        fix = f"make an empty {SETTINGS} in the folder that holds all of them, or call from there"
        raise InputError(
            [Problem("no root holds these folders together", Position(folder.as_posix()), fix=fix)]
        )
    return shared, shared / SETTINGS


def _write(
    folder: Path, plans: Sequence[Path], drafts: Sequence[Draft], root: Path, settings: Path | None
) -> None:
    try:
        for plan, draft in zip(plans, drafts, strict=True):
            plan.parent.mkdir(parents=True, exist_ok=True)
            base = plan.parent.resolve()
            references = {file: Path(os.path.relpath(root / file, base)).as_posix() for file in draft.files}
            text = text_of(draft, references, f"../{SCHEMA}")
            plan.write_text(text, encoding="utf-8", newline="\n")
        (folder / SCHEMA).write_text(plan_schema_text(), encoding="utf-8", newline="\n")
        if settings is not None and not settings.exists():
            words = "# The root of the plans below: references may not leave this folder.\nbaseline = true\n"
            settings.write_text(words, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(reason, Position(folder.as_posix()))]) from error


def _report(drawn: DrawnUp) -> Iterator[str]:
    """Where everything went that the folders hold: nothing is lost without a line here."""
    gathered = drawn.gathered
    facts = sum(len(reading.facts) for reading in gathered.readings)
    yield "# What was read, and what was not\n"
    yield f"Values: {facts}. Files: {len(gathered.files)}. Plans: {len(drawn.plans)}."
    yield from _listed(
        "Plans", (f"{draft.name}: {draft.because}, from {', '.join(draft.files)}" for draft in drawn.drafts)
    )
    yield from _listed("Broken files, skipped", map(str, gathered.broken))
    unread = [(reading.tool, one) for reading in gathered.readings for one in reading.unread]
    yield from _listed(
        "Not understood",
        (f"{one.position}: {one.written}: {one.why}" for _, one in unread if not one.placeless),
    )
    yield from _listed(
        "Things in no plan", (f"{one.position}: {one.of.value} {one.subject}" for one in drawn.left_over)
    )
    yield from _listed("Files that no tool knows", gathered.unknown)
    yield from _listed(
        "Understood, and a plan has no place for it",
        (f"{one.position}: {one.written}" for _, one in unread if one.placeless),
    )
    if gathered.passed_over:
        yield f"\n{gathered.passed_over} files have an ending that no known tool uses."


def _listed(title: str, lines: Iterator[str] | Sequence[str] | map[str]) -> Iterator[str]:
    found = ["".join(c if c.isprintable() else " " for c in line).replace("<", "&lt;") for line in lines]
    if found:
        yield f"\n## {title}\n"
        yield from (f"- {line}" for line in found)
