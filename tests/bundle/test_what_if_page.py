"""The what-if explorer in a browser: chosen with the keyboard, in both themes, narrow, and on paper."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelineplan.bundle import Contents, as_html, as_json, as_markdown
from pipelineplan.bundle.what_if import grid_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOWN = (
    "[...document.querySelectorAll('.what-if .cell')].filter(e => e.checkVisibility()).map(e => e.className)"
)


class Page:
    """A page that is open in a browser, spoken to by its debugging protocol over two pipes."""

    def __init__(self, to: int, back: int) -> None:
        self.to, self.back, self.unread = to, back, b""
        self.numbers, self.session = itertools.count(1), ""

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.unread:
            read = os.read(self.back, 1 << 20)
            assert read, "the browser has gone"
            self.unread += read
        first, _, self.unread = self.unread.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found

    def of(self, expression: str) -> Any:
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


@contextmanager
def opened(text: str, folder: Path, width: int = 1200) -> Iterator[Page]:
    """The page, opened; skips where there is no browser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None or sys.platform == "win32":
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    file = folder / "report.html"
    file.write_text(text, encoding="utf-8")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # The browser reads what it is asked from descriptor 3 and answers on 4.
    command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
    profile = f"--user-data-dir={folder / 'profile'}"
    process = subprocess.Popen(
        ["/bin/bash", "-c", command, browser, *flags, profile, f"--window-size={width},1000"],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = Page(ours_out, ours_in)
        target = page.ask("Target.createTarget", url=file.as_uri())["targetId"]
        page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False
        )
        while not page.of("document.readyState == 'complete' && !!document.querySelector('footer')"):
            time.sleep(0.05)
        yield page
    finally:
        process.kill()
        process.wait()
        for handle in (theirs_in, theirs_out, ours_in, ours_out):
            os.close(handle)


@pytest.fixture(scope="module")
def text(demo: Contents) -> str:
    return as_html(demo)


def test_every_cell_stands_in_the_page_and_in_the_data(demo: Contents, text: str) -> None:
    grid = grid_of(demo)
    assert grid is not None
    for row, line in enumerate(grid.cells):
        for column, _ in enumerate(line):
            assert text.count(f'<div class="cell c{column} r{row}">') == 1
    assert text.count(" checked>") == 2
    assert "<script" not in text
    assert json.loads(as_json(demo))["what_if"]["cells"][grid.down.own][grid.across.own]["verdict"] == "fails"
    assert "## What if" in as_markdown(demo)
    assert "**1000/s**" in as_markdown(demo)


def test_the_style_sheet_knows_as_many_values_as_a_grid_has(text: str) -> None:
    from pipelineplan.simulation.questions.what_if import FACTORS

    for place in range(len(FACTORS)):
        assert f":has(.across-{place}:checked) .cell:not(.c{place})" in text
        assert f":has(.down-{place}:checked) .cell:not(.r{place})" in text


def test_without_a_simulation_there_is_nothing_to_explore(silent: Contents) -> None:
    assert "Nothing was simulated, so nothing can be varied" in as_html(silent)
    assert "## What if" not in as_markdown(silent)
    assert json.loads(as_json(silent))["what_if"] is None


@pytest.mark.slow
def test_the_keyboard_chooses_a_cell_and_only_that_is_shown(text: str, tmp_path: Path) -> None:
    with opened(text, tmp_path) as page:
        assert page.of(SHOWN) == ["cell c2 r2"]
        page.of("document.querySelector('.across-2').focus()")
        page.press("ArrowLeft", 37)
        assert page.of(SHOWN) == ["cell c1 r2"]
        page.press("Tab", 9)
        assert page.of("document.activeElement.className") == "down-2"
        page.press("ArrowRight", 39)
        page.press("ArrowRight", 39)
        assert page.of(SHOWN) == ["cell c1 r4"]
        shown = page.of("document.querySelector('.cell.c1.r4').innerText")
        assert "8250/s, 4000/s" in shown
        assert "holds" in shown
        assert "fails" in shown, "the plan as it is stands beside it"


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 380])
def test_it_fits_and_can_be_read(text: str, tmp_path: Path, theme: str, width: int) -> None:
    with opened(text, tmp_path, width) as page:
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        wide = page.of("document.documentElement.scrollWidth")
        assert wide <= width
        colours = page.of(
            "['.turn span', '.cells td'].map(q => document.querySelector('.what-if ' + q)).map(e => "
            "[getComputedStyle(e).color, getComputedStyle(e.closest('fieldset, .cells')).backgroundColor])"
        )
        for ink, paper in colours:
            assert abs(_light(ink) - _light(paper)) > 120, (ink, paper)


def _light(colour: str) -> float:
    """How light `rgb(r, g, b)` is, 0 to 255."""
    red, green, blue = (float(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.slow
def test_on_paper_the_whole_table_stands_and_no_buttons(text: str, tmp_path: Path) -> None:
    with opened(text, tmp_path) as page:
        page.ask("Emulation.setEmulatedMedia", media="print")
        assert page.of("document.querySelector('.what-if .turn').checkVisibility()") is False
        assert page.of(SHOWN) == []
        assert page.of("document.querySelector('.what-if .grid').checkVisibility()") is True
        assert page.of("document.querySelectorAll('.what-if .grid tbody td').length") == 25
