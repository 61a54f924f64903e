"""What the simulator is held to, claim by claim: what is known, what comes out, how closely, who says so.

    uv run python tests/full/right.py [examples] [--write docs/background/right.md]

Every number is computed here, but for those of T1 beside T0, which are read from the page of their own
script. `examples` random networks are drawn for the laws (10,000 unless said otherwise: some minutes). Leaves
with status 1 when a result is missed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))
sys.path.insert(0, str(Path(__file__).parents[1] / "simulation" / "right"))
sys.path.insert(0, str(Path(__file__).parent))

from conserve_records import conserve
from known import FILES, Outcome, kind_of, outcomes, read_known

TESTS = Path(__file__).parents[1]
BESIDE = TESTS.parent / "docs/background/fluid-against-records.md"
HEAD = """# What the simulator is held to

Written by `uv run python tests/full/right.py --write docs/background/right.md`: every number is
computed there. Each claim is one file of `simulations/known_results/`, and
`tests/simulation/right/test_known_results.py` runs them all. *Known* is what the source says or the
formula gives, *ours* what came out, *within* the relative difference that passes (of 0, the absolute
one). *By* is the model: the fluid (T1) on a network, a closed form of `pipelineplan/plan`, or a sum
over many records.
"""
GROUPS = {
    "drains and loss": "Drains, backlogs and loss",
    "checkpoints and replay": "Checkpoints, failures and replay",
    "exchanges": "Exchanges and hot keys",
    "state": "State",
    "odd corners": "Odd corners",
    "waiting by chance": "Waiting by chance",
    "published tables": "Published tables",
    "event time": "Event time: late, idle, replayed",
}
BY = {"network": "T1", "closed_form": "formula", "experiment": "records"}
# What holds of every run: the tests that say so, without their "test_".
LAWS = {
    "test_laws.py": (
        "records_are_conserved_and_queues_are_bounded",
        "nothing_is_read_before_it_arrives",
        "a_replay_is_what_was_read_since_a_completed_cut",
        "cutting_a_segment_into_pieces_changes_nothing",
        "more_capacity_never_leaves_more_waiting",
        "littles_law",
        "taking_a_known_course_again_is_as_good_as_computing_it",
        "the_same_run_gives_the_same_numbers",
    ),
    "test_joint.py": ("records_are_conserved_and_no_worker_does_more_than_it_can",),
    "test_compiled.py": ("the_compiled_loop_gives_the_same_figures",),
    "test_record_waits.py": ("t2_is_within_the_intervals_of_replicated_t0",),
    "test_scan.py": ("t3_is_t1_in_the_same_weather",),
    "test_replicating.py": ("serial_parallel_and_second_runs_give_the_same_bytes",),
}


@dataclass(frozen=True)
class Claim:
    """One file of known results with what came out."""

    name: str
    group: str
    says: str
    citation: str
    by: str
    of: str
    outcomes: tuple[Outcome, ...]

    def rows(self) -> Iterator[str]:
        """One line of the table for each number."""
        for each in self.outcomes:
            title = f"`{self.name}`: {self.says}" if each is self.outcomes[0] else ""
            source = self.citation if each is self.outcomes[0] else ""
            within = f"{each.tolerance:g}"
            of = (each.name or self.of).replace("_", " ")
            mark = "" if each.close else " **missed**"
            yield (
                f"| {title} | {of} | {shown(each.expected)} | {shown(each.found)}{mark} | {within} "
                f"| {self.by} | {source} |"
            )


def shown(number: float) -> str:
    """Six digits, with commas where there are thousands."""
    if number in (float("inf"), 0.0):
        return "never" if number else "0"
    return f"{number:,.0f}" if abs(number) >= 1e6 else f"{number:,.6g}"


def claims() -> list[Claim]:
    """Every file, computed."""
    found = []
    for file in FILES:
        print(file.stem, file=sys.stderr, flush=True)
        case = read_known(file)
        group = case.get("group", "others")
        kind = kind_of(case)
        of = "" if kind == "network" else case[kind].partition(".")[2] or case[kind]
        met = tuple(outcomes(case))
        found.append(Claim(file.stem, group, case["says"], case["citation"], BY[kind], of, met))
    return found


def tables(found: list[Claim]) -> Iterator[str]:
    """One table for each group."""
    groups = dict.fromkeys([*GROUPS, *(each.group for each in found)])
    for group in groups:
        mine = [each for each in found if each.group == group]
        if mine:
            yield f"\n## {GROUPS.get(group, group.capitalize())}\n"
            yield "| claim | of | known | ours | within | by | source |\n|---|---|---:|---:|---:|---|---|"
            for claim in mine:
                yield from claim.rows()


def laws(examples: int) -> Iterator[str]:
    """What random networks and control sequences were tried, and the list of laws."""
    found = conserve(examples)
    yield "\n## Laws that hold of every run\n"
    yield (
        f"{found.runs:,} random networks with random load, checkpoints and failures were run for this "
        f"page, {found.with_three_bounded:,} of them with three bounded exchanges in a row. The worst "
        f"queue missed {found.missing_share:.1e} of its records; between two turns of the knobs rates "
        f"changed at most {found.most_changes:.2g} times for each queue (400 would be an error).\n"
    )
    yield "| law | tested in `tests/simulation` |\n|---|---|"
    for file, names in LAWS.items():
        text = (TESTS / "simulation" / file).read_text(encoding="utf-8")
        for name in names:
            if f"def test_{name}(" not in text:
                raise LookupError(f"{file} has no {name}")
            yield f"| {name.replace('_', ' ')} | `{file}` |"


def scenarios() -> str:
    """How many scenarios run under the laws that they name, on how many networks."""
    import test_library as library

    able = 0
    for recipe, network in library.CASES:
        try:
            library.arrange(
                recipe,
                library.Inputs(library.NETWORKS[network], library.LOAD, facts=library.FACTS),
                library.End.LIKELY,
            )
        except library.NotSimulated:
            continue
        able += 1
    return (
        f"\nEach of the {len(library.RECIPES)} scenarios of the library runs under the laws that it names, "
        f"at the likely values and at both ends, on those of {len(library.NETWORKS)} networks that it can "
        f"be asked of: {able} pairs, {3 * able} runs (`tests/simulation/test_library.py`).\n"
    )


def beside() -> str:
    """T1 beside T0, from the page of that script."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in BESIDE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and re.match(r"\| [a-z0-9-]+, (forward|keyed) \|", line)
    ]
    lags = {row[0]: float(row[1].rstrip("%")) for row in rows if row[1].endswith("%")}
    within = [name for name, error in lags.items() if error <= 2]
    drains = {
        row[0]: abs(float(found[1])) for row in rows if (found := re.search(r"\(([-+][\d.]+)%\)", row[2]))
    }
    close = [name for name, error in drains.items() if error <= 3]
    rest = sorted({row[0] for row in rows if row[-1]})
    return (
        "\n## The fluid beside single records\n\n"
        f"In [the table of all scenarios](fluid-against-records.md) {len(lags)} lag curves have a peak of "
        f"at least 100 times the resting queue; {len(within)} of them differ by at most 2 % of the peak "
        f"(root mean square) from records one by one. Of {len(drains)} drains with fixed service "
        f"{len(close)} differ by at most 3 %. Beyond a bound there: {'; '.join(rest) or 'none'}. The page "
        "says why.\n"
    )


def page(examples: int, found: list[Claim]) -> str:
    """The whole page."""
    numbers = [each for claim in found for each in claim.outcomes]
    missed = sum(not each.close for each in numbers)
    count = f"\n{len(found)} claims, {len(numbers)} numbers, {missed} missed.\n"
    engines = (
        "\n## Beside real engines\n\nWhat is late is judged record by record beside Beam and Flink: "
        "[event time](event-time.md), [the trade-off table](tradeoff-on-engines.md).\n"
    )
    parts = [HEAD, count, *tables(found), *laws(examples), scenarios(), beside(), engines]
    return (
        "\n".join(part.rstrip("\n") if part.startswith("|") else part for part in parts).rstrip("\n") + "\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("examples", type=int, nargs="?", default=10_000)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    found = claims()
    text = re.sub(r"\n{3,}", "\n\n", page(options.examples, found))
    if options.write is None:
        print(text)
    else:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(not each.close for claim in found for each in claim.outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
