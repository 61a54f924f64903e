"""The documents say what the tool does: quoted output is golden output, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "examples/*/README.md")
    for page in ROOT.glob(pattern)
    if not page.relative_to(ROOT).as_posix().startswith(".")
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def words(text: str) -> str:
    """The text without its line breaks and carets, which a page may set otherwise."""
    return " ".join(re.sub(r"^[ \d|^]+$", " ", text, flags=re.MULTILINE).split())


def test_the_readme_quotes_what_check_prints() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = readme.split("$ pipelineplan check examples/demo-fails\n")[1].split("```")[0]
    golden = (ROOT / "tests/cli/golden/demo-fails.txt").read_text(encoding="utf-8")
    assert words(quoted) in words(golden)


def test_both_readme_commands_are_those_of_the_gate() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    gate = words((ROOT / ".ci/run").read_text(encoding="utf-8").replace("\\\n", " "))
    for command in re.findall(r"^python -m pip install uv && (.*)$", readme, re.MULTILINE):
        assert words(re.sub(r" -o \S+", "", command)) in re.sub(r" -o \S+", "", gate)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    broken = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert broken == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page: small letters, hyphens, no other signs."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    bare = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in bare}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_headings_that_are_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    broken = [
        f"{file}#{anchor}"
        for file, anchor in targets
        if "://" not in file and anchor not in anchors(page.parent / file if file else page)
    ]
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text(encoding="utf-8"))}
    pages = {page.resolve() for page in ROOT.glob("docs/**/*.md")} - {index.resolve()}
    assert sorted(page.relative_to(ROOT).as_posix() for page in pages - listed) == []


def test_every_command_is_in_the_readme() -> None:
    from pipelineplan.cli import VERBS

    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## What it does")[1]
    assert [verb for verb in VERBS if f"`{verb}" not in readme] == []


def test_the_api_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/reference/python-api.md").read_text(encoding="utf-8")
    program = (
        page.split("```python\n")[1].split("```")[0].replace('"out/orders"', repr(str(tmp_path / "orders")))
    )
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(program, "python-api.md", "exec"), names)  # our own page
    import pipelineplan as pp

    assert isinstance(names["tested"], pp.QualityReport)
    assert pp.verify(tmp_path / "orders") == ()
