"""`compat` over versions that are not named one by one: a folder, a git history, a schema registry."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run
from pipelineplan.contracts.evolution import from_registry

V1 = [{"name": "id", "type": "int"}]
V2 = [*V1, {"name": "region", "type": "string", "default": "eu"}]
V3 = [*V1, {"name": "region", "type": "string"}]


def text_of(fields: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "record", "name": "Order", "fields": fields})


def folder_of(folder: Path, names: tuple[str, str, str]) -> Path:
    (folder / "README.md").write_text("no version", encoding="utf-8")
    for name, fields in zip(names, (V1, V2, V3), strict=True):
        (folder / name).write_text(text_of(fields), encoding="utf-8")
    return folder


DATED = ("2026-01-01.orders.v1.avsc", "2026-01-21.orders.v2.avsc", "orders.v3.2026-02-15.avsc")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--mode", "BACKWARD"], 0, "orders.v3 reads orders.v2: compatible"),
        (["--mode", "BACKWARD_TRANSITIVE"], 1, "orders.v3 reads orders.v1: incompatible"),
        (["--mode", "REPLAY", "--retention", "30 d"], 1, "still live: orders.v1, orders.v2, orders.v3"),
        (["--mode", "REPLAY", "--retention", "7 d"], 0, "still live: orders.v2, orders.v3"),
        (["--mode", "REPLAY", "--retention", "30 d", "--at", "2026-02-21"], 0, "live: orders.v2, orders.v3"),
        (["--mode", "REPLAY", "--retention", "for ever", "--at", "2027-01-01"], 1, "live: orders.v1"),
    ],
)
def test_a_folder_of_dated_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, said: str
) -> None:
    assert run(["compat", str(folder_of(tmp_path, DATED)), *options]) == status
    assert said in capsys.readouterr().out


def test_a_folder_of_numbers_goes_by_them_and_has_no_dates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, ("orders.v2.avsc", "orders.v9.avsc", "orders.v10.avsc"))
    assert run(["compat", str(folder)]) == 0
    assert "orders.v10 reads orders.v9: compatible" in capsys.readouterr().out
    assert run(["compat", str(folder), "--mode", "REPLAY", "--retention", "7 d"]) == 2
    assert "put dates in the file names" in capsys.readouterr().err


def test_a_history_file_in_the_folder_says_which_version_is_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, ("c.avsc", "b.avsc", "a.avsc"))
    said = [("c", "2026-01-01"), ("b", "2026-01-21"), ("a", "2026-02-15")]
    lines = [f"  - {{schema: {name}.avsc, from: {day}, name: 'v-{name}'}}" for name, day in said]
    (folder / "history.yaml").write_text("\n".join(["versions:", *lines]), encoding="utf-8")
    assert run(["compat", str(folder), "--mode", "REPLAY", "--retention", "30 d"]) == 1
    assert "still live: v-c, v-b, v-a" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (("2026-01-01.a.avsc", "b.avsc", "c.avsc"), [], "some files have a date in their name"),
        (("2026-13-01.a.avsc", "2026-01-02.b.avsc", "2026-01-03.c.avsc"), [], "2026-13-01 in its name"),
        (DATED, ["--mode", "REPLAY"], "how long records are kept"),
        (DATED, ["--mode", "REPLAY", "--retention", "long"], "--retention"),
        (DATED, ["--mode", "REPLAY", "--retention", "7 d", "--at", "soon"], "wanted a date"),
        (DATED, ["--retention", "7 d"], "are for REPLAY"),
    ],
)
def test_a_folder_that_cannot_be_used(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    names: tuple[str, str, str],
    options: list[str],
    said: str,
) -> None:
    assert run(["compat", str(folder_of(tmp_path, names)), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.avsc").write_text(text_of(V1), encoding="utf-8")
    (tmp_path / "in" / "v1.avsc").symlink_to(tmp_path / "secret.avsc")
    assert run(["compat", str(tmp_path / "in")]) == 2
    assert "a link that leaves its folder" in capsys.readouterr().err


def git(folder: Path, *arguments: str, date: str = "2026-01-01T00:00:00Z") -> None:
    who = {
        f"GIT_{role}_{what}": "x@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    plain = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=who | dates | plain
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    file = tmp_path / "schemas" / "order.avsc"
    file.parent.mkdir()
    for number, (fields, day) in enumerate(((V1, "01-01"), (V2, "01-21"), (V3, "02-15")), start=1):
        file.write_text(text_of(fields), encoding="utf-8")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "-m", f"v{number}", date=f"2026-{day}T00:00:00Z")
        git(tmp_path, "tag", f"v{number}")
    return file


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--mode", "BACKWARD"], 0, "(2026-02-15) reads order.avsc at"),
        (["--mode", "BACKWARD_TRANSITIVE"], 1, "(2026-01-01): incompatible"),
        (["--mode", "BACKWARD", "--base", "v1"], 1, "order.avsc now reads order.avsc at"),
        (["--mode", "BACKWARD", "--base", "v2"], 0, "compatible"),
        (["--mode", "REPLAY", "--retention", "30 d", "--at", "2026-02-16"], 1, "incompatible"),
        (["--mode", "REPLAY", "--retention", "7 d", "--at", "2026-02-16"], 0, "compatible"),
    ],
)
def test_a_git_history(
    repository: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, said: str
) -> None:
    assert run(["compat", "--git", str(repository), *options]) == status
    assert said in capsys.readouterr().out


def test_what_is_not_committed_yet_is_the_newest_version(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write_text(text_of([*V3, {"name": "new", "type": "int"}]), encoding="utf-8")
    assert run(["compat", "--git", str(repository)]) == 1
    assert "order.avsc now reads order.avsc at" in capsys.readouterr().out


def test_a_git_history_that_cannot_be_used(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compat", "--git", str(repository), "--base", "v9"]) == 2
    assert "git knows no revision 'v9'" in capsys.readouterr().err
    assert run(["compat", "--git", str(repository.with_name("none.avsc"))]) == 2
    assert run(["compat", "--base", "v1", str(repository)]) == 2


class Registry(BaseHTTPRequestHandler):
    """The part of the documented API that is asked: the versions of a subject, and one version."""

    schemas: tuple[dict[str, Any], ...] = ()
    wanted = ""
    asked: tuple[tuple[str, str], ...] = ()

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization", "")
        type(self).asked += ((self.path, sent),)
        if self.wanted and sent != self.wanted:
            self.answer(401, {"error_code": 401, "message": "Unauthorized"})
            return
        start = "/subjects/orders-value/versions"
        if self.path == start:
            self.answer(200, list(range(1, len(self.schemas) + 1)))
        elif self.path.startswith(f"{start}/"):
            number = int(self.path.rpartition("/")[2])
            whole = {"subject": "orders-value", "id": 100 + number, "version": number}
            self.answer(200, whole | self.schemas[number - 1])
        elif self.path == "/subjects/moved/versions":
            self.send_response(302)
            self.send_header("Location", "http://example.com/")
            self.end_headers()
        else:
            self.answer(404, {"error_code": 40401, "message": "Subject not found."})

    def answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv(from_registry.AUTHORIZATION, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Registry.asked, Registry.wanted = (), ""
    Registry.schemas = tuple({"schema": text_of(fields)} for fields in (V1, V2, V3))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("fields", "mode", "status"),
    [
        (None, "BACKWARD", 0),
        (None, "BACKWARD_TRANSITIVE", 1),
        (V2, "BACKWARD_TRANSITIVE", 0),
        (V2, "FULL", 0),
    ],
)
def test_a_registry(registry: str, tmp_path: Path, fields: Any, mode: str, status: int) -> None:
    (tmp_path / "next.avsc").write_text(text_of(fields or V1), encoding="utf-8")
    next_one = [str(tmp_path / "next.avsc")] if fields else []
    asked = ["--registry", registry, "--subject", "orders-value", "--mode", mode]
    assert run(["compat", *next_one, *asked]) == status
    assert [path for path, _ in Registry.asked] == [
        "/subjects/orders-value/versions",
        *(f"/subjects/orders-value/versions/{number}" for number in (1, 2, 3)),
    ]


def test_a_registry_with_dates_answers_replay(registry: str, capsys: pytest.CaptureFixture[str]) -> None:
    days = (0, 20, 45)
    Registry.schemas = tuple(
        one | {"schemaType": "AVRO", "ts": day * 86_400_000}
        for one, day in zip(Registry.schemas, days, strict=True)
    )
    asked = ["compat", "--registry", registry, "--subject", "orders-value", "--mode", "REPLAY"]
    assert run([*asked, "--retention", "30 d"]) == 1
    assert run([*asked, "--retention", "7 d"]) == 0
    assert "still live: orders-value version 2, orders-value version 3" in capsys.readouterr().out


def test_json_schemas_of_a_registry(registry: str) -> None:
    Registry.schemas = (
        {"schemaType": "JSON", "schema": '{"type": "number"}'},
        {"schemaType": "JSON", "schema": '{"type": "integer"}'},
    )
    asked = ["compat", "--registry", registry, "--subject", "orders-value", "--mode"]
    assert run([*asked, "FORWARD"]) == 0
    assert run([*asked, "BACKWARD"]) == 1


def test_the_header_comes_from_the_environment_and_is_never_shown(
    registry: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Registry.wanted = "Basic c2VjcmV0"
    asked = ["compat", "--registry", registry, "--subject", "orders-value", "--format", "json"]
    assert run(asked) == 2
    assert f"set {from_registry.AUTHORIZATION}" in capsys.readouterr().out
    monkeypatch.setenv(from_registry.AUTHORIZATION, Registry.wanted)
    assert run(asked) == 0
    told = capsys.readouterr()
    assert "c2VjcmV0" not in told.out + told.err
    assert {sent for _, sent in Registry.asked} == {"", Registry.wanted}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"schemaType": "COBOL", "schema": "x"}, "schema type 'COBOL'"),
        ({"schema": "{"}, "orders-value version 1"),
        ({"schema": 7}, "wanted a schema"),
        ({"schema": text_of(V1), "references": [{"name": "x"}]}, "refers to other subjects"),
    ],
)
def test_an_answer_that_cannot_be_used(
    registry: str, capsys: pytest.CaptureFixture[str], answer: dict[str, Any], said: str
) -> None:
    Registry.schemas = (answer, {"schema": text_of(V1)})
    assert run(["compat", "--registry", registry, "--subject", "orders-value"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "subject", "said"),
    [
        ("REGISTRY", "none", "knows no such subject"),
        ("REGISTRY", "moved", "answers with status 302"),
        ("http://127.0.0.1:1", "orders-value", "cannot be reached"),
        ("http://user:secret@127.0.0.1:1", "orders-value", "a URL with a password in it"),
        ("file:///etc", "passwd", "wanted a URL"),
    ],
)
def test_a_registry_that_cannot_be_asked(
    registry: str, capsys: pytest.CaptureFixture[str], url: str, subject: str, said: str
) -> None:
    assert run(["compat", "--registry", url.replace("REGISTRY", registry), "--subject", subject]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told


def test_a_registry_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    monkeypatch.setattr(from_registry, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert run(["compat", "--registry", url, "--subject", "orders-value"]) == 2
    assert "timed out" in capsys.readouterr().err
