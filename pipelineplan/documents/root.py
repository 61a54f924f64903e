"""The root that references may not leave: relative paths only, no symlinks out, no URLs.

The root is the folder of the nearest `pipelineplan.toml` above the plan, else the git root,
else the plan's own folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

_LONGEST = 1000


def find_root(file: Path) -> Path:
    """The folder that the references of `file` must stay in."""
    folder = (file if file.is_dir() else file.parent).resolve()
    parents = (folder, *folder.parents)
    for marker in ("pipelineplan.toml", ".git"):
        for parent in parents:
            if (parent / marker).exists():
                return parent
    return folder


@dataclass(frozen=True)
class Root:
    """`folder` bounds every reference; `base` is the folder that references are relative to."""

    folder: Path
    base: Path

    def resolve(self, reference: str) -> Path:
        """The file that `reference` names; `ValueError` says why it may not be followed."""
        if "://" in reference or reference.startswith("//"):
            raise ValueError("a URL, wanted a file of this repository: nothing is fetched")
        if not reference or len(reference) > _LONGEST or "\0" in reference:
            raise ValueError("not a file name")
        if Path(reference).is_absolute() or PureWindowsPath(reference).is_absolute():
            raise ValueError("an absolute path, wanted one relative to the plan")
        target = (self.base / reference).resolve()
        if not target.is_relative_to(self.folder.resolve()):
            raise ValueError("leaves the root folder of the plan")
        return target
