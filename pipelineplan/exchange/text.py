"""Text of a plan, made safe for a comment line, and for the cells and labels of other tools."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable

# C0 and C1 controls, and the marks that reorder or hide text: what a comment or a terminal must not get.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


def one_line(text: object) -> str:
    """Text of a plan in one line, without what drives a terminal or hides text."""
    return " ".join(_CONTROLS.sub(" ", str(text)).split())


def distinct(names: Iterable[str], made: Callable[[str], str]) -> dict[str, str]:
    """What another tool may call each name: as it is where `made` leaves it so, and never one name twice."""
    listed = list(dict.fromkeys(names))
    found = {name: name for name in listed if made(name) == name}
    for name in listed:
        if name not in found:
            short = made(name)
            digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
            found[name] = f"{short}-{digest}" if short in set(found.values()) else short
    return found
