# ruff: noqa: INP001  (a script, no package)
"""Whether a release's list of parts is whole: every locked package, with version, address and hashes.

python3 .ci/parts.py PARTS.cdx.json REQUIREMENTS.txt
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Say what is missing; exit status 1 when something is."""
    parts = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    wrong = missing(parts, Path(arguments[1]).read_text(encoding="utf-8"))
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{len(parts['components'])} parts in CycloneDX {parts['specVersion']}\n")
    return 1 if wrong else 0


def missing(parts: Mapping[str, object], requirements: str) -> list[str]:
    """Locked packages that the list leaves out, and parts of which it does not say enough."""
    components: list[Mapping[str, object]] = parts["components"]  # type: ignore[assignment]
    named = {f"{one.get('name')}=={one.get('version')}" for one in components}
    locked = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", requirements, re.MULTILINE)
    bare = [one.get("name") for one in components if not one.get("purl") or not hashed(one)]
    return [
        *(f"not in the list of parts: {one}" for one in locked if one not in named),
        *(f"without an address or hashes: {name}" for name in bare),
    ]


def hashed(component: Mapping[str, object]) -> bool:
    """Whether a part has a file to be fetched, with its hash."""
    references: list[Mapping[str, object]] = component.get("externalReferences", [])  # type: ignore[assignment]
    return any(reference.get("hashes") for reference in references)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
