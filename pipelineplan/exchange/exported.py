"""What an export gives: files in another tool's format, and what of the plan is not in them.

    Export("strimzi", (File("topics.yaml", "apiVersion: ..."),), (Dropped("$.sources[0].rate", "none"),))

One file is written where PATH says, several into the folder that PATH is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelineplan.documents.redaction import redacted, redacted_tree
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Traced


@dataclass(frozen=True)
class Dropped:
    """Something that the plan states and the export does not carry, and why."""

    what: str
    why: str
    position: Position

    def __str__(self) -> str:
        return redacted(one_line(f"{self.position}: {self.what}: {self.why}"))


@dataclass(frozen=True)
class File:
    """One file of an export: its usual name, its text, and each written value with its origin."""

    name: str
    text: str
    values: tuple[tuple[str, Traced], ...] = ()


@dataclass(frozen=True)
class Export:
    """What `export` makes of a plan: files in the format, and what was left out of them."""

    format: str
    files: tuple[File, ...]
    dropped: tuple[Dropped, ...] = ()

    def write(self, path: Path | str) -> tuple[Path, ...]:
        """Write the one file to `path`, or several into the folder `path`; returns where each is.

        Raises `InputError` where several would need a folder and `path` is a file, or names one.
        """
        place = Path(path)
        if len(self.files) > 1 and (place.is_file() or place.suffix):
            names = ", ".join(file.name for file in self.files)
            message = f"is one file, and {self.format} gives {len(self.files)} of this plan: {names}"
            raise InputError([Problem(message, Position(str(path)), fix="give a folder")])
        one = len(self.files) == 1 and not place.is_dir()
        places = [place if one else place / file.name for file in self.files]
        for file, target in zip(self.files, places, strict=True):
            _put(target, file.text)
        return tuple(places)

    def to_json_dict(self) -> dict[str, Any]:
        """The whole export as plain data, each value with the place in the plan that says it."""
        plain: dict[str, Any] = {
            "format": self.format,
            "files": [
                {"name": file.name, "text": file.text, "values": [_value_json(*pair) for pair in file.values]}
                for file in self.files
            ],
            "dropped": [{"what": one.what, "why": one.why, **one.position._asdict()} for one in self.dropped],
        }
        found: dict[str, Any] = redacted_tree(plain)
        return found


def _value_json(at: str, traced: Traced) -> dict[str, Any]:
    places = [{"path": place.path, **place.position._asdict()} for place in traced.places]
    return {"at": at, "value": traced.value, "how": traced.how, "from": places}


def _put(target: Path, text: str) -> None:
    """Written beside and renamed: a reader meets the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
