"""The jobs of a plan: stages that share checkpoints, failure and restart, with logs between the jobs.

    orders -> [clean -> enrich]  ==topic==>  [mart -> serve] -> warehouse
               job: staging                   job: mart

Whatever is between two jobs is on disk: it has room for everything, outlives a restart, and the job that
reads it goes back to its own last completed checkpoint, alone. What a stage with `guarantee: exactly_once`
writes for another job is seen there when its checkpoint completes; any other's at once, and again when
its job has failed.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelineplan.plan.graph import Edge
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.plan import Plan, once
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage

# Of these `stages[].job` is the name of a model, which some run of a scheduler makes.
_MODELS = {"dbt", "sql"}


@once
def jobs_of(plan: Plan) -> Mapping[str, str]:
    """The job of each stage, by its id; "" where the plan names none.

    A stage that names none belongs to the job of the stage before it, or at the start to the one after it.
    """
    found = {stage.id: named_job(stage) for stage in plan.model.stages}
    for name in plan.graph.order:
        above = [found.get(edge.upstream, "") for edge in plan.graph.into(name)]
        if name in found and not found[name]:
            found[name] = next((job for job in above if job), "")
    for name in reversed(plan.graph.order):
        below = [found.get(edge.downstream, "") for edge in plan.graph.out_of(name)]
        if name in found and not found[name]:
            found[name] = next((job for job in below if job), "")
    return found


def named_job(stage: Stage) -> str:
    """The job that a stage names; "" where it names none, or a model."""
    return stage.job if stage.job is not None and stage.engine not in _MODELS else ""


def job_names(plan: Plan) -> tuple[str, ...]:
    """The names of the jobs in the order of the records; none, or one, where all stages are one job."""
    jobs = jobs_of(plan)
    return tuple(dict.fromkeys(jobs[name] for name in plan.graph.order if jobs.get(name)))


def crosses(plan: Plan, edge: Edge) -> bool:
    """Whether an edge leads from one job into another, through a log."""
    jobs = jobs_of(plan)
    if edge.upstream not in jobs or edge.downstream not in jobs:
        return False
    return jobs[edge.upstream] != jobs[edge.downstream]


@once
def handing_over(plan: Plan, node: str) -> tuple[Stage, ...]:
    """The stages above `node` that write for another job on the way to it, in the order of the records."""
    way = {node, *plan.graph.above(node)}
    edges = [edge for name in plan.graph.order if name in way for edge in plan.graph.into(name)]
    names = dict.fromkeys(edge.upstream for edge in edges if crosses(plan, edge))
    return tuple(plan.stage(name) for name in plan.graph.order if name in names)


def publishes_at_checkpoints(stage: Stage) -> bool:
    """Whether another job sees what a stage writes only when its checkpoint completes."""
    return stage.guarantee == "exactly_once"


def stops(plan: Plan, outage: Outage, stage: Stage) -> bool:
    """Whether an outage makes a stage stand still: its job is the one that fails, or writes to the sink.

    Of several jobs one without a name in the outage may be any of them, so each stands still.
    """
    if len(job_names(plan)) < 2:
        return True
    jobs = jobs_of(plan)
    if outage.of == "sink":
        writers = {edge.upstream for sink in plan.model.sinks for edge in plan.graph.into(sink.id)}
        return jobs[stage.id] in {jobs[name] for name in writers if name in jobs}
    if outage.of == "source":
        reading = (edge for source in plan.model.sources for edge in plan.graph.out_of(source.id))
        return jobs[stage.id] in {jobs[edge.downstream] for edge in reading if edge.downstream in jobs}
    return outage.job is None or outage.job == jobs[stage.id]


def readers_of(plan: Plan, source: Source) -> list[Stage]:
    """The stages of every job that reads `source`: those of a later job read what the jobs before wrote."""
    jobs = jobs_of(plan)
    first = {jobs[edge.downstream] for edge in plan.graph.out_of(source.id) if edge.downstream in jobs}
    below = [stage for stage in plan.model.stages if source.id in plan.graph.above(stage.id)]
    return [stage for stage in below if jobs[stage.id] in first]


def stopped_readers(plan: Plan, source: Source, outage: Outage) -> list[Stage]:
    """Those of them that an outage stops."""
    return [stage for stage in readers_of(plan, source) if stops(plan, outage, stage)]
