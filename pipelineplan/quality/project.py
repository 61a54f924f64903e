"""Suites as a Great Expectations 1.x file project, written without Great Expectations.

    gx/great_expectations.yml            stores, the SQL datasource, no analytics, no progress bars
       expectations/orders.json          the suite
       validation_definitions/orders.json
       checkpoints/all.json              runs everything

Names and ids depend on the input only, so the same input gives the same bytes.
"""

# ruff: noqa: S608 - names and values are quoted by `sql.identifier` and `sql.literal`

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelineplan.quality import sql
from pipelineplan.quality.check import Accounted, Check, Suite, Suites, stable_id
from pipelineplan.verdicts import Severity

DATABASE_VARIABLE = "PIPELINEPLAN_DATABASE"
DATASOURCE, BATCH, CHECKPOINT = "data", "whole", "all"

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
_README = f"""\
# Quality checks, ready for Great Expectations 1.x

Compiled from data contracts and a plan; edit those and compile again.

    export {DATABASE_VARIABLE}=postgresql+psycopg://user@host/database
    python -c "import great_expectations as gx; \\
      print(gx.get_context(mode='file', project_root_dir='.').checkpoints.get('{CHECKPOINT}').run().success)"

Run it in the folder that holds `gx/`. `{DATABASE_VARIABLE}` is any SQLAlchemy URL of a database
that has the tables. The suites in `gx/expectations/` are plain too: the expectations other than
`unexpected_rows_expectation` also run on a pandas data frame.
"""


def write_gx_project(suites: Suites, folder: Path) -> Path:
    """Write the project into `folder`/gx, each file whole or not at all; gives that path."""
    root = folder / "gx"
    for name, content in gx_files(suites).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(file.name + ".part")
        beside.write_bytes(content)
        beside.replace(file)
    return root


def gx_files(suites: Suites, connection: str = f"${{{DATABASE_VARIABLE}}}") -> Mapping[str, bytes]:
    """The files of the project by their path inside gx/; `connection` is the database's URL."""
    names = file_names(suites)
    files = {
        "README.md": _README.encode(),
        ".gitignore": b"uncommitted/\n",
        "great_expectations.yml": _context(suites, names, connection),
        f"checkpoints/{CHECKPOINT}.json": _json(_checkpoint(suites, names)),
    }
    for suite in suites.suites:
        name = names[suite.dataset]
        left_out = [entry for entry in suites.not_executable if entry.dataset == suite.dataset]
        files[f"expectations/{name}.json"] = _json(suite_json(suite, name, left_out))
        files[f"validation_definitions/{name}.json"] = _json(
            _validation(name, stable_id("suite", suite.dataset))
        )
    return dict(sorted(files.items()))


def file_names(suites: Suites) -> Mapping[str, str]:
    """A name for each dataset that every file system takes and none confuses with another."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for suite in suites.suites:
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", suite.dataset)[:60]
        if plain != suite.dataset or plain.lower() in taken:
            plain = f"{plain}-{stable_id('file', suite.dataset)[:8]}"
        taken.add(plain.lower())
        names[suite.dataset] = plain
    return names


def suite_json(suite: Suite, name: str, left_out: list[Accounted]) -> dict[str, Any]:
    """The suite as Great Expectations keeps it; `meta` lists what nothing checks."""
    not_executable = [
        {"rule": entry.rule, "path": str(entry.place), "reason": entry.reason} for entry in left_out
    ]
    return {
        "name": name,
        "id": stable_id("suite", suite.dataset),
        "expectations": [_expectation(check) for check in suite.expectations],
        "meta": {"dataset": suite.dataset, "not_executable": not_executable},
        "notes": None,
    }


def _expectation(check: Check) -> dict[str, Any]:
    origin = {"path": str(check.place), "position": str(check.place.position), "rule": check.source_rule}
    return {
        "type": check.expectation_type,
        "id": check.id,
        "kwargs": dict(check.kwargs),
        "severity": _SEVERITIES[check.severity],
        "description": check.title,
        "meta": {"dimension": check.dimension, "origin": origin},
    }


def _asset_id(name: str) -> str:
    return stable_id("asset", name)


def _batch_id(name: str) -> str:
    return stable_id("batch", name)


def _validation(name: str, suite_id: str) -> dict[str, Any]:
    return {
        "name": name,
        "id": stable_id("validation", name),
        "data": {
            "datasource": {"name": DATASOURCE, "id": stable_id("datasource")},
            "asset": {"name": name, "id": _asset_id(name)},
            "batch_definition": {"name": BATCH, "id": _batch_id(name)},
        },
        "suite": {"name": name, "id": suite_id},
    }


def _checkpoint(suites: Suites, names: Mapping[str, str]) -> dict[str, Any]:
    used = [names[suite.dataset] for suite in suites.suites]
    return {
        "name": CHECKPOINT,
        "id": stable_id("checkpoint"),
        "actions": [],
        "result_format": "SUMMARY",
        "validation_definitions": [{"name": name, "id": stable_id("validation", name)} for name in used],
    }


def _store(kind: str, folder: str) -> dict[str, Any]:
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
    return {"class_name": kind, "store_backend": {**backend, "suppress_store_backend_id": True}}


def _context(suites: Suites, names: Mapping[str, str], connection: str) -> bytes:
    assets = {names[suite.dataset]: _asset(suite, names[suite.dataset]) for suite in suites.suites}
    context = {
        "config_version": 4.0,
        "config_variables_file_path": "uncommitted/config_variables.yml",
        "analytics_enabled": False,
        "data_context_id": stable_id("context"),
        "progress_bars": {"globally": False, "metric_calculations": False},
        "stores": {
            "expectations_store": _store("ExpectationsStore", "expectations/"),
            "validation_results_store": _store("ValidationResultsStore", "uncommitted/validations/"),
            "checkpoint_store": _store("CheckpointStore", "checkpoints/"),
            "validation_definition_store": _store("ValidationDefinitionStore", "validation_definitions/"),
        },
        "expectations_store_name": "expectations_store",
        "validation_results_store_name": "validation_results_store",
        "checkpoint_store_name": "checkpoint_store",
        "data_docs_sites": {},
        "fluent_datasources": {
            DATASOURCE: {
                "type": "sql",
                "id": stable_id("datasource"),
                "connection_string": connection,
                "assets": assets,
            }
        },
    }
    return yaml.safe_dump(context, sort_keys=False, allow_unicode=True, width=10_000).encode()


def _asset(suite: Suite, name: str) -> dict[str, Any]:
    # A query and not a table: Great Expectations writes the name of a table unquoted into SQL.
    return {
        "type": "query",
        "id": _asset_id(name),
        "query": f"SELECT * FROM {sql.identifier(suite.table)}",
        "batch_metadata": {},
        "batch_definitions": {BATCH: {"id": _batch_id(name), "partitioner": None}},
    }


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
