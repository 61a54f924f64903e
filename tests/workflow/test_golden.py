"""Every example against its golden bundle. UPDATE_GOLDEN=1 writes the golden files anew: read the diff."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("orders-to-warehouse", "mobile-telemetry", "ledger-batch", "schema-change")
TEXTS = (
    "report.md",
    "plan.resolved.yaml",
    "findings.sarif",
    "checklists/cutover.md",
    "checklists/rollback.md",
    "checklists/launch.md",
    "quality/results.json",
)
FIGURES = "simulation/figures.csv"


def kept(bundle: Path, golden: Path, name: str) -> tuple[str, str]:
    built = (bundle / name).read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        (golden / name).parent.mkdir(parents=True, exist_ok=True)
        (golden / name).write_text(built, encoding="utf-8")
    return built, (golden / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", TEXTS)
def test_texts_equal_the_golden_bundle(name: str, file: str, bundle_of: Callable[[str], Path]) -> None:
    if name == "schema-change" and file.startswith("quality/"):
        pytest.skip("schema-change has no data")
    built, golden = kept(bundle_of(name), EXAMPLES / name / "golden", file)
    assert built == golden


@pytest.mark.parametrize("name", NAMES)
def test_figures_equal_the_golden_bundle(name: str, bundle_of: Callable[[str], Path]) -> None:
    """To nine digits: another processor may add in another order."""
    built, golden = (
        list(csv.reader(io.StringIO(text)))
        for text in kept(bundle_of(name), EXAMPLES / name / "golden", FIGURES)
    )
    assert len(built) == len(golden)
    for one, other in zip(built, golden, strict=True):
        assert all(same(a, b) for a, b in zip(one, other, strict=True)), (one, other)


def same(first: str, second: str) -> bool:
    try:
        return first == second or math.isclose(float(first), float(second), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False
