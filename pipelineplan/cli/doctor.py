"""Say what is installed, and what each extra would add; install an engine where that is asked.

    pipelineplan doctor
    pipelineplan doctor --install flink
    pipelineplan doctor --install beam-flink

With --install, Apache Flink is fetched from PyPI into an environment of its own, or Apache Beam's
runner for Flink from Maven Central, below the user's cache folder: pinned, with hashes. Without it,
nothing reaches for the network.
"""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

from pipelineplan import __version__
from pipelineplan.cli.output import coloured, envelope, note, say
from pipelineplan.engines import beam_flink_environment, flink_environment

EXTRAS = {
    "": (("numpy", "pydantic", "pyyaml", "simpy"), "check, explain, simulate, compat, diff"),
    "data": (("pyarrow", "duckdb", "pytz"), "profile; Parquet in and out"),
    "quality": (("great-expectations", "pandas", "sqlalchemy", "rstr"), "test --data"),
    "postgresql": (("psycopg",), "test --backend postgresql"),
    "beam": (("apache-beam",), "test --on beam"),
    "contracts": (("fastavro", "jsonschema"), "compat --prove"),
    "fast": (("numba",), "replications many times faster"),
    "sensitivity": (("SALib",), "simulate --sensitivity --sobol"),
    "terraform": (("python-hcl2",), "facts and init --from with topics of Terraform"),
    "report": (("altair", "vl-convert-python"), "bundle with report and plots"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--install", choices=("beam-flink", "flink"), help="fetch this engine and install it")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """List versions by extra, after installing what was asked for."""
    if options.install == "flink":
        note(f"Apache Flink is in {flink_environment.install_flink(note)}")
    if options.install == "beam-flink":
        note(f"Apache Beam's runner for Flink is in {beam_flink_environment.install_beam_flink(note)}")
    found = {extra: {name: _version(name) for name in names} for extra, (names, _) in EXTRAS.items()}
    if options.format == "json":
        extras = [{"extra": extra, "packages": packages} for extra, packages in found.items()]
        say(envelope("doctor", 0, python=platform.python_version(), extras=extras, engines=_engines()))
        return 0
    say(f"pipelineplan {__version__} on Python {platform.python_version()}")
    for extra, packages in found.items():
        missing = [name for name, installed in packages.items() if installed is None]
        state = coloured("missing", "unknown") if missing else coloured("there", "holds")
        say(f"\n{extra or 'base'}: {state} ({EXTRAS[extra][1]})")
        for name, installed in packages.items():
            say(f"  {name:<20} {installed or 'not installed'}")
        if missing:
            say(f"  add it with: pip install 'pipelineplan[{extra}]'")
    for engine in _engines():
        state = coloured("there", "holds") if engine["installed"] else coloured("missing", "unknown")
        say(f"\n{engine['name']} {engine['version']}: {state} ({engine['use']})")
        if not engine["installed"]:
            say(f"  add it with: pipelineplan doctor --install {engine['name']}")
    return 0


def _engines() -> list[dict[str, str | bool]]:
    rooms = (
        ("flink", flink_environment.FLINK_VERSION, flink_environment, "test --on flink"),
        ("beam-flink", beam_flink_environment.RUNNER_VERSION, beam_flink_environment, "profile --on flink"),
    )
    return [
        {"name": name, "version": version_of, "installed": room.is_installed(), "use": use}
        for name, version_of, room, use in rooms
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
