"""A plan that is being drawn up from facts: its values, and beside each the place that it comes from.

Draft("orders", "topic orders", {"sources": [{"id": Said("orders"), "partitions": Said(24, fact)}]})

sources:
  - id: orders
    partitions: 24          # deploy/topics.yaml:7:15 partitions: 24
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelineplan.documents import read_text
from pipelineplan.errors import InputError
from pipelineplan.facts.fact import Fact, Value

_COLUMN = 44
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_ID = 100


@dataclass(frozen=True)
class Said:
    """A value of the draft, and where it comes from: a fact, or words of our own."""

    value: Value
    origin: str = ""


def said(fact: Fact) -> Said:
    """A fact's value, with its place and what stands there."""
    return Said(fact.value, f"{fact.position} {fact.written}")


@dataclass
class Draft:
    """One proposed plan: `because` says what it was drawn up around; `files` are those it rests on."""

    name: str
    because: str
    tree: dict[str, Any] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)

    def rests_on(self, *files: str) -> None:
        """Note files whose facts are in the draft, each once, in order."""
        self.files.update(dict.fromkeys(files))

    def put(self, path: tuple[str, ...], fact: Fact, below: dict[str, Any] | None = None) -> None:
        """Put a fact's value at `path` below a mapping of the draft; what is there already stays."""
        place = self.tree if below is None else below
        for step in path[:-1]:
            place = place.setdefault(step, {})
        if path[-1] not in place and fact.value is not None:
            place[path[-1]] = said(fact)
            self.rests_on(fact.position.file)


def identifier(name: str) -> str:
    """`name` as an id of a plan: letters, digits, `_`, `.` and `-`, beginning with a letter."""
    plain = _NOT_IN_AN_ID.sub("-", name).strip("-.")[:_LONGEST_ID]
    return plain if plain[:1].isalpha() and plain.isascii() else f"n-{plain}" if plain else "unnamed"


def text_of(draft: Draft, references: Mapping[str, str], schema: str) -> str:
    """The draft as YAML; `references` and `schema` are its files as the plan's folder sees them."""
    facts = [Said(references[file]) for file in draft.files]
    head = {
        "apiVersion": Said("pipelineplan/v1"),
        "kind": Said("DataPlan"),
        "metadata": {"name": Said(draft.name), "quality_level": Said("production")},
        "facts": facts,
    }
    comment = (
        f"# Drawn up around {_one_line(draft.because)}. Each value ends in the place that it was read from."
    )
    editor = f"# yaml-language-server: $schema={schema}"
    return "\n".join([editor, comment, *_mapping({**head, **draft.tree}, 0)]) + "\n"


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, inner in value.items():
        head = f"{'  ' * depth}{key}:"
        if isinstance(inner, Said):
            yield _with_origin(f"{head} {_scalar(inner.value)}", inner.origin)
        elif isinstance(inner, dict):
            yield head
            yield from _mapping(inner, depth + 1)
        elif inner:
            yield head
            yield from _list(inner, depth + 1)


def _list(items: list[Any], depth: int) -> Iterator[str]:
    for item in items:
        if isinstance(item, Said):
            yield _with_origin(f"{'  ' * depth}- {_scalar(item.value)}", item.origin)
            continue
        first, *rest = _mapping(item, depth + 1)
        yield f"{'  ' * depth}- {first.strip()}" if "#" not in first else f"{'  ' * depth}- {first.lstrip()}"
        yield from rest


def _with_origin(line: str, origin: str) -> str:
    return f"{line.ljust(_COLUMN)}  # {_one_line(origin)}" if origin else line


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _scalar(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_scalar(each) for each in value)}]"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return text if _reads_back(text) else json.dumps(text, ensure_ascii=True)


def _reads_back(text: str) -> bool:
    """Whether a text means itself without quotes, in a list too."""
    if not text or len(text) > 100 or not text[0].isalnum() or any(sign in text for sign in "[]{},#\n"):
        return False
    try:
        return bool(read_text(f"- key: {text}  # x\n", "text").data == [{"key": text}])
    except InputError:
        return False
