"""`pipelineplan.toml`: what it may hold, and what is wrong with it, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.documents.settings import EDITIONS, read_settings
from pipelineplan.errors import InputError
from pipelineplan.plan import read_plan

SMALL = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: small}
sources: [{id: clicks}]
sinks: [{id: board, inputs: [clicks]}]
"""


def wrong(folder: Path, text: str) -> list[str]:
    (folder / "pipelineplan.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        read_settings(folder)
    return [str(problem) for problem in raised.value.problems]


def test_all_settings(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").write_text(
        f'required-version = "0.1"\nedition = "{EDITIONS[-1]}"\ninclude = ["plans/**/*.yaml"]\n'
        'fail-level = "warning"\nquality-level = "secure"\nbaseline = true\n'
    )
    found = read_settings(tmp_path)
    assert (found.edition, found.include, found.fail_level) == (EDITIONS[-1], ("plans/**/*.yaml",), "warning")
    assert (found.quality_level, str(found.quality_level_position)) == ("secure", "pipelineplan.toml:5:1")
    assert found.baseline
    assert not read_settings(tmp_path / "nowhere").baseline


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('fail_level = "error"', "pipelineplan.toml:1:1: unknown key fail_level; did you mean fail-level?"),
        ('\n\n  inclde = ["a"]', "pipelineplan.toml:3:3: unknown key inclde; did you mean include?"),
        ("[polices]\nfiles = []", "pipelineplan.toml:1:1: unknown key polices; did you mean policies?"),
        ("[policies]\nfile = []", "pipelineplan.toml:2:1: unknown key policies.file; did you mean files?"),
        ("zzz = 1", "known are required-version, edition, include"),
        ('fail-level = "fatal"', ":1:1: fail-level: found 'fatal', wanted one of error, warning, info"),
        ('quality-level = "high"', "wanted one of experiment, prototype, production, secure"),
        ("baseline = 1", "wanted true or false"),
        ('include = "a"', "wanted a list of texts"),
        ('include = ["../a"]', "wanted globs of files below this folder"),
        ('include = ["/etc/*"]', "wanted globs of files below this folder"),
        ('include = [""]', "wanted globs of files below this folder"),
        ('edition = "1999"', "this version judges by"),
        ('edition = "2999"', "install a newer pipelineplan"),
        ("edition = 2026", "this version judges by"),
        ('required-version = "new"', "wanted the least version as text"),
        ("baseline = \nfail-level = 1", "pipelineplan.toml:1:12: cannot be read"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(tmp_path: Path, text: str, says: str) -> None:
    (said,) = wrong(tmp_path, text)
    assert says in said


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    assert len(wrong(tmp_path, 'fail-level = 1\nbaselin = true\n[policies]\npython = "yes"\nmore = 1\n')) == 4


@pytest.mark.parametrize("version", ["99", "99.1", ">=99.1.2", "0.1.0.1"])
def test_an_older_tool_names_the_version_that_is_wanted(tmp_path: Path, version: str) -> None:
    """And nothing else: what the newer version would read is not judged by this one."""
    (said,) = wrong(tmp_path, f'required-version = "{version}"\nfrom-the-future = 1\n')
    number = version.removeprefix(">=")
    assert said.startswith(
        f"pipelineplan.toml:1:1: this repository wants pipelineplan {number} or newer, this is"
    )
    assert f"pip install 'pipelineplan>={number}'" in said


@pytest.mark.parametrize("version", ["0", "0.0.9", "0.1", ">=0.1", "0.1.0", ">= 0.1.0.0"])
def test_a_version_that_is_met_says_nothing(tmp_path: Path, version: str) -> None:
    (tmp_path / "pipelineplan.toml").write_text(f'required-version = "{version}"\n')
    assert read_settings(tmp_path).edition == EDITIONS[-1]


@pytest.mark.parametrize(
    ("metadata", "level", "place"),
    [
        ("{name: small}", "production", "pipelineplan.toml:2:1"),
        ("{name: small, quality_level: experiment}", "experiment", "plan.yaml:3:40"),
    ],
)
def test_the_usual_level_is_that_of_plans_which_state_none(
    tmp_path: Path, metadata: str, level: str, place: str
) -> None:
    (tmp_path / "pipelineplan.toml").write_text('baseline = true\nquality-level = "production"\n')
    (tmp_path / "plan.yaml").write_text(SMALL.replace("{name: small}", metadata))
    plan = read_plan(tmp_path / "plan.yaml")
    assert plan.model.metadata.quality_level == level
    assert str(plan.position(("metadata", "quality_level"))) == place


def test_a_huge_or_binary_file_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "pipelineplan.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path)
