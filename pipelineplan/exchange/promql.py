r"""PromQL and alert templates from words of a plan, so that none of them is read as code.

    series("kafka_consumergroup_lag", topic="orders")   kafka_consumergroup_lag{topic="orders"}
    one_of("a.b", "a_b")                                 =~"a\\.b|a_b"
    duration(5400)                                       1h30m
    template("{{ query }}")                              {{`{{`}} query }}

Prometheus expands templates in labels and annotations: two opening braces of a plan stay two braces.
Source: Prometheus documentation, "Querying basics" and "Template reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelineplan.exchange.text import one_line

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def quoted(text: str) -> str:
    """A string literal of PromQL."""
    kept = one_line(text)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def series(metric: str, *matchers: str, **labels: str) -> str:
    """A selector: one metric, and the labels that it must have."""
    named = [f"{name}={quoted(value)}" for name, value in labels.items()]
    found = ", ".join([*named, *matchers])
    return f"{metric}{{{found}}}" if found else metric


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher for any of `values`, letter by letter; Prometheus anchors it at both ends."""
    found = list(dict.fromkeys(values))
    if len(found) == 1:
        return f"{label}={quoted(found[0])}"
    return (
        f"{label}=~{quoted('|'.join(_META.sub(lambda sign: chr(92) + sign[0], one_line(v)) for v in found))}"
    )


def duration(seconds: float) -> str:
    """A duration as Prometheus writes it, to the millisecond: 5400.0 is `1h30m`."""
    left, parts = max(1, round(seconds * 1000)), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def number(value: float) -> str:
    """A number without an exponent, twelve digits of it."""
    text = f"{value:.12g}"
    return f"{value:.0f}" if "e+" in text else f"{value:.20f}".rstrip("0") if "e-" in text else text


def template(text: str) -> str:
    """Text for a label or an annotation that is shown as it is."""
    return one_line(text).replace("{{", "{{`{{`}}")
