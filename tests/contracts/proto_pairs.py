"""Random pairs of Protobuf schemas as text: a writer, and a reader that somebody changed from it."""

from __future__ import annotations

import copy
import random
from typing import Any

SCALARS = (
    "int32",
    "int64",
    "uint32",
    "uint64",
    "sint32",
    "sint64",
    "fixed32",
    "sfixed32",
    "fixed64",
    "sfixed64",
    "float",
    "double",
    "bool",
    "string",
    "bytes",
)
KEYS = ("int32", "int64", "uint32", "bool", "string", "sint32", "fixed64")
LABELS = {
    "proto2": ("optional", "repeated", "required"),
    "proto3": ("", "optional", "repeated"),
    "2023": ("", "repeated"),
}


def schema(source: random.Random) -> dict[str, Any]:
    syntax = source.choice(["proto2", "proto3", "proto3", "2023"])
    enums = {"E": {"A": 0, "B": 1, "C": 2}, "F": {"X": 0, "Y": source.choice([1, -1])}}
    messages = {name: message(source, syntax) for name in ("M", "N")}
    return {"syntax": syntax, "enums": enums, "messages": messages}


def message(source: random.Random, syntax: str) -> dict[str, Any]:
    fields = [field(source, syntax, i + 1) for i in range(source.randrange(1, 6))]
    return {"fields": fields, "reserved": []}


def field(source: random.Random, syntax: str, number: int) -> dict[str, Any]:
    kind = source.choice([*SCALARS, "E", "F", "N", "N", "map"])
    made = {
        "name": f"f{number}",
        "number": number,
        "kind": kind,
        "oneof": "",
        "label": source.choice(LABELS[syntax]),
    }
    made |= {"key": source.choice(KEYS), "value": source.choice([*SCALARS, "E", "N"])}
    if made["label"] == "required" and (kind == "N" or source.random() < 0.5):
        made["label"] = "optional"
    if (
        made["label"] != "repeated"
        and made["label"] != "required"
        and kind != "map"
        and source.random() < 0.3
    ):
        made["oneof"] = "o"
    return made


def text(of: dict[str, Any]) -> str:
    head = 'edition = "2023";' if of["syntax"] == "2023" else f'syntax = "{of["syntax"]}";'
    lines = [head, "package p;"]
    for name, values in of["enums"].items():
        order = sorted(values.items(), key=lambda pair: pair[1] != 0)
        body = " ".join(f"{name}_{one} = {number};" for one, number in order)
        lines.append(f"enum {name} {{ {body} }}")
    lines += [message_text(name, one, of["syntax"]) for name, one in of["messages"].items()]
    return "\n".join(lines) + "\n"


def message_text(name: str, of: dict[str, Any], syntax: str) -> str:
    body = [f"  reserved {number};" for number in of["reserved"]]
    body += [f"  {field_text(one, syntax)}" for one in of["fields"] if not one["oneof"]]
    for oneof in dict.fromkeys(one["oneof"] for one in of["fields"] if one["oneof"]):
        inner = " ".join(
            field_text({**one, "label": ""}, "") for one in of["fields"] if one["oneof"] == oneof
        )
        body.append(f"  oneof {oneof} {{ {inner} }}")
    return f"message {name} {{\n" + "\n".join(body) + "\n}"


def field_text(one: dict[str, Any], syntax: str) -> str:
    if one["kind"] == "map":
        return f"map<{one['key']}, {one['value']}> {one['name']} = {one['number']};"
    label = one["label"]
    if syntax == "proto2" and not label:
        label = "optional"
    default = (
        f" [default = {one['default']}]" if one.get("default") and label in {"optional", "required"} else ""
    )
    return f"{label} {one['kind']} {one['name']} = {one['number']}{default};".strip()


def changed(of: dict[str, Any], source: random.Random) -> dict[str, Any]:
    """A copy with one to three edits at random places."""
    made = copy.deepcopy(of)
    for _ in range(source.randrange(1, 4)):
        edit(made, source)
    return made


def edit(made: dict[str, Any], source: random.Random) -> None:  # noqa: C901, PLR0912  (one arm per edit)
    message_ = made["messages"][source.choice(["M", "N"])]
    fields = message_["fields"]
    one = source.choice(fields) if fields else None
    match source.randrange(11):
        case 0 if one:
            one["kind"] = source.choice([*SCALARS, "E", "F", "N"])
            one["oneof"] = one["oneof"] if one["label"] != "repeated" else ""
        case 1 if one:
            fields.remove(one)
            if source.random() < 0.5:
                message_["reserved"].append(one["number"])
        case 2:
            taken = {each["number"] for each in fields} | set(message_["reserved"])
            number = next(n for n in range(1, 40) if n not in taken)
            fields.append({**field(source, made["syntax"], number), "name": f"new{number}"})
        case 3 if one and one["kind"] != "map":
            one["label"] = source.choice(LABELS[made["syntax"]])
            one["oneof"] = one["oneof"] if one["label"] in {"", "optional"} else ""
        case 4 if one and one["kind"] != "map" and one["label"] in {"", "optional"}:
            one["oneof"] = source.choice(["", "o", "q"])
        case 5 if one:
            one["name"] += "x"
        case 6:
            made["enums"]["E"].pop(source.choice(["B", "C"]), None)
        case 7:
            made["enums"]["E"]["D"] = 3
        case 8 if len(fields) > 1 and source.random() < 0.3:
            first, second = source.sample(fields, 2)
            first["name"], second["name"] = second["name"], first["name"]
        case 9 if one and one["kind"] in {"int32", "int64"} and made["syntax"] == "proto2":
            one["default"] = source.choice(["5", "7"])
        case 10 if one and one["kind"] in {"int32", "uint32", "bool", "E"}:
            one["kind"] = source.choice(["int64", "uint64", "int32"])
        case _:
            return
