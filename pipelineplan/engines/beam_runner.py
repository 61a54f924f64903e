"""Which Beam runner runs a pipeline: one in this process, or any other by its own options.

    ()                                                          FnApiRunner, in this process
    --direct_running_mode=multi_processing --direct_num_workers=4   the same, on four processes
    --runner=FlinkRunner --flink_master=host:8081 ...           a cluster

Options are always given: Beam's default would read this program's own command line. A runner that is
known to answer wrongly, or that reaches for the network unasked, is refused with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from itertools import pairwise
from typing import Any, Literal

from pipelineplan.errors import InputError, MissingExtraError, PipelinePlanError, Position, Problem

# Beam in this process, or on the runner that these options of its own name.
OnBeam = Literal["beam"] | tuple[str, ...]

WHERE = Position("--runner-options")
_LOOKS_FOR_ANOTHER = (
    "looks for another runner to download, and takes a different one where it finds none",
    "leave --runner away: then FnApiRunner runs it in this process",
)
_SILENTLY_WRONG = (
    "is silently wrong: it puts every window into the global one, and sends the records of tagged outputs"
    " to the main output too; it reads no files either (Beam 2.77)"
)
_REFUSED = {
    "direct": _LOOKS_FOR_ANOTHER,
    "switchingdirect": _LOOKS_FOR_ANOTHER,
    "dask": (_SILENTLY_WRONG, "use --direct_running_mode=multi_processing without --runner, or FlinkRunner"),
}


class BeamError(PipelinePlanError):
    """Beam ran and did not come to an end; the message carries its own."""


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing of what Beam logs reaches the user: what failed is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def beam_version(use: str) -> str:
    """Apache Beam's version; raises `MissingExtraError` that names `use` when it is not installed."""
    try:
        import apache_beam as beam
    except ModuleNotFoundError as error:
        raise MissingExtraError(use, "beam") from error
    return str(beam.__version__)


def pipeline_of(flags: Sequence[str]) -> Any:
    """An empty batch pipeline on the runner that `flags` name.

    Raises `InputError` for a runner that is refused or unknown and for options that Beam does not take.
    """
    import apache_beam as beam

    named = _runner_named(flags)
    options = _options_of(flags)
    if named is None or named.removesuffix("runner") == "fnapi":
        from apache_beam.runners.portability.fn_api_runner import FnApiRunner

        return beam.Pipeline(runner=FnApiRunner(), options=options)
    try:
        return beam.Pipeline(options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise InputError([Problem(f"Apache Beam does not take this runner: {error}", WHERE)]) from error


def _options_of(flags: Sequence[str]) -> Any:
    from apache_beam.options.pipeline_options import PipelineOptions

    said = StringIO()
    try:
        with redirect_stderr(said):
            options = PipelineOptions(list(flags))
            options.get_all_options()  # until then nothing is looked at
    except SystemExit as error:
        wrong = said.getvalue().strip().rpartition("error: ")[2]
        raise InputError([Problem(f"Apache Beam does not take these: {wrong}", WHERE)]) from error
    return options


def run_pipeline(pipeline: Any, what: str) -> None:
    """Run to the end; raises `BeamError` with Beam's own words and `what` failed."""
    try:
        state = pipeline.run().wait_until_finish()
    except Exception as error:
        raise BeamError(f"Apache Beam failed on {what}: {type(error).__name__}: {error}") from error
    if state != "DONE":
        raise BeamError(f"Apache Beam ended {what} as {state}")


def _runner_named(flags: Sequence[str]) -> str | None:
    """The runner's name in small letters; `InputError` if it is refused."""
    named = None
    for flag, following in pairwise([*flags, ""]):
        name, _, value = flag.partition("=")
        if name == "--runner":
            named = (value or following).rpartition(".")[2].lower()
    if named is None:
        return None
    short = named.removesuffix("runner")
    if short == "prism" and not any(flag.startswith("--prism_location") for flag in flags):
        found, fix = "PrismRunner downloads a program", "say --prism_location, where it is installed"
    elif short in _REFUSED:
        why, fix = _REFUSED[short]
        found = f"{'DirectRunner' if 'direct' in short else 'DaskRunner'} {why}"
    else:
        return named
    raise InputError([Problem(found, WHERE, fix=fix)])
