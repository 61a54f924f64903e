"""From bytes to a `Document`: strict, bounded, and with all problems reported at once.

YAML's events are read one by one (no recursion, no object construction, no tags), and scalars
are resolved by the core schema of YAML 1.2. What YAML 1.1 would have read differently (`on`,
`no`, `1:30`, `0777`) is an error: whichever reading one chose, somebody would be surprised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml

from pipelineplan.documents.document import Document, Path, Places, Within, dotted
from pipelineplan.documents.reads import bytes_of, note_read
from pipelineplan.errors import InputError, Position, Problem

MOST_BYTES = 8 * 1024 * 1024
MOST_DEPTH = 60
MOST_VALUES = 400_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(
    r"[-+]?(?:(?P<whole>0|[1-9][\d_]*)|(?:\d[\d_]*\.\d*|\.\d+|\d[\d_]*(?=[eE]))(?:[eE][-+]?\d{1,3})?)\Z"
)
_USUAL_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,20})?\Z")  # looked for first, being quick
_TRAP_NUMBER = re.compile(  # 1:30, 0777, 0x1F, .inf
    r"[-+]?(?:\d+(?::[0-5]?\d)+(?:\.\d*)?|0\d[\d_]*|0[xob][\da-fA-F_]+|\.(?i:inf))\Z|\.(?i:nan)\Z"
)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TRAPS = {"on", "off", "yes", "no", "y", "n"}
_LONGEST_WORD = len("false")
_LONGEST_NUMBER = 40
_STARTS_OF_NUMBERS = frozenset("+-.0123456789")
_NOT_PRINTABLE = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def read_document(
    file: FilePath, shown_as: str | None = None, plain_words: frozenset[str] = frozenset()
) -> Document:
    """Read the YAML or JSON file `file`; positions name it as `shown_as`.

    `plain_words` are lowered words (`y`) that a foreign format writes and means as text, although
    YAML 1.1 would read them as something else; as values they are no error.

    Raises `InputError` with every problem found: unreadable, too large, not UTF-8, not YAML,
    duplicate keys, values that YAML 1.1 and 1.2 read differently, too deep or too many values.
    """
    name = shown_as or str(file)
    note_read(file)
    try:
        content = bytes_of(file, MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError([Problem(f"cannot be read: {reason}", Position(name))]) from error
    return read_text(content, name, plain_words)


def read_text(content: bytes | str, name: str, plain_words: frozenset[str] = frozenset()) -> Document:
    """Read YAML or JSON text; raises as `read_document` does."""
    text = content if isinstance(content, str) else _decode(content, name)
    reader = _Reader(name, tuple(text.splitlines()), plain_words)
    try:
        take = reader.handlers()
        for event in iter(_LOADER(text).get_event, None):
            take[type(event)](event)
    except yaml.MarkedYAMLError as error:
        reader.complain(_what_yaml_says(error), error.problem_mark or error.context_mark)
    except yaml.reader.ReaderError as error:
        # The C parser counts bytes here and the Python one characters, so the place is looked up.
        found = re.search(_NOT_PRINTABLE, text)
        where = _position_of(text, found.start() if found else error.position, name)
        reader.problems.append(Problem("a control character that YAML does not allow", where))
    if reader.problems:
        raise InputError(reader.problems)
    if not reader.started:
        raise InputError([Problem("the file is empty", Position(name, 1, 1))])
    return reader.document()


def read_foreign(text: str, name: str) -> tuple[Document, ...]:
    """The documents of another tool's YAML or JSON, one or many; those without content are left out.

    What YAML 1.1 and 1.2 read differently (`on`, `1:30`) stays text, since the tool that it belongs to
    decides; tags mean nothing here. Raises `InputError` as `read_text` does for all else.
    """
    lines = tuple(text.splitlines())
    readers: list[_Reader] = []
    try:
        for event in iter(_LOADER(text).get_event, None):
            if isinstance(event, yaml.DocumentStartEvent):
                readers.append(_Reader(name, lines, foreign=True))
                take = readers[-1].handlers()
            if readers:
                take[type(event)](event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _Reader(name, lines).refuse(_what_yaml_says(error), mark)
    except yaml.reader.ReaderError as error:
        where = _position_of(text, min(error.position, len(text)), name)
        raise InputError([Problem("a control character that YAML does not allow", where)]) from None
    problems = [problem for reader in readers for problem in reader.problems]
    if problems:
        raise InputError(problems)
    return tuple(one.document() for one in readers if one.result is not None)


def _decode(content: bytes, name: str) -> str:
    if len(content) > MOST_BYTES:
        size = f"larger than {MOST_BYTES // 1024**2} MiB"
        raise InputError([Problem(f"the file is {size}, too large for a plan", Position(name))])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        found = f"byte {content[error.start]:#04x} is not UTF-8 text"
        hint = "is this a binary file? save it as UTF-8"
        raise InputError([Problem(found, Position(name, line, column), fix=hint)]) from None
    if "\0" in text:
        raise InputError([_binary(text, name)])
    return text


def _binary(text: str, name: str) -> Problem:
    where = _position_of(text, text.index("\0"), name)
    return Problem("a NUL byte: this is a binary file, wanted YAML text", where)


def _position_of(text: str, index: int, name: str) -> Position:
    line = text.count("\n", 0, index) + 1
    return Position(name, line, index - text.rfind("\n", 0, index))


def _what_yaml_says(error: yaml.MarkedYAMLError) -> str:
    context = f" ({error.context})" if error.context else ""
    return f"not YAML: {error.problem or 'cannot be parsed'}{context}"


def _number(text: str) -> int | float | str | None:
    """A plain scalar that begins like a number: as that number, else as it is; None for a trap."""
    if _USUAL_NUMBER.match(text):
        return float(text) if "." in text else int(text)
    match = _NUMBER.match(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None if _TRAP_NUMBER.match(text) else text
    if match["whole"]:
        return int(text.replace("_", ""))
    number = float(text.replace("_", ""))
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    path: Path
    value: dict[str, Any] | list[Any]
    anchor: str | None
    first_value: int
    is_mapping: bool
    values: dict[str | int, Any]
    keys: dict[str | int, Any]
    key: str | None = None
    merged: tuple[dict[str, Any], ...] = ()


@dataclass
class _Reader:
    """What has been read so far; events are taken one by one."""

    name: str
    lines: tuple[str, ...]
    plain_words: frozenset[str] = frozenset()
    foreign: bool = False
    result: Any = None
    started: bool = False
    values: int = 0
    open: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    root_place: Any = None
    value_places: Within = field(default_factory=dict)
    key_places: Within = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def document(self) -> Document:
        values = Places(self.name, self.value_places, self.root_place)
        return Document(self.name, self.result, self.lines, values, Places(self.name, self.key_places))

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """What takes each kind of event. Every value of every file comes through here: no call too many."""
        return {
            yaml.ScalarEvent: self.on_scalar,
            yaml.MappingStartEvent: self.on_mapping,
            yaml.MappingEndEvent: self.on_end,
            yaml.SequenceStartEvent: self.on_sequence,
            yaml.SequenceEndEvent: self.on_end,
            yaml.AliasEvent: self.on_alias,
            yaml.DocumentStartEvent: self.on_document,
            yaml.DocumentEndEvent: self.on_nothing,
            yaml.StreamStartEvent: self.on_nothing,
            yaml.StreamEndEvent: self.on_nothing,
        }

    def on_nothing(self, _event: Any) -> None:
        """The begin and the end of a file and the end of a document say nothing."""

    def on_document(self, event: Any) -> None:
        if self.started:
            self.complain("a second document ('---'), wanted one per file", event.start_mark)

    def on_mapping(self, event: Any) -> None:
        self._begin({}, event, is_mapping=True)

    def on_sequence(self, event: Any) -> None:
        self._begin([], event, is_mapping=False)

    def complain(self, message: str, mark: Any, path: Path = (), fix: str = "") -> None:
        where = self._at(mark) if mark else Position(self.name)
        line = self.lines[where.line - 1] if 0 < where.line <= len(self.lines) else ""
        self.problems.append(Problem(message, where, dotted(path), fix, line))

    def refuse(self, message: str, mark: Any, path: Path = (), fix: str = "") -> NoReturn:
        """Raise `InputError` with this complaint as the last."""
        self.complain(message, mark, path, fix)
        raise InputError(self.problems)

    def _at(self, mark: Any) -> Position:
        return Position(self.name, mark.line + 1, mark.column + 1)

    def _path(self) -> Path:
        """The path of the value that comes next."""
        if not self.open:
            return ()
        parent = self.open[-1]
        if parent.is_mapping:
            return (*parent.path, "?" if parent.key is None else parent.key)
        return (*parent.path, len(parent.value))

    def _waits_for_key(self) -> bool:
        return bool(self.open) and self.open[-1].is_mapping and self.open[-1].key is None

    def on_scalar(self, event: Any) -> None:
        """Most of a file is scalars, so this is kept short in time."""
        mark, text = event.start_mark, event.value
        self.values += 1
        if self.values > MOST_VALUES:
            self._refuse_so_many(mark)
        parent = self.open[-1] if self.open else None
        if parent is None:
            self.root_place = mark
        else:
            step = parent.key if parent.is_mapping else len(parent.value)
            if step is None:
                self._key(event, parent)
                return
            parent.values[step] = mark
        quoted = event.tag is None and not event.implicit[0]
        value = text if quoted else self._resolve(event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        if parent is not None and parent.is_mapping and parent.key != "<<":
            parent.value[parent.key] = value  # type: ignore[call-overload, index]  # a mapping
            parent.key = None
        else:
            self._attach(value)

    def _key(self, event: Any, parent: _Open) -> None:
        key, mark = event.value, event.start_mark
        if event.implicit[0] and not self.foreign and key.lower() in _TRAPS:
            self._trap(key, mark, (*parent.path, key))
        if key in parent.value and key != "<<":
            first = f", first on line {parent.keys[key].line + 1}" if key in parent.keys else ""
            message = f"the key {key!r} is here twice{first}"
            self.complain(message, mark, (*parent.path, key), "keep one")
        parent.key = key
        parent.keys[key] = mark

    def _resolve(self, event: Any) -> Any:
        """What a scalar means that is written without quotes, or with a tag."""
        text = event.value
        if event.tag is not None:
            if event.tag not in {"!", "tag:yaml.org,2002:str"} and not self.foreign:
                self.complain(f"the tag {event.tag!r}, wanted a plain value", event.start_mark, self._path())
            return text
        if text and text[0] in _STARTS_OF_NUMBERS:
            number = _number(text)
            return self._not_plain(event) if number is None else number
        if len(text) > _LONGEST_WORD:
            return text  # longer than any word that means something else
        lowered = text.lower()
        if lowered in _WORDS:
            return _WORDS[lowered]
        return self._not_plain(event) if lowered in _TRAPS else text

    def _not_plain(self, event: Any) -> str:
        """Text that YAML 1.1 and 1.2 read differently, or as no finite number."""
        text: str = event.value
        if not self.foreign and text.lower() not in self.plain_words:
            self._trap(text, event.start_mark, self._path())
        return text

    def _trap(self, text: str, mark: Any, path: Path) -> None:
        message = f"{text!r} means different things to different readers of YAML"
        fix = f"write '{text}' in quotes, or true or false"
        if text[0] in _STARTS_OF_NUMBERS:
            fix = f"write '{text}' in quotes, or with a unit"
        self.complain(message, mark, path, fix)

    def _begin(self, value: dict[str, Any] | list[Any], event: Any, *, is_mapping: bool) -> None:
        mark = event.start_mark
        self._count(mark)
        if self._waits_for_key():
            self.complain("a key that is a list or a mapping, wanted text", mark, self._path())
            self.open[-1].key = "?"
        path = self._path()
        if event.tag not in {None, "!"} and not self.foreign:
            self.complain(f"the tag {event.tag!r}, wanted plain data", mark, path)
        if len(self.open) >= MOST_DEPTH:
            self.refuse(f"nested deeper than {MOST_DEPTH} levels", mark, path)
        self._place(path, mark)
        values = self.value_places.setdefault(path, {})
        keys = self.key_places.setdefault(path, {}) if is_mapping else {}
        self.open.append(_Open(path, value, event.anchor, self.values, is_mapping, values, keys))

    def _place(self, path: Path, mark: Any) -> None:
        """Note where the list, mapping or alias at `path` stands."""
        if path:
            self.open[-1].values[path[-1]] = mark
        else:
            self.root_place = mark

    def on_end(self, _event: Any) -> None:
        done = self.open.pop()
        if isinstance(done.value, dict):
            for merged in done.merged:
                for key, value in merged.items():
                    done.value.setdefault(key, value)
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.values - done.first_value + 1)
        self._attach(done.value)

    def on_alias(self, event: Any) -> None:
        path = self._path()
        if event.anchor not in self.anchors:
            self.complain(f"the alias *{event.anchor} has no anchor before it", event.start_mark, path)
            self._put(None, event.start_mark, path)
            return
        if self._waits_for_key():
            self.complain("an alias as a key, wanted text", event.start_mark, path)
            self.open[-1].key = "?"
            return
        value, size = self.anchors[event.anchor]
        self._count(event.start_mark, size)
        self._put(value, event.start_mark, path)

    def _put(self, value: Any, mark: Any, path: Path) -> None:
        self._place(path, mark)
        self._attach(value)

    def _attach(self, value: Any) -> None:
        if not self.open:
            self.result, self.started = value, True
            return
        parent = self.open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key == "<<":
            self._merge(parent, value if isinstance(value, list) else [value])
        elif parent.key is not None:
            parent.value[parent.key] = value
            parent.key = None

    def _merge(self, parent: _Open, values: list[Any]) -> None:
        """What `<<` brings into a mapping; the mapping's own keys stay."""
        parent.merged += tuple(value for value in values if isinstance(value, dict))
        if len(parent.merged) == 0 or not all(isinstance(value, dict) for value in values):
            where = self._at(parent.keys["<<"])
            line = self.lines[where.line - 1]
            message = "found no mapping to merge, wanted an alias of one such as <<: *defaults"
            self.problems.append(Problem(message, where, dotted((*parent.path, "<<")), source_line=line))
        parent.key = None

    def _count(self, mark: Any, more: int = 1) -> None:
        self.values += more
        if self.values > MOST_VALUES:
            self._refuse_so_many(mark)

    def _refuse_so_many(self, mark: Any) -> NoReturn:
        self.refuse(
            f"more than {MOST_VALUES:,} values once aliases are expanded",
            mark,
            fix="a plan needs a few hundred: write the values out, without nested aliases",
        )
