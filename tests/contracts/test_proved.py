"""Every verdict is put to the test: a sample here, `tests/full/prove_verdicts.py` at length."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("form", ["avro", "json", "protobuf", "arrow", "iceberg"])
def test_verdicts_are_so(form: str) -> None:
    found = beside("proved").rate(form, 60, 1000)
    assert found["unknown"] <= 1  # rarer than 2 %
    assert found["incompatible"] > 5
    assert found["compatible"] > 5
