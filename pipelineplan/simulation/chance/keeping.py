"""Replications that outlive their process: each is written down when it is done, and never drawn again.

    {"of": "9f2c...", "number": 17, "tier": "T3", "figures": {...}, ...}

One line for each, appended and flushed. A line that a kill cut short is drawn again. Numbers are written
so that they read back as the same bits, hence a run that was killed and resumed gives the same bytes
as one that was not. `of` names the network, scenario, promises, seed and version: what was
kept of something else is left alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelineplan.errors import InputError, Position, Problem

_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Sample:
    """One replication: its figures, the freshness in seconds that each promise is about, and its tier.

    `curves` are the values of what is drawn as a band, at the points that all replications share.
    """

    figures: Mapping[str, float]
    fresh_seconds: tuple[float, ...]
    tier: str = "T1"
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def name_of(*parts: object) -> str:
    """A name for what is replicated: the same for the same content, whatever the process."""
    text = "\n".join(repr(part) for part in (version("numpy"), *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Kept:
    """The file of finished replications."""

    file: Path

    def read(self, of: str) -> dict[int, Sample]:
        """Those of one thing, by number; raises `InputError` for a file that is none."""
        if not self.file.exists():
            return {}
        if self.file.is_dir() or self.file.stat().st_size > _MOST_BYTES:
            raise self._unusable("found a folder or more than 2 GB, wanted a file of replications")
        with self.file.open(encoding="utf-8", errors="replace") as lines:
            return dict(self._parsed(lines, of))

    def _parsed(self, lines: Iterator[str], of: str) -> Iterator[tuple[int, Sample]]:
        for number, line in enumerate(lines, start=1):
            if not line.endswith("\n"):
                return
            try:
                plain: dict[str, Any] = json.loads(line)
                if plain["of"] == of:
                    figures = {str(name): float(value) for name, value in plain["figures"].items()}
                    seconds = tuple(float(value) for value in plain["fresh_seconds"])
                    curves = {str(name): tuple(map(float, each)) for name, each in plain["curves"].items()}
                    yield int(plain["number"]), Sample(figures, seconds, str(plain["tier"]), curves)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise self._unusable("found something else than a finished replication", number) from None

    def _unusable(self, message: str, line: int = 1) -> InputError:
        fix = "name a file that does not exist yet, or one that --resume has written"
        return InputError([Problem(message, Position(str(self.file), line), fix=fix)])

    def write(self, of: str, number: int, sample: Sample) -> None:
        """Add one, and see to it that it is on disk."""
        plain = {
            "of": of,
            "number": number,
            "tier": sample.tier,
            "figures": dict(sample.figures),
            "fresh_seconds": list(sample.fresh_seconds),
            "curves": {name: list(each) for name, each in sample.curves.items()},
        }
        self.mend()
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain) + "\n")

    def mend(self) -> None:
        """Cut off a last line that was not finished."""
        if not self.file.exists():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            return
        with self.file.open("rb+") as file:
            end = file.seek(0, 2)
            if end and (file.seek(end - 1), file.read(1))[1] != b"\n":
                file.seek(0)
                whole = file.read().rfind(b"\n") + 1
                file.truncate(whole)
