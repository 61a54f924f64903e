"""The parser of the command line: it says what was probably meant, and shares words that all verbs need.

pipelineplan chekc            invalid choice: 'chekc' ...; did you mean 'check'?
pipelineplan check --formt x  unrecognized arguments: --formt x; did you mean --format?
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import NoReturn

_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)\Z", re.DOTALL)
_UNKNOWN = re.compile(r"unrecognized arguments: (?:.*? )?(--?[A-Za-z][\w-]*)")
# What an option or argument means wherever it has no words of its own.
_WORDS = {
    "PLAN": "a plan file, or the folder of a plan",
    "DIR": "a folder",
    "--format": "what is printed; default: %(default)s",
    "--kind": "which runbook; default: %(default)s",
    "--output": "the folder to write",
    "--event-time": "the column with the event time",
    "NEW": "the same plan after the change; else --base",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors end with what was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and what was probably meant, and end with exit status 2."""
        super().error(f"{message}{_meant(message, list(_options(self)))}")


def explain_the_rest(parser: argparse.ArgumentParser) -> None:
    """Give words to every option and argument of `parser` that has none."""
    for action in parser._actions:  # noqa: SLF001  (argparse has no other way to list them)
        if action.help is None:
            names = (*action.option_strings, str(action.metavar or action.dest))
            action.help = next((_WORDS[name] for name in names if name in _WORDS), None)


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option of `parser` and of the commands below it."""
    for action in parser._actions:  # noqa: SLF001  (see above)
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  (see above)
            for command in action.choices.values():
                yield from _options(command)


def _meant(message: str, options: Sequence[str]) -> str:
    choice, unknown = _CHOICE.search(message), _UNKNOWN.search(message)
    if choice is not None:
        close = get_close_matches(choice[1], re.findall(r"[\w.-]+", choice[2]), n=1)
        return f"; did you mean {close[0]!r}?" if close else ""
    if unknown is not None:
        close = get_close_matches(unknown[1], options, n=1)
        return f"; did you mean {close[0]}?" if close else ""
    return ""
