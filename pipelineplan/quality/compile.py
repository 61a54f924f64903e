r"""From contracts and a plan's quality rules to suites of checks, without Great Expectations.

    contract  -> field checks, key, links, quality rules, service levels  \
                                                                            Suite per dataset
    plan      -> quality rules                                             /

Every rule leaves an entry in the account: compiled to an expectation, to SQL, to a look at the
columns' types, or not executable with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from pipelineplan.contracts import Contract, Dataset, Place, Sla
from pipelineplan.contracts.promises.version import allowed_values
from pipelineplan.contracts.sla import duration_seconds
from pipelineplan.errors import InputError, Problem
from pipelineplan.quality.check import Accounted, Check, Outcome, Suite, Suites, stable_id
from pipelineplan.quality.draft import Draft, Drafted, Reason
from pipelineplan.quality.from_fields import field_checks, key_checks, relationship_checks
from pipelineplan.quality.from_plan import freshness, plan_checks
from pipelineplan.quality.from_rules import rule_checks
from pipelineplan.quality.rule import QualityRule
from pipelineplan.quality.sql import Dialect
from pipelineplan.verdicts import Severity

_SEVERITIES = {
    "info": Severity.INFO,
    "information": Severity.INFO,
    "low": Severity.INFO,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "medium": Severity.WARNING,
}
# Service levels of support and contract, which no row can break; what the standard does not know is told.
_OTHER_LEVELS = frozenset(
    {
        "availability",
        "endoflife",
        "endofsupport",
        "errorrate",
        "generalavailability",
        "retention",
        "throughput",
        "timeofavailability",
        "timetodetect",
        "timetonotify",
        "timetorepair",
    }
)


def compile_suites(
    contracts: Sequence[Contract],
    rules: Sequence[QualityRule] = (),
    as_of: datetime | None = None,
    dialect: Dialect = "standard",
) -> Suites:
    """The suites of all datasets of `contracts` and of those that `rules` name.

    `as_of` is the instant that freshness counts from; without it, rules on freshness are not
    executable. `dialect` is that of the SQL: the standard one runs on DuckDB and PostgreSQL. Ids of
    checks do not depend on it. Raises `InputError` when two contracts describe a dataset of the same name.
    """
    compiling = _Compiling(as_of, dialect)
    compiling.know(contracts)
    for contract in contracts:
        _compile_contract(compiling, contract)
    for rule in rules:
        _compile_plan_rule(compiling, rule)
    return compiling.done()


@dataclass
class _Compiling:
    as_of: datetime | None
    dialect: Dialect
    datasets: dict[str, Dataset] = field(default_factory=dict)
    checks: dict[str, list[Check]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    account: list[Accounted] = field(default_factory=list)

    def know(self, contracts: Iterable[Contract]) -> None:
        problems: list[Problem] = []
        for contract in contracts:
            for dataset in contract.datasets:
                first = self.datasets.setdefault(dataset.name, dataset)
                if first is not dataset:
                    message = (
                        f"the dataset {dataset.name!r} is described twice, first in {first.place.position}"
                    )
                    problems.append(Problem(message, dataset.place.position, str(dataset.place)))
                self.checks.setdefault(dataset.name, [])
        if problems:
            raise InputError(problems)

    def take(self, dataset: str, rule: str, place: Place, severity: Severity, drafted: Drafted) -> None:
        """Name what `drafted` holds and account for the rule."""
        match drafted:
            case Reason():
                self.account.append(Accounted(dataset, rule, "not executable", place, reason=drafted.text))
            case tuple():
                made = [self._check(dataset, rule, place, severity, draft) for draft in drafted]
                self.checks.setdefault(dataset, []).extend(made)
                ids = tuple(check.id for check in made)
                self.account.append(Accounted(dataset, rule, _outcome(made), place, ids))
            case _:
                assert_never(drafted)

    def _check(self, dataset: str, rule: str, place: Place, severity: Severity, draft: Draft) -> Check:
        parts = ("check", dataset, rule, str(place), draft.expectation_type, *draft.columns)
        # Rules that are written in Python have no place of their own to tell them apart.
        before = self.times[stable_id(*parts)]
        self.times[stable_id(*parts)] += 1
        return Check(
            id=stable_id(*parts, *([str(before)] if before else [])),
            dataset=dataset,
            title=draft.title,
            dimension=draft.dimension,
            severity=severity,
            expectation_type=draft.expectation_type,
            kwargs=draft.kwargs,
            place=place,
            source_rule=rule,
            how=draft.how,
            columns=draft.columns,
        )

    def parents(self) -> dict[str, tuple[Dataset, str]]:
        return {name: (dataset, table_of(dataset)) for name, dataset in self.datasets.items()}

    def done(self) -> Suites:
        suites = tuple(self._suite(name, checks) for name, checks in self.checks.items())
        return Suites(suites, tuple(self.account), self.as_of, self.dialect)

    def _suite(self, name: str, checks: list[Check]) -> Suite:
        dataset = self.datasets.get(name)
        if dataset is None:
            return Suite(name, name, tuple(checks))
        text = tuple(f.column for f in dataset.fields if f.logical_type == "string")
        return Suite(name, table_of(dataset), tuple(checks), text)


def table_of(dataset: Dataset) -> str:
    """The name of the dataset's table: the physical one where the contract gives it."""
    return dataset.physical_name or dataset.name


def _compile_contract(compiling: _Compiling, contract: Contract) -> None:
    for dataset in contract.datasets:
        _compile_dataset(compiling, contract, dataset)
    for sla in contract.sla:
        if sla.name.lower() not in _OTHER_LEVELS:
            for name, drafted in _level_checks(contract, sla, compiling):
                compiling.take(name, sla.name, sla.place, Severity.ERROR, drafted)


def _compile_dataset(compiling: _Compiling, contract: Contract, dataset: Dataset) -> None:
    name, error = dataset.name, Severity.ERROR
    for each in dataset.walk():
        allowed = allowed_values(contract, each)
        for rule, place, drafted in field_checks(each, compiling.dialect, allowed):
            compiling.take(name, rule, place, error, drafted)
    if any(each.primary_key for each in dataset.walk()):
        compiling.take(name, "primaryKey", dataset.place, error, key_checks(dataset))
    for relation in dataset.relationships:
        drafted = relationship_checks(dataset, relation, compiling.parents())
        compiling.take(name, "relationship", relation.place, error, drafted)
    for written in dataset.rules:
        severity = _SEVERITIES.get(written.severity.lower(), Severity.ERROR)
        compiling.take(
            name, "quality", written.place, severity, rule_checks(written, dataset, compiling.dialect)
        )


def _level_checks(contract: Contract, sla: Sla, compiling: _Compiling) -> Iterator[tuple[str, Drafted]]:
    """Latency as freshness of each element; a frequency needs more than one state of the data."""
    if sla.name.lower() == "frequency":
        yield (
            contract.name or contract.id,
            Reason("a frequency shows in the history, not in one state of the data"),
        )
        return
    if sla.name.lower() != "latency":
        known = Reason(
            f"the standard has no service level {sla.name!r}; the age of the newest row is 'latency'"
        )
        yield contract.name or contract.id, known
        return
    if not sla.elements:
        yield contract.name or contract.id, Reason("latency of no element: nothing says which column")
    for element in sla.elements:
        dataset, _, name = element.partition(".")
        found = contract.dataset(dataset)
        column = found.find(name) if found and name else None
        seconds = duration_seconds(sla)
        if found is None or column is None:
            yield dataset, Reason(f"no dataset of the contract has {element!r}")
        elif column.logical_type not in {"date", "timestamp"}:
            yield found.name, Reason(f"{element!r} is no date and no timestamp")
        elif seconds is None or seconds < 0:
            yield found.name, Reason("the latency is not a length of time")
        else:
            yield (
                found.name,
                freshness(column.column, float(seconds), compiling.as_of, compiling.dialect),
            )


def _compile_plan_rule(compiling: _Compiling, rule: QualityRule) -> None:
    dataset = compiling.datasets.get(rule.dataset)
    columns = tuple(_column(dataset, name) for name in rule.fields)
    parents = {name: table for name, (_, table) in compiling.parents().items()}
    drafted = plan_checks(rule, columns, parents, compiling.as_of, compiling.dialect)
    compiling.take(rule.dataset, rule.check, rule.place, rule.severity, drafted)


def _column(dataset: Dataset | None, name: str) -> str:
    found = dataset.find(name) if dataset else None
    return found.column if found else name


def _outcome(made: list[Check]) -> Outcome:
    """How a rule is checked; one that only repeats another's checks counts as expectation."""
    kinds = {check.how for check in made}
    return "sql" if "sql" in kinds else "schema" if "schema" in kinds else "expectation"
