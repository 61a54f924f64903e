"""Flink's configuration, one `config.yaml` for each job of the plan: what holds for the whole job.

checkpoint.interval: 60 s        execution.checkpointing.interval: 1 min
parallelism.max: 120             pipeline.max-parallelism: 120

Checkpoints and the backend belong to the job, so what any of its stages states is written unless another
one contradicts it. Parallelism, time to live and watermarks belong to an operator: they are written where
all of the job's say the same. `facts` reads the same keys back. Source: Flink documentation, "Configuration".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipelineplan.exchange.exported import Dropped, Export, File
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.text import distinct
from pipelineplan.exchange.traced import Traced, agreed
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.facts.amounts import duration_ms
from pipelineplan.plan import Plan
from pipelineplan.plan.section import Section
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

TITLE = "Flink configuration, a config.yaml for each job"
ASKS: Mapping[str, str] = {}

_CHECKPOINT = "execution.checkpointing"
_BACKENDS = {"heap": "hashmap", "rocksdb": "rocksdb", "forst": "forst"}
_GUARANTEES = {"exactly_once": "EXACTLY_ONCE", "at_least_once": "AT_LEAST_ONCE"}
_TABLES = "read by SQL and Table jobs; a DataStream job says it in its code"
_NO_SETTING = "no setting of Flink"


def export(plan: Plan, settings: Settings) -> Export | None:
    """A file for each job; None when no stage runs on Flink."""
    jobs = jobs_of(plan)
    folders = distinct(jobs, _folder)
    files: list[File] = []
    dropped: list[Dropped] = []
    for job, stages in jobs.items():
        tracer = Tracer(plan)
        written = _job(tracer, stages)
        head = [f"Flink configuration of the job {job}, of the plan {plan.name}."]
        name = "config.yaml" if len(jobs) == 1 else f"{folders[job]}/config.yaml"
        files.append(as_yaml(name, [*head, *settings.head(tracer.dropped)], [written]))
        dropped += tracer.dropped
    return Export("flink", tuple(files), tuple(dropped)) if any(file.values for file in files) else None


def jobs_of(plan: Plan) -> dict[str, list[Stage]]:
    """The stages of each Flink job; those that name none are one job, which is called as the plan is."""
    jobs: dict[str, list[Stage]] = {}
    for stage in plan.model.stages:
        if stage.engine == "flink":
            jobs.setdefault(stage.job or plan.name, []).append(stage)
    return jobs


def _folder(job: str) -> str:
    """A folder's name for a job: letters, digits, dots and dashes, never one that goes up."""
    kept = "".join(sign if (sign.isalnum() and sign.isascii()) or sign in "-_." else "-" for sign in job)
    return kept.strip(".")[:100] or "job"


def _job(tracer: Tracer, stages: list[Stage]) -> dict[str, Any]:
    found = {
        **_checkpoints(tracer, stages),
        "state.backend.type": _of_job(tracer, [(s.state, "backend") for s in stages], _backend),
        "parallelism.default": _of_all(tracer, [(s.parallelism, "now") for s in stages]),
        "pipeline.max-parallelism": _of_all(tracer, [(s.parallelism, "max") for s in stages]),
        "table.exec.state.ttl": _ttl(tracer, stages),
        **_watermarks(tracer, stages),
    }
    for stage in stages:
        _left(tracer, stage)
    return {key: value for key, value in found.items() if value is not None}


def _checkpoints(tracer: Tracer, stages: list[Stage]) -> dict[str, Traced | None]:
    own = [stage.checkpoint for stage in stages]
    incremental = _of_job(tracer, [(each, "incremental") for each in own], _as_it_is)
    return {
        f"{_CHECKPOINT}.interval": _of_job(tracer, [(each, "interval") for each in own], _time),
        f"{_CHECKPOINT}.timeout": _of_job(tracer, [(each, "timeout") for each in own], _time),
        f"{_CHECKPOINT}.min-pause": _of_job(tracer, [(each, "min_pause") for each in own], _time),
        f"{_CHECKPOINT}.mode": _of_job(tracer, [(stage, "guarantee") for stage in stages], _guarantee),
        f"{_CHECKPOINT}.unaligned.enabled": _of_job(tracer, [(each, "mode") for each in own], _unaligned),
        f"{_CHECKPOINT}.tolerable-failed-checkpoints": _of_job(
            tracer, [(each, "tolerable_failures") for each in own], _as_it_is
        ),
        f"{_CHECKPOINT}.incremental": incremental,
    }


_Said = list[tuple[Section | None, str]]
_Write = Callable[[Tracer, Section, str], Traced | None]


def _of_job(tracer: Tracer, said: _Said, write: _Write) -> Traced | None:
    """What the stages of a job say that say anything, where they agree."""
    known = [(each, name) for each, name in said if tracer.stated(each, name) is not None]
    written = [write(tracer, each, name) for each, name in known if each is not None]
    values = [one for one in written if one is not None]
    one = agreed(values)
    if values and one is None:
        _differing(tracer, known, "stages of one job state different ones, and it holds for the whole job")
    return one


def _of_all(tracer: Tracer, said: _Said, write: _Write | None = None) -> Traced | None:
    """What every stage of a job says; an option of the job would change those that say nothing."""
    known = [(each, name) for each, name in said if tracer.stated(each, name) is not None]
    if not known:
        return None
    if len(known) < len(said):
        _differing(tracer, known, "not every stage of the job states it, and it would hold for all")
        return None
    values = [(write or _as_it_is)(tracer, each, name) for each, name in known if each is not None]
    one = agreed([value for value in values if value is not None])
    if one is None and all(values):
        _differing(tracer, known, "stages of the job state different ones: it is set on each operator")
    return one


def _differing(tracer: Tracer, known: Iterable[tuple[Section | None, str]], why: str) -> None:
    for section, name in known:
        if section is not None:
            tracer.drop(section, name, why)


def _as_it_is(tracer: Tracer, section: Section, name: str) -> Traced | None:
    return tracer.stated(section, name)


def _time(tracer: Tracer, section: Section, name: str) -> Traced | None:
    found = tracer.whole(section, name, 1000, "milliseconds")
    return found.as_value(duration_ms(int(found.value))) if found is not None else None


def _backend(tracer: Tracer, section: Section, name: str) -> Traced | None:
    return _word(tracer, section, name, _BACKENDS)


def _guarantee(tracer: Tracer, section: Section, name: str) -> Traced | None:
    return _word(tracer, section, name, _GUARANTEES)


def _word(tracer: Tracer, section: Section, name: str, words: Mapping[str, str]) -> Traced | None:
    found = tracer.stated(section, name)
    if found is not None and str(found.value) not in words:
        tracer.drop(section, name, f"{found.value} is {_NO_SETTING}")
        return None
    return found.as_value(words[str(found.value)]) if found is not None else None


def _unaligned(tracer: Tracer, section: Section, name: str) -> Traced | None:
    found = tracer.stated(section, name)
    return found.as_value(found.value == "unaligned") if found is not None else None


def _ttl(tracer: Tracer, stages: list[Stage]) -> Traced | None:
    """Time to live by the machine's clock: of every stage with state, and the same."""
    having = [stage.state for stage in stages if stage.state is not None]
    times = [state.ttl for state in having]
    for ttl in times:
        if ttl is not None and ttl.clock != "processing":
            tracer.drop(ttl, "time", "Flink's time to live goes by the machine's clock, not by events")
            return None
    found = _of_all(tracer, [(ttl, "time") for ttl in times], _time)
    return Traced(found.value, found.places, _TABLES) if found is not None else None


def _watermarks(tracer: Tracer, stages: list[Stage]) -> dict[str, Traced | None]:
    """Of the sources that the job reads itself: one job has one emission interval and one idle timeout."""
    marks = [
        source.semantics.watermark if source.semantics else None for source in _read_by(tracer.plan, stages)
    ]
    for mark in marks:
        if mark is not None:
            tracer.left(mark, {"interval", "idle_timeout"}, "said in the job's code, or with its table")
    idle = _of_all(tracer, [(mark, "idle_timeout") for mark in marks], _time)
    return {
        "pipeline.auto-watermark-interval": _of_all(tracer, [(mark, "interval") for mark in marks], _time),
        "table.exec.source.idle-timeout": Traced(idle.value, idle.places, _TABLES) if idle else None,
    }


def _read_by(plan: Plan, stages: list[Stage]) -> list[Source]:
    ids = {edge.upstream for stage in stages for edge in plan.graph.into(stage.id)}
    return [source for source in plan.model.sources if source.id in ids]


def _left(tracer: Tracer, stage: Stage) -> None:
    """What the sections that Flink has settings of hold besides."""
    carried = {"interval", "timeout", "min_pause", "mode", "tolerable_failures", "incremental"}
    if stage.checkpoint is not None:
        tracer.left(stage.checkpoint, carried, _NO_SETTING)
    if stage.state is not None:
        tracer.left(stage.state, {"backend", "ttl"}, _NO_SETTING)
