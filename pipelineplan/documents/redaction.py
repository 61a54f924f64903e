"""Values that look like credentials never reach a written file: they become a mark of what was there.

    jdbc://loader:hunter2@db/orders  ->  jdbc://loader:[redacted password]@db/orders
    AKIA................            ->  [redacted AWS access key]

A short list of shapes that credentials have; text that merely talks of secrets stays as it is.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

# No pattern nests one repetition in another, so that none can run away on hostile text.
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,20000}?"
            r"(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
        ),
    ),
    ("AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "GitHub token",
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{30,255})\b"),
    ),
    ("GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,255}")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}")),
    ("Google key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    ("secret key", re.compile(r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}\b")),
    (
        "JSON web token",
        re.compile(r"\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,2000}"),
    ),
    ("bearer token", re.compile(r"(?<=[Bb]earer )[A-Za-z0-9._~+/-]{16,4000}=*")),
    ("password", re.compile(r"(?<=://)(?P<keep>[^\s:/@]{1,200}:)[^\s/@]{1,400}(?=@)")),
    (
        "secret",
        re.compile(
            r"(?P<keep>\b[A-Za-z0-9_.-]{0,60}(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|token)"
            r"[\"']?\s{0,4}[=:]\s{0,4})(?:\"[^\"\n]{4,400}\"|'[^'\n]{4,400}'|[^\s\"',;&}<>$]{6,400})",
            re.IGNORECASE,
        ),
    ),
)


def redacted(text: str) -> str:
    """`text` with everything that looks like a credential replaced by what kind it was."""
    for kind, shape in _SHAPES:
        text = shape.sub(partial(_mark, kind), text)
    return text


def redacted_tree(data: Any) -> Any:
    """Plain data with every text in it redacted, keys included."""
    if isinstance(data, str):
        return redacted(data)
    if isinstance(data, dict):
        return {redacted(key): redacted_tree(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [redacted_tree(entry) for entry in data]
    return data


def _mark(kind: str, match: re.Match[str]) -> str:
    return f"{match.groupdict().get('keep') or ''}[redacted {kind}]"
