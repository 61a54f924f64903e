r"""Text from a plan, made safe for the page it goes to; the plan may come from a stranger.

    <script>alert(1)</script> | \x1b[31m   HTML: &lt;script&gt;...   Markdown: &lt;script&gt; \| ...

Everything passes `plain` first: control characters go (so no terminal is driven), credentials are redacted.
"""

from __future__ import annotations

import html as _html
import re

from pipelineplan.documents.redaction import redacted

# C0 and C1 controls but tab and newline, and the marks that reorder or hide text.
_CONTROLS = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_MARKDOWN = re.compile(r"[\\`*{}\[\]|~$]|(?<!\w)_|_(?!\w)")
_AT_THE_START = re.compile(r"^(?:[-+#=]|\d{1,9}[.)](?=\s|$))")
_LINKED = re.compile(r"(?i)\b(https?|ftp|javascript|data|vbscript|mailto):")
_NOT_IN_A_LABEL = re.compile(r"[^\w .,:;/%+=()-]")


def plain(text: object) -> str:
    """`text` without control characters and credentials; line breaks stay."""
    return redacted(_CONTROLS.sub("", str(text).replace("\r\n", "\n").replace("\r", "\n")))


def line(text: object) -> str:
    """`plain` in one line."""
    return " ".join(plain(text).split())


def html(text: object) -> str:
    """For HTML text and quoted attributes."""
    return _html.escape(plain(text), quote=True)


def markdown(text: object) -> str:
    """For running Markdown text and table cells: one line, nothing in it is markup, HTML or a link."""
    one = _html.escape(line(text), quote=False)
    escaped = _MARKDOWN.sub(lambda match: f"\\{match[0]}", one)
    escaped = _AT_THE_START.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", escaped)
    return _LINKED.sub(r"\1&#58;", escaped).replace("@", "&#64;").replace("www.", "www&#46;")


def code(text: object) -> str:
    """A Markdown code span for one line: longer fences than any run of backticks inside; safe in tables."""
    one = line(text).replace("|", "¦")
    if not one:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", one)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if one.startswith("`") or one.endswith("`") else ""
    return f"{fence}{pad}{one}{pad}{fence}"


def block(text: object, language: str = "") -> str:
    """A fenced Markdown block whose fence is longer than any inside."""
    shown = plain(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def mermaid(text: object) -> str:
    """A Mermaid label, to stand between double quotes: words and a few marks only."""
    return _NOT_IN_A_LABEL.sub("·", line(text))[:80]
