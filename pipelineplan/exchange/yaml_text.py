"""A tree of an export as YAML: written by the library's own dumper, then annotated line by line.

    partitions: 24          # plan.yaml:47:17
    # strimzi.io/cluster: <CLUSTER>  # the plan does not name the cluster

Where each value stands is what the library's parser says of the text, so that a comment cannot land inside
of a value; what is left when all comments are taken away is what the dumper wrote. Keys are words of the
format and never of a plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pipelineplan.documents import Path, dotted
from pipelineplan.documents.redaction import redacted
from pipelineplan.exchange.exported import File
from pipelineplan.exchange.text import one_line
from pipelineplan.exchange.traced import Needs, Traced, traced_in

_COLUMN = 56
# Words of YAML 1.1 and 1.2 that another parser may take for a number, a time or a truth value.
_LOOKS_LIKE_ANOTHER = re.compile(r"[-+.\d][-+.:_\da-fA-FxXoO]*|[yYnN]|<<|=")


class _Dumper(yaml.SafeDumper):
    """The library's dumper, with quotes around what other parsers of YAML would not read as text."""

    def ignore_aliases(self, _data: Any) -> bool:  # a file for people repeats a value and needs no anchor
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  (the library's signature)
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    quoted = one_line(value) != value or _LOOKS_LIKE_ANOTHER.fullmatch(value) is not None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if quoted else None)


_Dumper.add_representer(str, _text)


@dataclass(frozen=True)
class _Open:
    """Something that the plan does not state, as it stands in the dumped text: which lines, and why."""

    first: int
    last: int
    why: str


def as_yaml(name: str, head: Iterable[str], documents: Iterable[Any]) -> File:
    """A file of YAML documents below comment lines, each value with its origin behind it."""
    parts, values = [], []
    trees = list(documents)
    for number, tree in enumerate(trees):
        parts.append("\n".join(_document(tree)))
        prefix = f"[{number}]" if len(trees) > 1 else ""
        values += [(f"{prefix}{dotted(path)}", traced) for path, traced in traced_in(tree)]
    comments = "".join(f"# {_comment(line)}".rstrip() + "\n" for line in head)
    return File(name, comments + "\n---\n".join(parts) + "\n", tuple(values))


def _comment(line: str) -> str:
    """A line of the head, with the spaces that it is set in by."""
    return " " * (len(line) - len(line.lstrip(" "))) + redacted(one_line(line))


def _document(tree: Any) -> list[str]:
    """The lines of one document."""
    tree = _laid_out(tree)
    text = yaml.dump(
        _shown(tree),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**6,
        default_flow_style=False,
    )
    lines = text.rstrip("\n").split("\n")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    opened = list(_opened(tree, node))
    for path, traced in _all_traced(tree):
        line = _find(node, path).end_mark.line
        origin = redacted(traced.origin)
        lines[line] = f"{lines[line].ljust(_COLUMN)}  # {origin}" if origin else lines[line]
    for line in sorted({line for one in opened for line in range(one.first, one.last + 1)}):
        text = lines[line].lstrip(" ")
        lines[line] = f"{' ' * (len(lines[line]) - len(text))}# {text}"
    for one in opened:
        if one.why:
            lines[one.first] += f"  # {redacted(one_line(one.why))}"
    return lines


def _laid_out(tree: Any) -> Any:
    """The tree with what is open behind what is stated in each entry of a list: the dash is the first's."""
    match tree:
        case Mapping():
            return {key: _laid_out(inner) for key, inner in tree.items()}
        case list():
            return [_stated_first(_laid_out(inner)) for inner in tree]
        case _:
            return tree


def _stated_first(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    return dict(sorted(entry.items(), key=lambda pair: _is_open(pair[1])))


def _shown(tree: Any) -> Any:
    """The tree as data for the dumper, with what is open in its place."""
    match tree:
        case Needs():
            return _shown(tree.shown)
        case Traced():
            return redacted(tree.value) if isinstance(tree.value, str) else tree.value
        case Mapping():
            return {key: _shown(inner) for key, inner in tree.items()}
        case list():
            return [_shown(inner) for inner in tree]
        case str():
            return redacted(tree)
        case _:
            return tree


def _all_traced(tree: Any, at: Path = ()) -> Iterator[tuple[Path, Traced]]:
    """Every traced value, also inside of what is open, by its place in the dumped text."""
    match tree:
        case Traced():
            yield at, tree
        case Needs():
            yield from _all_traced(tree.shown, at)
        case Mapping():
            for key, inner in tree.items():
                yield from _all_traced(inner, (*at, key))
        case list():
            for index, inner in enumerate(tree):
                yield from _all_traced(inner, (*at, index))
        case _:
            return


def _opened(tree: Any, node: Any) -> Iterator[_Open]:
    """What the lines of the text are of everything that the plan does not state, and why at every depth."""
    if isinstance(tree, Needs):
        tree = tree.shown
    match tree:
        case Mapping():
            for (key_node, value_node), inner in zip(node.value, tree.values(), strict=True):
                if _is_open(inner):
                    yield _Open(key_node.start_mark.line, _last(value_node), _why(inner))
                yield from _opened(inner, value_node)
        case list():
            for value_node, inner in zip(node.value, tree, strict=True):
                if _is_open(inner):
                    yield _Open(value_node.start_mark.line, _last(value_node), _why(inner))
                yield from _opened(inner, value_node)
        case _:
            return


def _why(tree: Any) -> str:
    return tree.why if isinstance(tree, Needs) else ""


def _is_open(tree: Any) -> bool:
    """Whether nothing of it is stated."""
    if isinstance(tree, Needs):
        return True
    inner = list(tree.values()) if isinstance(tree, Mapping) else tree if isinstance(tree, list) else []
    return bool(inner) and all(_is_open(one) for one in inner)


def _last(node: Any) -> int:
    """The last line of a value: a block ends where the next begins."""
    if isinstance(node, yaml.ScalarNode):
        return int(node.end_mark.line)
    inner = [child for pair in node.value for child in (pair if isinstance(pair, tuple) else (pair,))]
    return max((_last(child) for child in inner), default=int(node.start_mark.line))


def _find(node: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(value for key, value in node.value if key.value == step)
    return node
