"""Whether a schema may change: who breaks, where, why, and a record that shows it.

    pipelineplan compat orders.v1.avsc orders.v2.avsc
    pipelineplan compat v1.avsc v2.avsc v3.avsc --mode FULL_TRANSITIVE
    pipelineplan compat order.v1.json order.v2.json --allow undeclared-properties
    pipelineplan compat v1.avsc v2.avsc --allow logical-type --prove 1000
    pipelineplan compat --history orders.history.yaml --mode REPLAY

Several OLD, oldest first. Exit status 0 when compatible or allowed by a named policy, 1 when incompatible,
refused by a policy, or not decided. The policies are in docs/reference/compatibility.md.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.contracts.evolution import Change, CompatResult, Pair

_COLOURS = {"incompatible": "fails", "unknown": "unknown", "policy": "unknown", "compatible": "holds"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `compat`."""
    parser.add_argument("schemas", nargs="*", metavar="SCHEMA", help="OLD... NEW, oldest first")
    parser.add_argument("--history", metavar="FILE", help="versions with dates, for REPLAY and WINDOW")
    parser.add_argument(
        "--mode",
        type=str.upper,
        default="BACKWARD",
        metavar="MODE",
        help="BACKWARD, FORWARD, FULL, each also with _TRANSITIVE, NONE, REPLAY or WINDOW",
    )
    parser.add_argument("--type", metavar="FORMAT", help="what the files are, where the ending does not say")
    parser.add_argument("--allow", action="append", default=[], metavar="POLICY", help="let this pass")
    parser.add_argument("--refuse", action="append", default=[], metavar="POLICY", help="do not let it pass")
    parser.add_argument(
        "--prove",
        type=int,
        default=0,
        metavar="N",
        help="really write and read the witnesses, or N generated records (extra contracts)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Judge, print."""
    result = _judged(options)
    status = 0 if result.passes else 1
    if options.format == "json":
        say(envelope("compat", status, **_json(result)))
        return status
    for pair in result.pairs:
        _print(pair)
    if result.advice:
        say(f"{result.mode}: {safe(result.advice)}")
    return status


def _judged(options: argparse.Namespace) -> CompatResult:
    from pipelineplan.contracts.evolution.judging import compat, compat_over_time

    over_time = options.mode in {"REPLAY", "WINDOW"}
    if over_time != (options.history is not None) or (over_time and options.schemas):
        message = "REPLAY and WINDOW want --history FILE and no schemas; the other modes want schemas alone"
        raise InputError([Problem(message, Position("compat"))])
    how = {
        "mode": options.mode,
        "schema_type": options.type,
        "allow": options.allow,
        "refuse": options.refuse,
        "prove": options.prove,
    }
    return compat_over_time(options.history, **how) if over_time else compat(options.schemas, **how)


def _print(pair: Pair) -> None:
    verdict = pair.judgement.verdict.value
    shown = verdict if verdict != "policy" else "allowed by policy" if pair.passes else "refused by policy"
    say(f"{safe(pair.reader)} reads {safe(pair.writer)}: {coloured(shown, _COLOURS[verdict])}")
    for change in pair.judgement.changes:
        say(f"  {safe(change.path)}: {change.change}: {safe(change.reason)}")
        if change.policy:
            say(f"    policy {change.policy}: {'allowed' if change.allowed else 'refused'}")
        if change.witness is not None:
            say(f"    witness: {safe(_shown(change.witness.record))} ({safe(change.witness.outcome)})")


def _shown(record: Any) -> str:
    text = json.dumps(_plain(record), ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "..."


def _json(result: CompatResult) -> dict[str, Any]:
    return {
        "mode": result.mode,
        "verdict": result.verdict.value,
        "passes": result.passes,
        "advice": result.advice,
        "conflict": result.conflict,
        "pairs": [
            {
                "reader": pair.reader,
                "writer": pair.writer,
                "verdict": pair.judgement.verdict.value,
                "passes": pair.passes,
                "changes": [_change_json(change) for change in pair.judgement.changes],
            }
            for pair in result.pairs
        ],
    }


def _change_json(change: Change) -> dict[str, Any]:
    witness = change.witness
    return {
        "change": change.change,
        "path": change.path,
        "reason": change.reason,
        "verdict": change.verdict.value,
        "policy": change.policy,
        "allowed": change.allowed,
        "who": change.who,
        "witness": {"record": _plain(witness.record), "outcome": witness.outcome} if witness else None,
    }


def _plain(value: Any) -> Any:
    """A record as JSON: bytes as text, code point for byte, as Avro writes them; a branch as its value."""
    match value:
        case bytes():
            return value.decode("latin-1")
        case dict():
            return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case tuple():
            return {str(_plain(value[0])): _plain(value[1])}
        case None | bool() | int() | float() | str():
            return value
    return str(value)  # dates, decimals and the like
