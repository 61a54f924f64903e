"""Bytes of a file, as many as are wanted and never more."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelineplan.documents.reads import bytes_of


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("most", [1, 1000, 65_536, 65_537, 150_000, 1_000_000])
def test_no_more_than_asked_for_and_no_less_than_there_is(tmp_path: Path, size: int, most: int) -> None:
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(content)
    assert bytes_of(tmp_path / "file", most) == content[:most]
