"""Flink's configuration: `config.yaml` (nested or flat), `flink-conf.yaml`, and what Kubernetes wraps it in.

execution.checkpointing.interval: 60 s      checkpoint.interval: 60 s
state.backend.type: rocksdb                 state.backend: rocksdb        (1.x: state.backend)

Resources of Flink's Kubernetes operator name their job; a bare file is about every job that it lies with.
Keys are those of Flink 1.x and 2.x. Source: Flink documentation, "Configuration".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from pipelineplan.documents import Document, Path
from pipelineplan.errors import InputError, Position
from pipelineplan.facts.amounts import flag, flink_duration, whole
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing, Value, mapping
from pipelineplan.facts.strimzi import at, name_of, resources
from pipelineplan.quantities import Dimension

TOOL = "Flink"
_KINDS = ("FlinkDeployment", "FlinkSessionJob")
_KIND = re.compile(r"""["']?kind["']?\s*:\s*["']?(?:FlinkDeployment|FlinkSessionJob)\b""")
_FLAT = re.compile(
    r"^(?:jobmanager|taskmanager|parallelism|execution|state|pipeline|table\.exec|restart-strategy)"
    r"\.[a-z][\w.-]{0,100}[ \t]*:",
    re.MULTILINE,
)
_NESTED = re.compile(
    r"^(jobmanager|taskmanager|parallelism|execution|state):[ \t]*(?:#[^\n]*)?$", re.MULTILINE
)
_MAPPED = re.compile(r"^[ \t]+(?:flink-conf|config)\.yaml[ \t]*:[ \t]*[|>]", re.MULTILINE)
_BACKENDS = {
    "hashmap": "heap",
    "filesystem": "heap",
    "jobmanager": "heap",
    "rocksdb": "rocksdb",
    "forst": "forst",
}
_SECONDS = Dimension.DURATION


def _backend(value: object) -> str | None:
    text = str(value).strip().lower()
    if text in _BACKENDS:
        return _BACKENDS[text]
    return next((name for word, name in _BACKENDS.items() if word in text.rsplit(".", 1)[-1]), None)


def _mode(value: object) -> str | None:
    unaligned = flag(value)
    return None if unaligned is None else "unaligned" if unaligned else "aligned"


def _guarantee(value: object) -> str | None:
    found = str(value).strip().lower().replace("-", "_")
    return found if found in {"exactly_once", "at_least_once"} else None


def _times(value: object) -> int | None:
    number = whole(value)
    return number if number is not None and number >= 0 else None


def _subtasks(value: object) -> int | None:
    number = whole(value)
    return number if number is not None and number >= 1 else None


_Read = tuple[str, Callable[[object], Value], Dimension | None]
_READS: dict[str, _Read] = {
    "execution.checkpointing.interval": ("checkpoint.interval", flink_duration, _SECONDS),
    "execution.checkpointing.timeout": ("checkpoint.timeout", flink_duration, _SECONDS),
    "execution.checkpointing.min-pause": ("checkpoint.min_pause", flink_duration, _SECONDS),
    "execution.checkpointing.tolerable-failed-checkpoints": ("checkpoint.tolerable_failures", _times, None),
    "execution.checkpointing.unaligned": ("checkpoint.mode", _mode, None),
    "execution.checkpointing.unaligned.enabled": ("checkpoint.mode", _mode, None),
    "execution.checkpointing.incremental": ("checkpoint.incremental", flag, None),
    "state.backend.incremental": ("checkpoint.incremental", flag, None),
    "execution.checkpointing.mode": ("guarantee", _guarantee, None),
    "state.backend": ("state.backend", _backend, None),
    "state.backend.type": ("state.backend", _backend, None),
    "table.exec.state.ttl": ("state.ttl.time", flink_duration, _SECONDS),
    "pipeline.max-parallelism": ("parallelism.max", _subtasks, None),
    "parallelism.default": ("parallelism.now", _subtasks, None),
    "pipeline.auto-watermark-interval": ("semantics.watermark.interval", flink_duration, _SECONDS),
    "table.exec.source.idle-timeout": ("semantics.watermark.idle_timeout", flink_duration, _SECONDS),
}
# Where nothing nearer says otherwise: an operator's own parallelism wins over the job's.
_DEFAULTS = {"parallelism.default"}
# Zero says that it never happens, and not that it takes no time.
_NEVER = {"state.ttl.time", "semantics.watermark.idle_timeout"}


def recognises(file: FileText) -> bool:
    """Whether the file holds settings of Flink, by their names."""
    if not file.base.endswith((".yaml", ".yml")):
        return False
    if file.base.startswith("flink-conf") or _KIND.search(file.text) or _MAPPED.search(file.text):
        return True
    nested = {found[1] for found in _NESTED.finditer(file.text)}
    return _FLAT.search(file.text) is not None or len(nested) >= 2


def read(file: FileText) -> Reading:
    """The settings of every job in the file, or of all jobs where it names none."""
    notes = Notes(TOOL, file.name)
    wrapped = _KIND.search(file.text) is not None or _MAPPED.search(file.text) is not None
    if wrapped:
        for kind in _KINDS:
            for document, path in resources(file, kind):
                _resource(document, path, notes)
        for document, path in resources(file, "ConfigMap"):
            _config_map(document, path, notes)
    else:
        everything = notes.about(Thing.JOB, "", Position(file.name, 1, 1))
        for key, value, position in _settings(file, everything):
            _setting(everything, key, value, position)
    return notes.done()


def _resource(document: Document, path: Path, notes: Notes) -> None:
    job = notes.about(Thing.JOB, name_of(document, path), document.position((*path, "metadata", "name")))
    for key, value, inner in _flat(at(document, (*path, "spec", "flinkConfiguration")), ()):
        _setting(job, key, value, document.position((*path, "spec", "flinkConfiguration", *inner)))
    own = at(document, (*path, "spec", "job"))
    if "parallelism" in own:
        where = document.position((*path, "spec", "job", "parallelism"))
        _setting(job, "parallelism.default", own["parallelism"], where, "job.parallelism")


def _config_map(document: Document, path: Path, notes: Notes) -> None:
    """A file inside a ConfigMap: its lines begin below the key, indented."""
    for key, text in at(document, (*path, "data")).items():
        if key in {"flink-conf.yaml", "config.yaml"} and isinstance(text, str):
            where = document.position((*path, "data", key))
            first = document.lines[where.line] if where.line < len(document.lines) else ""
            indent = len(first) - len(first.lstrip())
            everything = notes.about(Thing.JOB, "", where)
            for name, value, place in _by_line(FileText(notes.file, text), everything):
                moved = Position(notes.file, place.line + where.line, place.column + indent)
                _setting(everything, name, value, moved)


def _settings(file: FileText, job: About) -> Iterator[tuple[str, object, Position]]:
    """Keys with dots, values and places; a file that is no YAML is read as Flink 1.x reads it, by line."""
    if not file.base.startswith("flink-conf"):
        try:
            documents = file.documents
        except InputError:
            if not _FLAT.search(file.text):
                raise
        else:
            for document in documents:
                for key, value, path in _flat(mapping(document.data), ()):
                    yield key, value, document.position(path)
            return
    yield from _by_line(file, job)


def _by_line(file: FileText, job: About) -> Iterator[tuple[str, object, Position]]:
    """`key: value` in each line, `#` begins a comment (Flink 1.x, GlobalConfiguration)."""
    for number, line in enumerate(file.text.splitlines(), start=1):
        said = line.split("#", 1)[0]
        key, found, value = said.partition(": ")
        position = Position(file.name, number, len(key) + 3)
        if found and key.strip() and value.strip():
            yield key.strip(), value.strip(), position
        elif said.strip() and not said.strip().endswith(":"):
            job.skip(said.strip()[:20], "no `key: value` with a space after the colon", position)


def _flat(value: dict[str, Any], path: Path) -> Iterator[tuple[str, object, Path]]:
    for key, inner in value.items():
        below = (*path, key)
        if isinstance(inner, dict):
            yield from _flat(inner, below)
        elif inner is not None:
            yield ".".join(str(step) for step in below), inner, below


def _setting(job: About, key: str, value: object, position: Position, written_key: str = "") -> None:
    if key not in _READS:
        # Only the key is kept: the value may be a secret.
        job.skip(key, NO_PLACE, position)
        return
    name, read_value, dimension = _READS[key]
    found = read_value(value)
    written = f"{written_key or key}: {value}"
    if found is None:
        job.skip(written, "no value that Flink documents for this key", position, name)
    elif name in _NEVER and str(found).startswith("0 "):
        job.fact(name, None, written, position, dimension)
    else:
        job.fact(name, found, written, position, dimension, default=key in _DEFAULTS)
