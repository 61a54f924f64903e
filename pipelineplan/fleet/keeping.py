"""Verdicts kept from one run to the next, for as long as nothing that they rest on has changed.

    ~/.cache/pipelineplan/check/3f/3f0c9a....json

    {"files": {"/repo/plan.yaml": "9c1e...", "/repo/plan.prod.yaml": "absent"}, "day": "", ...}   first line
    [{"code": "CAP101", "verdict": "fails", ...}]                                            the findings

An entry is found by the plan, by what was asked and by the version and the files of this package; it
counts while every file that was looked at has the content it had. What cannot be read, or is not what
this module wrote, counts as not there. Entries are written beside and renamed, so that runs beside each
other see a whole entry or none.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelineplan.verdicts.of_plan import About, PlanVerdicts
from pipelineplan.verdicts.plain import finding_json, finding_of

ABSENT = "absent"
_FORM = "pipelineplan/kept/v2"


@dataclass(frozen=True)
class Kept:
    """Verdicts before any baseline, and every file and folder that they rest on.

    `day` is the day that they are for, empty where no day matters.
    """

    verdicts: PlanVerdicts
    files: tuple[str, ...]
    day: str = ""


def cache_folder() -> Path:
    """Where this user's cache lies: `PIPELINEPLAN_CACHE`, else the system's usual place."""
    given = os.environ.get("PIPELINEPLAN_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        above = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        above = Path.home() / "Library/Caches"
    else:
        above = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return above / "pipelineplan"


def entry_of(folder: Path, plan: Path, asked: Iterable[str]) -> Path:
    """The file in the cache `folder` for `plan` and what is `asked` of it."""
    words = "\0".join((_FORM, this_package(), plan.resolve().as_posix(), *asked))
    name = hashlib.sha256(words.encode()).hexdigest()
    return folder / "check" / name[:2] / f"{name}.json"


@cache
def this_package() -> str:
    """The version, and what tells one state of the package's files from another while it is worked on."""
    from pipelineplan import __version__, catalogue

    files = (*Path(__file__).parents[1].rglob("*.py"), *catalogue.folder("contracts").rglob("*.yaml"))
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{__version__} {hashlib.sha256(repr(sorted(stats)).encode()).hexdigest()}"


def hashes_of(places: Iterable[str]) -> dict[str, str]:
    """The content's hash of every file, the entries' of every folder, or that it is not there."""
    return {place: _hash(Path(place)) for place in sorted(places)}


def _hash(place: Path) -> str:
    try:
        if place.is_dir():
            content = "\0".join(sorted(entry.name for entry in place.iterdir())).encode()
            return f"folder {hashlib.sha256(content).hexdigest()}"
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except OSError:
        return ABSENT


def find(entry: Path, day: str) -> Kept | None:
    """What `entry` keeps if it still counts on `day`, else None."""
    try:
        lines = entry.read_text(encoding="utf-8").split("\n")
        head = json.loads(lines[0])
        if head["day"] not in {"", day} or any(_hash(Path(f)) != h for f, h in head["files"].items()):
            return None
        findings = [finding_of(one) for one in json.loads(lines[1])]
        if head["form"] != _FORM or len(lines) != 3:
            return None
        about = About(head["name"], head["file"], Path(head["root"]), head["owner"], head["level"])
        verdicts = PlanVerdicts(about, tuple(findings), held=int(head["held"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return Kept(verdicts, tuple(head["files"]), head["day"])


def keep(entry: Path, kept: Kept) -> None:
    """Write what `kept` says to `entry`; a cache that cannot be written is no error."""
    import tempfile  # here, since it brings much with it and most runs keep nothing new

    about, held = kept.verdicts.about, kept.verdicts.held
    head: dict[str, Any] = {
        "form": _FORM,
        "files": hashes_of(kept.files),
        "day": kept.day,
        "name": about.name,
        "file": about.file,
        "root": about.root.as_posix(),
        "owner": about.owner,
        "level": about.quality_level,
        "held": held,
    }
    findings = kept.verdicts.findings
    parts = (head, [finding_json(one, strict=False) for one in findings])
    text = "\n".join(json.dumps(part, separators=(",", ":")) for part in parts) + "\n"
    try:
        entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".", dir=entry.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).replace(entry)
    except OSError:
        return
