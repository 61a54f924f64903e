"""Finds the data folders that ship with the package: in a wheel, an editable install, a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Folder = Literal["contracts", "simulations", "expectations", "examples"]

_PACKAGE = Path(__file__).resolve().parent


def folder(name: Folder) -> Path:
    """The shipped folder `name`; raises `FileNotFoundError` when the installation lost it."""
    for candidate in (_PACKAGE / "_catalogue" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the shipped folder {name!r} is not part of this installation")
