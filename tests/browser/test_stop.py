"""Stop: at any moment, and never a cell of the user's own."""

from __future__ import annotations

import pytest
from lab import IDLE, Tab
from playwright.sync_api import Locator, expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

DEAF = "import time\nprint('begun', flush=True)\ntime.sleep(0.1)\nsum(range(10**12))"
"""Long in one C function, which no interrupt reaches."""
HELD = """import pathlib, time
print('begun', flush=True)
while not pathlib.Path("go").exists(): time.sleep(0.01)
print('mine is done')"""


def begun(page: Tab) -> None:
    expect(page.page.locator(".jp-Notebook .jp-OutputArea").get_by_text("begun")).to_be_visible()


def restart(page: Tab) -> Locator:
    return page.panel.get_by_role("button", name="Restart the kernel")


def test_a_kernel_that_does_not_react_can_be_restarted(start, tab) -> None:
    page = tab(start([render_step("Sum up.", DEAF)]))
    page.ask("Wait.")
    begun(page)
    page.panel.get_by_role("button", name="Stop").click()
    expect(page.panel.get_by_text("does not react to the interrupt")).to_be_visible()
    page.screenshot("stop_restart")
    page.wait_for_end()
    # The run is over, its code is not.
    expect(restart(page)).to_be_visible()
    restart(page).click()
    expect(restart(page)).to_have_count(0)
    page.page.wait_for_selector(IDLE)
    expect(page.panel.get_by_text("Restarting")).to_have_count(0)
    assert page.sources() == ["Sum up.", DEAF]


def test_a_second_press_of_esc_offers_the_restart_at_once(start, tab) -> None:
    page = tab(start([render_step("Sum up.", DEAF)]))
    page.ask("Wait.")
    begun(page)
    page.box.press("Escape")
    expect(page.panel.get_by_role("button", name="Stop")).to_have_attribute("title", "Stopping… Press again to restart")
    page.box.press("Escape")
    restart(page).click()
    page.wait_for_end()
    page.page.wait_for_selector(IDLE)
    (events,) = page.lab.journals()
    assert events[-1]["reason"] == "stopped"


def test_a_cell_of_the_users_own_that_the_run_waits_for_is_left_alone(start, tab) -> None:
    lab = start([render_step("Look.", "print('ours')"), render_answer("", "Done.")])
    page = tab(lab)
    script = "c => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(c)"
    page.page.evaluate(script, HELD)
    page.command("notebook:run-cell")
    begun(page)
    page.ask("Look.")
    expect(page.panel.locator(".jp-Datarus-step")).to_have_attribute("data-state", "running")
    page.panel.get_by_role("button", name="Stop").click()
    page.wait_for_end()
    expect(restart(page)).to_have_count(0)
    assert page.cells()[0]["execution_count"] is None
    (lab.root / "go").touch()
    page.until(lambda: page.cells()[0]["execution_count"] is not None, "the end of the user's cell")
    assert "".join(page.cells()[0]["outputs"][0]["text"]) == "begun\nmine is done\n"
    page.page.wait_for_selector(IDLE)
    page.command("notebook:run-cell")
    page.until(lambda: page.cells()[0]["execution_count"] == 2, "the user's next cell")
