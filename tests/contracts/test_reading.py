"""A contract file becomes a Contract, or a list of everything that is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelineplan.contracts import READERS, Contract, read_contract
from pipelineplan.errors import InputError

EXAMPLES = Path(__file__).parents[2] / "../shared/data/odcs/examples"

ORDERS = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
name: Orders
version: 1.2.0
status: active
team:
  name: checkout
  members:
    - {username: ada, role: Owner}
    - {username: bob, role: owner, dateOut: "2025-01-01"}
    - {username: eve, role: analyst}
schema:
  - name: orders
    physicalName: orders_v1
    properties:
      - name: order_id
        logicalType: string
        physicalType: varchar(36)
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions: {minLength: 36, maxLength: 36, pattern: "^[0-9a-f-]+$"}
      - name: amount
        physicalName: amt
        logicalType: number
        logicalTypeOptions: {minimum: 0}
        quality:
          - metric: nullValues
            mustBeLessThan: 5
            unit: percent
            severity: warning
      - name: address
        logicalType: object
        properties:
          - {name: zip, logicalType: string, required: true}
      - name: customer
        logicalType: string
        relationships:
          - {to: customers.id}
    quality:
      - {type: sql, query: "select count(*) from ${table}", mustBeGreaterThan: 0}
      - {type: text, description: be nice}
slaProperties:
  - {property: latency, value: 4, unit: h, element: orders.amount}
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "orders.odcs.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def read(tmp_path: Path, text: str = ORDERS) -> Contract:
    return read_contract(written(tmp_path, text), "orders.odcs.yaml")


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def test_a_contract_is_read_with_everything_in_its_place(tmp_path: Path) -> None:
    contract = read(tmp_path)
    assert (contract.id, contract.version, contract.team) == ("orders", "1.2.0", "checkout")
    assert contract.owners == ("ada",)
    (orders,) = contract.datasets
    assert [field.name for field in orders.walk()] == [
        "order_id",
        "amount",
        "address",
        "address.zip",
        "customer",
    ]
    amount = orders.find("amt")
    assert amount is not None
    assert (amount.name, amount.column, amount.options) == ("amount", "amt", {"minimum": 0})
    assert str(amount.place) == "$.schema[0].properties[1]"
    assert (amount.place.position.line, amount.place.position.column) == (24, 9)


def test_rules_keep_their_comparison_and_place(tmp_path: Path) -> None:
    contract = read(tmp_path)
    assert [rule.kind for rule in contract.rules] == ["sql", "text", "library"]
    rule = contract.rules[2]
    (comparison,) = rule.comparisons
    assert (rule.dataset, rule.field, rule.metric, rule.unit) == ("orders", "amount", "nullValues", "percent")
    assert (comparison.operator, comparison.values) == ("<", (5,))
    assert str(comparison.place) == "$.schema[0].properties[1].quality[0].mustBeLessThan"
    assert comparison.place.position.line == 30


def test_relationships_and_service_levels_are_read(tmp_path: Path) -> None:
    contract = read(tmp_path)
    (relation,) = contract.datasets[0].relationships
    assert (relation.from_fields, relation.to) == (("customer",), ("customers.id",))
    (latency,) = contract.sla
    assert (latency.name, latency.value, latency.unit, latency.elements) == (
        "latency",
        4,
        "h",
        ("orders.amount",),
    )


def test_all_problems_are_reported_at_once_with_line_and_column(tmp_path: Path) -> None:
    text = (
        ORDERS.replace("v3.1.0", "v2.2.0")
        .replace("kind: DataContract", "kind: Contract")
        .replace("required: true\n        primary", "required: perhaps\n        primary")
        .replace("logicalType: number", "logicalType: money")
        .replace("metric: nullValues\n", "mertic: nullValues\n")
        .replace("id: orders\n", "", 1)
    )
    found = problems(tmp_path, text)
    starts = [line.split(": found")[0].split(": the key")[0].split(": unknown")[0] for line in found]
    assert starts == [
        "orders.odcs.yaml:1:1",
        "orders.odcs.yaml:1:13: $.apiVersion",
        "orders.odcs.yaml:2:7: $.kind",
        "orders.odcs.yaml:19:19: $.schema[0].properties[0].required",
        "orders.odcs.yaml:25:22: $.schema[0].properties[1].logicalType",
        "orders.odcs.yaml:28:13: $.schema[0].properties[1].quality[0].mertic",
        "orders.odcs.yaml:28:13: $.schema[0].properties[1].quality[0]",
    ]
    assert any("did you mean 'metric'?" in line for line in found)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("mustBeLessThan: 5", "mustBeLessThan: five", "wanted a number"),
        ("mustBeLessThan: 5", "mustBeBetween: [1]", "wanted two numbers"),
        ("            mustBeLessThan: 5\n", "", "no comparison"),
        ("value: 4, ", "", "the key 'value' is missing"),
        ("- {to: customers.id}", "- {to: 7}", "wanted text or a list of texts"),
        (
            "    properties:\n      - name: order_id",
            "    properties: 3\n    x:\n      - name: order_id",
            "a list",
        ),
        ("type: sql, query", "type: squirrel, query", "wanted one of library, sql, text, custom"),
        ("version: 1.2.0", "version: ", "the key 'version' is missing"),
    ],
)
def test_what_is_structurally_wrong_is_said(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in ORDERS
    found = problems(tmp_path, ORDERS.replace(before, after, 1))
    assert any(message in line for line in found), found


def test_unknown_keys_are_let_be_unless_they_nearly_are_known_ones(tmp_path: Path) -> None:
    read(tmp_path, ORDERS + "x-team-colour: blue\nhousekeeping: {a: 1}\n")
    assert (
        "did you mean 'slaProperties'?"
        in problems(tmp_path, ORDERS.replace("slaProperties", "sla_properties"))[0]
    )


@pytest.mark.parametrize("text", ["[1, 2]", "just text", "3"])
def test_what_is_no_mapping_is_no_contract(tmp_path: Path, text: str) -> None:
    assert "wanted a data contract" in problems(tmp_path, text)[0]


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.toml.*\.yaml"):
        read_contract(tmp_path / "orders.toml")
    assert ".yaml" in READERS


def test_both_spellings_of_the_team_give_the_owner(tmp_path: Path) -> None:
    old = ORDERS[: ORDERS.index("team:")] + "team:\n  - {username: ada, role: Owner}\n"
    assert read(tmp_path, old).owners == ("ada",)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason=f"the standard's examples are not at {EXAMPLES}")
def test_every_example_of_the_standard_reads() -> None:
    files = sorted(EXAMPLES.rglob("*.yaml"))
    contracts = [read_contract(file) for file in files]
    assert len(contracts) == 18
    assert sum(len(contract.datasets) for contract in contracts) == 84
    assert sum(len(contract.rules) for contract in contracts) == 7


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'pydantic', 'great_expectations', 'duckdb', 'pyarrow'}"
    code = f"import sys, pipelineplan.contracts; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
