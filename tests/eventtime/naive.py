"""The definitions once more, record by record and without arrays: slow, short, and readable."""

from __future__ import annotations

from dataclasses import dataclass, field

Record = tuple[int, int]


@dataclass
class Naive:
    """Late when the watermark before a record reached its window's end, and so on."""

    lag: int
    size: int
    allowed: int
    offset: int = 0
    partitions: int = 1
    # The instants of the engine's rule: watermark, late, dropped.
    instants: tuple[int, int, int] = (0, 0, 0)
    kinds: list[int] = field(default_factory=list)
    windows: dict[int, list[int]] = field(default_factory=dict)
    fired_by: dict[int, int] = field(default_factory=dict)

    def play(self, records: list[Record]) -> Naive:
        """Judge all records, given as event time and partition, in arrival order."""
        newest: dict[int, int] = {}
        for number, (time, partition) in enumerate(records):
            start = time - (time - self.offset) % self.size
            end = start + self.size
            kind = int(self._reached(newest, end + self.instants[1]))
            kind += self._reached(newest, end + self.allowed + self.instants[2])
            self.kinds.append(kind)
            self.windows.setdefault(start, [0, 0, 0])[kind] += 1
            newest[partition] = max(newest.get(partition, time), time)
            for open_start, counts in self.windows.items():
                due = open_start not in self.fired_by and counts[0] > 0
                if due and self._reached(newest, open_start + self.size + self.instants[1]):
                    self.fired_by[open_start] = number
        return self

    def _reached(self, newest: dict[int, int], instant: int) -> bool:
        if len(newest) < self.partitions:
            return False
        return min(newest.values()) - self.lag + self.instants[0] >= instant
