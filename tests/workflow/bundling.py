"""How tests build the bundles of the shipped examples, with the data and the day of their READMEs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
AS_OF = {
    "orders-to-warehouse": datetime(2026, 11, 9, 10, 30, 20, tzinfo=UTC),
    "mobile-telemetry": datetime(2026, 11, 10, 8, 0, tzinfo=UTC),
    "ledger-batch": datetime(2026, 11, 14, 6, 0, tzinfo=UTC),
    "schema-change": datetime(2026, 11, 16, 8, 0, tzinfo=UTC),
}
DATA: dict[str, dict[str, str]] = {
    "orders-to-warehouse": {"orders": "orders.csv", "warehouse": "minute_sales.csv"},
    "mobile-telemetry": {"telemetry": "events.csv", "device-health": "device_health.csv"},
    "ledger-batch": {"entries": "entries.csv", "daily-balances": "daily_balances.csv"},
    "schema-change": {},
}


def data_of(name: str) -> dict[str, Path]:
    """The data of one example, by the names that its plan uses."""
    return {dataset: EXAMPLES / name / "data" / file for dataset, file in DATA[name].items()}
