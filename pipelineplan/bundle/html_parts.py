"""The pieces that the HTML report is built from: marks, tables, facts. All text in them is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from pipelineplan.bundle.checklist import Said
from pipelineplan.bundle.escaping import html, line

# State -> sign and word; the word is always there, so colour is never the only sign.
_SIGNS = {
    "holds": ("✓", "holds"),
    "pass": ("✓", "pass"),
    "fails": ("✕", "fails"),
    "fail": ("✕", "fail"),
    "blocked": ("⊘", "blocked"),
    "unknown": ("?", "unknown"),
    "could not evaluate": ("?", "could not evaluate"),
    "open": ("?", "open"),
    "done": ("✓", "done"),
    "vouched": ("✓", "vouched for"),
    "failed": ("✕", "failed"),
    "expired": ("?", "expired"),
    "not_required": ("–", "not required"),
}


def mark(state: str) -> str:
    """A small label with sign and word for a state or verdict."""
    sign, word = _SIGNS.get(state, ("·", state))
    kind = "unknown" if state == "could not evaluate" else state
    return f'<span class="mark {html(kind)}"><span aria-hidden="true">{sign}</span>{html(word)}</span>'


def anchor(text: str) -> str:
    """An id that is safe in a link: letters, digits and dashes."""
    return (
        "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in line(text).lower())
        or "x"
    )


def where(text: str) -> str:
    """A place in a file or document."""
    return f'<span class="where">{html(text)}</span>' if text else ""


def table(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; the first cell of a row is its header."""
    titles = "".join(f'<th scope="col">{html(title)}</th>' for title in head)
    body = "\n".join(f"<tr>{_row(list(row))}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html(caption)}"><table>'
        f"<caption>{html(caption)}</caption><thead><tr>{titles}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _row(cells: list[str]) -> str:
    return f'<th scope="row">{cells[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in cells[1:])


def said(value: Said) -> str:
    """A value with its place under it, or the open point."""
    if value.is_open:
        return f"{mark('open')} {html(value.text)}"
    return f"{html(value.text)}{where(value.origin)}"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels and values, the values HTML already."""
    rows = "".join(f"<dt>{html(label)}</dt><dd>{value}</dd>" for label, value in pairs)
    return f'<dl class="facts">{rows}</dl>' if rows else ""


def listed(items: Iterable[str], kind: str = "") -> str:
    """A list of items that are HTML already; nothing when there are none."""
    entries = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul class="{kind}">{entries}</ul>' if entries else ""


def folded(
    heading: str,
    state: str,
    inside: str,
    *,
    name: str = "",
    level: int = 3,
    is_open: bool = False,
) -> str:
    """A part that opens and closes with the keyboard as well; its heading is text, its inside HTML."""
    sign = mark(state) if state else ""
    given = f' id="{html(name)}"' if name else ""
    return (
        f"<details{given}{' open' if is_open else ''}><summary>"
        f"<h{level}>{html(heading)}</h{level}>{sign}</summary>"
        f'<div class="inside">{inside}</div></details>'
    )
