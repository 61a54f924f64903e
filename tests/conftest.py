"""What all tests share: how many examples a law is tried on, and how long slow tests are sampled.

HYPOTHESIS_PROFILE=long      twenty times as many examples of every law
pytest -m slow --sample 240  slow tests in an order drawn from the commit, none begun after 240 s
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

TIMES = 20
_began = time.monotonic()


@pytest.fixture(autouse=True, scope="session")
def _verdicts_are_kept_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINEPLAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _children_keep_their_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where nothing may be written beside the code, every process that a test starts would compile anew."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp().parent / "bytecode"))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", type=float, metavar="SECONDS", help="begin no test after so many seconds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("HYPOTHESIS_PROFILE") == "long":
        _lengthen(items)
    if config.getoption("--sample") is not None:
        _shuffle(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    most = item.config.getoption("--sample")
    if most is not None and time.monotonic() - _began > most:
        pytest.skip(f"not in this sample of {most:g} s, which is drawn from the commit; .ci/full runs all")


def _lengthen(items: list[pytest.Item]) -> None:
    grown: set[int] = set()
    for item in items:
        test = getattr(item, "obj", None)
        stated = getattr(test, "_hypothesis_internal_use_settings", None)
        if stated is not None and id(stated) not in grown:
            longer = settings(stated, max_examples=stated.max_examples * TIMES)
            grown.add(id(longer))
            getattr(test, "__func__", test)._hypothesis_internal_use_settings = longer


def _shuffle(items: list[pytest.Item]) -> None:
    """File by file, in an order that the commit decides: every worker draws the same one."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout
    files = sorted({str(item.path) for item in items})
    random.Random(commit).shuffle(files)
    items.sort(key=lambda item: files.index(str(item.path)))
