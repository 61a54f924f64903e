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
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from pipelineplan import __version__
from pipelineplan.cli.output import coloured, envelope, note, say
from pipelineplan.engines import beam_flink_environment, flink_environment

EXTRAS = {
    "": (("cronsim", "numpy", "pydantic", "pyyaml", "simpy"), "init, check, explain, simulate, compat, diff"),
    "data": (("pyarrow", "duckdb", "pytz", "scipy"), "profile; Parquet in and out"),
    "quality": (("great-expectations", "pandas", "sqlalchemy", "rstr"), "test --data"),
    "postgresql": (("psycopg",), "test --backend postgresql"),
    "beam": (("apache-beam",), "test --on beam"),
    "contracts": (
        ("fastavro", "grpcio-tools", "jsonschema", "protobuf"),
        "compat of Protobuf; compat --prove",
    ),
    "policies": (("common-expression-language",), "an organisation's own rules in CEL"),
    "fast": (("numba",), "replications many times faster"),
    "sensitivity": (("SALib",), "simulate --sensitivity --sobol"),
    "completion": (("shtab",), "completion, which writes the script of a shell"),
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
    say(f"pipelineplan {__version__} on Python {platform.python_version()}\n")
    for extra, packages in found.items():
        _say_extra(extra, packages)
    for engine in _engines():
        add = "" if engine["installed"] else f"pipelineplan doctor --install {engine['name']}"
        _say_row(f"{engine['name']} {engine['version']}", str(engine["use"]), add)
    if any(None in packages.values() for packages in found.values()):
        say("\neverything at once: pip install 'pipelineplan[all]'")
    return 0


def _say_extra(extra: str, packages: Mapping[str, str | None]) -> None:
    missing = [name for name, installed in packages.items() if installed is None]
    add = f"pip install 'pipelineplan[{extra}]'" if extra else "pip install pipelineplan"
    _say_row(extra or "base", EXTRAS[extra][1], add if missing else "")
    there = [f"{name} {installed}" for name, installed in packages.items() if installed is not None]
    for words, names in (("installed", there), ("not installed", missing)):
        if names:
            say(f"{'':<28}{words}: {', '.join(names)}")


def _say_row(name: str, use: str, add: str) -> None:
    """One line: what it is called, whether it is there, what it is for, and how it is added."""
    state = coloured("missing", "unknown") if add else coloured("there", "holds")
    say(f"{name:<18}{state}{' ' * (3 if add else 5)}{use}{f'; add it with: {add}' if add else ''}")


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
