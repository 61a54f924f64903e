"""What a data contract of the Open Data Contract Standard promises of a stream, as facts.

slaProperties: [{property: retention, value: 7, unit: d}]    the log keeps records at least so long
slaProperties: [{property: latency, value: 4, unit: h}]      readers see them at most so late

The whole contract (fields, quality) is read where a plan names it as a `contract`; here it is evidence
that lies in a repository. Source: Open Data Contract Standard 3.1.0, service levels.
"""

from __future__ import annotations

import re
from typing import Any

from pipelineplan.documents import Document
from pipelineplan.facts.amounts import whole
from pipelineplan.facts.fact import NO_PLACE, About, FileText, Notes, Reading, Thing, listing, mapping
from pipelineplan.quantities import Dimension

TOOL = "ODCS"
_KIND = re.compile(r"""^["']?kind["']?\s*:\s*["']?DataContract\b""", re.MULTILINE)
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("y", "yr", "year", "years"), "year"),
}
_PROMISES = {"retention": "promise.retention", "latency": "promise.latency"}


def recognises(file: FileText) -> bool:
    """Whether the file is a contract of the standard."""
    return file.base.endswith((".yaml", ".yml", ".json")) and _KIND.search(file.text) is not None


def read(file: FileText) -> Reading:
    """The service levels of every contract in the file, and the objects that it is about."""
    notes = Notes(TOOL, file.name)
    for document in file.documents:
        data = mapping(document.data)
        if data.get("kind") == "DataContract":
            _contract(document, data, notes)
    return notes.done()


def _contract(document: Document, data: dict[str, Any], notes: Notes) -> None:
    objects = [mapping(each) for each in listing(data.get("schema"))]
    names = [str(each[key]) for each in objects for key in ("physicalName", "name") if each.get(key)]
    subject = str(data.get("id") or data.get("name") or "")
    place = document.position(("id",))
    contract = notes.about(Thing.CONTRACT, subject, place, datasets=dict.fromkeys(names))
    for index, level in enumerate(listing(data.get("slaProperties"))):
        _level(contract, mapping(level), document, index)


def _level(contract: About, level: dict[str, Any], document: Document, index: int) -> None:
    name, value, unit = str(level.get("property") or ""), level.get("value"), str(level.get("unit") or "")
    place = document.position(("slaProperties", index, "value"))
    written = f"{name}: {value} {unit}".strip()
    if name.lower() not in _PROMISES:
        contract.skip(written, NO_PLACE, place)
        return
    number, known = whole(value), _UNITS.get(unit.strip().lower())
    if number is None or number < 0 or known is None:
        contract.skip(written, "no whole number with a unit of time", place, _PROMISES[name.lower()])
        return
    contract.fact(_PROMISES[name.lower()], f"{number} {known}", written, place, Dimension.DURATION)
