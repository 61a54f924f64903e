"""The root that references may not leave: relative paths only, no symlinks out, no URLs.

The root is the folder of the nearest `pipelineplan.toml` above the plan, else the git root,
else the plan's own folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath

from pipelineplan.documents.reads import note_read

MARKER = "pipelineplan.toml"
_LONGEST = 1000
_LONGEST_PART = 255


def find_root(file: Path) -> Path:
    """The folder that the references of `file` must stay in."""
    folder = (file if file.is_dir() else file.parent).resolve()
    parents = (folder, *folder.parents)
    for marker in (MARKER, ".git"):
        for parent in parents:
            mark = parent / marker
            if marker == MARKER:
                note_read(mark)
            if mark.exists():
                return parent
    return folder


@dataclass(frozen=True)
class Root:
    """`folder` bounds every reference; `base` is the folder that references are relative to."""

    folder: Path
    base: Path

    @cached_property
    def _top(self) -> Path:
        return self.folder.resolve()

    def named(self, target: Path) -> str:
        """How messages and outputs name a file that `resolve` gave: relative to the root."""
        return target.relative_to(self._top).as_posix()

    def resolve(self, reference: str) -> Path:
        """The file that `reference` names; `ValueError` says why it may not be followed."""
        if "://" in reference or reference.startswith("//"):
            raise ValueError("a URL, wanted a file of this repository: nothing is fetched")
        if not _is_file_name(reference):
            raise ValueError("not a file name")
        if Path(reference).is_absolute() or PureWindowsPath(reference).is_absolute():
            raise ValueError("an absolute path, wanted one relative to the plan")
        target = _resolved(self.base / reference)
        if not target.is_relative_to(self._top):
            raise ValueError("leaves the root folder of the plan")
        note_read(self.base / reference)
        return target


def _is_file_name(reference: str) -> bool:
    longest = max(len(part.encode(errors="replace")) for part in reference.split("/"))
    return 0 < len(reference) <= _LONGEST and longest <= _LONGEST_PART and "\0" not in reference


def _resolved(file: Path) -> Path:
    """`file` with its links followed; before Python 3.13 a circle of them is an error by itself."""
    try:
        target = file.resolve()
    except (OSError, RuntimeError):
        raise ValueError("a circle of links") from None
    if target.is_symlink():
        raise ValueError("a circle of links")
    return target
