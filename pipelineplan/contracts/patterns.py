r"""Whether a text is a regular expression at all, judged without ever matching with it.

    [A-Z]{2}[0-9+     not one: the bracket that opens at character 8 is never closed

Contracts write ECMA-262; what only that dialect has (`\p{L}`, `(?<year>...)`) is let pass, so
that no good pattern is refused. Untrusted patterns are matched only by RE2, in linear time.
"""

from __future__ import annotations

import re
import warnings

LONGEST_PATTERN = 2000

_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|.)", re.DOTALL)
_PYTHON_ESCAPES = frozenset("abBdDfnrsStvwWZA")
_NAMED_GROUP = re.compile(r"\(\?<(?![=!])")
# Messages of faults that are faults in every dialect.
_STRUCTURAL = (
    "unterminated",
    "missing )",
    "unbalanced",
    "nothing to repeat",
    "bad escape (end",
    "min repeat greater",
)


def why_not_a_pattern(text: str) -> str:
    """Why `text` is no regular expression in any dialect; empty when it may be one."""
    if len(text) > LONGEST_PATTERN:
        return f"{len(text)} characters, wanted at most {LONGEST_PATTERN}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(_as_python(text))
    except re.error as error:
        message = str(error.msg)
        structural = any(message.startswith(start) for start in _STRUCTURAL)
        where = f" at character {error.pos + 1}" if error.pos is not None else ""
        return f"{message}{where}" if structural else ""
    except (OverflowError, RecursionError):
        return "too large or too deep"
    return ""


def _as_python(text: str) -> str:
    """The pattern with foreign escapes made plain and groups unnamed, as long as before."""
    parts: list[str] = []
    index = 0
    while index < len(text):
        # One escape at a time, so that an escaped backslash never begins another one.
        escape = _ESCAPE.match(text, index)
        part = _plain(escape.group()) if escape else text[index]
        parts.append(part)
        index += len(part)
    return _NAMED_GROUP.sub("(?:", "".join(parts))


def _plain(escape: str) -> str:
    known = len(escape) == 2 and (escape[1] in _PYTHON_ESCAPES or not escape[1].isalpha())
    return escape if known else "x" * len(escape)
