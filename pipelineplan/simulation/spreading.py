"""Which share of the records comes to whom: partitions of a log, workers behind an exchange by key."""

from __future__ import annotations

import math


def partition_shares(partitions: int, hottest_key: float = 0.0) -> tuple[float, ...]:
    """Share of the records in each partition: the hottest key sits in the first one.

    A partition's share is its hottest key plus its part of the rest, `(1 - h) / P`.
    """
    rest = (1.0 - hottest_key) / partitions
    return (rest + hottest_key, *[rest] * (partitions - 1))


def default_key_groups(workers: int) -> int:
    """Key groups (max parallelism) that Flink chooses when a job does not: 128 up to 85 workers.

    Source: Apache Flink, `KeyGroupRangeAssignment.computeDefaultMaxParallelism`.
    """
    rounded = 1 << max(0, math.ceil(math.log2(workers + workers // 2)))
    return min(max(rounded, 128), 32_768)


def key_group_weights(workers: int, key_groups: int, hottest_key: float = 0.0) -> tuple[float, ...]:
    """Share of the records for each worker: key groups in contiguous ranges, sum 1.

    The worker with the most groups also has the hottest key, as the worst hash would have it.
    """
    sizes = [(index + 1) * key_groups // workers - index * key_groups // workers for index in range(workers)]
    sizes.sort(reverse=True)
    weights = [(1.0 - hottest_key) * size / key_groups for size in sizes]
    return (weights[0] + hottest_key, *weights[1:])
