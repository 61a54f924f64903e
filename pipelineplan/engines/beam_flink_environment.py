"""Where Apache Beam's runner for Flink lives: jars from Maven Central, Flink's own among them.

    ~/.cache/pipelineplan/beam-flink-1.19-2.62.0/*.jar      and Java 11 or newer

They are fetched by `pipelineplan doctor --install beam-flink` and by nothing else. Each is pinned with
its SHA-256 in `beam_flink_jars.txt`; one that has another is not kept.
"""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipelineplan.engines.flink_environment import OLDEST_JAVA, cache_folder, find_java
from pipelineplan.errors import InputError, MissingExtraError, Position, Problem

FLINK_VERSION = "1.19.0"
RUNNER_VERSION = "2.62.0"
JARS = Path(__file__).with_name("beam_flink_jars.txt")
INSTALL = "pipelineplan doctor --install beam-flink"
SIZE = "162 jars, about 160 MB to fetch from Maven Central"
WHERE = Position("--on flink")
_FETCHED_AT_ONCE = 4
_LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class BeamFlink:
    """The Java that runs the jars in `folder`."""

    java: Path
    folder: Path


def folder() -> Path:
    """Where the jars are or would be."""
    return cache_folder() / f"beam-flink-{FLINK_VERSION.rpartition('.')[0]}-{RUNNER_VERSION}"


def is_installed() -> bool:
    """Whether all jars are there, as they are pinned now."""
    mark = folder() / "complete"
    return mark.is_file() and mark.read_text(encoding="utf-8") == _sha256(JARS)


def find_beam_flink() -> BeamFlink:
    """The jars and Java; raises `InputError` that says what is lacking and how to get it."""
    java, problems = find_java(), []
    if not is_installed():
        found = f"found no Beam runner for Flink {FLINK_VERSION} in {folder()}"
        problems.append(Problem(found, WHERE, fix=f"install it with: {INSTALL} ({SIZE})"))
    if java is None:
        fix = "install Java 17 (on Debian: apt install openjdk-17-jre-headless) or set JAVA_HOME"
        problems.append(Problem(f"found no Java {OLDEST_JAVA} or newer", WHERE, fix=fix))
    if problems or java is None:
        raise InputError(problems)
    return BeamFlink(java, folder())


def install_beam_flink(progress: Callable[[str], None]) -> Path:
    """Fetch the jars, unless they are all there; returns their folder.

    Raises `InputError` when one cannot be fetched or is not what was pinned, `MissingExtraError`
    without the extra `beam`.
    """
    home = folder()
    if is_installed():
        return home
    home.mkdir(parents=True, exist_ok=True)
    progress(f"fetching Apache Beam's runner for Flink into {home}: {SIZE}")
    root = _maven_central()
    with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
        problems = [
            problem for problem in pool.map(lambda jar: _fetch(root, jar, home), _pinned()) if problem
        ]
    if problems:
        raise InputError(problems)
    (home / "complete").write_text(_sha256(JARS), encoding="utf-8")
    return home


def _pinned() -> list[tuple[str, str]]:
    """Paths in the repository and their SHA-256."""
    lines = JARS.read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if not line.startswith("#")]
    return [(path, digest) for path, digest in pairs]


def _maven_central() -> str:
    """The address that Beam itself takes its jars from."""
    try:
        from apache_beam.utils.subprocess_server import JavaJarServer
    except ModuleNotFoundError as error:
        raise MissingExtraError("Apache Beam on Flink", "beam") from error
    return str(JavaJarServer.MAVEN_CENTRAL_REPOSITORY)


def _fetch(root: str, jar: tuple[str, str], home: Path) -> Problem | None:
    path, digest = jar
    file = home / path.rpartition("/")[2]
    if file.is_file() and _sha256(file) == digest:
        return None
    part = file.with_suffix(".part")
    try:
        with (
            urllib.request.urlopen(f"{root}/{path}", timeout=_LONGEST_SECONDS) as answer,  # noqa: S310 -- https
            part.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream)
    except (OSError, urllib.error.URLError) as error:
        part.unlink(missing_ok=True)
        return _problem(f"{path} could not be fetched: {error}", "is Maven Central within reach?")
    found = _sha256(part)
    if found != digest:
        part.unlink()
        return _problem(f"{path} has the SHA-256 {found}, wanted {digest}", "something between alters files")
    part.replace(file)
    return None


def _problem(found: str, fix: str) -> Problem:
    return Problem(found, Position("--install beam-flink"), fix=fix)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
