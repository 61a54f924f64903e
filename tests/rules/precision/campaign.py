"""Random plans, their mutants, what the rules say of them and what the judges find out; counted by rule.

             judges: breaks               judges: holds
rule fails   caught                       false alarm
unknown      asked (says what to state)   -
holds        missed                       -
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import yaml
from precision import judge_keeping, judge_load, judge_time  # noqa: F401  (they take their seats on the bench)
from precision.bench import JUDGES, Answer
from precision.mutants import mutant
from precision.plans import random_plan
from precision.written import Tree

from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan
from pipelineplan.rules import RULES, apply
from pipelineplan.verdicts import Severity, Verdict

FAILS, ASKS, HOLDS = "fails", "asks", "holds"


# What T1 sees as lag or a slow drain may have its root in a sink, which is another rule's to say.
ROOTS = {"CAP101": "CAP105", "CAP201": "CAP105"}


@dataclass(frozen=True)
class Case:
    """One mutant (or an unchanged plan): what every rule says and every judge answers."""

    plan: int
    where: str
    how: str
    said: dict[str, str]
    answers: dict[str, Answer]
    before: dict[str, Answer]
    refused: str = ""

    @property
    def harmful(self) -> list[str]:
        return [code for code, answer in self.answers.items() if answer]

    @property
    def caught(self) -> bool:
        return any(self.said[code] == FAILS for code in self.harmful)

    @property
    def alarms(self) -> list[str]:
        """Rules that fail although their judge says that it holds."""
        return [code for code, answer in self.answers.items() if answer is False and self.said[code] == FAILS]

    @property
    def leaf(self) -> str:
        """The path without the places in lists."""
        return ".".join("*" if step.isdigit() else step for step in self.where.split("."))

    @property
    def name(self) -> str:
        return f"plan {self.plan}: {self.where} {self.how}"


@dataclass
class Count:
    """The table of one rule."""

    caught: list[Case] = field(default_factory=list)
    asked: list[Case] = field(default_factory=list)
    missed: list[Case] = field(default_factory=list)
    harmless: int = 0
    alarms: list[Case] = field(default_factory=list)

    @property
    def harmful(self) -> int:
        return len(self.caught) + len(self.asked) + len(self.missed)


def cases(plans: int, mutants: int, seed: int, simulated: int = 4) -> Iterator[Case]:
    """The unchanged plans and their mutants, one after the other; the same for the same seed.

    The simulation takes far longer than all else together, so it judges every `simulated`-th plan and its
    mutants.
    """
    for number in range(plans):
        yield from of_plan(number, mutants, seed, asks_t1=number % simulated == 0)


def of_plan(number: int, mutants: int, seed: int, *, asks_t1: bool) -> list[Case]:
    """One plan and its mutants; no other plan has a part in them."""
    draw = Random(f"{seed} {number}")
    tree = random_plan(draw, number)
    with TemporaryDirectory() as folder:
        whole = _case(Asked(number, "", "as it is", asks_t1), tree, {}, Path(folder))
        found = [whole]
        for _ in range(mutants):
            one = mutant(tree, draw)
            asked = Asked(number, one.where, one.how, asks_t1)
            found.append(_case(asked, one.tree, whole.answers, Path(folder)))
    return found


@dataclass(frozen=True)
class Asked:
    """Which mutant of which plan, and whether the simulation judges it too."""

    plan: int
    where: str
    how: str
    simulated: bool


def _case(asked: Asked, tree: Tree, before: dict[str, Answer], folder: Path) -> Case:
    file = folder / "plan.yaml"
    file.write_text(yaml.dump(tree, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
    try:
        plan = read_plan(file)
    except InputError as error:
        return Case(asked.plan, asked.where, asked.how, {}, {}, before, str(error).splitlines()[0])
    said = {
        code: _said([(f.verdict, f.counts_as()) for f in apply(one, plan)]) for code, one in RULES.items()
    }
    for code, other in ROOTS.items():
        said[code] = min(said[code], said[other], key=(FAILS, ASKS, HOLDS).index)
    answers = {
        code: one.ask(tree) for code, one in JUDGES.items() if asked.simulated or code not in judge_load.BY_T1
    }
    return Case(asked.plan, asked.where, asked.how, said, answers, before)


def _said(verdicts: list[tuple[Verdict, Severity]]) -> str:
    """A failure at warning or above counts; what is unknown, or rests on an assumption, asks."""
    if any(v is Verdict.FAILS and s is not Severity.INFO for v, s in verdicts):
        return FAILS
    return ASKS if any(v is not Verdict.HOLDS for v, _ in verdicts) else HOLDS


def counted(all_cases: list[Case]) -> dict[str, Count]:
    """The tables of all rules with a judge, over the mutants that could be read."""
    counts = {code: Count() for code in JUDGES}
    for case in all_cases:
        for code, answer in case.answers.items():
            if answer is None:
                continue
            one, said = counts[code], case.said[code]
            if answer:
                {FAILS: one.caught, ASKS: one.asked, HOLDS: one.missed}[said].append(case)
            else:
                one.harmless += 1
                if said == FAILS:
                    one.alarms.append(case)
    return counts


def clopper_pearson(hits: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a share, by bisection of the binomial tail."""
    if of == 0:
        return (0.0, 1.0)
    tail = (1 - confidence) / 2

    def at_least(share: float) -> float:
        return math.fsum(_binomial(of, k, share) for k in range(hits, of + 1))

    def at_most(share: float) -> float:
        return math.fsum(_binomial(of, k, share) for k in range(hits + 1))

    low = 0.0 if hits == 0 else _where(lambda share: at_least(share) >= tail)
    high = 1.0 if hits == of else _where(lambda share: at_most(share) <= tail)
    return low, high


def _binomial(of: int, k: int, share: float) -> float:
    if share in {0.0, 1.0}:
        return 1.0 if k == of * share else 0.0
    ways = math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
    return math.exp(ways + k * math.log(share) + (of - k) * math.log1p(-share))


def _where(turns: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if turns(middle) else (middle, high)
    return high


def unseen_leaves(mutated: list[Case]) -> Counter[str]:
    """Leaves of which no mutant changed any judge's answer, and how many mutants of them there were."""

    def turned(one: Case) -> bool:
        return any(answer != one.before.get(code) for code, answer in one.answers.items())

    seen = {one.leaf for one in mutated if turned(one)}
    return Counter(one.leaf for one in mutated if one.answers and one.leaf not in seen)
