"""Every message as people get it, one reviewable file per family; and what every message must have in it.

REWRITE_GOLDEN=1 uv run pytest tests/rules/test_messages.py     then read the difference
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import pytest

from pipelineplan.cli.output import finding_text
from pipelineplan.rules import RULES
from pipelineplan.verdicts import Finding

_spec = importlib.util.spec_from_file_location("cases", Path(__file__).with_name("test_cases.py"))
assert _spec is not None
assert _spec.loader is not None
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

FOLDER = Path(__file__).parent / "messages"
FAMILIES = sorted({code[:3] for code in RULES})
_VALUE = re.compile(r"'[^']*'|\d[\d.,:_-]*")
_DIRTY = re.compile(
    r"\d[eE][+-]?\d|\d\.\d{8,}|\bnan\b|\binf\b|\bNone\b|\bTrue\b|\bFalse\b|\(s\)|  | ,|"
    r"\b1 (?:runs|workers|brokers|partitions|checkpoints|records)\b|\d{4,} s\b|\b\d{4,}\.\d+ "
)


def open_findings(code: str, folder: Path) -> list[tuple[str, Finding]]:
    """The findings that do not hold of all cases of a rule, one for every way of wording them."""
    found: dict[str, tuple[str, Finding]] = {}
    for number, case in enumerate(cases.FILES[code]["cases"]):
        (folder / f"{code}-{number}").mkdir()
        for finding in cases.findings_of(code, case, folder / f"{code}-{number}"):
            if finding.verdict != "holds":
                found.setdefault(_VALUE.sub("#", finding.message), (case["name"], finding))
    return list(found.values())


def written(family: str, folder: Path) -> str:
    """All messages of a family, under the name of the case that shows each."""
    parts = [
        f"# {code}, {name}\n{finding_text(finding, strict=False)}\n"
        for code in sorted(RULES)
        if code.startswith(family)
        for name, finding in open_findings(code, folder)
    ]
    return "\n".join(parts)


@pytest.mark.parametrize("family", FAMILIES)
def test_messages_are_as_they_were_read(family: str, tmp_path: Path) -> None:
    golden, now = FOLDER / f"{family}.txt", written(family, tmp_path)
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(now, encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == now


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_message_says_where_what_why_and_how_to_mend_it(code: str, tmp_path: Path) -> None:
    found = open_findings(code, tmp_path)
    assert found
    for name, finding in found:
        text = finding_text(finding, strict=False)
        assert re.match(r"\S+\.yaml:\d+:\d+: ", text), name
        assert finding.path.startswith("$"), name
        assert f"  {finding.message}\n" in f"{text}\n", name
        assert RULES[code].why, name
        assert finding.nearest or finding.fix or _asks(finding), name
        if _counts(finding):
            assert re.search(r"\d", finding.message), f"{name}: no number in {finding.message!r}"


def _asks(finding: Finding) -> bool:
    return "state " in finding.message or "run `" in finding.message


def _counts(finding: Finding) -> bool:
    """Whether the verdict is about numbers; SCH2 counts pairs of versions and names each."""
    return (
        not finding.code.startswith("SCH2")
        and bool(finding.operands)
        and any(operand.dimension is not None for operand in finding.operands)
    )


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_message_reads_well(code: str, tmp_path: Path) -> None:
    for name, finding in open_findings(code, tmp_path):
        for line in (finding.message, *finding.nearest):
            assert not _DIRTY.search(line), f"{name}: {_DIRTY.search(line)} in {line!r}"
            assert line == line.strip(), name
        assert not finding.message.endswith("."), f"{name}: {finding.message!r}"


def test_no_golden_is_of_a_family_that_is_gone() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(FAMILIES)
