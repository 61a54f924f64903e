# ruff: noqa: INP001  (a script, no package)
"""Write the reference pages and the schema that follow from the code, or check that they are current.

uv run python docs/generate.py            writes them
uv run python docs/generate.py --check    fails when one is stale
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.rules.criteria import Criterion

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "uv run python docs/generate.py"
NOTE = f"<!-- Written by `{COMMAND}`; do not edit. -->\n"


def main() -> int:
    """Write every generated file, or say which are stale."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    check = parser.parse_args().check
    files = tuple(generated())
    stale = [path for path, text in files if _read(path) != text]
    for path, text in files:
        if path in stale and not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.stderr.write(f"stale: {names}; run: {COMMAND}\n")
        return 1
    return 0


def generated() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text that it should have."""
    from pipelineplan.plan.schema import plan_schema_text

    yield ROOT / "docs/reference/rules.md", rules_page()
    yield ROOT / "docs/reference/criteria.md", criteria_page()
    yield ROOT / "docs/reference/commands.md", commands_page()
    yield ROOT / "contracts/plan.schema.json", plan_schema_text()


def rules_page() -> str:
    """The inequalities with all that they say about themselves, then the criteria as tables."""
    from pipelineplan.rules import RULES, rule_codes, rule_page
    from pipelineplan.rules.accepting import LIVING

    pages = {code: rule_page(code) or {} for code in rule_codes()}
    criteria = {code: page for code, page in pages.items() if code not in RULES and code not in LIVING}
    parts = [
        NOTE,
        "# Rules\n",
        "Every rule has a code, and `pipelineplan explain CODE PLAN` puts a plan's own values into it.",
        "A verdict is `holds`, `fails` or `unknown`; what is unknown, or rests on an assumed value, only",
        "informs unless `--strict` is given. A rule in `preview` may still change its verdicts.\n",
        "## Inequalities\n",
        *(_inequality(code) for code in sorted(RULES)),
        "## Living with findings\n",
        "Comments and baselines that let findings pass: see [in CI](../guides/ci.md).\n",
        *(_inequality(code) for code in LIVING),
        "## Criteria\n",
        "What a plan has to state, and combinations that are known not to work.\n",
        "| code | criterion | to mend it |",
        "|---|---|---|",
        *(_row(code, page) for code, page in sorted(criteria.items())),
    ]
    return "\n".join(parts) + "\n"


DOCUMENTS = {
    "W": "Data engineering workflow",
    "S": "What the sections of the bundle hold",
    "P": "Production engineering workflow",
    "D": "System design workflows",
    "B": "Design playbook",
    "T": "Technical design template",
}


def criteria_page() -> str:
    """Every criterion with its one home, counted by kind of home."""
    from pipelineplan.rules.criteria import criteria

    listed = criteria()
    parts = [
        NOTE,
        "# Criteria\n",
        "What a plan is held to, and the one place that judges it: a value that the plan states, a rule,",
        "a person who vouches for it ([attestations](#attestations)), or nobody, with the reason.",
        "The criteria of `P`, `D`, `B` and `T` are asked of plans with `workflow: design-spec` or `both`.",
        "A level at which a criterion is not required says nothing of it.\n",
        "| from | criteria | presence | rule | attestation | out of scope | without a home |",
        "|---|---|---|---|---|---|---|",
        *(_counted(letter, title, listed) for letter, title in (*DOCUMENTS.items(), ("", "together"))),
        "\nEvery presence rule has a case that fails and one that holds, in `tests/rules/criteria`.\n",
        "## Attestations\n",
        "`attestations: [{criterion: S11.1, by: team-lead, at: 2026-11-01, valid_for: 180 d}]` says that",
        "somebody has seen it. Without `valid_for` it is valid for good; else ATT103 judges it by the day.\n",
    ]
    for letter, title in DOCUMENTS.items():
        mine = [one for one in listed if one.id.startswith(letter)]
        parts += [f"## {title}\n", "| id | criterion | judged by | at production |", "|---|---|---|---|"]
        parts += [*(_criterion_row(one) for one in mine), ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def _counted(letter: str, title: str, listed: Sequence[Criterion]) -> str:
    from pipelineplan.rules.criteria import Attested, OutOfScope, Presence, RuleHome

    mine = [one for one in listed if one.id.startswith(letter)]
    kinds = (Presence, RuleHome, Attested, OutOfScope)
    counts = [sum(isinstance(one.home, kind) for one in mine) for kind in kinds]
    name = f"{title} ({letter})" if letter else f"**{title}**"
    return f"| {name} | {len(mine)} | {' | '.join(map(str, counts))} | {len(mine) - sum(counts)} |"


def _criterion_row(one: Criterion) -> str:
    from pipelineplan.rules.criteria import Attested, OutOfScope, Presence, RuleHome

    match one.home:
        case Presence(code=code, present=present):
            home = f"{code}: {' and '.join(f'`{path}`' for path in present)}".replace("|", "\\|")
        case RuleHome(code=code):
            home = code
        case Attested():
            home = "attestation"
        case OutOfScope(reason=reason):
            home = f"out of scope: {_safe(reason)}"
    severity = one.severity["production"]
    return f"| {one.id} | {_safe(one.text)} | {home} | {severity.value if severity else 'not required'} |"


def _inequality(code: str) -> str:
    from pipelineplan.rules import RULES
    from pipelineplan.rules.accepting import LIVING

    one = RULES.get(code) or LIVING[code]
    severities = ", ".join(f"{severity.value} ({level})" for level, severity in one.severity.items())
    return (
        f"### {code}: {_safe(one.title)}\n\n{_safe(one.why)}\n\n"
        f"```text\n{one.formula}\n```\n\n"
        f"- does not hold: {_safe(one.bad)}\n- holds: {_safe(one.good)}\n- to mend it: {_safe(one.fix)}\n"
        f"- severity: {severities}\n- status: {one.status}\n- source: {_safe(one.source)}\n"
    )


def _row(code: str, page: Mapping[str, str]) -> str:
    return f"| {code} | {_safe(page.get('title', ''))} | {_safe(page.get('fix', ''))} |"


def _safe(text: str) -> str:
    """Text that Markdown leaves as it is, inside a table too."""
    for sign in ("\\", "|", "*", "<", "["):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def commands_page() -> str:
    """The help of the command and of each of its verbs, as printed."""
    from pipelineplan.cli import VERBS

    parts = [NOTE, "# Commands\n", f"```text\n{_help([])}\n```\n"]
    for verb, says in VERBS.items():
        parts += [
            f"## pipelineplan {verb}\n",
            f"{says[:1].upper()}{says[1:]}.\n",
            f"```text\n{_help([verb])}\n```\n",
        ]
    parts.append("Exit statuses are the same for all: see [exit status](exit-status.md).")
    return "\n".join(parts) + "\n"


def _help(arguments: list[str]) -> str:
    """What `--help` prints at a width of 100 columns, whatever the terminal and the Python version."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHON_COLORS": "0", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "pipelineplan", *arguments, "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)  # noqa: S603  (our own command)
    return done.stdout.decode().rstrip()


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
