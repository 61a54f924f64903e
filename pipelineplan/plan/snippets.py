"""What an editor puts in for a section in one go: the fields without which little can be said of it.

What yaml-language-server calls `defaultSnippets`: a label, words, and a body in which `$1` and `${2:12}`
are the places that the cursor visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Snippet = Mapping[str, Any]


def _snippet(label: str, description: str, **body: Any) -> Snippet:
    return {"label": label, "description": description, "body": body}


_SOURCE = {
    "id": "${1:clicks}",
    "system": "kafka",
    "partitions": "${2:12}",
    "retention": "${3:7 d}",
    "rate": {"average": "${4:4_000/s}", "peak": "${5:11_000/s}"},
    "semantics": {
        "event_time": "${6:occurred_at}",
        "disorder": {"p50": "${7:1 s}", "p99": "${8:40 s}"},
        "watermark": {"lag": "${9:60 s}", "idle_timeout": "${10:60 s}"},
    },
}
_STAGE = {
    "id": "${1:count}",
    "inputs": [{"from": "${2:clicks}", "exchange": "${3:keyed}"}],
    "engine": "flink",
    "parallelism": "${4:12}",
    "capacity": "${5:2_000/s}",
    "window": {"fixed": "${6:1 min}", "allowed_lateness": "${7:5 min}"},
    "checkpoint": {"interval": "${8:60 s}", "restart": "${9:1 min}"},
}

SNIPPETS: Mapping[str, tuple[Snippet, ...]] = {
    "Source": (_snippet("a Kafka topic", "A topic with rate, disorder and watermark.", **_SOURCE),),
    "Stage": (_snippet("a windowed stage", "A stage with capacity, window and checkpoint.", **_STAGE),),
    "Sink": (
        _snippet(
            "a sink", "A sink that overwrites by key.", id="${1:table}", inputs=["${2:count}"], mode="upsert"
        ),
    ),
    "Slo": (
        _snippet(
            "a promise",
            "Freshness and completeness of a sink.",
            **{"for": "${1:table}"},
            freshness={"p95": "${2:3 min}", "from": "${3:window_end}"},
            completeness={"share": "${4:99.5 %}", "at": "${5:final}"},
        ),
    ),
    "Outage": (
        _snippet(
            "an outage",
            "What the plan claims to survive, with the time by which the backlog must be gone.",
            of="${1:job}",
            detect="${2:5 min}",
            repair="${3:30 min}",
            drain_target="${4:2 h}",
        ),
    ),
    "Window": (
        _snippet(
            "fixed windows", "Windows that do not overlap.", fixed="${1:1 min}", allowed_lateness="${2:5 min}"
        ),
        _snippet("sliding windows", "Windows that overlap.", sliding="${1:10 min}", every="${2:1 min}"),
        _snippet("sessions", "Windows that a silence ends.", session="${1:30 min}"),
    ),
}
