"""What dbt has compiled: sources with their freshness, and how each model is built, from `manifest.json`.

sources."source.shop.raw.orders".freshness.error_after      as in dbt_sources
nodes."model.shop.orders".config.materialized: incremental  mode: incremental of the stage `orders`

A manifest is machine-made and large, often one line: it is read by the json module, and places are found
in its text. Source: dbt documentation, "Manifest JSON file".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.facts.dbt_sources import freshness, loaded_at
from pipelineplan.facts.fact import About, FileText, Notes, Reading, Thing, listing, mapping

TOOL = "dbt manifest"
_ENTRY = re.compile(r'"((?:source|model)\.[^"\\\n]{1,400})"\s{0,100}:\s{0,100}\{')
_LONGEST_ENTRY = 300_000
_MODES = {"incremental": "incremental", "table": "recompute"}


def recognises(file: FileText) -> bool:
    """Whether the file says that its schema is that of a manifest."""
    return (
        file.base.endswith(".json")
        and re.search(r'"dbt_schema_version"\s*:\s*"[^"]{0,200}/manifest/', file.text) is not None
    )


def read(file: FileText) -> Reading:
    """Every source table and every model that is built into a table."""
    notes = Notes(TOOL, file.name)
    try:
        data = mapping(json.loads(file.text))
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 0), getattr(error, "colno", 0)
        raise InputError([Problem(f"not JSON: {error}", Position(file.name, line, column))]) from None
    places = _places(file)
    for key, node in mapping(data.get("sources")).items():
        _source(_Entry(file, places.get(key), mapping(node)), notes)
    for key, node in mapping(data.get("nodes")).items():
        if mapping(node).get("resource_type") == "model":
            _model(_Entry(file, places.get(key), mapping(node)), notes)
    return notes.done()


def _places(file: FileText) -> dict[str, int]:
    """Where each source and model begins: one pass, as a manifest has thousands and is megabytes long."""
    found: dict[str, int] = {}
    for entry in _ENTRY.finditer(file.text):
        found.setdefault(entry[1], entry.start())
    return found


@dataclass(frozen=True)
class _Entry:
    """One object of the manifest, `"key": {...}`, and where in the text it begins."""

    file: FileText
    start: int | None
    value: dict[str, Any]

    def place(self, *inner: str) -> Position:
        """Where the entry, or a key inside it, is first written."""
        if self.start is None:
            return Position(self.file.name, 1, 1)
        offset = self.start
        for each in inner:
            below = self.file.text.find(f'"{each}"', offset + 1, offset + _LONGEST_ENTRY)
            offset = below if below >= 0 else offset
        return self.file.at(offset)


def _source(entry: _Entry, notes: Notes) -> None:
    value = entry.value
    source, table = str(value.get("source_name") or ""), str(value.get("name") or "")
    links = {"source": [source], "identifier": [str(value.get("identifier") or table)]}
    about = notes.about(Thing.TABLE, f"{source}.{table}", entry.place(), **links)
    for limit in ("error_after", "warn_after"):
        wanted = mapping(mapping(value.get("freshness")).get(limit))
        if wanted.get("count") is not None:
            freshness(
                about, limit, wanted.get("count"), wanted.get("period"), entry.place("freshness", limit)
            )
    loaded = value.get("loaded_at_field")
    if isinstance(loaded, str) and loaded:
        loaded_at(about, loaded, entry.place("loaded_at_field"))


def _model(entry: _Entry, notes: Notes) -> None:
    config = mapping(entry.value.get("config"))
    about = notes.about(Thing.MODEL, str(entry.value.get("name") or ""), entry.place())
    built = str(config.get("materialized") or "")
    if built in _MODES:
        about.fact("mode", _MODES[built], f"materialized: {built}", entry.place("config", "materialized"))
    _key(about, config, entry)


def _key(about: About, config: dict[str, Any], entry: _Entry) -> None:
    key = config.get("unique_key")
    names = tuple(str(each) for each in listing(key)) if isinstance(key, list) else (str(key),) if key else ()
    if names and config.get("materialized") == "incremental":
        about.fact(
            "idempotency_key", names, f"unique_key: {', '.join(names)}", entry.place("config", "unique_key")
        )
