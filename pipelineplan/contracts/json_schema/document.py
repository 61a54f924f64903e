"""A JSON Schema document: its sub-schemas numbered, its references followed, its keywords as formulas.

    {"$ref": "#/$defs/tree", "$defs": {"tree": {"items": {"$ref": "#/$defs/tree"}}}}
      node 0 -> node 1 -> node 2 -> node 1 ...

Both documents of a comparison share one `Nodes`, so that equal sub-schemas have equal numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from pipelineplan.contracts.json_schema.formula import FALSE, TRUE, Formula, Literal
from pipelineplan.contracts.json_schema.keywords import formula_of
from pipelineplan.errors import InputError, Position, Problem

MOST_DEPTH = 150
_DATA = frozenset({"enum", "const", "default", "examples", "example"})


@dataclass(eq=False)
class SchemaDocument:
    """One document: `data` as parsed, `bases` and `targets` for references, `modern` since 2019-09."""

    data: Any
    file: str = "schema"
    bases: dict[int, str] = field(default_factory=dict)
    targets: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """The whole document, the same for documents that are the same."""
        return json.dumps(self.data, sort_keys=True)

    @cached_property
    def modern(self) -> bool:
        """Whether keywords beside `$ref` count: since draft 2019-09, and where no draft is named."""
        draft = self.data.get("$schema", "") if isinstance(self.data, dict) else ""
        return not isinstance(draft, str) or "/draft-0" not in draft

    def target(self, base: str, reference: str) -> Any:
        """What `reference` refers to from a place whose base is `base`; raises `KeyError`."""
        whole = urljoin(base, reference)
        if whole in self.targets:
            return self.targets[whole]
        address, fragment = urldefrag(whole)
        found = self.targets[address] if address != base or base in self.targets else self.data
        for step in (
            unquote(fragment).split("/")[1:] if fragment.startswith("/") else [fragment][: bool(fragment)]
        ):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found


def read_schema(data: Any, file: str = "schema") -> SchemaDocument:
    """The document that the parsed JSON `data` is; raises `InputError` for what is no schema."""
    if not isinstance(data, dict | bool):
        raise InputError([Problem("found no schema, wanted an object, true or false", Position(file))])
    made = SchemaDocument(data, file)
    made.targets[""] = data
    waiting: list[tuple[Any, str, int]] = [(data, "", 0)]
    while waiting:
        value, base, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InputError([Problem(f"nested deeper than {MOST_DEPTH} levels", Position(file))])
        if isinstance(value, dict):
            base = _noted(made, value, base)
        made.bases[id(value)] = base
        waiting += [(inner, base, depth + 1) for inner in _inside(value)]
    return made


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (
            inner for name, inner in value.items() if name not in _DATA and isinstance(inner, dict | list)
        )
    elif isinstance(value, list):
        yield from (inner for inner in value if isinstance(inner, dict | list))


def _noted(made: SchemaDocument, value: dict[str, Any], base: str) -> str:
    """The base inside `value`; its own names become targets."""
    name = value.get("$id", value.get("id"))
    if isinstance(name, str) and not name.startswith("#") and "$ref" not in value:
        base = urldefrag(urljoin(base, name))[0]
        made.targets.setdefault(base, value)
    elif isinstance(name, str) and name.startswith("#"):
        made.targets[base + name] = value
    if isinstance(value.get("$anchor"), str):
        made.targets[f"{base}#{value['$anchor']}"] = value
    return base


@dataclass
class Nodes:
    """Sub-schemas of both documents by number; equal text in equal surroundings has one number."""

    raw: list[tuple[Any, SchemaDocument]] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)
    by_identity: dict[tuple[int, int], int] = field(default_factory=dict)
    formulas: dict[int, Formula] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)

    def literal(self, raw: Any, document: SchemaDocument) -> Formula:
        """The sub-schema `raw` as a literal."""
        if isinstance(raw, bool):
            return TRUE if raw else FALSE
        return Literal(True, self.number(raw, document))  # noqa: FBT003  (a sign, not a switch)

    def number(self, raw: Any, document: SchemaDocument) -> int:
        """The number of `raw`."""
        identity = (id(raw), id(document))
        if identity not in self.by_identity:
            text = json.dumps(raw, sort_keys=True)
            bound = "Ref" in text or "$ref" in text
            here = document.bases.get(id(raw))
            where = (document.text, here) if bound else document.modern
            known = self.numbers.setdefault((text, where), len(self.raw))
            if known == len(self.raw):
                self.raw.append((raw, document))
            self.by_identity[identity] = known
            self.kept.append(raw)
        return self.by_identity[identity]

    def formula(self, number: int) -> Formula:
        """What the sub-schema `number` says."""
        if number not in self.formulas:
            raw, document = self.raw[number]
            self.formulas[number] = formula_of(raw, document, self)
        return self.formulas[number]
