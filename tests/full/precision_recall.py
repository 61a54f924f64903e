"""How often each rule catches harm, and how often it cries wolf: random plans and their mutants, by rule.

    uv run python tests/full/precision_recall.py [--plans 1000] [--mutants 3] [--write PAGE]

Plans, mutants and judges are those of tests/rules/precision; the same arguments give the same bytes. Leaves
with status 1 below 95 % recall, above 2 % false alarms, or with a warning on one of the main examples.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/rules"))

from precision.bench import JUDGES  # noqa: E402  (found by the line above)
from precision.campaign import FAILS, Case, clopper_pearson, counted, of_plan, unseen_leaves  # noqa: E402

from pipelineplan.rules import RULES  # noqa: E402
from pipelineplan.workflow import check  # noqa: E402

EXAMPLES = ("orders-to-warehouse", "mobile-telemetry", "ledger-batch")
WITHOUT_JUDGE = {
    "CAP404": "joins of two streams: the random plans have one source",
    "CAP501": "informs only, so it can raise no alarm",
    "CHK103": "informs only, so it can raise no alarm; its formula is tested against Daly's own table",
    "CHK203": "compares two revisions: every case by hand",
    "CUT203": "a word of the plan (stable or generated), and nothing that could be played",
    "CUT204": "text for people: whether a trigger can be measured",
    "ORD105": "compares two revisions: the share of keys that move is counted key by key in its tests",
    "SCD101": "whether a cron expression can be read",
}
BY_FAMILY = {
    "PLN": "two plans that feed each other: tests/rules/test_fed_plans.py builds twelve with five faults",
    "REC": "reconciliation: judged on data by tests/quality/reconciling",
    "SCH": "schemas: each pair is proved by encoding and decoding in tests/full/prove_verdicts.py",
}
HEAD = """# Precision and recall of the rules

Written by `uv run python tests/full/precision_recall.py --plans {plans} --write
docs/background/precision.md`.

{plans:,} random plans that hold with room to spare, and {mutants:,} mutants of them: one leaf drawn
evenly, times or divided by 2, 10, 60 or 1.024, deleted, turned into another word, or a list reordered.
Whether a mutant does harm is not asked of the rule: a *judge* finds out in another way, from the YAML
and not from the package's model of it (`tests/rules/precision/`). Where the judge says that a promise
breaks, a rule that fails at warning or above has *caught* it; one that says unknown, or rests on an
assumption, has *asked* for what is missing; one that holds has *missed* it. Where the judge says that
it holds, a failure at warning or above is a *false alarm*.

| | |
|---|---|
| mutants that could not be read, with the line and the reason | {refused:,} |
| mutants that do harm by some judge | {harmful:,} |
| caught by the rule whose judge saw the harm | {caught:,} ({recall}) |
| mutants that harm nothing, of leaves that some judge can see | {harmless:,} |
| with a false alarm | {alarmed:,} ({alarms}) |
| mutants of leaves that no judge can see, left out of both | {unseen:,} |
| unchanged plans with a false alarm | {wolf:,} of {plans:,} ({base}) |
| unchanged plans that some judge breaks, which should not be | {broken:,} |
| findings at warning or above on the three main examples | {examples} |

Bounds in brackets are those of Clopper and Pearson at 95 %.
"""
JUDGING = """
## Who judges

T1 is the fluid simulation; it shares the reading of a plan, the duration of a computed checkpoint and
the time of a restart with the rules, and no formula of load, drain, retention or freshness. It judges
every fourth plan and its mutants; where its own checkpoints fail and restart the job for ever, the harm
is that of CHK101 and it says nothing of the others. All other judges read the YAML by themselves. Some
promises have a policy in them (half the timeout for a checkpoint, 64 MB for a file, the utilisation
that the plan allows): judge and rule share that number, and not the way to what is held against it.

Where a promise is one stated number against another (CDC104, CHK102, CHK202, CUT201, CUT202, DLV103,
DLV203, EVT302) or a word (EVT403), there is one way to compare them. The judge is then a second reading
of the file: it finds a wrong unit, field or default, and no wrong model.
"""
KNOWN = """
## What was found this way, and mended

- *A sink's outage restarts the job.* The rules let a job sit out an outage of its sink. The simulation
  did not: barriers stand still, checkpoints time out, and a job that has used up its tolerable failures
  restarts, in the worst case as the sink comes back. CAP201, CAP301, CAP402 and TMB101 now count that
  restart and what is read again.
- *A budget below millions of keys kept `check` busy for minutes.* The nearest number of keys that fits
  was counted down to, one by one. It is bisected now.
- *The longest stop of a stage was the one that takes longest to detect and repair.* A shorter one that
  restarts the job can keep it from its state for longer: CAP402 counts the restart of each.
- *A job is back when its slowest stage is.* CAP302, CAP403, DLV105 and TMB101 counted the restart of the
  first stage behind a source, which often has no state to read back; they count the slowest now.
- *No rule held a sink against its load in a plain peak.* The simulation saw lag grow behind a sink whose
  capacity was divided by 60, and every stage had room to spare. CAP105 says so now; where T1 sees lag or a
  slow drain, it counts as caught by CAP105 as well.
- *Judges that were wrong:* one took an hourly schedule for one that skips an hour when clocks change
  (it runs by instants), one dealt fewer records than there were partitions and so saw a total order,
  and T1's lag under checkpoints that never complete was taken for missing capacity.

## What the judges leave open

- Quantiles of disorder bound the share of late records from both sides; where the promise lies between,
  EVT101 says unknown and the judge too. The same holds for the phases of window and checkpoint in
  EVT201.
- Free disk between once and twice the log of the longest silence: the rule's margin of 1.5 is an
  assumption, so its verdict only informs there.
- ORD101 supposes that the records of one poll are slow together, as they are when what they call is
  slow. Were they independent, a poll of 500 would hardly ever be that slow."""


def table(all_cases: list[Case]) -> Iterator[str]:
    yield "| rule | harmful | caught | asked | missed | recall | harmless | false alarms | share |"
    yield "|---|---:|---:|---:|---:|---|---:|---:|---|"
    for code, one in sorted(counted(all_cases).items()):
        known = len(one.caught) + len(one.missed)
        cells = [code, one.harmful, len(one.caught), len(one.asked), len(one.missed)]
        cells += [
            bounded(len(one.caught), known),
            one.harmless,
            len(one.alarms),
            bounded(len(one.alarms), one.harmless),
        ]
        yield f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else str(cell) for cell in cells)} |"


def bounded(hits: int, of: int) -> str:
    """A share with its bounds, or that there was nothing."""
    if not of:
        return "none seen"
    low, high = clopper_pearson(hits, of)
    return f"{hits / of:.1%} ({low:.1%} to {high:.1%})".replace("%", " %")


def judges() -> Iterator[str]:
    yield "| rule | how its judge finds out |"
    yield "|---|---|"
    yield from (f"| {code} | {one.how} |" for code, one in sorted(JUDGES.items()))
    yield "\n## Rules without a judge here\n"
    lacking = [code for code in sorted(RULES) if code not in JUDGES]
    for family, why in BY_FAMILY.items():
        yield f"- {', '.join(code for code in lacking if code.startswith(family))}: {why}."
    for code in lacking:
        if code[:3] not in BY_FAMILY:
            why = WITHOUT_JUDGE.get(code, "both sides of its boundary by hand, in tests/rules/cases")
            yield f"- {code}: {why}."


def looked_at(all_cases: list[Case]) -> Iterator[str]:
    """Every miss and every false alarm by name, so that none goes without being looked at."""
    counts = sorted(counted(all_cases).items())
    for title, of in (("Misses", "missed"), ("Asked instead of failed", "asked"), ("False alarms", "alarms")):
        yield f"\n## {title}\n"
        names = [f"- {code}, {case.name}" for code, one in counts for case in getattr(one, of)]
        yield "\n".join(names) if names else "None."


def unseen(mutated: list[Case]) -> Iterator[str]:
    found: Counter[str] = unseen_leaves(mutated)
    silent = [f"`{leaf}` {count}" for leaf, count in sorted(found.items())]
    yield f"\n## Leaves that no judge can see\n\nWith the number of their mutants: {', '.join(silent)}."


def examples() -> int:
    """Findings at warning or above on the main examples."""
    plans = [check(ROOT / "examples" / name) for name in EXAMPLES]
    return sum(
        finding.verdict.value != "holds" and finding.counts_as().value in {"error", "warning"}
        for plan in plans
        for finding in plan.findings
    )


def all_cases(options: argparse.Namespace) -> list[Case]:
    """Every plan by itself, on as many processes as were asked for, in their order."""
    ask = partial(_of_plan, options.mutants, options.seed)
    found = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for number, some in enumerate(pool.map(ask, range(options.plans), chunksize=5)):
            found += some
            if number % 50 == 0:
                print(f"plan {number:,}", file=sys.stderr, flush=True)
    return found


def _of_plan(mutants: int, seed: int, number: int) -> list[Case]:
    return of_plan(number, mutants, seed, asks_t1=number % 4 == 0)


def _cries(one: Case) -> list[str]:
    """Rules that fail on an unchanged plan: against their judge, or without one."""
    return [*one.alarms, *(code for code, said in one.said.items() if said == FAILS and code not in JUDGES)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=1000)
    parser.add_argument("--mutants", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes; the page does not depend on it")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    found = all_cases(options)
    mutated, whole = [one for one in found if one.where], [one for one in found if not one.where]
    hidden = unseen_leaves(mutated)
    harmful = [one for one in mutated if one.harmful]
    harmless = [one for one in mutated if one.answers and not one.harmful and one.leaf not in hidden]
    caught, alarmed = sum(one.caught for one in harmful), sum(bool(one.alarms) for one in harmless)
    wolf, warned = sum(bool(_cries(one)) for one in whole), examples()
    head = HEAD.format(
        plans=len(whole),
        mutants=len(mutated),
        refused=sum(bool(one.refused) for one in mutated),
        harmful=len(harmful),
        caught=caught,
        recall=bounded(caught, len(harmful)),
        harmless=len(harmless),
        alarmed=alarmed,
        alarms=bounded(alarmed, len(harmless)),
        unseen=sum(hidden.values()),
        wolf=wolf,
        broken=sum(bool(one.harmful) for one in whole),
        base=bounded(wolf, len(whole)),
        examples=warned,
    )
    text = (
        "\n".join([head, *table(mutated), KNOWN, *looked_at(mutated), JUDGING, *judges(), *unseen(mutated)])
        + "\n"
    )
    if options.write is None:
        print(text)
    else:
        options.write.write_text(text, encoding="utf-8")
    good = caught >= 0.95 * len(harmful) and alarmed <= 0.02 * len(harmless) and not warned and not wolf
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
