"""The formats of a contract's fields that bound the values: patterns of text, widths of integers.

    {logicalType: string, logicalTypeOptions: {format: uuid}}     a pattern
    {logicalType: integer, logicalTypeOptions: {format: u16}}     0 to 65,535
    {logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}} how a date is written: no bound

The patterns keep to what RE2, PostgreSQL and Python read alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelineplan.quality.draft import Draft, Drafted, Reason, expectation

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

PATTERNS: Mapping[str, str] = {
    "uuid": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "email": "^[^@ ]+@[^@ ]+$",
    "hostname": f"^{_LABEL}([.]{_LABEL})*$",
    "ipv4": f"^({_BYTE}[.]){{3}}{_BYTE}$",
    "uri": "^[A-Za-z][A-Za-z0-9+.-]*:[^ ]*$",
}
# Wider ones cannot be bounds: Great Expectations keeps a bound as a float, exact up to 2^53.
WIDTHS: Mapping[str, tuple[int, int]] = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32)},
}


def format_checks(column: str, logical_type: str, name: str) -> Drafted:
    """The check that `name` comes to for a field of that type, or why there is none."""
    if logical_type == "string" and name in PATTERNS:
        return (_matches(column, name),)
    if logical_type == "integer" and name in WIDTHS:
        low, high = WIDTHS[name]
        kind = "expect_column_values_to_be_between"
        title = f"{column} fits into {name}"
        return (expectation(title, "accuracy", kind, column, min_value=low, max_value=high),)
    return Reason(f"the format {name!r} says how values are written or held, and sets no bound on them")


def _matches(column: str, name: str) -> Draft:
    kind = "expect_column_values_to_match_regex"
    title = f"{column} is written as {name}"
    return expectation(title, "conformity", kind, column, regex=PATTERNS[name])
