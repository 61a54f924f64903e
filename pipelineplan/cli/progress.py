"""Progress of long work: one line that is rewritten on a terminal, silence elsewhere and in CI."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def progress() -> Callable[[str], None] | None:
    """A function that shows what is being done now; None when nobody is watching."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        return None

    def show(what: str) -> None:
        sys.stderr.write(f"\r\033[2K{what}")
        sys.stderr.flush()
        if not what:
            sys.stderr.write("\r")

    return show
