"""Every plan of a repository judged, on all cores where there are many, with what is lived with taken out.

plan file -> kept verdicts, or read and judged -> less its comments -> less its baseline -> PlanVerdicts
"""

from __future__ import annotations

import datetime as dt
import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelineplan.documents.reads import recording
from pipelineplan.documents.root import find_root
from pipelineplan.documents.settings import Settings, read_settings
from pipelineplan.errors import InputError, Problem
from pipelineplan.fleet.keeping import Kept, entry_of, find, keep
from pipelineplan.verdicts import Severity, Verdict
from pipelineplan.verdicts.of_plan import PlanVerdicts

FEW = 24  # plans that one process judges before another has started


@dataclass(frozen=True)
class Asked:
    """What is asked of every plan; `as_of` is the day of expiry dates, today (UTC) if not given.

    `baseline` and `fail_on` are those of each repository's settings where None. With `holding` the
    verdicts that hold are told as well. `cache` is the folder to keep verdicts in, None for none.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool = False
    env: str | None = None
    as_of: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    baseline: bool | None = None
    fail_on: Severity | None = None
    holding: bool = True
    cache: Path | None = None

    @property
    def complete(self) -> bool:
        """Whether every rule is judged, so that what lets nothing pass is known to be unused."""
        return not self.select and not self.ignore


@dataclass(frozen=True)
class Judged:
    """What became of one plan: its verdicts, or the problems that keep it from being read.

    `fail_on` is what the repository wants to fail on; `files` are all that was looked at.
    """

    plan: Path
    verdicts: PlanVerdicts | None
    problems: tuple[Problem, ...] = ()
    fail_on: Severity = Severity.ERROR
    files: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether something that is open counts as much as `fail_on`."""
        return self.verdicts is not None and bool(self.verdicts.at_least(self.fail_on))


@dataclass(frozen=True)
class Fleet:
    """All plans, in the order they were given in, with every problem of those that cannot be read."""

    judged: tuple[Judged, ...]

    @property
    def results(self) -> tuple[PlanVerdicts, ...]:
        """The verdicts on the plans that could be read."""
        return tuple(one.verdicts for one in self.judged if one.verdicts is not None)

    @property
    def problems(self) -> tuple[tuple[Path, Problem], ...]:
        """Every problem with the plan that it belongs to."""
        return tuple((one.plan, problem) for one in self.judged for problem in one.problems)

    @property
    def status(self) -> int:
        """The exit status: 2 for a plan that cannot be read, 1 for a finding that fails, else 0."""
        return 2 if self.problems else int(any(one.fails for one in self.judged))


def check_plans(plans: Sequence[Path], asked: Asked, *, jobs: int = 0) -> Fleet:
    """Judge every plan; what is wrong with one does not hide the others.

    On `jobs` processes, 0 for as many as there are cores where there are many plans.
    """
    cores = min(jobs or len_of_cores(), len(plans) // FEW + 1 if not jobs else len(plans))
    with _no_search_for_cycles():
        if cores <= 1:
            return Fleet(tuple(check_one(plan, asked) for plan in plans))
        return Fleet(tuple(_beside_each_other(plans, asked, cores)))


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """A judged plan leaves no cycles of objects behind, and looking for some takes a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def len_of_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _beside_each_other(plans: Sequence[Path], asked: Asked, cores: int) -> Iterator[Judged]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_all_start_methods, get_context

    # What the first plan loads and builds, a forked process has; where there is no fork each does it once.
    first, *others = plans
    yield check_one(first, asked)
    method = "fork" if "fork" in get_all_start_methods() and os.name == "posix" else "spawn"
    each = max(1, len(others) // (cores * 16))  # small, so that all are done at about the same time
    with ProcessPoolExecutor(cores, mp_context=get_context(method)) as pool:
        yield from pool.map(check_one, others, [asked] * len(others), chunksize=each)


def check_one(plan: Path, asked: Asked) -> Judged:
    """What becomes of one plan."""
    files: set[str] = set()
    try:
        with recording() as files:
            settings = read_settings(find_root(plan))
            kept = _kept_or_judged(plan, asked, settings)
            verdicts = _less_the_baseline(kept.verdicts, plan, asked, settings)
    except InputError as error:
        return Judged(plan, None, error.problems, files=tuple(sorted(files)))
    fail_on = asked.fail_on or Severity(settings.fail_level)
    return Judged(plan, verdicts, (), fail_on, tuple(sorted({*files, *kept.files})))


def _kept_or_judged(plan: Path, asked: Asked, settings: Settings) -> Kept:
    """The verdicts before any baseline: from the cache where they still count, else made and kept."""
    day = asked.as_of.isoformat()
    if asked.cache is None or settings.python_rules:  # what an installed package does is not known here
        return _judged(plan, asked, day)
    told = "all" if asked.holding else "what does not hold"
    words = (*asked.select, "-", *asked.ignore, asked.env or "-", settings.edition, told)
    entry = entry_of(asked.cache, plan, words)
    kept = find(entry, day)
    if kept is None:
        kept = _judged(plan, asked, day)
        keep(entry, kept)
    return replace(kept, verdicts=replace(kept.verdicts, strict=asked.strict))


def _judged(plan: Path, asked: Asked, day: str) -> Kept:
    from pipelineplan.documents.comments import comments_in
    from pipelineplan.rules import depends_on_day
    from pipelineplan.workflow import check

    with recording() as files:
        result = check(
            plan,
            select=asked.select,
            ignore=asked.ignore,
            strict=asked.strict,
            env=asked.env,
            as_of=asked.as_of,
            holding=asked.holding,
        )
    dated = depends_on_day(result.plan) or any(one.until for one in comments_in(result.plan.own_lines))
    findings = tuple(sorted(result.findings, key=lambda one: one.verdict is Verdict.HOLDS))
    verdicts = PlanVerdicts(result.about, findings, asked.strict, result.held)
    result.plan.answers.clear()  # they refer to the plan that keeps them: without this it would stay for ever
    return Kept(verdicts, tuple(sorted(files)), day if dated else "")


def _less_the_baseline(verdicts: PlanVerdicts, plan: Path, asked: Asked, settings: Settings) -> PlanVerdicts:
    wanted = settings.baseline if asked.baseline is None else asked.baseline
    if not wanted:
        return verdicts
    from pipelineplan.fleet.baseline import read_baseline, with_baseline

    entries = read_baseline(plan, verdicts.about.root)
    findings = with_baseline(verdicts.findings, entries, asked.as_of, complete=asked.complete)
    return replace(verdicts, findings=tuple(one for one in findings if _is_asked(one.code, asked)))


def _is_asked(code: str, asked: Asked) -> bool:
    wanted = code.startswith(asked.select) if asked.select else True
    return wanted and not (asked.ignore and code.startswith(asked.ignore))
