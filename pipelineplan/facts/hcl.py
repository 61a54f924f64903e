"""HashiCorp's configuration language, as far as a file says its values itself.

    partitions = 12                         12
    retention  = 7 * local.day_ms           the product, when the file has the local
    topic_name = "${var.env}-orders"        unresolved: what `var.env` is, another file decides

Nothing is guessed: the default of a variable is what somebody else may override, and no function is run
but the few that leave a literal what it is. The text is parsed by python-hcl2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelineplan.errors import InputError, MissingExtraError, Position, Problem
from pipelineplan.facts.fact import FileText

_MOST_BYTES = 500_000
_DEEPEST = 40
_MOST_STEPS = 200_000
_UNTOUCHED = {"tostring", "tonumber", "toset", "tolist", "tomap"}


@dataclass(frozen=True)
class Expression:
    """The value of an expression and where it stands; `unresolved` names what is not known here.

    `value` is None, bool, int, str, a list of expressions, or a mapping of text to expressions.
    """

    value: Any
    position: Position
    written: str
    unresolved: str = ""


@dataclass(frozen=True)
class Block:
    """A block: `resource "kafka_topic" "orders" {...}` has the words resource, kafka_topic, orders."""

    words: tuple[str, ...]
    position: Position
    attributes: Mapping[str, Any]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Scope:
    """What expressions of a file may refer to: its locals, and `each` inside a repeated block."""

    file: FileText
    locals: Mapping[str, Any] = field(default_factory=dict)
    each: Mapping[str, Expression] = field(default_factory=dict)
    depth: int = 0
    # Expressions evaluated so far, of all scopes of the file: locals that use each other multiply.
    steps: list[None] = field(default_factory=list)

    def of_each(self, key: Expression, value: Expression) -> Scope:
        """The scope of one repetition of a block."""
        return replace(self, each={"key": key, "value": value})


def parse(file: FileText) -> tuple[Scope, tuple[Block, ...]]:
    """The blocks of `file` and their scope. Needs the extra `terraform`; raises `InputError`."""
    if len(file.text) > _MOST_BYTES:
        raise InputError([Problem("larger than 500 kB, too large for a configuration", Position(file.name))])
    tree = _tree(file)
    blocks = tuple(_blocks(tree.children[0], file))
    found: dict[str, Any] = {}
    for block in blocks:
        if block.words == ("locals",):
            found |= block.attributes
    return Scope(file, found), blocks


def _tree(file: FileText) -> Any:
    try:
        import hcl2.api
        import lark
    except ImportError:
        raise MissingExtraError("a Terraform file", "terraform") from None
    try:
        return hcl2.api.parses_to_tree(file.text if file.text.endswith("\n") else f"{file.text}\n")
    except lark.exceptions.UnexpectedInput as error:
        line, column = max(getattr(error, "line", 0), 0), max(getattr(error, "column", 0), 0)
        place = Position(file.name, line, column)
        raise InputError([Problem("not HCL: cannot be parsed from here", place)]) from None
    except (lark.exceptions.LarkError, RecursionError, ValueError):
        raise InputError([Problem("not HCL: cannot be parsed", Position(file.name))]) from None


def _blocks(body: Any, file: FileText) -> Iterator[Block]:
    for node in _children(body, "block"):
        words = [_word(child) for child in _trees(node) if child.data in {"identifier", "string"}]
        inner = next((child for child in _trees(node) if child.data == "body"), None)
        attributes = {}
        for attribute in _children(inner, "attribute") if inner is not None else ():
            parts = [part for part in _trees(attribute) if part.data != "new_line_or_comment"]
            attributes[_word(parts[0])] = parts[-1]
        below = tuple(_blocks(inner, file)) if inner is not None else ()
        yield Block(tuple(words), file.at(node.meta.start_pos), attributes, below)


def evaluate(tree: Any, scope: Scope) -> Expression:
    """The value of an expression's `tree` in `scope`."""
    start, end = tree.meta.start_pos, tree.meta.end_pos
    written = scope.file.text[start:end].strip()
    here = Expression(None, scope.file.at(start), written)
    scope.steps.append(None)
    if scope.depth > _DEEPEST or len(scope.steps) > _MOST_STEPS:
        return replace(here, unresolved=written)
    found = _value(tree, replace(scope, depth=scope.depth + 1))
    if isinstance(found, Expression):  # a reference: the value is another's, the place is this one's
        return replace(here, value=found.value, unresolved=found.unresolved)
    return replace(here, value=found) if found is not _UNKNOWN else replace(here, unresolved=written)


_UNKNOWN = object()


def _value(tree: Any, scope: Scope) -> Any:  # noqa: PLR0911  (one return for each kind of expression)
    parts = [part for part in _trees(tree) if part.data != "new_line_or_comment"]
    match str(tree.data):
        case "expr_term" if len(parts) == 1:
            return evaluate(parts[0], scope)
        case "int_lit":
            return int(str(tree.children[0]))
        case "literal_value":
            return {"true": True, "false": False, "null": None}.get(str(tree.children[0]), _UNKNOWN)
        case "string":
            return _text(parts, scope)
        case "unary_op" | "binary_op":
            return _number(tree, parts, scope)
        case "tuple":
            return [evaluate(part, scope) for part in parts]
        case "object":
            return _object(parts, scope)
        case "function_call":
            return _called(parts, scope)
        case "get_attr_expr_term" | "index_expr_term":
            return _reached(parts, scope)
    return _UNKNOWN


def _called(parts: list[Any], scope: Scope) -> Any:
    arguments = _trees(parts[1]) if len(parts) == 2 else []
    kept = _word(parts[0]) in _UNTOUCHED and len(arguments) == 1
    return evaluate(arguments[0], scope) if kept else _UNKNOWN


def _text(parts: list[Any], scope: Scope) -> Any:
    pieces = []
    for part in parts:
        inner = [child for child in _trees(part) if child.data == "interpolation"]
        if not inner:
            pieces.append("".join(str(token) for token in part.children))
            continue
        found = evaluate(_trees(inner[0])[0], scope)
        if found.unresolved or not isinstance(found.value, str | int):
            return _UNKNOWN
        pieces.append(str(found.value))
    return "".join(pieces)


def _number(tree: Any, parts: list[Any], scope: Scope) -> Any:
    """`-1`, or `7 * 24 * 3600`: a duration is often written as its factors; other signs are not followed."""
    if len(parts) == 1:
        number = evaluate(parts[0], scope)
        return -number.value if str(tree.children[0]) == "-" and _is_number(number) else _UNKNOWN
    left, term = parts
    sign, right = _trees(term)[0], _trees(term)[-1]
    numbers = [evaluate(left, scope), evaluate(right, scope)]
    if "".join(str(token) for token in sign.children).strip() != "*" or not all(map(_is_number, numbers)):
        return _UNKNOWN
    return numbers[0].value * numbers[1].value


def _object(parts: list[Any], scope: Scope) -> Any:
    found: dict[str, Expression] = {}
    for element in parts:
        if element.data == "object_elem":
            ends = [part for part in _trees(element) if part.data != "new_line_or_comment"]
            found[_word(ends[0])] = evaluate(ends[-1], scope)
    return found


def _reached(parts: list[Any], scope: Scope) -> Any:
    """`local.name`, `each.key`, and what lies below a mapping that is known."""
    name = _word(parts[0]) if _is_name(parts[0]) else ""
    step = _trees(parts[1])[-1]
    if name == "local":
        tree = scope.locals.get(_word(step))
        return evaluate(tree, replace(scope, each={})) if tree is not None else _UNKNOWN
    if name == "each":
        return scope.each.get(_word(step), _UNKNOWN)
    whole = evaluate(parts[0], scope)
    key = evaluate(step, scope).value if parts[1].data == "braces_index" else _word(step)
    inside = whole.value if isinstance(whole.value, dict) else {}
    return inside.get(key, _UNKNOWN) if isinstance(key, str) else _UNKNOWN


def _is_number(expression: Expression) -> bool:
    number = isinstance(expression.value, int) and not isinstance(expression.value, bool)
    return number and not expression.unresolved and abs(expression.value) < 10**18


def _is_name(tree: Any) -> bool:
    inner = _trees(tree)
    return tree.data == "expr_term" and len(inner) == 1 and inner[0].data == "identifier"


def _word(tree: Any) -> str:
    """The text of a name, whether it stands in quotes or not; attributes of a name are joined by dots."""
    tokens = tree.scan_values(lambda token: str(token).strip() not in {"", '"'})
    return "".join(str(token) for token in tokens)


def _trees(tree: Any) -> list[Any]:
    return [child for child in tree.children if hasattr(child, "data")]


def _children(tree: Any, kind: str) -> list[Any]:
    return [child for child in _trees(tree) if child.data == kind]
