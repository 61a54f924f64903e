"""One mapping of a contract file, asked for its values by key; what is wrong is collected.

section.text("name", required=True)   "amount"
section.flag("required")              False, when the key is absent
section.sections("properties")        the mappings of a list, each as a Section
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelineplan.contracts.contract import Place
from pipelineplan.documents import Document, Path
from pipelineplan.errors import Problem

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Section:
    """A mapping at `path` of `document`; every complaint goes to `problems`."""

    document: Document
    path: Path
    value: Mapping[str, Any]
    problems: list[Problem]

    @property
    def place(self) -> Place:
        """Where this mapping begins."""
        return self.place_of()

    def place_of(self, *steps: str | int) -> Place:
        """Where the value under `steps` stands."""
        path = (*self.path, *steps)
        return Place(path, self.document.position(path))

    def complain(self, key: str | None, message: str, fix: str = "", *, at_key: bool = False) -> None:
        """Note a problem at the value of `key`, or at the mapping itself."""
        path = self.path if key is None else (*self.path, key)
        self.problems.append(self.document.problem(path, message, fix, at_key=at_key))

    def has(self, key: str) -> bool:
        """Whether `key` is there with a value."""
        return self.value.get(key) is not None

    def text(self, key: str, *, required: bool = False) -> str:
        """The text under `key`; numbers are taken as they are written; empty when absent."""
        found = self.value.get(key)
        if found is None or found == "":
            if required:
                self._missing(key)
            return ""
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            self._wrong(key, found, "text")
            return ""
        return str(found)

    def flag(self, key: str) -> bool:
        """True or false under `key`; false when absent."""
        found = self.value.get(key)
        if found is None or isinstance(found, bool):
            return bool(found)
        self._wrong(key, found, "true or false")
        return False

    def whole(self, key: str, default: int) -> int:
        """The whole number under `key`, or `default`."""
        found = self.value.get(key)
        if found is None:
            return default
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        self._wrong(key, found, "a whole number")
        return default

    def mapping(self, key: str) -> Mapping[str, Any]:
        """The mapping under `key`; empty when absent."""
        found = self.value.get(key)
        if found is None or isinstance(found, dict):
            return found or {}
        self._wrong(key, found, "a mapping")
        return {}

    def section(self, key: str) -> Section | None:
        """The mapping under `key` as a section, or None."""
        if not self.has(key):
            return None
        return Section(self.document, (*self.path, key), self.mapping(key), self.problems)

    def sections(self, key: str) -> list[Section]:
        """The mappings of the list under `key`; what is not a mapping is a problem."""
        found = self.value.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            self._wrong(key, found, "a list")
            return []
        return [s for index, item in enumerate(found) if (s := self._item(key, index, item)) is not None]

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """The texts under `key`: one text, or a list of them."""
        found = self.value.get(key)
        if isinstance(found, list) and found and all(isinstance(item, str) for item in found):
            return tuple(found)
        if isinstance(found, str) and found:
            return (found,)
        if found is not None:
            self._wrong(key, found, "text or a list of texts")
        elif required:
            self._missing(key)
        return ()

    def known(self, names: Iterable[str]) -> None:
        """Complain of a key that is nearly one of `names`; other unknown keys are let be."""
        names = tuple(names)
        for key in self.value:
            if key in names:
                continue
            near = _near(key, names, self.value)
            if near:
                self.complain(key, f"unknown key {key!r}", f"did you mean {near!r}?", at_key=True)

    def _item(self, key: str, index: int, item: Any) -> Section | None:
        path = (*self.path, key, index)
        if isinstance(item, dict):
            return Section(self.document, path, item, self.problems)
        self.problems.append(self.document.problem(path, f"found {shown(item)}, wanted a mapping"))
        return None

    def _missing(self, key: str) -> None:
        if self.value.get(key) == "":
            self.complain(key, f"{key!r} is empty", "give it a value")
        else:
            self.complain(None, f"the key {key!r} is missing", f"add '{key}:'")

    def _wrong(self, key: str, found: Any, wanted: str) -> None:
        self.complain(key, f"found {shown(found)}, wanted {wanted}")


def shown(value: Any) -> str:
    """A value for a message: short, with its kind where the value alone would not tell."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            text = str(value)
            return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...")


def _near(key: str, names: tuple[str, ...], present: Mapping[str, Any]) -> str:
    """The known name that `key` is a slip of, unless that one is there as well."""
    folded = key.replace("_", "").replace("-", "").lower()
    for name in names:
        if folded == name.lower() and name not in present:
            return name
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.8)
    return close[0] if close and close[0] not in present else ""
