"""What dbt promises of its sources: `sources:` in a properties file.

freshness: {error_after: {count: 12, period: hour}}       within: 12 h, of the table's freshness check
loaded_at_field: _loaded_at                               the field that it looks at

Freshness of a source holds for its tables, and a table may say otherwise, or nothing with null; both may
stand under `config:` (dbt 1.9 and later). Source: dbt documentation, "freshness".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipelineplan.documents import Document, Path
from pipelineplan.errors import Position
from pipelineplan.facts.amounts import whole
from pipelineplan.facts.fact import About, FileText, Notes, Reading, Thing, listing, mapping
from pipelineplan.quantities import Dimension

TOOL = "dbt"
_FIELD = re.compile(r"[\"`]?[A-Za-z_]\w{0,200}[\"`]?\Z")
PERIODS = {"minute": "min", "hour": "h", "day": "d"}
_SOURCES = re.compile(r"^sources:[ \t]*(?:#[^\n]*)?$", re.MULTILINE)
_TABLES = re.compile(r"^[ \t]+(?:-[ \t]+)?tables:", re.MULTILINE)


def recognises(file: FileText) -> bool:
    """Whether the file lists sources with tables, as no plan does."""
    if not file.base.endswith((".yaml", ".yml")) or "pipelineplan/v" in file.text[:4000]:
        return False
    return _SOURCES.search(file.text) is not None and _TABLES.search(file.text) is not None


def read(file: FileText) -> Reading:
    """Every table of every source."""
    notes = Notes(TOOL, file.name)
    for document in file.documents:
        for index, source in enumerate(listing(mapping(document.data).get("sources"))):
            _source(_Place(document, ("sources", index), mapping(source)), notes)
    return notes.done()


@dataclass(frozen=True)
class _Place:
    document: Document
    path: Path
    value: dict[str, Any]

    def find(self, key: str) -> tuple[bool, Any, Path]:
        """Whether `key` is said here or under `config`, its value, and where."""
        for path, around in (
            (self.path, self.value),
            ((*self.path, "config"), mapping(self.value.get("config"))),
        ):
            if key in around:
                return True, around[key], (*path, key)
        return False, None, self.path


def _source(source: _Place, notes: Notes) -> None:
    name = str(source.value.get("name") or "")
    for index, table in enumerate(listing(source.value.get("tables"))):
        place = _Place(source.document, (*source.path, "tables", index), mapping(table))
        own = str(place.value.get("name") or "")
        if not own:
            notes.skip("tables", "a table without a name", source.document.position(place.path))
            continue
        links = {"source": [name], "identifier": [str(place.value.get("identifier") or own)]}
        about = notes.about(
            Thing.TABLE, f"{name}.{own}", place.document.position((*place.path, "name")), **links
        )
        _freshness(about, place, source)
        _loaded_at(about, place, source)


def _freshness(about: About, table: _Place, source: _Place) -> None:
    said, value, path = table.find("freshness")
    if not said:
        said, value, path = source.find("freshness")
    for limit in ("error_after", "warn_after") if said and value is not None else ():
        wanted = mapping(value).get(limit)
        place = source.document.position((*path, limit))
        if wanted is not None:
            freshness(about, limit, mapping(wanted).get("count"), mapping(wanted).get("period"), place)


def freshness(about: About, limit: str, count: object, period: object, place: Position) -> None:
    """Note `{count: 12, period: hour}` as the age that `limit` allows."""
    number, unit = whole(count), PERIODS.get(str(period).removesuffix("s"))
    written = f"{limit}: {'nothing' if count is None else count} {'' if period is None else period}".rstrip()
    if count is None and period is None:
        return  # the limit is set back to none
    if number is None or number < 0 or unit is None:
        about.skip(written, "no count of minutes, hours or days", place, f"freshness.{limit}")
        return
    about.fact(f"freshness.{limit}", f"{number} {unit}", written, place, Dimension.DURATION)


def _loaded_at(about: About, table: _Place, source: _Place) -> None:
    for place in (table, source):
        said, value, path = place.find("loaded_at_field")
        if said:
            if isinstance(value, str):
                loaded_at(about, value, place.document.position(path))
            return


def loaded_at(about: About, value: str, place: Position) -> None:
    """Note the field that freshness is counted from, where it is one and no expression."""
    written = f"loaded_at_field: {value}"
    if _FIELD.match(value):
        about.fact("freshness.fields", (value.strip('"`'),), written, place)
    else:
        about.skip(written, "an expression and not one field", place, "freshness.fields")
