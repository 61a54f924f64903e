"""Protobuf: the rules against what google.protobuf really reads, and the profiles against their tables."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelineplan.contracts.evolution import Change, Choices, Compatibility, judgement_of
from pipelineplan.contracts.evolution.judging import compat, compat_over_time
from pipelineplan.contracts.protobuf import confluent, read_proto, resolve, wire, wire_json
from pipelineplan.contracts.protobuf.prove import Wire, prove
from pipelineplan.contracts.protobuf.sample import random_record
from pipelineplan.contracts.protobuf.types import ProtoSchema
from pipelineplan.errors import InputError

MISREAD = {"wire-narrowing", "default-changed", "lossy-promotion", "wire-reshaped"}


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(folder: Path, name: str, text: str) -> ProtoSchema:
    file = folder / f"{name}.proto"
    file.write_text(text, encoding="utf-8")
    return read_proto(file)


def pair(folder: Path, old: str, new: str, syntax: str = "proto3") -> tuple[ProtoSchema, ProtoSchema]:
    """Reader and writer, of messages M with these bodies."""
    head = f'syntax = "{syntax}"; package p;\nenum E {{ A = 0; B = 1; C = 2; }}\n'
    head += "message N { repeated string s = 1; }\n"
    made = [
        read(folder, name, f"{head}message M {{ {body} }}\n") for name, body in (("new", new), ("old", old))
    ]
    return made[0], made[1]


def found(changes: list[Change]) -> dict[str, str]:
    return {change.change: change.path for change in changes}


@pytest.mark.parametrize("seed", range(150))
def test_google_protobuf_agrees_on_random_pairs(seed: int, tmp_path: Path) -> None:
    pairs = beside("proto_pairs")
    source = random.Random(seed)
    old = pairs.schema(source)
    writer = read(tmp_path, "old", pairs.text(old))
    reader = read(tmp_path, "new", pairs.text(pairs.changed(old, source)))
    changes, bytes_ = resolve(reader, writer), Wire(reader, writer)
    for change in changes:
        if change.verdict is Compatibility.INCOMPATIBLE or change.policy == "wire-narrowing":
            assert change.witness is not None
            assert bytes_.misreading(change.witness.record).startswith(("misreads", "refuses")), change
    if not any(
        change.verdict is Compatibility.INCOMPATIBLE or change.policy in MISREAD for change in changes
    ):
        for name in writer.records:
            for _ in range(20):
                assert bytes_.misreading({name: random_record(writer.messages[name], source)}) == ""


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("int64 a = 1;", "int32 a = 1;", "wire-narrowing"),
        ("int32 a = 1;", "uint32 a = 1;", "wire-narrowing"),
        ("int32 a = 1;", "sint32 a = 1;", "type-changed"),
        ("fixed32 a = 1;", "float a = 1;", "type-changed"),
        ("float a = 1;", "double a = 1;", "wire-type-changed"),
        ("bytes a = 1;", "string a = 1;", "lossy-promotion"),
        ("N a = 1;", "bytes a = 1;", "message-as-bytes"),
        ("bytes a = 1;", "N a = 1;", "type-changed"),
        ("repeated string a = 1;", "string a = 1;", "list-as-single"),
        ("repeated int32 a = 1;", "int32 a = 1;", "wire-type-changed"),
        ("string a = 1;", "repeated string a = 1;", "single-as-list"),
        ("map<string, N> a = 1;", "map<string, string> a = 1;", "type-changed"),
        ("int32 a = 1; int32 b = 2;", "oneof o { int32 a = 1; int32 b = 2; }", "moved-into-oneof"),
        (
            "oneof o { int32 a = 1; } int32 b = 2;",
            "oneof o { int32 a = 1; int32 b = 2; }",
            "moved-into-oneof",
        ),
        ("int32 a = 1;", "optional int32 a = 1;", "presence"),
        ("int32 a = 1;", "int32 b = 1;", "renamed"),
        ("int32 a = 1; int32 b = 2;", "int32 b = 1; int32 a = 2;", "numbers-swapped"),
    ],
)
def test_a_change_has_its_name_and_a_witness_that_shows_it(
    old: str, new: str, change: str, tmp_path: Path
) -> None:
    reader, writer = pair(tmp_path, old, new)
    changes = resolve(reader, writer)
    assert change in found(changes)
    for one in prove(reader, writer, changes, 1):
        if one.verdict is Compatibility.INCOMPATIBLE or one.policy == "wire-narrowing":
            assert one.witness is not None
            assert one.witness.outcome.startswith(("google.protobuf misreads", "google.protobuf refuses"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("int32 a = 1;", "int64 a = 1;"),
        ("uint32 a = 1;", "uint64 a = 1;"),
        ("sint32 a = 1;", "sint64 a = 1;"),
        ("string a = 1;", "bytes a = 1;"),
        ("E a = 1;", "int32 a = 1;"),
        ("bool a = 1;", "uint64 a = 1;"),
        ("int32 a = 1; string gone = 2;", "int32 a = 1;"),
        ("int32 a = 1;", "int32 a = 1; N more = 2;"),
        ("optional int32 a = 1;", "oneof o { int32 a = 1; N b = 2; }"),
        ("oneof o { int32 a = 1; N b = 2; }", "optional int32 a = 1; N b = 2;"),
        ("repeated int32 a = 1 [packed = false];", "repeated int32 a = 1;"),
    ],
)
def test_what_is_read_as_it_was_meant(old: str, new: str, tmp_path: Path) -> None:
    reader, writer = pair(tmp_path, old, new)
    assert resolve(reader, writer) == []
    assert prove(reader, writer, [], 200) == []


def test_closed_enums_drop_what_open_ones_keep(tmp_path: Path) -> None:
    def schema(name: str, syntax: str, values: str) -> ProtoSchema:
        label = "optional " if syntax == "proto2" else ""
        text = f'syntax = "{syntax}";\nenum S {{ {values} }}\nmessage M {{ {label}S s = 1; }}\n'
        return read(tmp_path, name, text)

    old, new = "A = 0; B = 1; C = 2;", "A = 0; B = 1;"
    assert found(resolve(schema("r", "proto2", new), schema("w", "proto2", old))) == {
        "enum-value-missing": "$.S"
    }
    assert found(resolve(schema("r", "proto3", new), schema("w", "proto3", old))) == {
        "unknown-enum-value": "$.S"
    }
    swapped = resolve(schema("r", "proto3", "A = 0; C = 1; B = 2;"), schema("w", "proto3", old))
    assert {one.change for one in swapped} == {"enum-value-moved"}


def test_proto2_required_and_defaults(tmp_path: Path) -> None:
    reader, writer = pair(tmp_path, "optional int32 a = 1;", "required int32 a = 1;", "proto2")
    assert found(resolve(reader, writer)) == {"required-field-not-written": "$.M.a"}
    assert resolve(writer, reader) == []
    reader, writer = pair(tmp_path, "optional int32 a = 1 [default = 5];", "optional int32 a = 1;", "proto2")
    changes = prove(reader, writer, resolve(reader, writer), 1)
    assert found(changes) == {"default-changed": "$.M.a"}
    assert changes[0].witness is not None
    assert "a 5 is read as 0" in changes[0].witness.outcome


def test_groups_and_editions_are_told_from_messages(tmp_path: Path) -> None:
    text = 'edition = "2023";\nmessage N {{ string s = 1; }}\nmessage M {{ N n = 1 {}; int32 i = 2 {}; }}\n'
    plain = read(tmp_path, "plain", text.format("", ""))
    delimited = read(tmp_path, "delimited", text.format("[features.message_encoding = DELIMITED]", ""))
    implicit = read(tmp_path, "implicit", text.format("", "[features.field_presence = IMPLICIT]"))
    assert found(resolve(delimited, plain)) == {"wire-type-changed": "$.M.n"}
    assert found(resolve(implicit, plain)) == {"presence": "$.M.i"}
    group = "message M { optional group N = 1 { optional string s = 1; } optional int32 i = 2; }"
    old = read(tmp_path, "group", f'syntax = "proto2";\n{group}\n')
    assert found(resolve(plain, old)) == {"wire-type-changed": "$.M.n"}
    assert found(resolve(delimited, old)) == {"lossy-promotion": "$.N.s"}  # proto2 lets any bytes be text


PROFILES = {"protobuf": resolve, "wire": wire, "wire_json": wire_json, "confluent": confluent}


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ("int64 a = 1;", "int32 a = 1;", {"wire", "confluent"}),
        ("int32 a = 1; int32 b = 2;", "int32 a = 1;", {"protobuf", "confluent"}),
        ("int32 a = 1; int32 b = 2;", "int32 a = 1; reserved 2;", {"protobuf", "wire", "confluent"}),
        ("int32 a = 1; int32 b = 2;", 'int32 a = 1; reserved 2; reserved "b";', set(PROFILES)),
        ("int32 a = 1;", "int32 b = 1;", {"protobuf", "wire", "confluent"}),
        ("bytes a = 1;", "string a = 1;", {"protobuf", "confluent"}),
        ("string a = 1;", "repeated string a = 1;", {"confluent"}),
        ("E a = 1;", "int32 a = 1;", {"protobuf", "confluent"}),
        ("oneof o { int32 a = 1; int32 b = 2; }", "oneof o { int32 a = 1; }", {"protobuf"}),
        ("oneof o { int32 a = 1; }", "optional int32 a = 1;", {"protobuf", "confluent"}),
        ("int32 a = 1;", "string a = 1;", set()),
    ],
)
def test_the_profiles(old: str, new: str, passes: set[str], tmp_path: Path) -> None:
    reader, writer = pair(tmp_path, old, new)
    judged = {name: judgement_of(one(reader, writer), Choices()) for name, one in PROFILES.items()}
    assert {name for name, one in judged.items() if one.passes} == passes
    if "confluent" in passes and "protobuf" not in passes:
        assert "profile-allows" in {one.policy for one in judged["confluent"].changes}


def history(folder: Path, retention: str) -> Path:
    bodies = ["int32 id = 1; string ssn = 3;", "int32 id = 1;", "int32 id = 1; string mail = 3;"]
    for i, body in enumerate(bodies):
        read(folder, f"v{i + 1}", f'syntax = "proto3"; message M {{ {body} }}\n')
    dates = ["2026-01-01", "2026-02-01", "2026-03-01"]
    lines = [f"  - {{schema: v{i + 1}.proto, from: {date}}}" for i, date in enumerate(dates)]
    file = folder / "history.yaml"
    end = [f"retention: {retention}", "replay: {at: 2026-03-10}"]
    file.write_text("\n".join(["versions:", *lines, *end]) + "\n", encoding="utf-8")
    return file


def test_a_number_taken_again_breaks_exactly_while_old_records_live(tmp_path: Path) -> None:
    within = compat_over_time(history(tmp_path, "60 d"), mode="REPLAY")
    assert [row["change"] for row in within.to_rows()] == ["number-reused"]
    assert not within.passes
    assert compat_over_time(history(tmp_path, "20 d"), mode="REPLAY").passes
    latest = compat([tmp_path / f"v{i}.proto" for i in (1, 2, 3)])
    assert latest.passes  # what a registry in BACKWARD sees
    two = compat([tmp_path / "v1.proto", tmp_path / "v3.proto"])
    assert [row["change"] for row in two.to_rows()] == ["renamed"]  # two versions cannot tell


def test_imports_and_descriptor_sets(tmp_path: Path) -> None:
    (tmp_path / "shop" / "v1").mkdir(parents=True)
    (tmp_path / "common.proto").write_text('syntax = "proto3"; message Money { int64 cents = 1; }\n')
    body = 'syntax = "proto3"; import "common.proto"; import "google/protobuf/timestamp.proto";\n'
    body += "message Order { Money price = 1; google.protobuf.Timestamp at = 2; }\n"
    file = tmp_path / "shop" / "v1" / "order.proto"
    file.write_text(body)
    schema = read_proto(file)
    assert set(schema.messages) == {"Order"}
    built = tmp_path / "order.binpb"
    built.write_bytes(schema.source)
    assert compat([built, file], mode="FULL").verdict is Compatibility.COMPATIBLE


def test_recursion_and_ten_thousand_fields_end(tmp_path: Path) -> None:
    tree = "message T {{ {} v = 1; repeated T children = 2; map<string, T> by_name = 3; }}"
    old, new = (f'syntax = "proto3"; {tree.format(kind)}\n' for kind in ("int32", "string"))
    assert found(resolve(read(tmp_path, "a", new), read(tmp_path, "b", old))) == {
        "wire-type-changed": "$.T.v"
    }

    def wide(kind: str) -> str:
        fields = " ".join(f"{kind} f{i} = {i + 20000};" for i in range(10_000))
        return f'syntax = "proto3"; message W {{ {fields} }}\n'

    assert len(resolve(read(tmp_path, "a", wide("string")), read(tmp_path, "b", wide("int32")))) == 10_000


def test_a_required_field_without_an_end_has_no_record(tmp_path: Path) -> None:
    head = 'syntax = "proto2"; '
    old = read(tmp_path, "old", head + "message M { required M m = 1; optional int32 a = 2; }\n")
    new = read(tmp_path, "new", head + "message M { required M m = 1; optional string a = 2; }\n")
    (change,) = resolve(new, old)
    assert change.witness is None
    assert "no finite record" in change.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'syntax = "proto3"; message X { strin s = 1; }',
            'x.proto:1:32: not Protobuf: "strin" is not defined',
        ),
        ('syntax = "proto3";\nmessage X { string s = 1 }', 'x.proto:2:26: not Protobuf: Expected ";"'),
        ('syntax = "proto3"; import "../x.proto";', "x.proto"),
        ('syntax = "proto3"; import "not/there.proto"; message X {}', "not/there.proto"),
        ('syntax = "proto3"; message X { int32 a = 1; int32 b = 1; }', "x.proto"),
        ('syntax = "proto9";', "x.proto"),
        ("\0", "NUL"),
        ("message " * 5000, "x.proto"),
        ('syntax = "proto3";' + "message A {" * 400, "x.proto"),
    ],
)
def test_what_is_no_schema_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "x", text)
    assert said in str(caught.value)


def test_bytes_that_are_no_descriptor_set(tmp_path: Path) -> None:
    source: Any = random.Random(7)
    file = tmp_path / "x.binpb"
    good = read(tmp_path, "g", 'syntax = "proto3"; message M { int32 a = 1; M m = 2; }').source
    for _ in range(300):
        noise = bytearray(good if source.random() < 0.7 else source.randbytes(source.randrange(60)))
        for _ in range(source.randrange(3)):
            if noise:
                noise[source.randrange(len(noise))] = source.randrange(256)
        file.write_bytes(noise)
        try:
            compat([file, file])
        except InputError as error:
            assert "x.binpb" in str(error)  # noqa: PT017  (either a verdict or this)
