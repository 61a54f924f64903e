"""Where Apache Flink lives: an environment of its own, because it pins an older Beam and pandas.

    ~/.cache/pipelineplan/flink-2.2.1/bin/python      and Java 11 or newer, from JAVA_HOME or the PATH

It is made by `pipelineplan doctor --install flink` and by nothing else: no test of a plan reaches
for the network. Every package is pinned with its hashes in `flink_requirements.txt`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.errors import InputError, Position, Problem

FLINK_VERSION = "2.2.1"
PYTHON_VERSION = "3.11"
OLDEST_JAVA = 11
REQUIREMENTS = Path(__file__).with_name("flink_requirements.txt")
INSTALL = "pipelineplan doctor --install flink"
SIZE = "about 320 MB to fetch from PyPI, 710 MB on disk"
WHERE = Position("--on flink")


@dataclass(frozen=True)
class FlinkEnvironment:
    """The interpreter that has Flink, and the Java that runs it."""

    python: Path
    java: Path


def cache_folder() -> Path:
    """Where engines are installed: below XDG_CACHE_HOME, else `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "pipelineplan"


def folder() -> Path:
    """Where Flink's environment is or would be."""
    return cache_folder() / f"flink-{FLINK_VERSION}"


def is_installed() -> bool:
    """Whether Flink's environment is there and complete."""
    return _is_complete(folder())


def find_flink() -> FlinkEnvironment:
    """Flink's interpreter and Java; raises `InputError` that says what is lacking and how to get it."""
    python, java = _python(folder()), find_java()
    problems = []
    if not _is_complete(folder()):
        found = f"found no Apache Flink {FLINK_VERSION} in {folder()}"
        problems.append(Problem(found, WHERE, fix=f"install it with: {INSTALL} ({SIZE})"))
    if java is None:
        fix = "install Java 17 (on Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME"
        problems.append(Problem(f"found no Java {OLDEST_JAVA} or newer", WHERE, fix=fix))
    if problems or java is None:
        raise InputError(problems)
    return FlinkEnvironment(python, java)


def install_flink(progress: Callable[[str], None]) -> Path:
    """Make the environment from PyPI, unless it is complete already; returns its folder.

    Raises `InputError` when the interpreter is missing or a package cannot be fetched.
    """
    home = folder()
    if _is_complete(home):
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home, ignore_errors=True)
    progress(f"installing Apache Flink {FLINK_VERSION} into {home}: {SIZE}")
    for command in _commands(home):
        _run(command)
    _mark(home).write_text(_pinned(), encoding="utf-8")
    return home


def _commands(home: Path) -> list[list[str]]:
    """With uv where it is there, else with the standard library's own venv and pip."""
    uv, python = shutil.which("uv"), shutil.which(f"python{PYTHON_VERSION}")
    pinned = ["--require-hashes", "--requirement", str(REQUIREMENTS)]
    if uv is not None:
        make = [uv, "venv", "--quiet", "--python", PYTHON_VERSION, str(home)]
        return [make, [uv, "pip", "install", "--quiet", "--python", str(_python(home)), *pinned]]
    if python is None:
        fix = f"install uv, or Python {PYTHON_VERSION}"
        raise InputError([Problem(f"found neither uv nor python{PYTHON_VERSION}", WHERE, fix=fix)])
    install = [str(_python(home)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[python, "-m", "venv", str(home)], [*install, *pinned]]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        found = f"{Path(command[0]).name} could not install Apache Flink: {' '.join(said[-3:])[:600]}"
        raise InputError([Problem(found, Position("--install flink"), fix="is PyPI within reach?")])


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _mark(home: Path) -> Path:
    """Written last: an environment without it was interrupted, one with another hash is of another time."""
    return home / "complete"


def _pinned() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _is_complete(home: Path) -> bool:
    mark = _mark(home)
    return _python(home).exists() and mark.is_file() and mark.read_text(encoding="utf-8") == _pinned()


def find_java() -> Path | None:
    """Java from JAVA_HOME, else the PATH; None without one that is new enough."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        return None
    asked = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r'version "(\d+)', asked.stderr + asked.stdout)
    return Path(found) if version and int(version[1]) >= OLDEST_JAVA else None
