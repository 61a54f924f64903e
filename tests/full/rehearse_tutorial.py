"""Rehearse the first five minutes: the tutorial's commands in an empty folder, compared and timed.

    uv run python tests/full/rehearse_tutorial.py [PAGE]

A console block is a session of one shell: lines after `$ ` are typed, the rest must be printed, but for
line breaks; `...` stands for any lines. A diff block is what the reader changes in an editor. The tool is
installed from a wheel of this checkout, base install only, into an environment that is made for it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tutorial/first-five-minutes.md"
BLOCK = re.compile(r"^```(console|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
DONE = "~~~ the command has ended with"


@dataclass(frozen=True)
class Step:
    """A command with what it must print, or a change of a file."""

    section: str
    command: str = ""
    printed: str = ""
    change: str = ""


class Shell:
    """One shell for the whole page, so that what is activated stays activated."""

    def __init__(self, folder: Path, **more: str) -> None:
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= {"NO_COLOR": "1", "PYTHONUTF8": "1", **more}
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder, env=environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, command: str) -> str:
        """What `command` prints, on both streams."""
        typed, heard = self._bash.stdin, self._bash.stdout
        assert typed is not None
        assert heard is not None
        typed.write(f"{command}\necho; echo '{DONE}'\n")
        typed.flush()
        lines = list(iter(heard.readline, f"{DONE}\n"))
        return "".join(lines).removesuffix("\n")


def steps_of(page: str) -> Iterator[Step]:
    """The page's commands and changes, in order, with the section that each stands in."""
    sections = [(match.start(), match[1]) for match in HEADING.finditer(page)]
    for block in BLOCK.finditer(page):
        section = [name for start, name in sections if start < block.start()][-1]
        if block[1] == "diff":
            yield Step(section, change=block[2])
        else:
            yield from (Step(section, *one) for one in _commands(block[2]))


def _commands(block: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        end = re.search(r"<<'(\w+)'", command)
        if end is not None:  # a here-document is typed to its end
            document, _, printed = printed.partition(f"\n{end[1]}\n")
            command = f"{command}\n{document}\n{end[1]}"
        yield command, printed


def apply(change: str, folder: Path) -> None:
    """Make the changes of a diff whose hunks name no lines: each is found by what it shows."""
    header, *hunks = re.split(r"^@@\n", change, flags=re.MULTILINE)
    file = folder / re.findall(r"^\+\+\+ (.*)$", header, re.MULTILINE)[0]
    text = file.read_text(encoding="utf-8")
    for hunk in hunks:
        lines = hunk.splitlines()
        old = [line[1:] for line in lines if line[:1] in " -"]
        new = [line[1:] for line in lines if line[:1] in " +"]
        found = _place(text.splitlines(), old)
        kept = text.splitlines()
        kept[found : found + len(old)] = new
        text = "\n".join(kept) + "\n"
    file.write_text(text, encoding="utf-8")


def _place(lines: list[str], old: list[str]) -> int:
    """Where `old` stands in `lines`, without regard to comments behind a value."""
    bare = [line.split("  #")[0].rstrip() for line in lines]
    places = [at for at in range(len(bare)) if bare[at : at + len(old)] == old]
    if len(places) != 1:
        raise SystemExit(f"the change is found {len(places)} times in the file:\n" + "\n".join(old))
    return places[0]


def differs(expected: str, found: str) -> bool:
    """Whether the words printed are other than the page says; `...` on a line of its own is anything."""
    parts = [" ".join(part.split()) for part in re.split(r"^\.\.\.$", expected, flags=re.MULTILINE)]
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(rf"\s*{pattern}\s*", " ".join(found.split()), re.DOTALL) is None


def rehearse(steps: Iterable[Step], folder: Path, **environment: str) -> dict[str, float]:
    """Play `steps` in `folder`; seconds by section. Ends at the first difference."""
    shell = Shell(folder, **environment)
    seconds: dict[str, float] = {}
    for step in steps:
        if step.change:
            apply(step.change, folder)
            continue
        started = time.perf_counter()
        found = shell.run(step.command)
        seconds[step.section] = seconds.get(step.section, 0.0) + time.perf_counter() - started
        if differs(step.printed, found):
            raise SystemExit(f"$ {step.command}\nwanted:\n{step.printed}\nprinted:\n{found}")
    return seconds


def main() -> None:
    """Build a wheel, rehearse, and print what each section took."""
    page = (Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as wheels, tempfile.TemporaryDirectory() as folder:
        build = ["uv", "build", "--quiet", "--wheel", "--out-dir", wheels]
        subprocess.run(build, cwd=ROOT, check=True)
        seconds = rehearse(steps_of(page), Path(folder), PIP_FIND_LINKS=wheels)
    for section, taken in seconds.items():
        print(f"{taken:6.1f} s  {section}")
    print(f"{sum(seconds.values()):6.1f} s  in all, without reading and typing")


if __name__ == "__main__":
    main()
