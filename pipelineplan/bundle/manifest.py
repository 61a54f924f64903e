"""What a bundle consists of, by hash, and whether it still does.

    manifest.json   {"files": {"report.md": {"sha256": "9f86...", "bytes": 12345}, ...}, "seed": 7, ...}

Text is hashed as it was written, with plain line feeds; `verify` also accepts a text file whose line
endings a checkout turned into those of Windows, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.documents import read_document
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan

if TYPE_CHECKING:
    from pipelineplan.bundle.contents import Contents

MANIFEST = "manifest.json"
SCHEMA = "pipelineplan/manifest/v1"
_TEXT = {
    ".md",
    ".json",
    ".yaml",
    ".yml",
    ".html",
    ".xml",
    ".sarif",
    ".csv",
    ".svg",
    ".txt",
    ".sql",
}


def manifest_of(contents: Contents, files: Mapping[str, bytes]) -> str:
    """The manifest of `files` (relative names, forward slashes), and of what they were compiled from."""
    codes = sorted({finding.code for finding in contents.findings})
    data = {
        "schema": SCHEMA,
        "tool": {"name": "pipelineplan", "version": contents.version},
        "plan": contents.plan.name,
        "verdict": contents.verdict.value,
        "as_of": contents.as_of,
        "seed": contents.seed,
        "rules": {"count": len(codes), "codes": codes},
        "inputs": inputs_of(
            contents.plan, (each.progress.file for each in contents.checklists if each.progress)
        ),
        "files": {name: _fingerprint(files[name]) for name in sorted(files)},
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def verify(folder: Path | str) -> tuple[Problem, ...]:
    """What is altered, missing or extra in the bundle at `folder`; empty when it is whole.

    Raises `InputError` when there is no readable manifest.
    """
    root = Path(folder)
    listed = _listed(root)
    found = {
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() or path.is_symlink()
    }
    problems = list(_altered(root, listed, found))
    lost, more = sorted(set(listed) - found), sorted(found - set(listed) - {MANIFEST})
    problems += [
        Problem("is missing from the bundle", Position(name), fix="compile it again") for name in lost
    ]
    problems += [Problem("is not part of the bundle", Position(name), fix="remove it") for name in more]
    return tuple(problems)


def is_bundle(folder: Path) -> bool:
    """Whether `folder` holds a manifest of this package."""
    try:
        _listed(folder)
    except InputError:
        return False
    return True


def _listed(root: Path) -> dict[str, Any]:
    file = root / MANIFEST
    document = read_document(file, file.as_posix())
    data = document.data
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("files"), dict):
        raise InputError([document.problem((), f"no manifest of a bundle, wanted schema {SCHEMA!r}")])
    files: dict[str, Any] = data["files"]
    return files


def _altered(root: Path, listed: Mapping[str, Any], found: set[str]) -> Iterator[Problem]:
    for name in sorted(set(listed) & found):
        entry = listed[name]
        path = root / name
        wanted = entry.get("sha256") if isinstance(entry, dict) else None
        if path.is_symlink() or ".." in Path(name).parts:
            yield Problem("is a link and not the file that was written", Position(name))
            continue
        content = path.read_bytes()
        if str(wanted) not in _accepted(name, content):
            now = hashlib.sha256(content).hexdigest()
            message = f"was altered: SHA-256 {now[:12]}..., the manifest says {str(wanted)[:12]}..."
            yield Problem(message, Position(name), fix="compile the bundle again")


def _accepted(name: str, content: bytes) -> set[str]:
    contents = [content]
    if Path(name).suffix in _TEXT:
        contents.append(content.replace(b"\r\n", b"\n"))
    return {hashlib.sha256(each).hexdigest() for each in contents}


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def digest_of(plan: Plan) -> str:
    """What the files of a plan are at this moment, in 16 digits."""
    told = json.dumps(inputs_of(plan), sort_keys=True).encode()
    return hashlib.sha256(told).hexdigest()[:16]


def inputs_of(plan: Plan, more: Iterable[str] = ()) -> dict[str, Any]:
    """The files that the plan was read from, by their names relative to its root, with their hashes."""
    names = {*plan.composed.lines, *plan.real.files, *more}
    for reference in (*plan.contracts, *plan.profiles, *plan.traces, *plan.prices):
        target = plan.root.resolve(reference)
        names.add(target.relative_to(plan.root.folder.resolve()).as_posix())
    for recorded in plan.versions.values():
        names |= {file.relative_to(plan.root.folder.resolve()).as_posix() for file in recorded.files}
    hashed = {}
    for name in sorted(names):
        file = plan.root.folder / name
        if file.is_file():
            hashed[name] = _fingerprint(file.read_bytes().replace(b"\r\n", b"\n"))
    return hashed
