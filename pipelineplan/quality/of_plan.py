"""A plan's own quality rules and contracts, as suites: who calls which dataset by which name.

A plan speaks of its sources and sinks (`warehouse`), a contract of its datasets
(`minute_sales`); rules may use either name, and so may the data given for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pipelineplan.contracts import Contract, Place
from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.plan.governance import QualityCheck
from pipelineplan.plan.section import Section
from pipelineplan.quality.check import Suites
from pipelineplan.quality.compile import compile_suites
from pipelineplan.quality.generate import Generated, Stream, generate
from pipelineplan.quality.rule import QualityRule
from pipelineplan.quality.sql import Dialect
from pipelineplan.verdicts import Severity


def suites_of(plan: Plan, as_of: datetime | None = None, dialect: Dialect = "standard") -> Suites:
    """The suites of every contract of `plan` and of its own quality rules."""
    contracts, rules = contracts_and_rules(plan)
    return compile_suites(contracts, rules, as_of, dialect)


def contracts_and_rules(plan: Plan) -> tuple[list[Contract], list[QualityRule]]:
    """Every contract of `plan` once, and its quality rules, which name datasets as contracts do."""
    contracts: list[Contract] = []
    for contract in plan.contracts.values():
        if contract not in contracts:
            contracts.append(contract)
    names = dataset_names(plan)
    return contracts, [_rule(plan, check, names) for check in plan.model.quality]


def generate_for(
    plan: Plan, rows: int, as_of: datetime, seed: int = 0, stream: Stream | None = None
) -> Generated:
    """Sample data for every dataset of `plan`; its sources are streams where they state an event time."""
    contracts, rules = contracts_and_rules(plan)
    names = dataset_names(plan)
    times = {
        names.get(source.id, source.id): source.semantics.event_time
        for source in plan.model.sources
        if source.semantics is not None and source.semantics.event_time
    }
    return generate(contracts, rules, rows=rows, as_of=as_of, seed=seed, stream=stream, event_times=times)


def dataset_names(plan: Plan) -> Mapping[str, str]:
    """For each source and sink with a contract: the dataset of the contract that it stands for."""
    nodes = [(source.id, source.contract, source.dataset) for source in plan.model.sources]
    nodes += [(sink.id, sink.contract, sink.dataset) for sink in plan.model.sinks]
    names: dict[str, str] = {}
    for node, contract, dataset in nodes:
        known = [each.name for each in plan.contracts[contract].datasets] if contract else []
        if dataset in known:
            names[node] = str(dataset)
        elif len(known) == 1:
            names[node] = known[0]
    return names


def data_by_dataset(plan: Plan, given: Mapping[str, Path]) -> dict[str, Path]:
    """The files of `given` by the datasets they are for, which may be called by their node's id.

    What only a reconciliation reads has no suite and is left out. Raises `InputError` for a name that
    no contract, rule or reconciliation of the plan knows.
    """
    names = dataset_names(plan)
    known = {dataset.name for contract in plan.contracts.values() for dataset in contract.datasets}
    known |= {names.get(check.dataset, check.dataset) for check in plan.model.quality}
    reconciled = _only_reconciled(plan)
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for name, file in given.items():
        dataset = names.get(name, name)
        if dataset in known:
            found[dataset] = file
        elif name not in reconciled:
            wanted = ", ".join(sorted({*known, *names, *reconciled}))
            fix = "" if wanted else "name a contract at a source or sink, or state a rule in quality:"
            message = f"the plan knows no dataset {name!r}, wanted {f'one of {wanted}' if wanted else 'none'}"
            problems.append(Problem(message, Position("--data"), fix=fix))
    if problems:
        raise InputError(problems)
    return found


def _only_reconciled(plan: Plan) -> set[str]:
    """The names that the plan's reconciliations read: both sides, and what their balance names."""
    names: set[str] = set()
    for pair in plan.model.reconciliation:
        names |= {pair.source, pair.destination}
        if pair.balance is not None:
            terms = (pair.balance.late_dropped, pair.balance.dead_lettered, pair.balance.filtered)
            names |= {term for term in terms if term}
    return names


def _rule(plan: Plan, check: QualityCheck, names: Mapping[str, str]) -> QualityRule:
    between = check.between
    return QualityRule(
        dataset=names.get(check.dataset, check.dataset),
        check=check.check,
        fields=check.fields,
        at_most_share=check.threshold.value if check.threshold is not None else 0.0,
        values=check.values,
        low=between.min if between is not None else None,
        high=between.max if between is not None else None,
        pattern=check.pattern or "",
        shares=tuple((value, share.value) for value, share in (check.shares or {}).items()),
        references=_referenced(check.references, names),
        within_seconds=check.within.value if check.within is not None else None,
        query=check.sql or "",
        severity=Severity(check.severity),
        title=check.id or "",
        place=_place(plan, check),
    )


def _referenced(references: str | None, names: Mapping[str, str]) -> str:
    if not references:
        return ""
    dataset, dot, fields = references.partition(".")
    return f"{names.get(dataset, dataset)}{dot}{fields}"


def _place(plan: Plan, section: Section) -> Place:
    path = plan.path(section)
    return Place(path, plan.position(path))
