"""Starts commands in one process group, and ends the group when who started it is gone.

    python keeper.py '{"job-server": ["java", ...]}' FOLDER       writes FOLDER/job-server.log

It reads its standard input, which ends with the process at the other end, however that ended. It
imports nothing of this package, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


def main(commands: str, folder: str) -> None:
    """Start every command, its words going to a log of its own; end all with the standard input."""
    for name, command in json.loads(commands).items():
        with (Path(folder) / f"{name}.log").open("wb") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603 -- our own
    sys.stdin.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
