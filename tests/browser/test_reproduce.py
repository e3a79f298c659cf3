"""Whether a notebook reproduces, as the user sees it: marks at the cells, a line in the panel, a question about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lab import Lab, Tab, make_notebook
from playwright.sync_api import Locator, expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

CELLS = [
    "import random, pandas as pd, matplotlib.pyplot as plt",
    "print(random.random())",
    "plt.plot([1, 3, 2]);",
    "pd.DataFrame({'a': [1 / 3, 2.5], 'b': ['x', 'y']})",
    "1 / 0",
]
ANSWER = render_answer("No seed.", "No seed is set, so the number is another one each time.")
SLOW = "import time\nwhile True:\n    time.sleep(0.1)"


def marks(page: Tab) -> Locator:
    return page.page.locator(".jp-Notebook .jp-Datarus-verdict")


def mark_of(page: Tab, cell: int) -> Locator:
    return page.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-Datarus-verdict")


def summary(page: Tab) -> Locator:
    return page.panel.get_by_role("region", name="Does it reproduce")


def executed(start: Callable[..., Lab], tab: Callable[..., Tab]) -> Tab:
    """A tab in which all of ``CELLS`` have run."""
    lab = start([ANSWER])
    make_notebook(lab.root / "work.ipynb", *CELLS)
    page = tab(lab)
    page.command("notebook:run-all-cells")
    page.until(lambda: page.cells()[-1]["execution_count"] == len(CELLS), "the last cell has run")
    return page


def test_every_cell_gets_a_mark_and_the_odd_one_a_question(start, tab) -> None:
    page = executed(start, tab)
    before = page.cells()
    page.command("datarus:reproduce")
    expect(summary(page)).to_contain_text("4 cells same, 1 differs, 0 fail")
    expect(marks(page)).to_have_text(["✓", "≠", "✓", "✓", "✓"])
    label = mark_of(page, 1).get_attribute("aria-label") or ""
    assert label.startswith("Differs when run again: was “0.")
    assert mark_of(page, 1).get_attribute("title") == label
    assert page.cells() == before
    for name in ("Light", "Dark"):
        page.command("apputils:change-theme", theme=f"JupyterLab {name}")
        expect(page.page.locator(f'body[data-jp-theme-name="JupyterLab {name}"]')).to_be_attached()
        expect(page.page.locator("#jupyterlab-splash")).to_have_count(0)
        page.screenshot(f"reproduce_{name.lower()}")
    page.panel.get_by_role("button", name="Ask Datarus why").click()
    page.wait_for_end()
    asked = page.lab.journals()[0][0]["question"]
    assert asked.startswith("Cell [2] gives another result")
    assert "print(random.random())" in asked


def test_marks_go_when_the_cell_is_edited_or_run_and_when_cleared(start, tab) -> None:
    page = executed(start, tab)
    page.command("datarus:reproduce")
    expect(summary(page)).to_contain_text("1 differs")
    expect(marks(page)).to_have_count(5)
    page.page.locator(".jp-Notebook .jp-Cell").nth(3).locator(".cm-content").click()
    page.page.keyboard.type("# ")
    expect(mark_of(page, 3)).to_have_count(0)
    expect(marks(page)).to_have_count(4)
    page.page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    page.page.keyboard.press("Control+Enter")
    expect(mark_of(page, 1)).to_have_count(0)
    expect(marks(page)).to_have_count(3)
    summary(page).get_by_role("button", name="Clear").click()
    expect(marks(page)).to_have_count(0)
    expect(summary(page)).to_have_count(0)


def test_a_check_can_be_stopped(start, tab) -> None:
    lab = start([])
    make_notebook(lab.root / "work.ipynb", "1", SLOW)
    page = tab(lab)
    page.command("datarus:reproduce")
    expect(summary(page)).to_contain_text("Running cell 2 of 2 again")
    summary(page).get_by_role("button", name="Stop").click()
    expect(summary(page)).to_contain_text("Stopped: 0 cells same")
    expect(marks(page)).to_have_text(["–"])


def test_a_runs_own_cells_are_checked_from_its_footer(start, tab) -> None:
    page = tab(start([render_step("Add.", "print(mine + 1)"), render_answer("Done.", "It is 18.")]))
    page.command("notebook:run-all-cells")
    page.until(lambda: page.cells()[0]["execution_count"] == 1, "the user's cell has run")
    page.ask("What is one more?")
    page.wait_for_end()
    page.panel.get_by_role("button", name="Check reproduces").click()
    expect(summary(page)).to_contain_text("1 cell same, 0 differ, 0 fail")
    expect(marks(page)).to_have_text(["✓"])
    page.screenshot("reproduce_run")
