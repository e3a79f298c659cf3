"""The user's word on code: beside its cell and in the sidebar, across reloads and tabs."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab, Tab
from playwright.sync_api import Locator, expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

REPLIES = [
    render_step("First.", "print('one')"),
    render_step("Second.", "print('two')"),
    render_step("Third.", "print('three')"),
    render_answer("", "Done."),
]
ACCEL_ENTER = "ControlOrMeta+Enter"


@pytest.fixture
def lab(start) -> Lab:
    return start(REPLIES)


def ask(page: Tab) -> None:
    """Ask in the mode in which all code waits; the first step waits then, beside its cell too."""
    choose(page, "ask")
    page.ask("Do three things.")
    expect(bar(page, 1)).to_be_visible()


def choose(page: Tab, mode: str) -> None:
    """Say who decides, from now on."""
    page.panel.get_by_label("Who decides that code runs").select_option(mode)


def card(page: Tab, step: int) -> Locator:
    return page.panel.get_by_role("group", name=f"Step {step} waits for your approval")


def bar(page: Tab, step: int) -> Locator:
    """What stands below the cell of a step that waits."""
    return page.page.locator(".jp-Notebook").get_by_role("group", name=f"Step {step} waits for your approval")


def editor(page: Tab, step: int) -> Locator:
    """The editor of the step's cell."""
    cells = page.page.locator(".jp-Notebook .jp-CodeCell.jp-mod-datarus")
    return cells.nth(step - 1).locator(".cm-content")


def change(page: Tab, step: int, code: str) -> None:
    """Type other code into the step's cell."""
    editor(page, step).click()
    page.page.keyboard.press("ControlOrMeta+a")
    page.page.keyboard.type(code)


def events(page: Tab, kind: str, step: int) -> list[dict[str, Any]]:
    return [one for run in page.lab.journals() for one in run if one["type"] == kind and one.get("step") == step]


def printed(page: Tab, step: int) -> str:
    """What the kernel printed for the step, however often it ran."""
    return "".join(event["output"].get("text", "") for event in events(page, "output", step))


def counts(page: Tab) -> list[int | None]:
    """The execution counts of the run's cells: the kernel's own, so a cell that ran twice leaves a gap."""
    return [c["execution_count"] for c in page.cells() if c["cell_type"] == "code" and "datarus" in c["metadata"]]


def test_run_in_the_card_and_below_the_cell(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    expect(card(page, 1)).to_contain_text("print('one')")
    card(page, 1).get_by_role("button", name="Run", exact=True).click()
    expect(bar(page, 2)).to_be_visible()
    expect(bar(page, 1)).to_have_count(0)
    assert printed(page, 2) == ""
    bar(page, 2).get_by_role("button", name="Run").click()
    expect(bar(page, 3)).to_be_visible()
    assert [printed(page, step) for step in (1, 2, 3)] == ["one\n", "two\n", ""]
    assert events(page, "approval_decided", 1)[0]["verdict"] == "approved"
    bar(page, 3).get_by_role("button", name="Skip").click()
    page.wait_for_end()
    expect(page.page.locator(".jp-Datarus-bar")).to_have_count(0)
    assert printed(page, 3) == ""


def test_changed_in_its_cell_the_new_text_runs_never_the_old(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    card(page, 1).get_by_role("button", name="Edit").click()
    expect(editor(page, 1)).to_be_focused()
    change(page, 1, "print('mine')")
    expect(card(page, 1)).to_contain_text("as you changed it in the cell")
    expect(card(page, 1)).to_contain_text("print('mine')")
    card(page, 1).get_by_role("button", name="Run", exact=True).click()
    expect(bar(page, 2)).to_be_visible()
    change(page, 2, "print('mine too')")
    bar(page, 2).get_by_role("button", name="Run").click()
    expect(bar(page, 3)).to_be_visible()
    change(page, 3, "print('and this')")
    page.page.keyboard.press(ACCEL_ENTER)
    page.wait_for_end()
    assert [printed(page, step) for step in (1, 2, 3)] == ["mine\n", "mine too\n", "and this\n"]
    for step in (1, 2, 3):
        (asked,), (decided,) = events(page, "approval_requested", step), events(page, "approval_decided", step)
        assert (decided["verdict"], decided["sha256"]) == ("edited", asked["sha256"])
    assert "the user changed the code to" in events(page, "observation", 1)[0]["text"]


def test_skipping_with_a_word_tells_the_model(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    card(page, 1).get_by_role("button", name="Skip").click()
    why = card(page, 1).get_by_role("textbox", name="Tell the model why")
    expect(why).to_be_focused()
    why.press("Escape")
    expect(card(page, 1).get_by_role("button", name="Edit")).to_be_visible()
    card(page, 1).get_by_role("button", name="Skip").click()
    why.fill("Use the other file.")
    why.press("Enter")
    expect(bar(page, 2)).to_be_visible()
    assert "The user did not let this code run. Use the other file." in events(page, "observation", 1)[0]["text"]
    card(page, 2).get_by_role("button", name="Skip").click()
    card(page, 2).get_by_role("button", name="Skip").click()
    expect(bar(page, 3)).to_be_visible()
    assert [printed(page, step) for step in (1, 2)] == ["", ""]


def test_run_all_of_this_run_asks_no_more(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    change(page, 1, "print('mine')")
    card(page, 1).get_by_role("button", name="Run all of this run").click()
    page.wait_for_end()
    assert [printed(page, step) for step in (1, 2, 3)] == ["mine\n", "two\n", "three\n"]


def test_the_mode_is_switched_in_mid_run(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    card(page, 1).get_by_role("button", name="Run", exact=True).click()
    expect(bar(page, 2)).to_be_visible()
    choose(page, "plan")
    page.wait_for_end()
    assert [printed(page, step) for step in (1, 2, 3)] == ["one\n", "", ""]
    assert [one["mode"] for one in page.lab.journals()[0] if one["type"] == "mode_changed"] == ["plan"]


def test_running_the_cell_approves_it_and_runs_it_once(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    editor(page, 1).click()
    page.page.keyboard.press(ACCEL_ENTER)
    page.page.keyboard.press(ACCEL_ENTER)
    expect(bar(page, 2)).to_be_visible()
    editor(page, 2).click()
    page.page.keyboard.press("Shift+Enter")
    expect(bar(page, 3)).to_be_visible()
    page.command("notebook:run-all-cells")
    page.wait_for_end()
    assert [printed(page, step) for step in (1, 2, 3)] == ["one\n", "two\n", "three\n"]
    assert [len(events(page, "execution_started", step)) for step in (1, 2, 3)] == [1, 1, 1]


def test_esc_on_the_selected_cell_skips(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    editor(page, 1).click()
    page.page.keyboard.press("Escape")
    expect(bar(page, 1)).to_be_visible()
    page.page.keyboard.press("Escape")
    expect(bar(page, 2)).to_be_visible()
    assert events(page, "approval_decided", 1)[0]["verdict"] == "rejected"


def test_a_request_survives_a_reload_and_the_end_of_its_tab(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    page.load()
    expect(bar(page, 1)).to_be_visible()
    card(page, 1).get_by_role("button", name="Run", exact=True).click()
    expect(bar(page, 2)).to_be_visible()
    page.context.close()
    again = tab(lab)
    expect(bar(again, 2)).to_be_visible()
    assert events(again, "approval_decided", 2) == []
    editor(again, 2).click()
    again.page.keyboard.press(ACCEL_ENTER)
    expect(bar(again, 3)).to_be_visible()
    assert [printed(again, step) for step in (1, 2)] == ["one\n", "two\n"]


def test_either_of_two_tabs_decides_and_the_other_shows_it(lab, tab) -> None:
    first = tab(lab)
    ask(first)
    second = tab(lab)
    expect(card(second, 1)).to_be_visible()
    change(first, 1, "print('mine')")
    expect(card(second, 1)).to_contain_text("print('mine')")
    card(second, 1).get_by_role("button", name="Run", exact=True).click()
    expect(bar(first, 2)).to_be_visible()
    expect(bar(first, 1)).to_have_count(0)
    card(first, 2).get_by_role("button", name="Run", exact=True).click()
    expect(card(second, 3)).to_be_visible()
    expect(card(second, 2)).to_have_count(0)
    assert [printed(first, step) for step in (1, 2)] == ["mine\n", "two\n"]


def test_stopping_takes_the_bar_away(lab, tab) -> None:
    page = tab(lab)
    ask(page)
    page.panel.get_by_role("button", name="Stop").click()
    page.wait_for_end()
    expect(page.page.locator(".jp-Datarus-bar")).to_have_count(0)
    editor(page, 1).click()
    page.page.keyboard.press(ACCEL_ENTER)
    page.until(lambda: counts(page) == [1], "the user's own run of the cell")
    assert events(page, "execution_started", 1) == []
