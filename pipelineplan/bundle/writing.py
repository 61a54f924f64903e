"""Write a bundle whole or not at all: beside its place first, then renamed into it.

    .orders-bundle.pipelineplan-tmp-4711/   written and synced
    orders-bundle/                          appears, or is replaced, by renaming

A build that is killed leaves the old bundle, or none, and at most a temporary folder that the next
build removes. Between the two renames of a replacement the old bundle has another name; a build that
was killed exactly there is mended by the next one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelineplan.bundle.as_checklist_md import as_checklist_md
from pipelineplan.bundle.as_html import as_html
from pipelineplan.bundle.as_json import as_json, as_text
from pipelineplan.bundle.as_junit import as_junit
from pipelineplan.bundle.as_markdown import as_markdown
from pipelineplan.bundle.as_sarif import as_sarif
from pipelineplan.bundle.manifest import MANIFEST, is_bundle, manifest_of
from pipelineplan.bundle.resolved import as_resolved
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents

Writer = Callable[["Contents"], str]

# One line per format: the file in the bundle, and what writes it.
WRITERS: Mapping[str, Writer] = {
    "report.html": as_html,
    "report.md": as_markdown,
    "bundle.json": as_json,
    "plan.resolved.yaml": lambda c: as_resolved(c.plan, c.findings),
    "findings.sarif": lambda c: as_text(as_sarif(c.findings, version=c.version, strict=c.strict)),
    "junit.xml": lambda c: as_junit(c.findings, strict=c.strict),
    "checklists/cutover.md": lambda c: _checklist(c, "cutover"),
    "checklists/rollback.md": lambda c: _checklist(c, "rollback"),
    "checklists/launch.md": lambda c: _checklist(c, "launch"),
}
_TEMPORARY = ".pipelineplan-tmp-"
_OLD = ".pipelineplan-old"


def render(contents: Contents, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Every file of the bundle by its relative name, the manifest last; text in UTF-8, plain line feeds.

    `more` adds files of other rooms (simulation/..., quality/gx/...) under their relative names.
    """
    files = {name: write(contents).encode() for name, write in WRITERS.items()}
    files |= more or {}
    for name in files:
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or PurePosixPath(name).is_absolute() or name == MANIFEST:
            raise ValueError(f"{name!r} is no name for a file of a bundle")
    return {**files, MANIFEST: manifest_of(contents, files).encode()}


def write_bundle(contents: Contents, folder: Path | str, more: Mapping[str, bytes] | None = None) -> Path:
    """Compile `contents` into `folder`, replacing a bundle that is there; returns the folder.

    Raises `InputError` when `folder` is something else than a bundle or empty, or cannot be written.
    """
    # resolve() would follow a link at the place itself
    place = Path(os.path.abspath(folder))  # noqa: PTH100
    try:
        _mend(place)
        _refuse(place)
        files = render(contents, more)
        place.parent.mkdir(parents=True, exist_ok=True)
        _put(files, place)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError([Problem(f"cannot be written: {reason}", Position(str(folder)))]) from error
    return place


def _refuse(place: Path) -> None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        message = "is a file or a link, wanted a folder for the bundle"
    elif place.is_dir() and any(place.iterdir()) and not is_bundle(place):
        message = "holds files and is no bundle (no manifest.json of one): nothing in it was touched"
    else:
        return
    raise InputError([Problem(message, Position(str(place)), fix="give a new folder, or an empty one")])


def _put(files: Mapping[str, bytes], place: Path) -> None:
    temporary = place.with_name(f".{place.name}{_TEMPORARY}{os.getpid()}")
    # In a container every build may have the same process id, the killed one before it too.
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for name, content in files.items():
            _write(temporary / name, content)
        _sync_folders(temporary)
        _swap(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folders(root: Path) -> None:
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        _sync(folder)


def _sync(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(temporary: Path, place: Path) -> None:
    """Put the new folder in its place; a folder that is not empty cannot be renamed over, so in two steps."""
    old = place.with_name(f".{place.name}{_OLD}")
    if place.exists():
        place.rename(old)
    try:
        temporary.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    _sync(place.parent)
    shutil.rmtree(old, ignore_errors=True)


def _mend(place: Path) -> None:
    """Clean up after a build that was killed: its temporary folder, or an old bundle that was set aside."""
    old = place.with_name(f".{place.name}{_OLD}")
    if old.is_dir():
        if place.exists():
            shutil.rmtree(old)
        else:
            old.rename(place)
    if not place.parent.is_dir():
        return
    prefix = f".{place.name}{_TEMPORARY}"
    for stale in sorted(path for path in place.parent.iterdir() if path.name.startswith(prefix)):
        if stale.is_dir() and not stale.is_symlink() and not _alive(stale.name.removeprefix(prefix)):
            shutil.rmtree(stale, ignore_errors=True)


def _alive(process: str) -> bool:
    """Whether the build that owns a temporary folder still runs."""
    if not process.isdigit() or os.name == "nt":
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _checklist(contents: Contents, kind: str) -> str:
    checklist = contents.checklist(kind)
    return as_checklist_md(checklist) if checklist is not None else f"No {kind} runbook was compiled.\n"
