"""Fix, improve, explain: a change to the user's cell is a diff that they accept or reject, never a silent edit."""

from __future__ import annotations

import pytest
from lab import Lab, Tab, make_notebook
from playwright.sync_api import Locator, expect
from test_looks import look

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

BROKEN = "values = [1, 2, 3]\nfor value in values:\n    print(value)\nprint('mean', sum(values) / length(values))"
FIXED = BROKEN.replace("length", "len")
REPLIES = [
    render_step("`length` is no function of Python: it is `len`.", FIXED),
    render_answer("It ran.", "`length` became `len`; the mean is 2.0."),
]


def broken(start, replies: list[str] = REPLIES) -> Lab:
    lab: Lab = start(replies)
    make_notebook(lab.root / "work.ipynb", BROKEN, "after = 1")
    return lab


def source(page: Tab, index: int = 0) -> str:
    return "".join(page.cells()[index]["source"])


def fix(page: Tab) -> None:
    page.command("notebook:run-all-cells")
    page.page.get_by_role("button", name="Fix with Datarus").click()
    page.wait_for_end()


def diff(page: Tab) -> Locator:
    return page.page.get_by_role("group", name="New version of this cell, proposed by Datarus")


def test_a_fix_is_tried_out_shown_as_a_diff_and_taken_by_the_user(start, tab) -> None:
    lab = broken(start)
    page = tab(lab)
    fix(page)
    started = lab.journals()[0][0]
    assert started["question"] == "Fix cell [1]. It fails with NameError: name 'length' is not defined"
    assert (started["target"]["cell"], started["anchor"]) == ("own-0", "own-0")
    assert source(page) == BROKEN
    expect(diff(page).locator(".cm-deletedChunk")).to_contain_text("length(values)")
    expect(diff(page).locator(".cm-changedLine")).to_contain_text("len(values)")
    expect(diff(page).locator(".cm-content")).to_have_attribute("contenteditable", "false")
    look(page, "fix_diff")
    diff(page).get_by_role("button", name="Accept").click()
    expect(diff(page)).to_have_count(0)
    assert source(page) == FIXED
    expect(page.panel).to_contain_text("Cell [1] has the new version.")
    page.until(lambda: lab.journals()[0][-1]["type"] == "proposal_decided", "the decision in the journal")
    kinds = [cell["metadata"].get("datarus", {}).get("kind") for cell in page.cells()]
    assert kinds == [None, "thought", "code", "thought", "answer", None]

    page.page.locator(".jp-Notebook .cm-content").first.click()
    page.page.keyboard.press("Control+z")
    page.until(lambda: source(page) == BROKEN, "one undo takes it back")


def test_a_rejected_version_leaves_the_cell_alone_also_after_a_reload(start, tab) -> None:
    lab = broken(start)
    page = tab(lab)
    fix(page)
    page.load()
    expect(diff(page)).to_be_visible()
    page.panel.get_by_role("group", name="New version of a cell").get_by_role("button", name="Reject").click()
    expect(diff(page)).to_have_count(0)
    page.load()
    expect(page.panel).to_contain_text("The new version was rejected.")
    expect(diff(page)).to_have_count(0)
    assert source(page) == BROKEN


def test_a_cell_that_the_user_changed_since_is_not_overwritten(start, tab) -> None:
    page = tab(broken(start))
    fix(page)
    expect(diff(page)).to_be_visible()
    page.page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel.setSource('mine = 1')"
    )
    expect(diff(page)).to_have_count(0)
    page.panel.get_by_role("group", name="New version of a cell").get_by_role("button", name="Accept").click()
    expect(page.panel.get_by_role("alert")).to_contain_text("cell [1] was changed or deleted since")
    assert source(page) == "mine = 1"


def test_no_button_stands_at_cells_that_ran_or_that_a_run_made(start, tab) -> None:
    lab = start([render_step("Fails.", "1 / 0"), render_answer("Done.", "It fails.")])
    page = tab(lab)
    page.command("notebook:run-all-cells")
    page.ask("Fail.")
    page.wait_for_end()
    page.until(lambda: page.cells()[0]["execution_count"] is not None, "the user's cell has run")
    expect(page.page.get_by_role("button", name="Fix with Datarus")).to_have_count(0)


def test_explain_shows_the_cell_and_changes_nothing(start, tab) -> None:
    lab = broken(start, [render_answer("Read.", "It prints three values.")])
    page = tab(lab)
    page.command("notebook:move-cursor-up")
    page.command("datarus:explain-cell")
    page.wait_for_end()
    started = lab.journals()[0][0]
    assert started["question"].startswith("Explain cell 1")
    assert "target" not in started
    assert started["attached"][0]["kind"] == "cell"
    assert source(page) == BROKEN


def test_the_menu_of_a_cell_has_what_can_be_asked_of_it(start, tab) -> None:
    page = tab(broken(start))
    page.page.locator(".jp-Notebook .jp-CodeCell").first.click(button="right")
    page.page.locator(".lm-Menu-item").filter(has_text="Datarus").hover()
    expect(page.page.get_by_role("menuitem", name="Explain Cell")).to_be_visible()
    expect(page.page.get_by_role("menuitem", name="Never Run by Datarus")).to_be_visible()
    page.screenshot("cell_menu")


def test_a_cell_is_marked_as_never_run_and_its_code_waits_in_every_mode(start, tab) -> None:
    lab = broken(start, [render_step("Again.", "after = 1  # again"), render_answer("Done.", "It is 1.")])
    page = tab(lab)
    page.command("datarus:never-run")
    page.until(lambda: "datarus-never-run" in lab.notebook()[0]["metadata"].get("tags", []), "the mark on disk")
    page.command("notebook:move-cursor-down")
    page.command("datarus:never-run")
    page.until(lambda: "datarus-never-run" in lab.notebook()[1]["metadata"].get("tags", []), "the second mark")
    expect(page.page.locator(".jp-Notebook .jp-mod-datarusNeverRun")).to_have_count(2)
    page.panel.get_by_label("Who decides that code runs").select_option("auto")
    page.ask("Again.")
    expect(page.panel).to_contain_text("repeats a cell that you marked as never run by Datarus")
    page.screenshot("never_run")
    page.panel.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_end()
    assert "does not want run again" in lab.journals()[0][0]["context"]
