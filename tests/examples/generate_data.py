"""Writes the data of the example plans: invented, seeded, and the same bytes every time.

    python tests/examples/generate_data.py            writes examples/*/data/*.csv

Orders change in a database and arrive in log order with some delay; field devices lose their
radio and send what they kept when it is back; a bank sends one file of entries a day, with
corrections of earlier days in it.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"
Row = dict[str, Any]


def main(folder: Path = EXAMPLES) -> None:
    """Write every data file below `folder`."""
    for name, rows in files().items():
        write(folder / name, rows)


def files() -> dict[str, list[Row]]:
    """Every data file of the examples with its rows."""
    orders = list(_orders(Random("orders")))
    events = _telemetry(Random("telemetry"))
    entries = list(_entries(Random("ledger")))
    return {
        "orders-to-warehouse/data/orders.csv": orders,
        "orders-to-warehouse/data/minute_sales.csv": _minute_sales(orders),
        "mobile-telemetry/data/events.csv": events,
        "mobile-telemetry/data/device_health.csv": _device_health(events),
        "ledger-batch/data/entries.csv": entries,
        "ledger-batch/data/daily_balances.csv": _daily_balances(entries),
    }


def write(file: Path, rows: Sequence[Row]) -> None:
    """Write `rows` as CSV with a header and Unix line ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(amount: float) -> timedelta:
    """Rounded to milliseconds, so that the last bit of a platform's logarithm does not show."""
    return timedelta(milliseconds=round(amount * 1000))


# Orders: half an hour of a shop's changes.

_SHOP_OPENS = datetime(2026, 11, 9, 10, 0, tzinfo=UTC)
_SHOP_CLOSES = _SHOP_OPENS + timedelta(minutes=30)
_CURRENCIES = ("EUR", "EUR", "EUR", "GBP", "SEK")


def _orders(random: Random) -> Iterator[Row]:
    changes = sorted(_changes(random), key=lambda change: change["updated_at"])
    arrived: list[tuple[datetime, Row]] = []
    for place, change in enumerate(changes):
        moment = change["updated_at"]
        row = {**change, "updated_at": _stamp(moment), "lsn": 5_000_000 + 8 * place}
        arrivals = [moment + _seconds(0.1 + _delay(random))]
        if random.random() < 0.002:  # the connector restarts and sends a change again
            arrivals.append(arrivals[0] + _seconds(random.uniform(5, 60)))
        arrived += [(arrival, {**row, "arrived_at": _stamp(arrival)}) for arrival in arrivals]
    arrived.sort(key=lambda pair: (pair[0], pair[1]["lsn"]))
    yield from (row for _, row in arrived)


def _changes(random: Random) -> Iterator[Row]:
    """One change when an order is placed, and another when some of it is refunded."""
    for number in range(1200):
        placed = _SHOP_OPENS + _seconds(random.uniform(0, 1800))
        amount = random.randrange(500, 30_000)
        order = {
            "order_id": f"O{number:06}",
            "customer_id": f"C{random.randrange(300):04}",
            "store_id": f"S{min(int(random.expovariate(0.25)), 19):02}",
            "status": "placed",
            "amount_cents": amount,
            "currency": random.choice(_CURRENCIES),
            "updated_at": placed,
            "legacy_status": "open",
        }
        yield order
        refunded = placed + _seconds(random.uniform(30, 600))
        if random.random() < 0.12 and refunded < _SHOP_CLOSES:
            share = random.choice((1.0, 0.5))
            yield {
                **order,
                "status": "refunded",
                "amount_cents": -int(amount * share),
                "updated_at": refunded,
            }


def _delay(random: Random) -> float:
    """Seconds from commit to topic: mostly a fraction, sometimes a stall of the connector."""
    chance = random.random()
    if chance < 0.90:
        return random.expovariate(3.0)
    if chance < 0.99:
        return random.uniform(1, 6)
    return random.uniform(6, 25)


def _minute_sales(orders: Iterable[Row]) -> list[Row]:
    """What the mart shows: every change once, by store and minute of its event time."""
    totals: dict[tuple[str, str], list[int]] = {}
    seen: set[tuple[str, int]] = set()
    for order in orders:
        change = (order["order_id"], order["lsn"])
        if change in seen:
            continue
        seen.add(change)
        total = totals.setdefault((order["store_id"], f"{order['updated_at'][:16]}:00.000Z"), [0, 0])
        total[0] += 1
        total[1] += order["amount_cents"]
    return [
        {"store_id": store, "minute": minute, "changes": count, "amount_cents": amount}
        for (store, minute), (count, amount) in sorted(totals.items(), key=lambda item: item[0][::-1])
    ]


# Telemetry: two hours of 36 field devices.

_RADIO_DAY = datetime(2026, 11, 10, 6, 0, tzinfo=UTC)
_WATCHED_SECONDS = 7200.0
_SILENT = {"d07": (1800.0, 6300.0), "d23": (2400.0, 7200.0)}


def _telemetry(random: Random) -> list[Row]:
    """Events in the order of their arrival."""
    events: list[tuple[datetime, Row]] = []
    for device in range(36):
        events += _device(random, f"d{device:02}", device % 4)
    events.sort(key=lambda event: (event[0], event[1]["device_id"], event[1]["seq"]))
    return [row for _, row in events]


def _device(random: Random, device: str, partition: int) -> Iterator[tuple[datetime, Row]]:
    """One device: it measures every 25 s, in a burst when it moves, and keeps what it cannot send."""
    gaps = list(_radio_gaps(random))
    silent = _SILENT.get(device, (0.0, 0.0))
    battery = random.uniform(40, 100)
    moment, sequence = random.uniform(0, 25), 0
    while moment < _WATCHED_SECONDS:
        battery = max(1.0, battery - 0.01)
        if not silent[0] <= moment < silent[1]:
            sequence += 1
            measured = _RADIO_DAY + _seconds(moment)
            for sent in _sendings(random, moment, gaps):
                arrived = _RADIO_DAY + _seconds(sent)
                yield (
                    arrived,
                    _reading(random, device, partition, sequence, measured, arrived, battery),
                )
        moment += random.uniform(1, 3) if random.random() < 0.15 else random.uniform(20, 36)


def _reading(
    random: Random,
    device: str,
    partition: int,
    sequence: int,
    measured: datetime,
    arrived: datetime,
    battery: float,
) -> Row:
    return {
        "device_id": device,
        "seq": sequence,
        "measured_at": _stamp(measured),
        "arrived_at": _stamp(arrived),
        "partition": partition,
        "battery_percent": int(battery),
        "signal_dbm": -random.randrange(60, 118),
    }


def _radio_gaps(random: Random) -> Iterator[tuple[float, float]]:
    """When the device has no radio: every half hour or so, mostly a minute or two, seldom half an hour."""
    moment = random.expovariate(1 / 1800)
    while moment < _WATCHED_SECONDS:
        length = random.uniform(600, 1500) if random.random() < 0.06 else random.expovariate(1 / 60)
        yield moment, moment + length
        moment += length + random.expovariate(1 / 1800)


def _sendings(random: Random, moment: float, gaps: Sequence[tuple[float, float]]) -> list[float]:
    """When a reading arrives: after its own way through the network, or in a batch after the gap."""
    sent = moment
    for start, end in gaps:
        if start <= moment < end:
            sent = end + random.uniform(0, 8)
    sent += 0.08 + random.lognormvariate(-0.7, 1.1)
    again = sent + random.uniform(2, 90)  # an acknowledgement was lost
    return [sent, again] if random.random() < 0.008 else [sent]


def _device_health(events: Iterable[Row]) -> list[Row]:
    """What the mart shows in the end: every reading once, by device and five minutes of event time."""
    readings = {(event["device_id"], event["seq"]): event for event in events}
    windows: dict[tuple[str, str], list[Row]] = {}
    for event in readings.values():
        measured = event["measured_at"]
        start = f"{measured[:14]}{int(measured[14:16]) // 5 * 5:02}:00.000Z"
        windows.setdefault((start, event["device_id"]), []).append(event)
    return [
        {
            "device_id": device,
            "window_start": start,
            "readings": len(inside),
            "battery_percent": min(event["battery_percent"] for event in inside),
            "signal_dbm": min(event["signal_dbm"] for event in inside),
        }
        for (start, device), inside in sorted(windows.items())
    ]


# Ledger: five days of a bank's files.

_FIRST_DAY = date(2026, 11, 9)
_ACCOUNTS = tuple(f"A{number:03}" for number in range(60))


def _entries(random: Random) -> Iterator[Row]:
    """The rows of five daily files; each has entries of the day before and corrections of older ones."""
    booked: list[Row] = []
    for file_day in (_FIRST_DAY + timedelta(days=day) for day in range(1, 6)):
        fresh = [_entry(random, file_day - timedelta(days=1), len(booked) + i) for i in range(300)]
        fixed = [_correction(random, entry) for entry in random.sample(booked, min(len(booked), 6))]
        for entry in (*fresh, *fixed):
            yield {**entry, "file_day": file_day.isoformat()}
        revised = {entry["entry_id"]: entry for entry in fixed}
        booked = [revised.get(entry["entry_id"], entry) for entry in (*booked, *fresh)]


def _entry(random: Random, day: date, number: int) -> Row:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + _seconds(
        random.uniform(6 * 3600, 20 * 3600)
    )
    return {
        "entry_id": f"E{number:06}",
        "revision": 1,
        "account_id": random.choice(_ACCOUNTS),
        "booked_at": _stamp(moment),
        "booking_day": day.isoformat(),
        "amount_cents": random.choice((-1, 1)) * random.randrange(100, 500_000),
        "currency": "EUR",
    }


def _correction(random: Random, entry: Mapping[str, Any]) -> Row:
    changed = entry["amount_cents"] + random.choice((-1, 1)) * random.randrange(1, 100)
    return {**entry, "revision": entry["revision"] + 1, "amount_cents": changed}


def _daily_balances(entries: Iterable[Row]) -> list[Row]:
    """Booked per account and day, by the highest revision of every entry."""
    current: dict[str, Row] = {}
    for entry in entries:
        known = current.get(entry["entry_id"])
        if known is None or entry["revision"] > known["revision"]:
            current[entry["entry_id"]] = entry
    totals: dict[tuple[str, str], list[int]] = {}
    for entry in current.values():
        total = totals.setdefault((entry["booking_day"], entry["account_id"]), [0, 0])
        total[0] += 1
        total[1] += entry["amount_cents"]
    return [
        {
            "account_id": account,
            "booking_day": day,
            "entries": count,
            "amount_cents": amount,
        }
        for (day, account), (count, amount) in sorted(totals.items())
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES)
