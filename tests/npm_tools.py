"""Tools from npm that tests speak to: pinned by a committed lock with integrity, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

PINNED = ("package.json", "package-lock.json")


class NoToolError(Exception):
    """Why a tool cannot be had here: no node, no npm, or no registry to fetch it from."""


def installed(pinned: Path, start: str) -> Path:
    """The file `start` below node_modules, after `npm ci` by the lock in the folder `pinned` where needed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NoToolError("there is no node with npm on this machine")
    files = [pinned / name for name in PINNED]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "pipelineplan" / f"npm-{digest}"
    if not (folder / "node_modules" / start).is_file():
        _install(npm, files, folder)
    return folder / "node_modules" / start


def _install(npm: str, files: list[Path], folder: Path) -> None:
    """Installed beside and renamed, so that two test runs at once cannot meet half a tool."""
    beside = folder.with_name(f"{folder.name}.{os.getpid()}")
    beside.mkdir(parents=True)
    try:
        for path in files:
            shutil.copy(path, beside)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=beside, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise NoToolError(f"npm ci failed: {done.stderr.strip()[-300:]}")
        if not folder.exists():
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
