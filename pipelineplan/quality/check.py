"""What compilation yields: checks by dataset, and an account of every rule that went in.

    rule  $.schema[0].properties[2].quality[0]   nullValues mustBe 0
      -> Check  expect_column_values_to_not_be_null {"column": "email"}
      -> Accounted("expectation", checks=("6f1c...",))

Nothing vanishes: a rule that cannot run is accounted for with the reason.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pipelineplan.contracts import Place
from pipelineplan.quality.sql import Dialect
from pipelineplan.verdicts import Severity

How = Literal["expectation", "sql", "schema"]
Outcome = Literal["expectation", "sql", "schema", "not executable"]

# The room for this package's names among all uuids: a random constant.
_NAMESPACE = uuid.UUID("5f0f1d0e-2c1b-4c59-9a5e-6f5a1f1b7c55")


def stable_id(*parts: str) -> str:
    """A uuid (version 5) that depends on `parts` and on nothing else."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))


@dataclass(frozen=True)
class Check:
    """One question to one dataset, with a yes or no for an answer.

    `how` says who answers: Great Expectations by an expectation of its own, Great Expectations
    by running SQL, or this package by reading the columns' types. `source_rule` names the kind
    of rule (required, minimum, quality), `place` where it is written.
    """

    id: str
    dataset: str
    title: str
    dimension: str
    severity: Severity
    expectation_type: str
    kwargs: Mapping[str, Any]
    place: Place
    source_rule: str
    how: How
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Accounted:
    """What became of one rule: how it is checked and by which checks, or why it is not."""

    dataset: str
    rule: str
    outcome: Outcome
    place: Place
    checks: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Suite:
    """The checks of one dataset; `table` is its name in the data, `columns` its field names.

    `text_columns` are declared to be text, and stay so when read from a file without types.
    """

    dataset: str
    table: str
    checks: tuple[Check, ...]
    text_columns: tuple[str, ...] = ()

    @property
    def expectations(self) -> tuple[Check, ...]:
        """The checks that Great Expectations runs."""
        return tuple(check for check in self.checks if check.how != "schema")


@dataclass(frozen=True)
class Suites:
    """Everything that was compiled, in the order of contracts and rules."""

    suites: tuple[Suite, ...]
    account: tuple[Accounted, ...]
    as_of: datetime | None = None
    dialect: Dialect = "standard"

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every check of every dataset."""
        return tuple(check for suite in self.suites for check in suite.checks)

    @property
    def not_executable(self) -> tuple[Accounted, ...]:
        """The rules that nothing checks, each with its reason."""
        return tuple(entry for entry in self.account if entry.outcome == "not executable")
