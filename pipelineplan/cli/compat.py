"""Whether a schema may change: who breaks, where, why, and a record that shows it.

    pipelineplan compat orders.v1.avsc orders.v2.avsc
    pipelineplan compat v1.avsc v2.avsc v3.avsc --mode FULL_TRANSITIVE
    pipelineplan compat order.v1.json order.v2.json --allow undeclared-properties
    pipelineplan compat v1.avsc v2.avsc --allow logical-type --prove 1000
    pipelineplan compat v1.proto v2.proto --type protobuf-wire-json
    pipelineplan compat v1.avsc v2.avsc --sink postgresql
    pipelineplan compat --history orders.history.yaml --mode REPLAY
    pipelineplan compat contracts/orders --mode FULL_TRANSITIVE
    pipelineplan compat --git schemas/order.avsc --base v2.0 --mode BACKWARD_TRANSITIVE
    pipelineplan compat --registry https://registry:8081 --subject orders-value order.avsc

Several OLD, oldest first, or a folder of versions; a git history, its last version the file as it is;
or the versions of a Confluent Schema Registry, which is only read, and the file that would be next.
Exit status 0 when compatible or allowed by a named policy, 1 when incompatible, refused by a policy, or
not decided. The policies are in docs/reference/compatibility.md.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelineplan.cli.output import coloured, envelope, safe, say
from pipelineplan.errors import InputError, Position, Problem

if TYPE_CHECKING:
    from pipelineplan.contracts.evolution import Change, CompatResult, Pair

_COLOURS = {"incompatible": "fails", "unknown": "unknown", "policy": "unknown", "compatible": "holds"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `compat`."""
    parser.add_argument("schemas", nargs="*", metavar="SCHEMA", help="OLD... NEW, oldest first, or a folder")
    parser.add_argument("--history", metavar="FILE", help="versions with dates, and perhaps a rollout")
    parser.add_argument("--git", metavar="FILE", type=Path, help="the versions of this file in its history")
    parser.add_argument("--base", metavar="REV", help="with --git: only the version at REV, and the file now")
    parser.add_argument(
        "--registry", metavar="URL", help="a Confluent Schema Registry; asked over the network"
    )
    parser.add_argument("--subject", metavar="NAME", help="with --registry: whose versions")
    parser.add_argument("--retention", metavar="TIME", help="for REPLAY: how long records are kept")
    parser.add_argument("--at", metavar="DATE", help="for REPLAY: when it begins")
    parser.add_argument(
        "--mode",
        type=str.upper,
        metavar="MODE",
        help="BACKWARD, FORWARD (the default for contracts), FULL, each also with _TRANSITIVE, "
        "NONE, REPLAY or WINDOW",
    )
    parser.add_argument(
        "--sink",
        metavar="KIND",
        help="also: is it taken by a table made before it: parquet, iceberg, postgresql, bigquery",
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
    tables = _in_sink(options).pairs if options.sink is not None else ()
    result = replace(result, pairs=(*result.pairs, *tables))
    status = 0 if result.passes else 1
    if options.format == "json":
        say(envelope("compat", status, **_json(result)))
        return status
    for pair in result.pairs:
        _print(pair, "takes" if pair in tables else "reads")
    if result.advice:
        say(f"{result.mode}: {safe(result.advice)}")
    return status


def _judged(options: argparse.Namespace) -> CompatResult:
    from pipelineplan.contracts.evolution.judging import compat, compat_over_time, compat_recorded

    _one_source(options)
    how = {
        "mode": options.mode,
        "allow": options.allow,
        "refuse": options.refuse,
        "prove": options.prove,
    }
    if options.history is not None:
        return compat_over_time(options.history, schema_type=options.type, **how)
    how |= {"retention": options.retention, "at": options.at}
    if options.git is not None:
        from pipelineplan.contracts.evolution.from_git import versions_in_git

        return compat_recorded(versions_in_git(options.git, options.base, options.type), **how)
    if options.registry is not None:
        from pipelineplan.contracts.evolution.from_registry import versions_in_registry

        next_one = Path(options.schemas[0]) if options.schemas else None
        return compat_recorded(versions_in_registry(options.registry, options.subject, next_one), **how)
    return compat(options.schemas, schema_type=options.type, **how)


def _in_sink(options: argparse.Namespace) -> CompatResult:
    from pipelineplan.contracts.sinks.judging import compat_sink

    if not options.schemas or options.registry is not None:
        raise InputError([Problem("--sink wants schemas, or a folder of versions", Position("compat"))])
    given = {"schema_type": options.type, "allow": options.allow, "refuse": options.refuse}
    return compat_sink(options.schemas, options.sink, **given)


def _one_source(options: argparse.Namespace) -> None:
    """Versions come from one place, and each option belongs to one."""
    given = [name for name in ("history", "git", "registry") if getattr(options, name) is not None]
    wrong = {
        "schemas, --history, --git and --registry exclude each other, but one schema may follow --registry": (
            len(given) > 1
            or (given in (["history"], ["git"]) and options.schemas)
            or (given == ["registry"] and len(options.schemas) > 1)
        ),
        "WINDOW wants --history FILE, where the rollout is": options.mode == "WINDOW"
        and given != ["history"],
        "--registry and --subject belong together": (options.registry is None) != (options.subject is None),
        "--base belongs to --git": options.base is not None and options.git is None,
        "--retention and --at are for REPLAY; a history file says both itself": (
            (options.retention is not None or options.at is not None)
            and (options.mode != "REPLAY" or given == ["history"])
        ),
    }
    problems = [Problem(message, Position("compat")) for message, found in wrong.items() if found]
    if problems:
        raise InputError(problems)


def _print(pair: Pair, verb: str) -> None:
    verdict = pair.judgement.verdict.value
    shown = verdict if verdict != "policy" else "allowed by policy" if pair.passes else "refused by policy"
    say(f"{safe(pair.reader)} {verb} {safe(pair.writer)}: {coloured(shown, _COLOURS[verdict])}")
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
