"""Going back and on in the browser: undo, try again, change a step's code, continue after the server was killed."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from lab import IDLE, Lab, Tab, make_notebook, running_lab
from nbformat.reader import NotJSONError
from playwright.sync_api import expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

TWO = [
    render_step("First x.", "x = 1\nprint('one', x)"),
    render_step("Then more.", "x = x + 10\nprint('two', x)"),
    render_answer("All done.", "It is 11."),
]
TITLES = {1: "First x", 2: "Then more"}
AGAIN = [
    render_step("Another way.", "x = 11\nprint('again', x)"),
    render_answer("All done.", "It is 11."),
]
SLOW = "print('begun', flush=True)\nimport time\nfor _ in range(600):\n    time.sleep(0.1)"


def ids(page: Tab) -> list[str]:
    """The runs' cells in the notebook by step and kind; those that are the user's by now too."""
    return [cell["id"].split("-", 4)[-1] for cell in page.cells() if cell["id"].startswith("datarus-")]


def saved(lab: Lab) -> list[str]:
    """The ids of the cells in the file; none while it is being written."""
    try:
        return [cell["id"] for cell in lab.notebook()]
    except NotJSONError:
        return []


def edit(page: Tab, cell_id: str, source: str) -> None:
    """Type into a cell as the user does, in the model's own terms."""
    page.page.evaluate(
        """([id, source]) => {
            const { model } = window.jupyterapp.shell.currentWidget.context;
            [...model.cells].find(cell => cell.id === id).sharedModel.setSource(source);
        }""",
        [cell_id, source],
    )


def menu(page: Tab, *labels: str) -> None:
    """Choose an entry of the menu that is open, through its submenus."""
    for label in labels:
        page.page.locator(".lm-Menu").last.get_by_text(label).click()


def asked(page: Tab, runs: int = 1) -> str:
    """Ask, wait for the end, and give the run's id."""
    page.ask("What is x?")
    page.wait_for_end(runs)
    return str(page.lab.journals()[-1][0]["run"])


def test_undo_removes_the_runs_cells_and_keeps_the_one_that_the_user_edited(start, tab) -> None:
    lab = start(TWO)
    page = tab(lab)
    run = asked(page)
    edit(page, f"datarus-{run}-1-code", "x = 'mine'")
    page.until(lambda: lab.journals()[0][-1]["type"] == "user_edited", "the edit in the journal")
    page.panel.get_by_role("button", name="Undo run").click()
    page.screenshot("undo_menu")
    menu(page, "Undo Run")
    expect(page.panel).to_contain_text("The run was undone. 1 cell that you edited was kept.")
    expect(page.panel).to_contain_text("The kernel’s variables are as the steps left them.")
    page.until(lambda: ids(page) == ["1-code"], "only the edited cell is left")
    assert page.cells()[0]["source"] == "mine = 17\nmine"
    assert [("datarus" in cell["metadata"]) for cell in page.cells()] == [False, False]
    expect(page.page.locator(".jp-Datarus-badge")).to_have_count(0)
    page.screenshot("undone")
    page.until(lambda: len(saved(lab)) == 2, "the file without the run's cells")
    page.load()
    expect(page.panel).to_contain_text("The run was undone.")
    assert ids(page) == ["1-code"]


def test_a_tab_that_opens_later_takes_away_what_was_undone_meanwhile(start, tab) -> None:
    lab = start(TWO)
    page = tab(lab)
    run = asked(page)
    page.until(lambda: saved(lab)[-1:] == [f"datarus-{run}-3-answer"], "the whole run in the file")
    before = (lab.root / "work.ipynb").read_bytes()
    page.panel.get_by_role("button", name="Undo run").click()
    menu(page, "Undo from Step", "Then more")
    page.until(lambda: ids(page) == ["1-thought", "1-code"], "the first step is left")
    page.until(lambda: len(saved(lab)) == 3, "the file too")
    page.page.goto("about:blank")
    (lab.root / "work.ipynb").write_bytes(before)
    assert f"datarus-{run}-2-code" in saved(lab)
    page.load()
    page.until(lambda: ids(page) == ["1-thought", "1-code"], "void cells of the file are taken away")


def test_a_step_is_tried_again(start, tab) -> None:
    page = tab(start([*TWO, *AGAIN]))
    asked(page)
    card = page.panel.get_by_role("listitem").filter(has_text="Then more")
    card.hover()
    card.get_by_role("button", name="Go back to step 2").click()
    menu(page, "Try Again from Step")
    page.until(lambda: ids(page) == ["1-thought", "1-code", "4-thought", "4-code", "5-thought", "5-answer"], "again")
    page.wait_for_end()
    expect(page.answer).to_contain_text("It is 11")
    assert "again 11" in "".join(page.cells()[4]["outputs"][0]["text"])
    expect(page.panel.get_by_role("listitem").filter(has_text="Then more")).to_have_count(0)


def test_the_code_of_a_step_is_changed_and_the_run_goes_on(start, tab) -> None:
    page = tab(start([*TWO, render_answer("All done.", "It is 11.")]))
    page.panel.get_by_label("Who decides that code runs").select_option("ask")
    page.ask("What is x?")
    for step in (1, 2):
        card = page.panel.get_by_role("listitem").filter(has_text=TITLES[step])
        card.get_by_role("button", name="Run", exact=True).click()
        expect(card.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    page.wait_for_end()
    card = page.panel.get_by_role("listitem").filter(has_text="Then more")
    card.hover()
    card.get_by_role("button", name="Go back to step 2").click()
    menu(page, "Change the Code")
    box = page.panel.get_by_role("textbox", name="Code in place of step 2")
    expect(box).to_have_value("x = x + 10\nprint('two', x)")
    box.fill("x = 11\nprint('mine', x)")
    page.screenshot("edit_step")
    page.panel.get_by_role("button", name="Run and continue").click()
    page.until(lambda: ids(page)[2:] == ["4-thought", "4-code", "5-thought", "5-answer"], "the new step")
    page.wait_for_end()
    thought, code = page.cells()[3:5]
    assert (thought["source"], code["source"]) == ("Then more.", "x = 11\nprint('mine', x)")
    assert "mine 11" in "".join(code["outputs"][0]["text"])


def test_a_stopped_run_continues(start, tab) -> None:
    page = tab(start([render_step("Wait long.", SLOW), *AGAIN]))
    page.ask("Wait.")
    expect(page.page.locator(".jp-Notebook .jp-OutputArea").get_by_text("begun")).to_be_visible()
    page.panel.get_by_role("button", name="Stop").click()
    page.wait_for_end()
    page.screenshot("stopped")
    page.panel.get_by_role("button", name="Continue").click()
    expect(page.answer).to_contain_text("It is 11")
    assert ids(page) == ["1-thought", "1-code", "2-thought", "2-code", "3-thought", "3-answer"]


def test_a_run_that_lost_its_server_continues_in_the_next_one(tmp_path: Path, browser, tab) -> None:
    folder = tmp_path / "lab"
    replies = folder / "replies.json"
    (folder / "root").mkdir(parents=True)
    make_notebook(folder / "root" / "work.ipynb", "mine = 17\nmine")

    def script(*texts: str) -> dict[str, str]:
        replies.write_text(json.dumps(texts))
        return {"DATARUS_REPLIES": str(replies)}

    with ExitStack() as stack:
        first = stack.enter_context(running_lab(folder, **script(render_step("Wait long.", SLOW))))
        page = tab(first)
        page.ask("Wait.")
        expect(page.page.locator(".jp-Notebook .jp-OutputArea").get_by_text("begun")).to_be_visible()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(30)
        second = stack.enter_context(running_lab(folder, **script(*AGAIN)))
        page.lab = second
        page.load()
        expect(page.panel).to_contain_text("The server ended while this run was under way")
        page.screenshot("interrupted")
        page.panel.get_by_role("button", name="Continue").click()
        expect(page.answer).to_contain_text("It is 11")
        page.until(lambda: ids(page)[-1] == "3-answer", "the answer's cell")
        assert ids(page) == ["1-thought", "1-code", "2-thought", "2-code", "3-thought", "3-answer"]
        page.page.wait_for_selector(IDLE)
        reasons = [event["reason"] for event in second.journals()[0] if event["type"] == "reminder"]
        assert reasons == ["kernel"]
