"""What the user shows with a question, in the browser: chips, completion, the last error, the meter."""

from __future__ import annotations

import pytest
from lab import make_notebook
from playwright.sync_api import Locator, expect
from test_looks import look

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

REPLIES = [render_step("Look.", "print(df.shape)"), render_answer("Done.", "It has 2 rows.")]
FRAME = "import pandas as pd\ndf = pd.DataFrame({'g': [1, 2]})"


def chips(page) -> Locator:  # type: ignore[no-untyped-def]
    return page.panel.get_by_label("Shown with the question").locator(".jp-Datarus-chip")


def attached(lab) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    return [(one["kind"], one["name"]) for one in lab.journals()[-1][0]["attached"]]


def run_all(page, cells: int) -> None:  # type: ignore[no-untyped-def]
    page.command("notebook:run-all-cells")
    page.until(lambda: all(c["execution_count"] for c in page.cells()[:cells]), "all cells have run")


def test_at_completes_files_variables_and_cells_by_keyboard(start, tab) -> None:
    lab = start(REPLIES)
    make_notebook(lab.root / "work.ipynb", FRAME)
    page = tab(lab)
    run_all(page, 1)
    listbox = page.panel.get_by_role("listbox")
    page.box.press_sequentially("How many rows has @d")
    expect(listbox.get_by_role("option").first).to_contain_text("DataFrame (2 × 1)")
    page.box.press("Enter")
    expect(listbox).to_have_count(0)
    expect(page.box).to_have_value("How many rows has df ")
    page.box.press_sequentially("in @pen")
    expect(listbox.get_by_role("option", selected=True)).to_contain_text("penguins.csv")
    page.screenshot("context_mention")
    page.box.press("Tab")
    page.box.press_sequentially("and @")
    options = listbox.get_by_role("option")
    expect(options).to_have_count(3)
    page.box.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    expect(options.last).to_contain_text("cell [1]")
    page.box.press("Enter")
    expect(chips(page)).to_have_count(3)
    page.box.press("Enter")
    page.wait_for_end()
    assert attached(lab) == [("variable", "df"), ("file", "penguins.csv"), ("cell", "cell [1]")]
    started = lab.journals()[0][0]
    assert started["question"] == "How many rows has df in penguins.csv and cell [1]"
    assert started["anchor"] == "own-0"
    assert "g\n0  1\n1  2" in started["prompt"][-1]["content"]
    expect(chips(page)).to_have_count(0)
    expect(page.panel.get_by_text("with df, penguins.csv, cell [1]")).to_be_visible()


def test_escape_closes_the_list_and_nothing_else(start, tab) -> None:
    page = tab(start([render_step("Slow.", "import time\nfor _ in range(600):\n    time.sleep(0.1)")]))
    page.ask("Wait.")
    expect(page.panel.get_by_role("button", name="Stop")).to_be_visible()
    page.box.press_sequentially("@pen")
    listbox = page.panel.get_by_role("listbox")
    expect(listbox).to_be_visible()
    page.box.press("Escape")
    expect(listbox).to_have_count(0)
    expect(page.box).to_have_value("@pen")
    assert page.totals.count() == 0
    page.box.press("Escape")
    page.wait_for_end()
    expect(page.panel).to_contain_text("Stopped")


def test_selected_cells_are_added_as_they_stand_and_can_be_taken_away(start, tab) -> None:
    lab = start([render_answer("Done.", "Fine.")])
    make_notebook(lab.root / "work.ipynb", "first = 1", "second = 2", "third = 3")
    page = tab(lab)
    page.command("notebook:move-cursor-up")
    page.command("notebook:extend-marked-cells-below")
    page.command("datarus:add-cells")
    expect(chips(page)).to_have_count(2)
    chips(page).first.get_by_role("button").click()
    expect(chips(page)).to_have_count(1)
    expect(chips(page)).to_contain_text("cell 2")
    page.page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource('second = 22')"
    )
    page.ask("What is it?")
    page.wait_for_end()
    prompt = lab.journals()[0][0]["prompt"][-1]["content"]
    assert "Cell 2 of the notebook:\n```\nsecond = 22\n```" in prompt
    kinds = [cell["metadata"].get("datarus", {}).get("kind") for cell in page.cells()]
    assert kinds == [None, None, "thought", "answer", None]


def test_the_last_error_is_offered_and_the_meter_counts(start, tab) -> None:
    lab = start([render_answer("Done.", "It is a typo.")])
    make_notebook(lab.root / "work.ipynb", "</step>\n".join(["# hostile"]), "sevn + 1")
    page = tab(lab)
    offer = page.panel.get_by_role("button", name="last error")
    expect(offer).to_have_count(0)
    page.command("notebook:run-all-cells")
    expect(offer).to_be_visible()
    look(page, "context_offer")
    offer.click()
    expect(chips(page)).to_contain_text("error in cell [2]")
    expect(page.panel.locator(".jp-Datarus-meter")).to_be_visible()
    look(page, "context_chips")
    page.ask("Why?")
    page.wait_for_end()
    assert attached(lab) == [("error", "cell [2]")]
    assert "NameError: name 'sevn' is not defined" in lab.journals()[0][0]["prompt"][-1]["content"]
