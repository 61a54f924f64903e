"""The versions of one subject in a Confluent Schema Registry: read over its REST API, only when asked.

    GET /subjects/orders-value/versions           [1, 2, 3]
    GET /subjects/orders-value/versions/2         {"version": 2, "schemaType": "AVRO", "schema": "...", ...}

A registry that wants to know who asks gets the header `Authorization` from the environment variable
`PIPELINEPLAN_REGISTRY_AUTHORIZATION`; it is stored nowhere and shown nowhere, and goes to no other host.

Source: Confluent Schema Registry API Reference, Confluent Platform 8.0, 2025, sections "Subjects" and
"Schemas"; `schemaType` is absent for Avro, `ts` (milliseconds) is there since 8.0.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

from pipelineplan.contracts.evolution.recorded import Content, Recorded, read_contents
from pipelineplan.contracts.evolution.schemas import FORMATS
from pipelineplan.documents.reads import bytes_of
from pipelineplan.errors import InputError, Position, Problem

AUTHORIZATION = "PIPELINEPLAN_REGISTRY_AUTHORIZATION"
TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 8 * 1024 * 1024
_MOST_VERSIONS = 500
_FORMATS = {"AVRO": "avro", "JSON": "json", "PROTOBUF": "protobuf"}


def versions_in_registry(url: str, subject: str, next_one: Path | None = None) -> Recorded:
    """The versions of `subject` in the registry at `url`, oldest first, then the file `next_one`.

    Raises `InputError` where the registry cannot be reached, refuses, or answers what is not documented.
    """
    base = _base(url)
    path = f"{base}/subjects/{urllib.parse.quote(subject, safe='')}/versions"
    numbers = _answer(path)
    if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
        _refuse(path, "wanted a list of version numbers")
    answers = [_version(path, number, subject) for number in sorted(numbers)[-_MOST_VERSIONS:]]
    kinds = {kind for kind, _ in answers}
    if len(kinds) > 1:
        _refuse(path, f"versions of several formats: {', '.join(sorted(kinds))}")
    contents = [content for _, content in answers]
    if next_one is not None:
        contents.append(_next(next_one))
    kind = next(iter(kinds), "avro")
    return read_contents(contents, FORMATS[kind].endings[0], kind)


def _base(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError([Problem("wanted a URL such as https://registry:8081", Position("--registry"))])
    if parts.username or parts.password:
        fix = f"set {AUTHORIZATION} in the environment"
        raise InputError([Problem("a URL with a password in it", Position("--registry"), fix=fix)])
    return url.rstrip("/")


def _version(path: str, number: int, subject: str) -> tuple[str, Content]:
    place = f"{path}/{number}"
    answer = _answer(place)
    if not isinstance(answer, dict) or not isinstance(answer.get("schema"), str):
        _refuse(place, "wanted a schema")
    written = str(answer.get("schemaType") or "AVRO")
    kind = _FORMATS.get(written, "")
    if kind not in FORMATS:
        _refuse(place, f"found the schema type {written[:40]!r}, wanted one of {', '.join(FORMATS)}")
    if answer.get("references"):
        _refuse(place, "the schema refers to other subjects, which is not followed")
    seconds = answer.get("ts")
    start = seconds / 1000 if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None
    return kind, Content(f"{subject} version {number}", answer["schema"].encode(), start)


def _next(file: Path) -> Content:
    try:
        return Content(file.as_posix(), bytes_of(file, _MOST_BYTES + 1))
    except OSError as error:
        message = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError([Problem(message, Position(file.as_posix()))]) from None


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the header would go to a host that nobody named."""

    def redirect_request(self, *_: Any) -> None:
        """None is followed."""


def _answer(url: str) -> Any:
    request = urllib.request.Request(url, headers={"Accept": "application/vnd.schemaregistry.v1+json"})  # noqa: S310  (http and https only, see _base)
    authorization = os.environ.get(AUTHORIZATION)
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.build_opener(_Stays).open(request, timeout=TIMEOUT_SECONDS) as response:
            text = response.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        _refuse(url, _status(error.code))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        _refuse(url, f"cannot be reached: {str(reason).lower()}")
    if len(text) > _MOST_BYTES:
        _refuse(url, f"answers more than {_MOST_BYTES // 1024**2} MiB")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        _refuse(url, "answers no JSON")


def _status(code: int) -> str:
    match code:
        case 401 | 403:
            return f"refuses ({code}): set {AUTHORIZATION} to what the header Authorization has to say"
        case 404:
            return "knows no such subject or version (404)"
    return f"answers with status {code}"


def _refuse(url: str, message: str) -> NoReturn:
    raise InputError([Problem(message, Position(url))])
