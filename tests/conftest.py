"""What all tests share: HYPOTHESIS_PROFILE=long looks at twenty times as many examples of every law."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

TIMES = 20


@pytest.fixture(autouse=True, scope="session")
def _verdicts_are_kept_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINEPLAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("HYPOTHESIS_PROFILE") != "long":
        return
    grown: set[int] = set()
    for item in items:
        test = getattr(item, "obj", None)
        stated = getattr(test, "_hypothesis_internal_use_settings", None)
        if stated is not None and id(stated) not in grown:
            longer = settings(stated, max_examples=stated.max_examples * TIMES)
            grown.add(id(longer))
            getattr(test, "__func__", test)._hypothesis_internal_use_settings = longer
