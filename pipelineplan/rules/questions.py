"""What only a person can say of a plan, in order of how much it would settle.

Each question stands for the parts of a plan that answer it; it settles the findings that are open for
want of one of those parts. A finding counts for the first question whose codes it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelineplan.verdicts import Finding, Verdict


@dataclass(frozen=True)
class Question:
    """A question, where its answer goes in a plan, and how many open findings it would settle."""

    asks: str
    where: str
    settles: int = 0


# By the codes of the findings; first the seven that a review asks first, then design and operation.
_QUESTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Which decision or figure is served, for whom, and what is out of scope?",
        "context",
        "CTX10[1-6]",
    ),
    (
        "Who owns each source and sink, who decides about schemas, how are records corrected?",
        "sources[].owner, version_owner, mutation; sinks[].owner, consumers, mode",
        "SRC10[13-68]|PRC104",
    ),
    (
        "Do records count by their own clock, or by their arrival?",
        "sources[].semantics.event_time, clock, watermark",
        "SEM10[126-8]|ANT10[12]|EVT[2-4]",
    ),
    (
        "How fresh and complete must the result be?",
        "slos",
        "SEM1(09|1)|SLO|OPS109|EVT1",
    ),
    (
        "How late, out of order and repeated do records come? `pipelineplan profile` measures it",
        "sources[].semantics.lateness, disorder, duplicates, ordering",
        "SEM10[345]|ORD|QUA102|ANT103",
    ),
    (
        "How may schemas change, and who reads them?",
        "sources[].contract; contracts",
        "SCH|SRC10[27]|ANT105",
    ),
    (
        "Which budget, team, date and duties of compliance are there?",
        "context.constraints",
        "CTX",
    ),
    (
        "How many records come, how large, and what does one worker do in a second?",
        "sources[].rate, record, partitions, retention; stages[].parallelism, capacity",
        "VOL|CAP|FIL|CST|ANT109",
    ),
    (
        "What does each step do, how often is it tried, and what happens to what it cannot process?",
        "ingestion; stages[].layer, mode, guarantee, retry, dead_letters, checkpoint",
        "ING|PRC|CHK|DLV|SCD|CDC|ANT",
    ),
    (
        "How is history run again, and how does one switch over and back?",
        "replay; cutover; rollback",
        "CUT|BKF|TMB",
    ),
    (
        "What is watched and checked, who is called, and by which threshold?",
        "operations; quality; reconciliation",
        "OPS|QUA|REC",
    ),
    (
        "When is it accepted, and which risks stay?",
        "acceptance; risks; decisions; attestations",
        "ACC|RSK|ATT|DEC",
    ),
)
_ELSE = ("Everything else that the plan leaves open", "see `pipelineplan check`")
_MENDED = "SYN"  # two files that say different things are mended, and not answered


def questions_of(findings: Iterable[Finding]) -> tuple[Question, ...]:
    """The questions that the open findings ask, those first that settle most."""
    order = {asks: place for place, (asks, _, _) in enumerate((*_QUESTIONS, (*_ELSE, "")))}
    counts: dict[tuple[str, str], int] = {}
    for finding in findings:
        if finding.verdict is Verdict.HOLDS or finding.code.startswith(_MENDED):
            continue
        key = next(
            ((asks, where) for asks, where, codes in _QUESTIONS if re.match(codes, finding.code)), _ELSE
        )
        counts[key] = counts.get(key, 0) + 1
    found = [Question(asks, where, settles) for (asks, where), settles in counts.items()]
    return tuple(sorted(found, key=lambda question: (-question.settles, order[question.asks])))
