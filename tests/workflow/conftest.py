"""Bundles of the examples, each built once for all tests that look at it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import pipelineplan as pp

_spec = importlib.util.spec_from_file_location("bundling", Path(__file__).with_name("bundling.py"))
assert _spec is not None
assert _spec.loader is not None
bundling = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bundling)


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that gives the folder of an example's bundle."""

    @cache
    def built(name: str) -> Path:
        folder = tmp_path_factory.mktemp("bundles") / name
        pp.write(bundling.EXAMPLES / name, folder, bundling.data_of(name), as_of=bundling.AS_OF[name])
        return folder

    return built
