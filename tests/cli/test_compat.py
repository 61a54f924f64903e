"""The command `compat`: exit statuses, the envelope, and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run

V1 = [{"name": "id", "type": "int"}]
V2 = [*V1, {"name": "region", "type": "string", "default": "eu"}]
V3 = [*V1, {"name": "region", "type": "string"}]
LOSSY = [{"name": "id", "type": "double"}]
FLOAT = [{"name": "id", "type": "float"}]


def schema(folder: Path, name: str, fields: list[dict[str, Any]]) -> str:
    file = folder / name
    file.write_text(json.dumps({"type": "record", "name": "Order", "fields": fields}), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("versions", "options", "status"),
    [
        ((V1, V2), [], 0),
        ((V1, V3), [], 1),
        ((V1, V2, V3), ["--mode", "backward"], 0),
        ((V1, V2, V3), ["--mode", "BACKWARD_TRANSITIVE"], 1),
        ((V2, V1), ["--mode", "FORWARD"], 0),
        ((V3, V1), ["--mode", "FORWARD"], 1),
        ((V1, V2), ["--mode", "FULL"], 0),
        ((V1, V3), ["--mode", "FULL"], 1),
        ((V1, V2, V3), ["--mode", "FORWARD_TRANSITIVE"], 0),
        ((V1, V2, V3), ["--mode", "FULL_TRANSITIVE"], 1),
        ((V1, V3), ["--mode", "NONE"], 0),
        ((V1, LOSSY), [], 0),
        ((V1, FLOAT), [], 0),
        ((V1, FLOAT), ["--refuse", "lossy-promotion"], 1),
        ((V1, V2), ["--mode", "SIDEWAYS"], 2),
        ((V1, V2), ["--allow", "everything"], 2),
        ((V1, V2), ["--type", "cobol"], 2),
        ((V1,), [], 2),
    ],
)
def test_exit_status(tmp_path: Path, versions: tuple[Any, ...], options: list[str], status: int) -> None:
    files = [schema(tmp_path, f"v{i}.avsc", fields) for i, fields in enumerate(versions)]
    assert run(["compat", *files, *options]) == status


def test_text_says_who_where_why_and_shows_a_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [schema(tmp_path, "a.avsc", V1), schema(tmp_path, "b.avsc", V3)]
    assert run(["compat", *files]) == 1
    assert capsys.readouterr().out == (
        f"{files[1]} reads {files[0]}: incompatible\n"
        "  $.fields[1]: reader-field-without-default: the reader wants 'region', which is not written "
        "and has no default\n"
        '    witness: {"id": 0} (not read)\n'
        "BACKWARD: consumers first\n"
    )


def test_json_is_one_envelope(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [schema(tmp_path, "a.avsc", V1), schema(tmp_path, "b.avsc", V3)]
    assert run(["compat", *files, "--format", "json", "--prove", "5"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["exit_status"]) == ("pipelineplan/compat/v1", 1)
    assert (found["verdict"], found["passes"], found["mode"]) == ("incompatible", False, "BACKWARD")
    change = found["pairs"][0]["changes"][0]
    assert change["path"] == "$.fields[1]"
    assert change["who"] == "new readers of old records"
    assert change["witness"]["record"] == {"id": 0}
    assert change["witness"]["outcome"].startswith("fastavro refuses: No default value")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ('{"a": 1, "a": 2}', "the key 'a' is here twice"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": NaN}', "NaN is no number"),
        ("7", "found no type"),
    ],
)
def test_what_is_no_schema_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    (tmp_path / "bad.avsc").write_text(content, encoding="utf-8")
    assert run(["compat", schema(tmp_path, "a.avsc", V1), str(tmp_path / "bad.avsc")]) == 2
    assert said in capsys.readouterr().err


def test_a_foreign_ending_asks_for_the_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [schema(tmp_path, "a.txt", V1), schema(tmp_path, "b.txt", V2)]
    assert run(["compat", *files]) == 2
    assert "--type" in capsys.readouterr().err
    assert run(["compat", *files, "--type", "avro"]) == 0


def test_the_api_gives_the_same(tmp_path: Path) -> None:
    import pipelineplan

    result = pipelineplan.compat([schema(tmp_path, "a.avsc", V1), schema(tmp_path, "b.avsc", V3)])
    assert not result.passes
    assert result.to_rows()[0]["change"] == "reader-field-without-default"


HISTORY = """\
versions:
  - {schema: v1.avsc, from: 2026-01-01}
  - {schema: v2.avsc, from: 2026-01-21}
  - {schema: v3.avsc, from: 2026-02-15}
retention: RETENTION
replay: {at: 2026-02-16}
rollout:
  rollback: ROLLBACK
  steps:
    - {producers: shop, to: v3}
    - {consumers: fraud, to: v3}
"""


def history(folder: Path, retention: str, rollback: str = "false", v3: Any = V3) -> list[str]:
    for name, fields in (("v1", V1), ("v2", V2), ("v3", v3)):
        schema(folder, f"{name}.avsc", fields)
    file = folder / "orders.history.yaml"
    text = HISTORY.replace("RETENTION", retention).replace("ROLLBACK", rollback)
    file.write_text(text, encoding="utf-8")
    return ["compat", "--history", str(file), "--mode"]


@pytest.mark.parametrize(("retention", "status", "alive"), [("30 d", 1, "v1, v2, v3"), ("7 d", 0, "v2, v3")])
def test_replay_looks_at_what_is_still_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], retention: str, status: int, alive: str
) -> None:
    assert run([*history(tmp_path, retention), "REPLAY"]) == status
    assert f"REPLAY: still live: {alive}\n" in capsys.readouterr().out


MUST = [{"name": "id", "type": "long"}, {"name": "region", "type": "string", "default": "eu"}]


def test_window_prints_a_safe_order_and_fails_for_the_declared_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*history(tmp_path, "7 d", v3=MUST), "WINDOW"]) == 1
    out = capsys.readouterr().out
    assert "v2 reads v3: incompatible" in out
    assert out.endswith("WINDOW: safe order: consumers fraud to v3; producers shop to v3\n")


def test_window_names_the_conflict_where_no_order_is_safe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*history(tmp_path, "7 d", "true", v3=MUST), "WINDOW"]) == 1
    assert capsys.readouterr().out.endswith("no order of these steps is safe: v2 reads v3\n")


@pytest.mark.parametrize("v3", [V2, V3], ids=["the same", "no default any more"])
def test_window_that_holds(tmp_path: Path, v3: Any) -> None:
    assert run([*history(tmp_path, "7 d", "true", v3=v3), "WINDOW"]) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("7 d", "7 bananas"),
        ("2026-01-21", "2025-01-21"),
        ("2026-01-21", "soon"),
        ("to: v3", "to: v9"),
        ("producers: shop", "producer: shop"),
        ("replay: {at: 2026-02-16}", ""),
        ("retention: 7 d", ""),
        ("v1.avsc", "v0.avsc"),
    ],
)
def test_a_history_that_cannot_be_used_ends_with_2(tmp_path: Path, old: str, new: str) -> None:
    command = history(tmp_path, "7 d")
    file = Path(command[2])
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    assert run([*command, "REPLAY"]) == 2


def test_versions_come_from_one_place(tmp_path: Path) -> None:
    command = history(tmp_path, "7 d")
    assert run([*command, "FULL"]) == 0
    assert run([*command, "REPLAY", str(tmp_path / "v1.avsc")]) == 2
    assert run([*command, "REPLAY", "--retention", "7 d"]) == 2
    assert run(["compat", schema(tmp_path, "a.avsc", V1), "--mode", "REPLAY"]) == 2
    assert run(["compat", str(tmp_path), "--mode", "WINDOW"]) == 2


def test_json_schemas_by_their_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "a.json", tmp_path / "b.json"
    old.write_text('{"properties": {"a": {"type": "number"}}}', encoding="utf-8")
    new.write_text('{"properties": {"a": {"type": "integer"}}}', encoding="utf-8")
    assert run(["compat", str(old), str(new), "--prove", "50"]) == 1
    assert 'witness: {"a": 0.5} (accepted by the writer' in capsys.readouterr().out
    assert run(["compat", str(new), str(old), "--prove", "50"]) == 0
