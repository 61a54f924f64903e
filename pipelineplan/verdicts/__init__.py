"""What a judge says: a verdict, the numbers it rests on, and where each of them came from."""

from pipelineplan.verdicts.finding import (
    Accepted,
    Basis,
    Finding,
    Operand,
    Severity,
    Verdict,
    fingerprint,
    only_counted,
    say_value,
)

__all__ = [
    "Accepted",
    "Basis",
    "Finding",
    "Operand",
    "Severity",
    "Verdict",
    "fingerprint",
    "only_counted",
    "say_value",
]
