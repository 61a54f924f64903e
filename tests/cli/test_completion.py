"""Completion as the shells themselves do it: the script is loaded into the shell, and Tab is asked for."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from pipelineplan.cli import VERBS, run

# What is typed, and what must and must not be offered.
CASES: dict[str, tuple[set[str], set[str]]] = {
    "pipelineplan ch": ({"check"}, {"compat"}),
    "pipelineplan co": ({"compat", "completion"}, {"check"}),
    "pipelineplan explain CAP10": ({"CAP101", "CAP102"}, {"EVT101"}),
    "pipelineplan check --write": ({"--write-baseline"}, set()),
    "pipelineplan check --format ": ({"text", "json", "sarif", "junit", "markdown"}, {"xml"}),
    "pipelineplan check --select EV": ({"EVT", "EVT101"}, {"CAP"}),
    "pipelineplan simulate plan.yaml --scenario sink": ({"sink-outage"}, {"burst"}),
    "pipelineplan compat a.avsc b.avsc --mode BACK": ({"BACKWARD", "BACKWARD_TRANSITIVE"}, {"FULL"}),
    "pipelineplan cutover plan.yaml --record reads": ({"reads-1", "reads-100"}, {"parity"}),
    "pipelineplan bundle plan.yaml --as ": ({"data-plan", "design-spec"}, {"pdf"}),
    "pipelineplan export plan.yaml str": ({"strimzi"}, {"flink"}),
    "pipelineplan completion ": ({"bash", "zsh", "fish"}, {"tcsh"}),
    "pipelineplan check deploy/or": ({"deploy/orders.yaml"}, {"deploy/sales.yaml"}),
    "pipelineplan verify de": ({"deploy"}, {"decoy.yaml"}),
}
BASH = """\
source "$1"
read -ra words <<< "$2"
[[ "$2" == *" " ]] && words+=("")
COMP_WORDS=("${words[@]}"); COMP_CWORD=$(( ${#words[@]} - 1 )); COMP_LINE="$2"; COMP_POINT=${#2}
_shtab_pipelineplan pipelineplan "${words[COMP_CWORD]}" "${words[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The script of a shell, as the command prints it."""
    pytest.importorskip("shtab", reason="the extra `completion` is not installed")
    folder = tmp_path_factory.mktemp("completion")

    @cache
    def written(shell: str) -> Path:
        done = subprocess.run(
            [sys.executable, "-m", "pipelineplan", "completion", shell],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            timeout=120,
        )
        file = folder / "_pipelineplan" if shell == "zsh" else folder / f"pipelineplan.{shell}"
        file.write_text(done.stdout, encoding="utf-8")
        return file

    return written


@pytest.fixture
def somewhere(tmp_path: Path) -> Path:
    """A folder with something to complete to."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/orders.yaml", "deploy/sales.yaml", "decoy.yaml"):
        (tmp_path / name).touch()
    return tmp_path


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on this machine")
    return found


def offered_by_bash(script: Path, line: str, folder: Path) -> set[str]:
    command = [shell("bash"), "--norc", "-c", BASH, "bash", str(script), line]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.stderr == ""
    return {word.rstrip("/ ") for word in done.stdout.splitlines()}


def offered_by_fish(script: Path, line: str, folder: Path) -> set[str]:
    command = [shell("fish"), "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(script), line]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.stderr == ""
    return {word.partition("\t")[0].rstrip("/ ") for word in done.stdout.splitlines()}


def offered_by_zsh(script: Path, line: str, folder: Path) -> set[str]:
    """Zsh completes in a terminal alone: one is made for it, and what it prints after Tab is read."""
    import pty

    terminal, theirs = pty.openpty()
    environment = {"TERM": "dumb", "PATH": os.environ["PATH"], "COLUMNS": "200"}
    command = [shell("zsh"), "-f", "-i"]
    zsh = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    begin = (
        f"fpath=({script.parent} $fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000; PS1='$ '; "
        "setopt no_auto_menu no_list_ambiguous; print REA''DY\n"
    )
    try:
        os.write(terminal, begin.encode())
        _until(terminal, b"READY\r\n")
        os.write(terminal, f"{line}\t\t".encode())
        os.write(terminal, b"\x01print -r -- DO''NE; : \n")  # at the beginning of the line, and run
        text = _until(terminal, b"DONE\r\n").decode(errors="replace")
    finally:
        zsh.kill()
        zsh.wait()
        os.close(terminal)
        os.close(theirs)
    return {word.rstrip("/ ") for word in text.replace("--", " --").split()}


def _until(terminal: int, end: bytes) -> bytes:
    seen, last = b"", time.monotonic() + 60
    while end not in seen and time.monotonic() < last:
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 65_536)
    assert end in seen, seen
    return seen


OFFERED = {"bash": offered_by_bash, "fish": offered_by_fish, "zsh": offered_by_zsh}


@pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
@pytest.mark.parametrize("line", CASES)
@pytest.mark.parametrize("name", OFFERED)
def test_the_shell_offers_what_may_stand_there(
    name: str, line: str, script: Callable[[str], Path], somewhere: Path
) -> None:
    wanted, unwanted = CASES[line]
    found = OFFERED[name](script(name), line, somewhere)
    assert wanted <= found
    assert not found & unwanted


def test_every_verb_is_in_every_script(script: Callable[[str], Path]) -> None:
    for name in OFFERED:
        text = script(name).read_text(encoding="utf-8")
        assert [verb for verb in VERBS if verb not in text] == []


def test_without_the_extra_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert run(["completion", "bash"]) == 2
    assert "pip install 'pipelineplan[completion]'" in capsys.readouterr().err
