"""The same profile by another engine: Apache Beam on any runner, or on a Flink cluster of this machine.

beam     --runner-options says where; without them, in this process
flink    job server, job manager, two task managers and their workers are started, used, and ended
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

from pipelineplan.engines.beam_flink_cluster import TASK_MANAGERS, beam_on_flink
from pipelineplan.engines.beam_flink_environment import FLINK_VERSION, find_beam_flink
from pipelineplan.engines.beam_profile import Columns, measure_on_beam
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.sources import StreamProfile


class Engine(StrEnum):
    """What measures a recorded stream, if not this process alone."""

    BEAM = "beam"
    FLINK = "flink"


def measure_on(
    engine: Engine | str,
    paths: Sequence[str | Path],
    columns: Columns,
    *,
    runner_options: Sequence[str] = (),
    shared: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> StreamProfile:
    """Measure the records in `paths` on an engine; what comes out is what one process measures.

    Raises as `measure_on_beam` does, and `InputError` with what Flink needs where that is missing.
    """
    engine, show = Engine(engine), progress or (lambda _: None)
    match engine:
        case Engine.BEAM:
            return measure_on_beam(paths, columns, runner_options, shared=shared, progress=progress)
        case Engine.FLINK:
            if runner_options or shared is not None:
                found = "--on flink starts a cluster of its own, on this machine"
                fix = "a cluster that is there already is reached with --on beam"
                raise InputError([Problem(found, Position("--runner-options"), fix=fix)])
            environment = find_beam_flink()
            with tempfile.TemporaryDirectory(prefix="pipelineplan-flink-") as folder:
                show(f"starting Flink {FLINK_VERSION} with {TASK_MANAGERS} task managers")
                with beam_on_flink(environment, Path(folder)) as cluster:
                    show("Apache Beam measures on Flink")
                    return measure_on_beam(paths, columns, cluster.runner_options, progress=progress)
        case _:
            assert_never(engine)


def profile_on(
    engine: str,
    data: Sequence[str | Path],
    columns: Mapping[str, Any],
    *,
    runner_options: Sequence[str] = (),
    shared: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> StreamProfile:
    """The profile of `data`, measured on "beam" (any runner, by its options) or "flink" (a local cluster).

    `columns` are the keyword arguments of `profile`, `event_time` among them. Workers read the files
    under the same paths; `shared` is a folder that they and this machine see. Needs the extra `beam`.
    """
    named = Columns(**{**columns, "duplicates_by": tuple(columns.get("duplicates_by", ()))})
    return measure_on(engine, data, named, runner_options=runner_options, shared=shared, progress=progress)
