# ruff: noqa: INP001  (a script, no package)
"""Read real configuration files of other projects with every reader, and write down what came of it.

uv run python docs/real_configurations.py FOLDER

FOLDER holds the files, which are not part of this repository, as OWNER+NAME@COMMIT/path/in/the/repository.
The page says of each what was read and what was not understood.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipelineplan.errors import PipelinePlanError
from pipelineplan.facts import FACTS, read_facts
from pipelineplan.facts.fact import Reading

PAGE = Path(__file__).resolve().parent / "background" / "real-configurations.md"
HEAD = """\
# Real configurations

What the readers of facts make of files that nobody here wrote. The files are not part of this repository;
this page is written by `uv run python docs/real_configurations.py FOLDER` from a folder that has them at
the commits named here. *Values* became facts; *no place* counts what was understood and a plan has no field
for; what was not understood is listed, since nothing is left out in silence.
"""


def main() -> int:
    """Write the page from the files of a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files:
        sys.stderr.write(f"{folder}: no files\n")
        return 2
    PAGE.write_text("\n".join([HEAD, *page(folder, files)]) + "\n", encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {PAGE} from {len(files)} files\n")
    return 0


def page(folder: Path, files: list[Path]) -> Iterator[str]:
    """A summary by reader, then each file."""
    entries = [(file.relative_to(folder), *_read(file, folder)) for file in files]
    tools = Counter(reading.tool for _, readings, _ in entries for reading in readings)
    values = sum(len(reading.facts) for _, readings, _ in entries for reading in readings)
    repositories = {path.parts[0] for path, _, _ in entries}
    counts = f"{len(entries)} files of {len(repositories)} repositories, {values} values"
    yield f"{counts}, {len(FACTS)} readers.\n"
    yield "| reader | files |\n|---|---|"
    yield from (f"| {tool} | {count} |" for tool, count in sorted(tools.items()))
    for path, readings, problem in entries:
        repository, _, commit = path.parts[0].partition("@")
        yield f"\n## {repository.replace('+', '/', 1)}: {'/'.join(path.parts[1:])}\n"
        yield f"Commit {commit}.\n"
        yield from _told(readings, problem)


def _read(file: Path, folder: Path) -> tuple[tuple[Reading, ...], str]:
    try:
        return read_facts(file, "/".join(file.relative_to(folder).parts[1:])), ""
    except PipelinePlanError as error:
        return (), str(error)


def _told(readings: tuple[Reading, ...], problem: str) -> Iterator[str]:
    if problem:
        yield f"Broken: {_safe(problem)}"
    elif not readings:
        yield "No tool that is known."
    for reading in readings:
        values = [f"{fact.subject or 'all jobs'} {fact.field} {fact.shown}" for fact in reading.facts]
        placeless = sum(one.placeless for one in reading.unread)
        things = Counter(one.of.value for one in reading.named)
        named = ", ".join(f"{count} {thing}{'s' if count > 1 else ''}" for thing, count in things.items())
        yield f"- {reading.tool}: {named}; {len(values)} values, {placeless} no place"
        shown = f"  - read: {_safe('; '.join(values[:6]))}{'; ...' if len(values) > 6 else ''}"
        yield from [shown] if values else []
        for one in [one for one in reading.unread if not one.placeless]:
            yield f"  - not understood: line {one.position.line}, {_safe(one.written)}: {_safe(one.why)}"


def _safe(text: str) -> str:
    for sign in ("\\", "|", "*", "<", "[", "_"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
