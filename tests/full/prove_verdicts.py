"""Every verdict on random pairs of schemas of all formats put to the test, at length.

    uv run python tests/full/prove_verdicts.py [pairs] [records]

Stops with the first verdict that is not so; else prints how often each was given, and how many are unknown.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType


def proved() -> ModuleType:
    file = Path(__file__).parents[1] / "contracts" / "proved.py"
    spec = importlib.util.spec_from_file_location("proved", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    pairs, records = (int(one) for one in (*sys.argv[1:], *("3000", "1000")[len(sys.argv) - 1 :]))
    test, unknown = proved(), 0
    for form in test.PAIRS:
        began = time.monotonic()
        found = test.rate(form, pairs, records)
        unknown += found["unknown"]
        print(f"{form}: {found}, {time.monotonic() - began:.0f} s", flush=True)
    share = unknown / (pairs * len(test.PAIRS))
    print(f"unknown: {share:.2%} of {pairs * len(test.PAIRS)}")
    return 0 if share < 0.02 else 1


if __name__ == "__main__":
    sys.exit(main())
