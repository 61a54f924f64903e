"""What is wrong with an input, where it stands, and how to mend it.

A `Problem` is one thing a person has to change, at one place in one file; an `InputError`
carries all the problems of an input, because nobody wants to learn of them one by one.

    plan.yaml:12:15: $.sources[0].rate.peak: found '11_000', wanted a rate such as 11_000/s
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text file: `line` and `column` count from 1; 0 where there is none.

    A tuple, since every value of every file has one: it is made in half the time of a dataclass.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if self.line == 0:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that keeps an input from being used.

    `path` is the place in the document (`$.stages[0].window`), `message` says what was found
    and what is wanted, `fix` how to mend it. `source_line` is the text of the line, for a caret.
    """

    message: str
    position: Position
    path: str = "$"
    fix: str = ""
    source_line: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = f"{self.position}: "
        path = f"{self.path}: " if self.path not in {"", "$"} else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{where}{path}{self.message}{fix}"


class PipelinePlanError(Exception):
    """The root of every error that this package raises on purpose."""


class InputError(PipelinePlanError):
    """An input that cannot be used, with every problem found in it (exit status 2)."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in the order of their positions."""
        self.problems = tuple(sorted(problems, key=lambda problem: problem.position))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """So that it comes whole from another process."""
        return (InputError, (self.problems,))


class MissingExtraError(PipelinePlanError):
    """A part that an optional extra of the installation would bring (exit status 2)."""

    def __init__(self, what: str, extra: str) -> None:
        """Say what needs the extra and the command that installs it."""
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'pipelineplan[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """So that it comes whole from another process."""
        return (MissingExtraError, (self.what, self.extra))
