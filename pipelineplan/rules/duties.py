"""SEC: does what is kept anywhere agree with the duties to delete it, and to keep it?

delete within 30 d |--------------------------|
topic 7 d          |------|
dead letters 14 d  |-------------|
backup 35 d        |-------------------------------|   still there when it must be gone
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pipelineplan.plan import Plan
from pipelineplan.plan.operations import Duty
from pipelineplan.plan.section import Section
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import at_most, inequality, statement
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand


def _duties(plan: Plan) -> tuple[Duty, ...]:
    return plan.model.security.duties if plan.model.security is not None else ()


Keeper = tuple[str, Section | None, str]


def _keepers(plan: Plan) -> Iterator[Keeper]:
    """Every place of the plan that may keep data for a stated time: its name, section and field."""
    model = plan.model
    for source in model.sources:
        yield source.id, source.retention, "time"
    for stage in model.stages:
        yield f"state of {stage.id}", stage.state.ttl if stage.state is not None else None, "time"
        letters = stage.dead_letters
        topic = letters.topic if letters is not None else None
        yield topic or f"dead letters of {stage.id}", letters, "retention"
    yield "savepoint", model.rollback, "savepoint_age"
    yield from _keepers_of_design(plan)


def _keepers_of_design(plan: Plan) -> Iterator[Keeper]:
    model = plan.model
    for backup in model.reliability.backup if model.reliability is not None else ():
        yield f"backup of {backup.of}", backup, "retention"
    for store in model.design.stores if model.design is not None else ():
        yield store.id, store, "retention"
    for cache in model.design.caches if model.design is not None else ():
        yield cache.id, cache, "ttl"
    yield "logs", model.operations.telemetry if model.operations is not None else None, "logs_kept"


@rule(
    "SEC101",
    title="Nothing is kept longer than the duty to delete allows",
    why="Data that is deleted in the store lives on in topics, dead letters, savepoints and backups, and "
    "a restore brings it back.",
    formula="kept (+ segment of a log) <= delete_within   for every place that is not in erased_in",
    bad="delete_within: 30 d with a backup that is kept for 35 d",
    good="delete_within: 30 d with erased_in: [backup of catalogue]: its key is thrown away",
    fix="keep it for less long, or name the place in erased_in: once a job erases there too",
    source="General Data Protection Regulation, article 17; design playbook: retention maps per data class",
)
def nothing_is_kept_longer(plan: Plan) -> Iterator[Claim]:
    """Every duty to delete against every place that keeps data."""
    for duty in _duties(plan):
        within = plan.operand("within", duty, "delete_within", "duty to delete")
        if within is None:
            continue
        seen: set[str] = set()
        for place, section, field in _keepers(plan):
            kept = plan.operand("kept", section, field, f"how long {place} keeps it")
            if kept is not None and place not in duty.erased_in and place not in seen:
                seen.add(place)
                segment = plan.operand("segment", section, "segment", "segment that expires as a whole")
                yield _kept_claim(plan, duty, place, (kept, segment, within))


def _kept_claim(plan: Plan, duty: Duty, place: str, operands: tuple[Operand | None, ...]) -> Claim:
    return inequality(
        plan.path(duty, "delete_within"),
        f"{duty.data} in {place}",
        operands,
        lambda v: v["kept"] + v.get("segment", 0.0),
        lambda v: v["within"],
        lambda e: f"{duty.data} must be gone within {e.right_shown}; {place!r} keeps it for {e.left_shown}",
        changes=(Change("kept", rises=False), Change("within", rises=True)),
    )


@rule(
    "SEC105",
    title="What is erased somewhere names a place of the plan",
    why="A slip in the name takes no place out, and one that was renamed is kept in silence.",
    formula="every entry of erased_in is a source, state, topic, backup, store, cache, savepoint or logs",
    bad="erased_in: [backups]",
    good="erased_in: [backup of catalogue]",
    fix="name the place in erased_in: as the plan does",
    source="the places that the plan states a lifetime for",
)
def erased_somewhere(plan: Plan) -> Iterator[Claim]:
    """Every name in `erased_in` against the places that may keep data."""
    known = list(dict.fromkeys(place for place, _, _ in _keepers(plan)))
    for duty in _duties(plan):
        for place, name in enumerate(duty.erased_in):
            there = name in known
            close = [] if there else get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            what = f"{name!r} keeps {duty.data}" if there else f"no place is called {name!r}{hint}"
            yield statement(
                (*plan.path(duty, "erased_in"), place), f"{duty.data} in {name}", what, true=there
            )


@rule(
    "SEC102",
    title="What must be kept is kept long enough",
    why="A duty to keep records is broken silently by a retention that somebody shortened for its cost.",
    formula="keep_at_least <= retention of every store in kept_in",
    bad="keep_at_least: 7 years with a store that keeps 400 d",
    good="keep_at_least: 400 d with a store that keeps 400 d",
    fix="raise retention: of the store, or name the store that keeps it in kept_in:",
    source="design playbook: legal and business retention windows per entity",
)
def kept_long_enough(plan: Plan) -> Iterator[Claim]:
    """Every duty to keep against the stores that it names; a store without a retention keeps for ever."""
    stores = {one.id: one for one in plan.model.design.stores} if plan.model.design is not None else {}
    for duty in _duties(plan):
        least = plan.operand("least", duty, "keep_at_least", "duty to keep")
        if least is None:
            continue
        for name in duty.kept_in:
            store = stores.get(name)
            if store is None:
                known = ", ".join(sorted(stores)) or "none"
                missing = f"cannot say how long {name!r} keeps it: state design.stores with that id ({known})"
                yield Claim(plan.path(duty, "kept_in"), f"{duty.data} in {name}", missing=missing)
                continue
            kept = plan.operand("kept", store, "retention", "retention")
            if kept is not None:
                yield _long_enough(plan, duty, name, least, kept)


def _long_enough(plan: Plan, duty: Duty, name: str, least: Operand, kept: Operand) -> Claim:
    return at_most(
        plan.path(duty, "keep_at_least"),
        f"{duty.data} in {name}",
        least,
        kept,
        lambda e: f"{duty.data} must be kept for {e.left_shown}; {name!r} keeps it for {e.right_shown}",
    )


@rule(
    "SEC103",
    title="A duty to keep ends before the duty to delete",
    why="Two duties that contradict each other cannot both be met, and the auditor reads both.",
    formula="keep_at_least <= delete_within",
    bad="keep_at_least: 90 d with delete_within: 30 d for the same data",
    good="keep_at_least: 30 d with delete_within: 90 d",
    fix="settle with the data protection officer which applies, and split the data into two duties",
    source="two duties about the same data",
)
def duties_agree(plan: Plan) -> Iterator[Claim]:
    """Every duty that says both."""
    for duty in _duties(plan):
        least = plan.operand("least", duty, "keep_at_least", "duty to keep")
        within = plan.operand("within", duty, "delete_within", "duty to delete")
        if least is not None and within is not None:
            yield at_most(
                plan.path(duty, "keep_at_least"),
                duty.data,
                least,
                within,
                lambda e: f"it must be kept for {e.left_shown} and be gone within {e.right_shown}",
                changes=(Change("least", rises=False), Change("within", rises=True)),
            )


@rule(
    "SEC104",
    title="Keys and secrets change, and access is reviewed, at least every quarter",
    why="A key that never changes is found by everybody in time; so are accounts of people who left.",
    formula="key_rotation <= 92 d,   access_review <= 92 d",
    bad="key_rotation: 1 year",
    good="key_rotation: 90 d",
    fix="rotate more often (key_rotation:), review access every quarter (access_review:)",
    source="design playbook: access review cadence, quarterly at least",
    severity=ADVICE,
)
def renewed(plan: Plan) -> Iterator[Claim]:
    """The two intervals, where they are stated."""
    security = plan.model.security
    for field, words in (
        ("key_rotation", "keys and secrets change"),
        ("access_review", "access is reviewed"),
    ):
        every = plan.operand("every", security, field, words)
        if every is not None and security is not None:
            yield _quarterly(plan, security, field, every)


def _quarterly(plan: Plan, security: Section, field: str, every: Operand) -> Claim:
    return inequality(
        plan.path(security, field),
        field,
        (every,),
        lambda v: v["every"],
        lambda _: 92 * 86_400.0,
        lambda e: f"{every.name} every {e.left_shown}; a quarter has {e.right_shown}",
        changes=(Change("every", rises=False),),
    )
