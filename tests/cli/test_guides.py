"""Guides quote what the tool prints: every command of a page is run, and its output compared.

REWRITE_GOLDEN=1 writes the output into the page: read the diff.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = {
    "docs/guides/adopt.md": "examples/adopt",
    "docs/guides/change-a-schema.md": "examples/schema-change",
    "docs/guides/cutover.md": "examples/orders-to-warehouse",
    "docs/guides/export.md": "examples/orders-to-warehouse",
    "docs/guides/reconcile.md": "examples/orders-to-warehouse",
    "docs/guides/simulate.md": "examples/demo-holds",
    "docs/guides/state-and-cost.md": "examples/orders-to-warehouse",
}
# What a guide writes, it writes into a copy.
IN_A_COPY = {"docs/guides/adopt.md", "docs/guides/cutover.md"}
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def printed(command: str, folder: Path) -> str:
    """What `command` prints; after a `|` only the lines that begin with the word that grep looks for."""
    asked, _, wanted = command.partition(" | ")
    arguments = [sys.executable, "-m", "pipelineplan", *shlex.split(asked)[1:]]
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1", "COLUMNS": "110"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    start = shlex.split(wanted)[1].removeprefix("^") if wanted else ""
    return "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith(start))


def run_again(block: str, folder: Path) -> str:
    """The block with every command followed by what it prints now."""
    commands = [line for line in block.splitlines() if line.startswith("$ pipelineplan ")]
    assert commands, block
    return "\n".join(f"{command}\n{printed(command.removeprefix('$ '), folder)}" for command in commands)


@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_quotes_what_is_printed(page: str, tmp_path: Path) -> None:
    text, folder = (ROOT / page).read_text(encoding="utf-8"), ROOT / GUIDES[page]
    if page in IN_A_COPY:
        folder = Path(shutil.copytree(folder, tmp_path / "copy"))
    now = BLOCK.sub(lambda found: f"```console\n{run_again(found[1], folder)}```", text)
    if os.environ.get("REWRITE_GOLDEN"):
        (ROOT / page).write_text(now, encoding="utf-8")
    assert (ROOT / page).read_text(encoding="utf-8") == now
