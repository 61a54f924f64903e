# ruff: noqa: INP001  (a script, no package)
"""Hold the licences of installed packages against those that may come with pipelineplan.

python3 .ci/licences.py LICENCES.json      what `pip-licenses --from=mixed --format=json` prints
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent


def main(arguments: Sequence[str]) -> int:
    """Name every package whose licence is not allowed; exit status 1 when there is one."""
    packages = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    rules = tomllib.loads((HERE / "licences.toml").read_text(encoding="utf-8"))
    wrong = refused(packages, rules)
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{len(packages)} packages, {len(wrong)} with a licence that is not allowed\n")
    return 1 if wrong or not packages else 0


def refused(packages: Sequence[Mapping[str, str]], rules: Mapping[str, object]) -> list[str]:
    """The packages whose licence is neither allowed nor an exception of that package, in words."""
    allowed, exceptions = set(rules["allowed"]), dict(rules["exceptions"])  # type: ignore[call-overload]
    return [
        f"{package['Name']} {package['Version']}: {package['License']}"
        for package in packages
        if package["Name"] != "pipelineplan"
        and exceptions.get(package["Name"], {}).get("licence") != package["License"]
        and not permitted(package["License"], allowed)
    ]


def permitted(licence: str, allowed: set[str]) -> bool:
    """Whether an expression is: all of `A AND B` and of `A; B`, one of `A OR B`."""
    return all(
        any(choice.strip(" ()") in allowed or choice.strip() in allowed for choice in part.split(" OR "))
        for part in re.split(r" AND |; ", licence)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
