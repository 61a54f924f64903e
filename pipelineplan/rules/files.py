"""FIL: are the files that a stage writes large enough to be read again?

every I seconds each of n writers closes a file in each of p partitions: 86,400 / I * n * p files a day
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values, arrivals, average_rate
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand

_DAY_SECONDS = 86_400.0
_LARGE_ENOUGH_BYTES = 64e6


@rule(
    "FIL101",
    title="Files are large enough, or compacted",
    why="Thousands of small files a day make every later read slow and every listing dear.",
    formula="64 MB <= λ * bytes * I / (writers * partitions),   where no compaction is stated",
    bad="an interval of 5 s with 20 writers at 20 MB/s: 345,600 files a day of 5 MB",
    good="an interval of 10 min with the same writers: 2,880 files a day of 600 MB",
    fix="write less often, with fewer writers, or state files.compaction",
    source="apache/iceberg#2404, #7568, #2867",
    severity=ADVICE,
)
def files_are_large(plan: Plan) -> Iterator[Claim]:
    """The mean size of a file of every stage that states how often it closes one."""
    for stage in plan.model.stages:
        files = stage.files
        interval = plan.operand("I", files, "interval", "interval of files")
        if interval is None:
            interval = plan.operand("I", stage.checkpoint, "interval", "checkpoint interval")
        if files is None or interval is None or files.compaction is not None:
            continue
        yield _size_claim(plan, stage, interval)


def _size_claim(plan: Plan, stage: Stage, interval: Operand) -> Claim:
    path = plan.path(stage, "files")
    arriving = arrivals(plan, stage.id, peak=False)
    sizes = [
        (one, plan.operand(f"b_{one.source}", plan.source(one.source).record, "size", "size of a record"))
        for one in arriving or ()
    ]
    if not sizes or any(size is None for _, size in sizes):
        lacking = [s.id for s in plan.model.sources if average_rate(plan, s) is None or s.record is None]
        named = " and ".join(repr(name) for name in lacking)
        missing = f"cannot say how large the files of {stage.id!r} are: state rate and record.size of {named}"
        return Claim(path, stage.id, missing=missing)
    known = [(one, size) for one, size in sizes if size is not None]

    def bytes_per_second(values: Values) -> float:
        return sum(values[one.rate.symbol] * one.factor * values[size.symbol] for one, size in known)

    def closed(values: Values) -> float:
        return values.get("n", 1.0) * values.get("parts", 1.0)

    return inequality(
        path,
        stage.id,
        (
            *(one.rate for one, _ in known),
            *(size for _, size in known),
            interval,
            plan.operand("n", stage.files, "writers", "writers"),
            plan.operand("parts", stage.files, "partitions", "partitions written at once"),
        ),
        lambda _: _LARGE_ENOUGH_BYTES,
        lambda v: bytes_per_second(v) * v["I"] / closed(v),
        lambda e: (
            f"{stage.id!r} writes {_DAY_SECONDS / e.values['I'] * closed(e.values):,.0f} files a day of "
            f"{say(e.right[0], Dimension.SIZE)} before compression; below {e.left_shown} they want compaction"
        ),
        dimension=Dimension.SIZE,
        changes=(Change("I", rises=True), Change("n", rises=False, whole=True)),
    )
