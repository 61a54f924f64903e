"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import pipelineplan

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pipelineplan"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {module: ast.parse(module.read_text(encoding="utf-8")) for module in MODULES}
HEAVY = (
    "numpy",
    "pandas",
    "pyarrow",
    "duckdb",
    "great_expectations",
    "altair",
    "scipy",
    "simpy",
    "apache_beam",
    "sqlalchemy",
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def shown(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
    assert [shown(m) for m in MODULES if {m.stem, m.parent.name} & nothing] == []


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Public functions, classes and methods; an override of a private class is private too."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def test_everything_public_says_what_it_is() -> None:
    silent = [
        f"{shown(module)}: {name}"
        for module, tree in TREES.items()
        for name, node in public(tree.body)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_module_opens_with_a_sentence() -> None:
    assert [shown(m) for m, tree in TREES.items() if tree.body and not ast.get_docstring(tree)] == []


def test_modules_and_functions_are_small() -> None:
    long_modules = [shown(m) for m in MODULES if len(m.read_text(encoding="utf-8").splitlines()) > 400]
    long_functions = [
        f"{node.name} at line {node.lineno}"
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 50
    ]
    assert long_modules == []
    assert long_functions == []


def test_no_files_import_each_other_in_a_circle() -> None:
    """Within rooms too: who reads one file need not have read the others first. Types alone may."""
    graph = grimp.build_graph("pipelineplan", exclude_type_checking_imports=True)
    order = TopologicalSorter({m: graph.find_modules_directly_imported_by(m) for m in graph.modules})
    try:
        order.prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_the_rooms_of_the_simulator_import_one_way() -> None:
    graph = grimp.build_graph("pipelineplan", exclude_type_checking_imports=True)
    rooms = {m.name for m in (PACKAGE / "simulation").iterdir() if (m / "__init__.py").is_file()}
    assert len(rooms) >= 7

    def room(module: str) -> str | None:
        found = module.removeprefix("pipelineplan.simulation.").split(".")[0]
        return found if found in rooms else None

    needs: dict[str, set[str]] = {name: set() for name in rooms}
    for module in graph.modules:
        if (own := room(module)) is not None:
            others = map(room, graph.find_modules_directly_imported_by(module))
            needs[own] |= {other for other in others if other not in {None, own}}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_what_is_offered_is_there() -> None:
    for name in pipelineplan.__all__:
        assert getattr(pipelineplan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pipelineplan.nothing


def test_no_function_is_hidden_by_a_module_of_its_name() -> None:
    """`pipelineplan.check` must stay the function after `import pipelineplan.check` could be the module."""
    rooms = {m.stem for m in PACKAGE.glob("*.py")} | {m.name for m in PACKAGE.iterdir() if m.is_dir()}
    assert rooms & set(pipelineplan.__all__) == set()


def test_every_room_can_be_imported_alone() -> None:
    for module in MODULES:
        if module.stem != "__main__":
            dotted = shown(module).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            assert importlib.import_module(dotted)


def imported_by(code: str) -> set[str]:
    """The top-level modules that are loaded after `code` in a process of its own."""
    ask = f"{code}\nimport sys, json\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    import json

    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "code",
    [
        "import pipelineplan",
        "from pipelineplan.cli import run; run(['check', 'examples/demo-fails'])",
        "from pipelineplan.cli import run; run(['check', 'examples/orders-to-warehouse'])",
        "from pipelineplan.cli import run; run(['explain', 'CAP201', 'examples/demo-fails'])",
    ],
    ids=["import", "check the demo", "check the orders", "explain"],
)
def test_light_commands_load_nothing_heavy(code: str) -> None:
    assert imported_by(code) & set(HEAVY) == set()


def test_importing_the_package_loads_not_even_pydantic() -> None:
    assert imported_by("import pipelineplan") & {"pydantic", "yaml"} == set()


@pytest.mark.parametrize("folder", ["contracts", "simulations", "expectations", "examples"])
def test_data_folders_hold_data(folder: str) -> None:
    assert list((ROOT / folder).rglob("*.py")) == []
    assert (ROOT / folder / "README.md").is_file()


same_layout = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11),
    reason="the pages are written on Python 3.11; argparse lays its help out anew",
)


@same_layout
def test_generated_files_are_current() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@same_layout
def test_a_stale_file_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    import shutil

    for name in ("docs", "pipelineplan", "contracts", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
    page = tmp_path / "docs/reference/rules.md"
    page.write_text(page.read_text(encoding="utf-8") + "more\n", encoding="utf-8")
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "stale: docs/reference/rules.md; run: uv run python docs/generate.py\n"
