"""A random pair of schemas of a format, judged and put to the test; what the verdict claims must be so.

incompatible   each finding has a witness that the reader really refuses or misreads, or says why none exists
compatible     that many generated records are really read as they were written
"""

from __future__ import annotations

import importlib.util
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from pipelineplan.contracts.avro import avro_of
from pipelineplan.contracts.evolution import FORMATS, Change, Compatibility
from pipelineplan.contracts.json_schema import read_schema
from pipelineplan.contracts.protobuf import read_proto

SHOWS = {
    "avro": ("fastavro refuses",),
    "json": ("jsonschema agrees",),
    "protobuf": ("google.protobuf misreads", "google.protobuf refuses"),
    "arrow": ("pyarrow reads NULL", "pyarrow reads ", "pyarrow refuses"),
    "iceberg": ("pyarrow reads NULL", "pyarrow reads ", "pyarrow refuses"),
}
# fastavro does not take a schema whose default is none, so that it cannot show anything about it.
NOT_TAKEN = "default-does-not-fit"


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def avro(source: random.Random) -> tuple[Any, Any]:
    pairs = beside("avro_pairs")
    writer = pairs.record(source, 3, [])
    return avro_of(pairs.changed(writer, source)), avro_of(writer)


def json_schema(source: random.Random) -> tuple[Any, Any]:
    pairs = beside("json_pairs")
    writer = pairs.schema(source, 3)
    return read_schema(pairs.changed(writer, source)), read_schema(writer)


def protobuf(source: random.Random) -> tuple[Any, Any]:
    pairs = beside("proto_pairs")
    writer = pairs.schema(source)
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for of in (pairs.changed(writer, source), writer):
            file = Path(folder) / "one.proto"
            file.write_text(pairs.text(of), encoding="utf-8")
            made.append(read_proto(file))
    return made[0], made[1]


def arrow(source: random.Random) -> tuple[Any, Any]:
    made: tuple[Any, Any] = beside("column_pairs").pair(source, iceberg=False)
    return made


def iceberg(source: random.Random) -> tuple[Any, Any]:
    made: tuple[Any, Any] = beside("column_pairs").pair(source, iceberg=True)
    return made


PAIRS: dict[str, Callable[[random.Random], tuple[Any, Any]]] = {
    "avro": avro,
    "json": json_schema,
    "protobuf": protobuf,
    "arrow": arrow,
    "iceberg": iceberg,
}


def put_to_the_test(form: str, seed: int, records: int) -> Compatibility:
    """The verdict on the pair `seed` of the format `form`; asserts that it is so."""
    reader, writer = PAIRS[form](random.Random(seed))
    changes = FORMATS[form].reads(reader, writer)
    tried = FORMATS[form].prove(reader, writer, changes, records)
    assert [one.change for one in tried] == [one.change for one in changes], (form, seed, tried)
    skipped = any(one.change == NOT_TAKEN for one in changes)
    for change in tried:
        if change.verdict is Compatibility.INCOMPATIBLE and not skipped:
            assert shown(form, change), (form, seed, change)
    order = list(Compatibility)
    return max((one.verdict for one in changes), key=order.index, default=Compatibility.COMPATIBLE)


def shown(form: str, change: Change) -> bool:
    """Whether the witness really shows the change, or the reason says why there is none."""
    if change.witness is None:
        return "no finite record" in change.reason
    outcome = change.witness.outcome
    if form == "json":
        return outcome.endswith(SHOWS[form])
    return outcome.startswith(SHOWS[form]) and not outcome.startswith("pyarrow reads it")


def rate(form: str, count: int, records: int) -> dict[str, int]:
    """How often each verdict was given, and held, over `count` pairs."""
    found = dict.fromkeys((one.value for one in Compatibility), 0)
    for seed in range(count):
        found[put_to_the_test(form, seed, records).value] += 1
    return found


if __name__ == "__main__":
    import sys

    pairs, per_pair = int(sys.argv[1]), int(sys.argv[2])
    print(json.dumps({form: rate(form, pairs, per_pair) for form in PAIRS}, indent=1))
