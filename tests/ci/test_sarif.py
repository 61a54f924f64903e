"""SARIF, read by the validator of its editors, with the rules of GitHub's code scanning."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.cli import run
from tests.npm_tools import NoToolError, installed

EXAMPLES = Path(__file__).parents[2] / "examples"
# A page of the tool's own for whoever meets a finding; there is none yet.
NO_HOME_PAGE = "SARIF2005"
Log = dict[str, Any]


@pytest.fixture(scope="module")
def validator() -> Path:
    if not sys.platform.startswith("linux"):
        pytest.skip("the validator is a program for Linux")
    try:
        folder = installed(
            Path(__file__).parent / "sarif", "@microsoft/sarif-multitool-linux/package.json"
        ).parent
    except NoToolError as reason:
        pytest.skip(str(reason))
    program = folder / "Sarif.Multitool"
    program.chmod(0o755)
    return program


@pytest.fixture
def complaints(validator: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """The rules that a log breaks, by the validator's own names."""

    def found(log: str) -> list[str]:
        (tmp_path / "findings.sarif").write_text(log, encoding="utf-8")
        command = [
            str(validator),
            "validate",
            "findings.sarif",
            "--rule-kind",
            "Sarif;Ghas",
            "-o",
            "found.sarif",
        ]
        env = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=120, check=False)
        answer: Log = json.loads((tmp_path / "found.sarif").read_text(encoding="utf-8-sig"))
        return [one["ruleId"] for one in answer["runs"][0].get("results", [])]

    return found


def sarif_of(plan: Path, capsys: pytest.CaptureFixture[str]) -> str:
    run(["check", str(plan), "--format", "sarif", "--strict"])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["demo-fails", "ledger-batch", "mobile-telemetry", "adopt"])
def test_the_validator_of_its_editors_has_nothing_to_say(
    name: str, complaints: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(complaints(sarif_of(EXAMPLES / name, capsys))) <= {NO_HOME_PAGE}


def test_the_validator_would_notice(
    complaints: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    log: Log = json.loads(sarif_of(EXAMPLES / "demo-fails", capsys))
    log["runs"][0]["results"][0]["ruleIndex"] = 10_000
    log["runs"][0]["results"][1]["message"] = 3
    assert set(complaints(json.dumps(log))) - {NO_HOME_PAGE}
