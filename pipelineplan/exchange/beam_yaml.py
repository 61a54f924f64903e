"""Topics, event times and windows as a pipeline of Beam YAML; what stages compute is left to people.

sources[].semantics.event_time: updated_at     {type: AssignTimestamps, config: {timestamp: updated_at}}
stages[].window: {fixed: 1 min}                {type: WindowInto, windowing: {type: fixed, size: 60s}}

A stage without a window is no transform here: a plan does not say what it computes, and its records go on as
they came. Beam YAML has no allowed lateness and no triggers. Source: Apache Beam documentation, "Beam YAML".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelineplan.exchange.exported import Export
from pipelineplan.exchange.settings import Settings
from pipelineplan.exchange.traced import Needs, Traced
from pipelineplan.exchange.tracing import Tracer
from pipelineplan.exchange.yaml_text import as_yaml
from pipelineplan.plan import Plan
from pipelineplan.plan.source import ReaderSettings, Source
from pipelineplan.plan.stage import Stage, Window

TITLE = "topics, event times and windows as Beam YAML"
ASKS = {
    "kafka": "the brokers, as host:port",
    "format": "the format of the records: JSON, AVRO, PROTO, RAW",
}

_KINDS = {"fixed": ("fixed", "size"), "sliding": ("sliding", "size"), "session": ("sessions", "gap")}


def export(plan: Plan, settings: Settings) -> Export | None:
    """A pipeline of what is read and how it is windowed; None when no stage has a window."""
    if not any(stage.window is not None for stage in plan.model.stages):
        return None
    tracer = Tracer(plan)
    comes_from: dict[str, tuple[str, ...]] = {}
    transforms: list[Any] = []
    for source in plan.model.sources:
        found = list(_read(tracer, source, settings))
        transforms += found
        comes_from[source.id] = (found[-1]["name"],) if found else ()
    for name in plan.graph.order:
        if plan.graph.kinds[name] == "stage":
            stage = plan.stage(name)
            inputs = _inputs(plan, stage, comes_from)
            windowed = _windowed(tracer, stage, inputs) if stage.window is not None and inputs else None
            transforms += [windowed] if windowed is not None else []
            comes_from[name] = (name,) if windowed is not None else inputs
    if not any(one["type"] == "WindowInto" for one in transforms):
        return None
    computing = ", ".join(stage.id for stage in plan.model.stages)
    head = [
        f"What the plan {plan.name} reads and how it is windowed, for Beam.",
        f"What its stages compute and where results go is not in a plan, and to be written: {computing}.",
        *settings.head(tracer.dropped),
    ]
    tree = {"pipeline": {"transforms": transforms}}
    return Export("beam", (as_yaml("pipeline.yaml", head, [tree]),), tuple(tracer.dropped))


def _inputs(plan: Plan, stage: Stage, comes_from: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The transforms that a stage's records come from, each once."""
    names = [name for edge in plan.graph.into(stage.id) for name in comes_from.get(edge.upstream, ())]
    return tuple(dict.fromkeys(names))


def _read(tracer: Tracer, source: Source, settings: Settings) -> Iterator[dict[str, Any]]:
    if source.system != "kafka":
        tracer.drop(source, "", f"its system is {source.system!r}, and what reads it is not in a plan")
        return
    topic = tracer.stated(source, "topic") or Traced(source.id, (tracer.place(source, "id"),))
    yield {
        "type": "ReadFromKafka",
        "name": source.id,
        "config": {
            "topic": topic,
            "bootstrap_servers": settings.get("kafka") or Needs("<BROKERS>", "--set kafka=host:port"),
            "format": settings.get("format") or Needs("<FORMAT>", "--set format=JSON, and its schema"),
            **_consumer(tracer, source.consumer),
        },
    }
    time = tracer.stated(source.semantics, "event_time")
    if time is not None:
        name = f"{source.id} by event time"
        yield {"type": "AssignTimestamps", "name": name, "input": source.id, "config": {"timestamp": time}}


def _consumer(tracer: Tracer, consumer: ReaderSettings | None) -> dict[str, Any]:
    found = {
        "group.id": tracer.stated(consumer, "group"),
        "isolation.level": tracer.stated(consumer, "isolation"),
        "max.poll.records": tracer.stated(consumer, "max_poll_records"),
        "max.poll.interval.ms": tracer.whole(consumer, "max_poll_interval", 1000, "milliseconds"),
    }
    # The configuration of a Kafka client is text by text.
    said = {key: one.as_value(str(one.value)) for key, one in found.items() if one is not None}
    reset = tracer.stated(consumer, "offset_reset")
    if consumer is not None and reset is not None and reset.value == "none":
        tracer.drop(consumer, "offset_reset", "Beam begins at the earliest or at the latest")
        reset = None
    return {
        **({"auto_offset_reset_config": reset} if reset is not None else {}),
        **({"consumer_config": said} if said else {}),
    }


def _windowed(tracer: Tracer, stage: Stage, inputs: tuple[str, ...]) -> dict[str, Any] | None:
    window = stage.window
    if window is None:
        return None
    field, (kind, size) = next((f, k) for f, k in _KINDS.items() if getattr(window, f) is not None)
    length, every = _length(tracer, window, field), _length(tracer, window, "every")
    if length is None or (kind == "sliding" and every is None):
        return None
    tracer.left(window, {"fixed", "sliding", "session", "every"}, "Beam YAML has no word for it")
    period = {"period": every} if kind == "sliding" else {}
    return {
        "type": "WindowInto",
        "name": stage.id,
        "input": inputs[0] if len(inputs) == 1 else list(inputs),
        "windowing": {"type": kind, size: length, **period},
    }


def _length(tracer: Tracer, window: Window, field: str) -> Traced | None:
    found = tracer.whole(window, field, 1000, "milliseconds")
    if found is None:
        return None
    milliseconds = found.value  # never in days: Beam up to 2.77 takes `1d` for twelve hours
    return found.as_value(f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms")
