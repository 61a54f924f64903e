"""Reads an Open Data Contract Standard file (versions 3.0 to 3.2) into a `Contract`.

    apiVersion: v3.1.0          one of the versions this reader knows
    kind: DataContract
    id, version, status         wanted by the standard
    schema: [...]               -> datasets, fields, quality rules
    slaProperties: [...]        -> service levels

Source: Open Data Contract Standard 3.1.0, Bitol, LF AI & Data, 2025; the standard's JSON Schema
of the same version. Unknown keys are tolerated: later versions and organisations add some.
"""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any

from pipelineplan.contracts.contract import Contract, Sla
from pipelineplan.contracts.odcs_fields import read_dataset
from pipelineplan.contracts.section import Section, shown
from pipelineplan.documents import Document, read_document
from pipelineplan.errors import InputError, Problem

_VERSION = re.compile(r"v?3\.[0-2](?:\.\d+)?\Z")
# `unit: y` means years to this standard; readers of YAML 1.1 that take it for `true` are rare.
_PLAIN_WORDS = frozenset({"y", "n"})
_KEYS = (
    "apiVersion",
    "kind",
    "id",
    "name",
    "version",
    "status",
    "tenant",
    "tags",
    "servers",
    "dataProduct",
    "description",
    "domain",
    "schema",
    "support",
    "price",
    "team",
    "roles",
    "slaDefaultElement",
    "slaProperties",
    "authoritativeDefinitions",
    "customProperties",
    "contractCreatedTs",
)
_SLA_KEYS = (
    "id",
    "property",
    "value",
    "valueExt",
    "unit",
    "element",
    "driver",
    "description",
    "scheduler",
    "schedule",
)


def read_odcs(file: FilePath, shown_as: str | None = None) -> Contract:
    """The contract in the ODCS file `file`; positions name the file as `shown_as`.

    Raises `InputError` with everything that is structurally wrong, each with line and column.
    """
    return contract_of(read_document(file, shown_as, plain_words=_PLAIN_WORDS))


def contract_of(document: Document) -> Contract:
    """The contract that `document` writes down; raises as `read_odcs` does."""
    if not isinstance(document.data, dict):
        message = f"found {shown(document.data)}, wanted a data contract (a mapping)"
        raise InputError([document.problem((), message)])
    problems: list[Problem] = []
    top = Section(document, (), document.data, problems)
    _check_kind(top)
    contract = _contract(top)
    top.known(_KEYS)
    if problems:
        raise InputError(problems)
    return contract


def _check_kind(top: Section) -> None:
    kind, version = top.text("kind", required=True), top.text("apiVersion", required=True)
    if kind and kind != "DataContract":
        top.complain("kind", f"found {kind!r}, wanted 'DataContract'")
    if version and not _VERSION.match(version):
        fix = "write the version of the standard, such as 'apiVersion: v3.1.0'"
        top.complain("apiVersion", f"found {version!r}, wanted v3.0 to v3.2", fix)


def _contract(top: Section) -> Contract:
    return Contract(
        id=top.text("id", required=True),
        name=top.text("name"),
        version=top.text("version", required=True),
        status=top.text("status", required=True),
        api_version=top.text("apiVersion"),
        file=top.document.file,
        datasets=tuple(read_dataset(section) for section in top.sections("schema")),
        sla=_slas(top),
        team=_team_name(top),
        owners=_owners(top),
        domain=top.text("domain"),
        description=_purpose(top),
        document=top.document,
    )


def _slas(top: Section) -> tuple[Sla, ...]:
    default = _elements(top.value.get("slaDefaultElement"))
    return tuple(_sla(section, default) for section in top.sections("slaProperties"))


def _sla(section: Section, default: tuple[str, ...]) -> Sla:
    section.known(_SLA_KEYS)
    value = section.value.get("value")
    if "value" not in section.value:
        section.complain(None, "the key 'value' is missing", "add 'value:'")
    elif isinstance(value, list | dict):
        section.complain("value", f"found {shown(value)}, wanted one value")
    return Sla(
        name=section.text("property", required=True),
        value=value,
        place=section.place,
        unit=section.text("unit"),
        elements=_elements(section.text("element")) or default,
        extended_value=section.value.get("valueExt"),
        driver=section.text("driver"),
    )


def _elements(written: Any) -> tuple[str, ...]:
    if not isinstance(written, str):
        return ()
    return tuple(part.strip() for part in written.split(",") if part.strip())


def _team_name(top: Section) -> str:
    """The team's name; before version 3.1 a team was a list of members and had none."""
    if isinstance(top.value.get("team"), list):
        return ""
    team = top.section("team")
    return team.text("name") if team else ""


def _owners(top: Section) -> tuple[str, ...]:
    """The members whose role is owner and who have not left."""
    listed = isinstance(top.value.get("team"), list)
    team = None if listed else top.section("team")
    members = top.sections("team") if listed else (team.sections("members") if team else [])
    named = [(member.text("username", required=True), member) for member in members]
    return tuple(
        name for name, member in named if member.text("role").lower() == "owner" and not member.has("dateOut")
    )


def _purpose(top: Section) -> str:
    """The description: since version 3 a mapping with a purpose; a plain text is read too."""
    if isinstance(top.value.get("description"), str):
        return top.text("description")
    described = top.section("description")
    return described.text("purpose") if described else ""
