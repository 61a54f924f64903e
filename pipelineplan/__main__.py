"""`python -m pipelineplan` and the `pipelineplan` command."""

from __future__ import annotations

import gc
import os
import sys

from pipelineplan.cli import run


def main() -> None:
    """Run the command line and leave with its exit status."""
    # No plugin of another package shall see or change how a plan is read; looking for one costs time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # A plan is made of next to no cycles: looking for them so often as usual frees nothing.
    gc.set_threshold(100_000)
    status = run(sys.argv[1:])
    if sys.argv[1:2] == ["check"]:
        # Python would look through all once more before it ends, a tenth of a short run. Not where libraries
        # may be loaded that count at the end what was left to them, and complain.
        gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
