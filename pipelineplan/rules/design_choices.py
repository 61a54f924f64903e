"""The decision tables of a production design: five choices of platform against their own signals.

    asked of a store                         store            trade-off
    transactions, joins                      relational       consistency and joins, for easy sharding
    time ranges, more writes than reads      time_series      write efficiency, for usual tools
    keys only, over 10,000/s or 1 TB         key_value        throughput, for freedom of queries

A departure is no mistake: it wants a recorded decision (`decisions[].departs_from: P-D1`), and
with one the table is content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelineplan.plan import Plan
from pipelineplan.plan.design import Channel, Design, Flow, Placement, Store
from pipelineplan.quantities import say_share
from pipelineplan.rules.antipatterns import AntiPattern, Fault

# Where one machine ends and sharding begins: system design workflows, scaling thresholds.
MASSIVE_PER_SECOND = 10_000.0
MASSIVE_BYTES = 1e12
_READ_HEAVY = 10.0
_OFTEN_REPEATED = 0.5
_HOT = 0.01
_NEAR_ZERO_SECONDS = 60.0


@dataclass(frozen=True)
class Called:
    """What a signal calls for, with what that gains and what it costs."""

    signal: str
    choices: tuple[str, ...]
    gains: str
    costs: str

    def against(self, found: str) -> str:
        """The sentence of a departure."""
        wanted = " or ".join(self.choices)
        return f"{self.signal} calls for {wanted}, which gains {self.gains} and costs {self.costs}; {found}"


def recorded(plan: Plan, table: str) -> bool:
    """Whether a decision to depart from `table` is recorded, with its reason."""
    return any(one.departs_from == table and one.because for one in plan.model.decisions)


def _design(plan: Plan, table: str) -> Design | None:
    """The design, unless a recorded departure has settled `table`."""
    return None if recorded(plan, table) else plan.model.design


_BY_ACCESS: Mapping[str, Called] = {
    "full_text": Called("full-text search", ("search",), "relevance", "a second copy to keep in step"),
    "graph": Called("walking a graph", ("graph",), "short queries over many hops", "usual tools"),
    "blobs": Called("whole files", ("object",), "a low price per byte", "latency and updates in place"),
    "documents": Called("documents of any shape", ("document",), "flexible records", "joins"),
}


def storage(plan: Plan) -> Iterator[Fault]:
    """P-D1: relational for transactions, key-value for keys at scale, time series for heavy ingest."""
    design = _design(plan, "P-D1")
    for place, store in enumerate(design.stores if design is not None else ()):
        called = _store_called_for(store)
        if store.kind is not None and called is not None and store.kind not in called.choices:
            found = f"{store.id!r} is {store.kind}"
            yield Fault(("design", "stores", place, "kind"), called.against(found))


def _store_called_for(store: Store) -> Called | None:
    asked = set(store.access)
    if asked & {"transactions", "joins"}:
        words = " and ".join(sorted(asked & {"transactions", "joins"}, reverse=True))
        return Called(words, ("relational",), "consistency and joins", "simple sharding")
    if "time_range" in asked and _more_writes(store):
        signal = "heavy ingest of time series"
        return Called(signal, ("time_series",), "write efficiency", "usual tools")
    other = next((_BY_ACCESS[one] for one in store.access if one in _BY_ACCESS), None)
    if other is not None:
        return other
    if asked == {"key_lookup"} and _massive(store):
        signal = "access by key alone at this scale"
        return Called(signal, ("key_value", "document"), "throughput", "freedom of queries")
    if "aggregates" in asked and "key_lookup" not in asked:
        signal = "aggregates over much data"
        return Called(signal, ("warehouse", "time_series"), "fast scans", "single-row updates")
    return None


def _more_writes(store: Store) -> bool:
    reads = store.reads.value if store.reads is not None else 0.0
    return store.writes is not None and store.writes.value > reads


def _massive(store: Store) -> bool:
    asked = sum(rate.value for rate in (store.reads, store.writes) if rate is not None)
    return asked > MASSIVE_PER_SECOND or (store.data is not None and store.data.value > MASSIVE_BYTES)


def caching(plan: Plan) -> Iterator[Fault]:
    """P-D2: read-through for repeated reads, a view for aggregates, a local cache for a hot key."""
    design = _design(plan, "P-D2")
    for place, store in enumerate(design.stores if design is not None else ()):
        mine = [cache for cache in design.caches if cache.of == store.id] if design is not None else []
        patterns = {cache.pattern for cache in mine}
        found = f"{store.id!r} has {', '.join(sorted(p for p in patterns if p)) or 'no cache'}"
        for called in _cache_called_for(store):
            if not patterns & set(called.choices):
                yield Fault(("design", "stores", place), called.against(found))
        if _hot(store) and not (store.key_aware and any(cache.scope == "local" for cache in mine)):
            share = say_share(store.hottest_key.value) if store.hottest_key is not None else ""
            signal = f"a key with {share} of the requests"
            both = ("shards that know it (key_aware) and a local cache",)
            hot = Called(signal, both, "a short tail of latency", "more to operate")
            yield Fault(("design", "stores", place, "hottest_key"), hot.against(found))


def _cache_called_for(store: Store) -> Iterator[Called]:
    reads, writes = store.reads, store.writes
    read_heavy = reads is not None and reads.value >= _READ_HEAVY * (writes.value if writes else 0.0)
    repeated = store.repeated_reads is not None and store.repeated_reads.value >= _OFTEN_REPEATED
    if read_heavy and repeated:
        signal = "many reads of the same"
        yield Called(signal, ("read_through", "cache_aside"), "latency", "freshness of what is read")
    if "aggregates" in store.access and read_heavy and store.kind not in {"warehouse", "time_series"}:
        signal = "aggregates that are read often"
        yield Called(signal, ("materialized_view",), "computing them once", "staleness")


def _hot(store: Store) -> bool:
    return store.hottest_key is not None and store.hottest_key.value > _HOT


_BY_CONCERN: Mapping[str, Called] = {
    **dict.fromkeys(
        ("money", "identity", "inventory"),
        Called("{}", ("strong",), "correctness", "latency and availability"),
    ),
    **dict.fromkeys(
        ("feed", "search", "analytics", "recommendations"),
        Called("{}", ("eventual", "bounded_staleness"), "throughput", "strict order"),
    ),
    "settings": Called("{}", ("read_your_writes", "strong"), "what users expect", "free choice of replica"),
    "collaboration": Called("{}", ("causal", "strong"), "answers after their questions", "simple replicas"),
}


def consistency(plan: Plan) -> Iterator[Fault]:
    """P-D3: strong for money, eventual for feeds, a home region and a conflict policy across regions."""
    design = _design(plan, "P-D3")
    for place, flow in enumerate(design.workflows if design is not None else ()):
        called = _BY_CONCERN.get(flow.concerns or "")
        if called is not None and flow.consistency is not None and flow.consistency not in called.choices:
            signal = f"{flow.concerns} in {flow.id!r}"
            named = Called(signal, called.choices, called.gains, called.costs)
            found = f"found {flow.consistency}"
            yield Fault(("design", "workflows", place, "consistency"), named.against(found))
        yield from _written_everywhere(place, flow)
        if flow.consistency == "bounded_staleness" and flow.staleness is None:
            what = f"{flow.id!r} reads what is boundedly stale, and nothing says how stale"
            yield Fault(("design", "workflows", place), what)


def _written_everywhere(place: int, flow: Flow) -> Iterator[Fault]:
    if flow.writes_in == "every_region" and not flow.conflicts:
        signal = f"writing {flow.id!r} in every region"
        choice = ("a home region with a conflict policy (conflicts)",)
        called = Called(signal, choice, "simplicity", "latency of writes from afar")
        found = "nothing says what happens when two regions write the same"
        yield Fault(("design", "workflows", place, "writes_in"), called.against(found))


def async_backbone(plan: Plan) -> Iterator[Fault]:
    """P-D4: a queue for tasks, a log where order is read again, no call while a user waits."""
    design = _design(plan, "P-D4")
    for place, channel in enumerate(design.channels if design is not None else ()):
        called = _channel_called_for(channel)
        if channel.kind is not None and called is not None and channel.kind not in called.choices:
            found = f"{channel.id!r} is a {channel.kind}"
            yield Fault(("design", "channels", place, "kind"), called.against(found))


def _channel_called_for(channel: Channel) -> Called | None:
    if channel.ordered and channel.replayed:
        return Called("order that is read again", ("log",), "history", "more work for readers")
    if channel.user_waits:
        return Called("a user who waits", ("queue", "log"), "an answer at once", "an effect that comes later")
    if channel.carries == "tasks":
        return Called("work with retries", ("queue",), "simplicity", "history")
    return None


def multi_region(plan: Plan) -> Iterator[Fault]:
    """P-D5: local regions for residency, replicas for readers worldwide, a standby for disaster."""
    design = _design(plan, "P-D5")
    placement = design.placement if design is not None else None
    if placement is None or not placement.modes:
        return
    for called in _placements_called_for(plan, placement):
        if not set(placement.modes) & set(called.choices):
            found = f"found {' and '.join(placement.modes)}"
            yield Fault(("design", "placement", "modes"), called.against(found))


def _placements_called_for(plan: Plan, placement: Placement) -> Iterator[Called]:
    if placement.residency:
        signal = f"residency of {', '.join(placement.residency)}"
        yield Called(signal, ("region_local",), "compliance", "one plane to operate")
    if placement.readers == "worldwide":
        choices = ("read_replicas", "active_active")
        yield Called("readers worldwide", choices, "latency", "consistency between regions")
    reliability = plan.model.reliability
    recovery = reliability.recovery_time if reliability is not None else None
    if placement.survives != "region":
        return
    if recovery is not None and recovery.value < _NEAR_ZERO_SECONDS:
        signal = "the loss of a region within a recovery time below a minute"
        yield Called(signal, ("active_active",), "no pause", "conflicts between writers")
    else:
        choices = ("active_passive", "active_active")
        yield Called("the loss of a region", choices, "a way on", "an idle copy and its lag")


_RECORD = "or record it: decisions: with departs_from: {} and because:"
DESIGN_TABLES: tuple[AntiPattern, ...] = (
    AntiPattern(
        "DEC201",
        "Each store is of the kind that its access calls for",
        "Joins want a relational store, keys at scale a key-value one, heavy time series one of their own.",
        f"change kind: of the store, {_RECORD.format('P-D1')}",
        storage,
    ),
    AntiPattern(
        "DEC202",
        "Caches stand where reads repeat, and in the form that they call for",
        "A cache trades freshness and one more thing to operate for latency; where reads repeat it pays.",
        f"add a cache to design.caches: with of: and pattern:, {_RECORD.format('P-D2')}",
        caching,
    ),
    AntiPattern(
        "DEC203",
        "Each workflow has the consistency that it calls for",
        "Money that is read stale is lost; a feed that waits for all copies is slow for nothing.",
        f"change consistency: of the workflow (add staleness: or conflicts:), {_RECORD.format('P-D3')}",
        consistency,
    ),
    AntiPattern(
        "DEC204",
        "Each channel is a queue, a log or a call as its use calls for",
        "A queue forgets what is done, a log keeps it, and a call makes the caller wait.",
        f"change kind: of the channel, {_RECORD.format('P-D4')}",
        async_backbone,
    ),
    AntiPattern(
        "DEC205",
        "The regions are laid out as residency, readers and disasters call for",
        "Each layout answers one need and costs another: compliance, latency, or a way on.",
        f"change modes: of design.placement, {_RECORD.format('P-D5')}",
        multi_region,
    ),
)
