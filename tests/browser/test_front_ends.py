"""What matters most, where notebooks are shared documents and in Notebook 7. All other tests have plain JupyterLab."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from lab import FrontEnd, Lab, Tab
from midcode import REPLIES, stop_in_mid_code
from penguins_run import PENGUINS, QUESTION
from playwright.sync_api import expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

OVERWRITTEN = "Out-of-band changes"
"""What the server logs when a shared document was overwritten by its file."""


@dataclass
class World:
    """One of the front ends."""

    name: str
    lab: Callable[..., Lab]
    tab: Callable[[Lab], Tab]


@pytest.fixture(params=["shared documents", "Notebook 7"])
def world(request: pytest.FixtureRequest, start: Any, tab: Any) -> World:
    shared = request.param == "shared documents"
    front = FrontEnd.LAB if shared else FrontEnd.NOTEBOOK

    def begin(replies: list[Any], speed: float = 0.0) -> Lab:
        return start(replies, speed, shared=shared)

    return World(request.param, begin, lambda lab: tab(lab, front=front))


def own(lab: Lab) -> list[dict[str, Any]]:
    """The cells of runs on disk."""
    return [cell for cell in lab.notebook() if "datarus" in cell["metadata"]]


def ids(cells: list[dict[str, Any]]) -> list[str]:
    return [cell["id"] for cell in cells]


def await_cells(lab: Lab, count: int, seconds: float = 60) -> None:
    """Wait for so many cells of runs on disk, without a tab."""
    deadline = time.monotonic() + seconds
    while len(own(lab)) < count:
        assert time.monotonic() < deadline, f"only {ids(own(lab))} after {seconds} s"
        time.sleep(0.05)


def text(cell: dict[str, Any]) -> str:
    """What a code cell printed."""
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def assert_undisturbed(page: Tab) -> None:
    """Nobody was asked about a file that changed, and no document was overwritten by its file."""
    expect(page.page.locator(".jp-Dialog")).to_have_count(0)
    assert OVERWRITTEN not in page.lab.log.read_text()


def test_a_question_becomes_cells_and_an_answer(world: World) -> None:
    lab = world.lab(PENGUINS)
    page = world.tab(lab)
    page.ask(QUESTION)
    page.wait_for_end()
    expect(page.answer).to_contain_text("is heaviest")
    kinds = [cell["metadata"]["datarus"]["kind"] for cell in page.cells() if "datarus" in cell["metadata"]]
    assert kinds == ["thought", "code"] * 4 + ["thought", "answer"]
    codes = [cell for cell in page.cells() if cell["cell_type"] == "code" and "datarus" in cell["metadata"]]
    assert text(codes[0]).count("5076.016") == 1
    assert codes[1]["outputs"][0]["ename"] == "NameError"
    expect(page.page.locator(".jp-Notebook .jp-OutputArea img")).to_be_visible()
    expect(page.page.locator(".jp-Notebook .jp-MarkdownCell .jp-InputArea-editor:visible")).to_have_count(0)
    page.until(lambda: [c["source"] for c in own(lab)] == page.sources(), "the same cells on disk")
    assert_undisturbed(page)
    page.screenshot(f"answer_{world.name}")


def test_running_a_cell_that_waits_approves_it_and_runs_it_once(world: World) -> None:
    lab = world.lab([render_step("First.", "print('one')"), render_answer("", "Done.")])
    page = world.tab(lab)
    page.panel.get_by_label("Who decides that code runs").select_option("ask")
    page.ask("Do it.")
    cell = page.page.locator(".jp-Notebook .jp-CodeCell.jp-mod-datarus")
    expect(cell.get_by_role("group", name="Step 1 waits for your approval")).to_be_visible()
    expect(page.page.locator(".jp-Notebook .jp-RenderedMarkdown")).to_have_text("First.")
    page.screenshot(f"approval_{world.name}")
    cell.locator(".cm-content").click()
    page.page.keyboard.press("ControlOrMeta+Enter")
    page.wait_for_end()
    (events,) = lab.journals()
    assert [event["verdict"] for event in events if event["type"] == "approval_decided"] == ["approved"]
    codes = [cell for cell in page.cells() if cell["cell_type"] == "code" and "datarus" in cell["metadata"]]
    assert [(cell["execution_count"], text(cell)) for cell in codes] == [(1, "one\n")]


def test_stop_in_mid_code_interrupts_and_keeps_what_is_there(world: World) -> None:
    stop_in_mid_code(world.tab(world.lab(REPLIES)))


def test_a_reload_in_mid_run_loses_and_doubles_nothing(world: World) -> None:
    lab = world.lab(PENGUINS, speed=60)
    page = world.tab(lab)
    page.ask(QUESTION)
    page.until(lambda: len(page.sources()) >= 3, "the second step")
    page.load()
    page.wait_for_end(seconds=90)
    page.until(lambda: len(page.sources()) == 10, "all cells of the run")
    assert len(set(ids(page.cells()))) == len(page.cells())
    page.until(lambda: [c["source"] for c in own(lab)] == page.sources(), "the same cells on disk")
    assert_undisturbed(page)


def test_without_a_tab_the_cells_arrive_all_the_same(world: World) -> None:
    lab = world.lab(PENGUINS, speed=60)
    page = world.tab(lab)
    page.ask(QUESTION)
    page.until(lambda: len(page.sources()) >= 2, "the first step")
    page.context.close()
    await_cells(lab, 10)
    again = world.tab(lab)
    again.wait_for_end()
    again.until(lambda: ids(again.cells()) == ids(lab.notebook()), "the cells as they are on disk")
    assert len(again.sources()) == 10
    assert_undisturbed(again)


def test_of_two_tabs_one_writes(world: World) -> None:
    lab = world.lab(PENGUINS, speed=60)
    first, second = world.tab(lab), world.tab(lab)
    second.ask(QUESTION)
    first.wait_for_end(seconds=90)
    second.wait_for_end()
    expect(second.answer).to_contain_text("is heaviest")
    second.until(lambda: len(own(lab)) == 10, "ten cells on disk")
    for page in (first, second):
        page.until(lambda page=page: ids(page.cells()) == ids(lab.notebook()), "in both tabs the cells on disk")
        assert_undisturbed(page)
    assert len(set(ids(first.cells()))) == len(first.cells())


def test_in_a_shared_document_both_tabs_show_the_cells_alike(start: Any, tab: Any) -> None:
    lab = start(PENGUINS, 60, shared=True)
    first, second = tab(lab), tab(lab)
    first.ask(QUESTION)
    second.wait_for_end(seconds=90)
    second.until(lambda: second.cells() == first.cells(), "the same outputs and counts")
    rendered = ".jp-Notebook .jp-MarkdownCell .jp-RenderedMarkdown"
    expect(second.page.locator(rendered)).to_have_text(first.page.locator(rendered).all_inner_texts())
    second.screenshot("second_tab_shared")


def test_what_a_user_types_into_a_shared_document_while_cells_arrive_stays(start: Any, tab: Any) -> None:
    lab = start(PENGUINS, 60, shared=True)
    first, second = tab(lab), tab(lab)
    first.ask(QUESTION)
    first.until(lambda: len(first.sources()) >= 2, "the first step")
    second.page.locator(".jp-Notebook .cm-content").first.click()
    second.page.keyboard.type("# typed meanwhile\n")
    second.wait_for_end(seconds=90)
    first.until(lambda: "# typed meanwhile" in first.cells()[0]["source"], "the text in the other tab")
    first.until(lambda: len(own(lab)) == 10, "the run's cells on disk")
    first.until(lambda: "# typed meanwhile" in lab.notebook()[0]["source"], "the text on disk")
    assert_undisturbed(second)


def test_in_notebook_7_the_panel_stays_as_the_user_left_it(start: Any, tab: Any) -> None:
    lab = start([])
    page = tab(lab, front=FrontEnd.NOTEBOOK)
    page.page.reload()
    expect(page.box).to_be_visible()
    page.screenshot("reloaded_Notebook 7")
    # Its editor of settings is on the page of files only.
    expect(page.panel.get_by_role("button", name="Settings of Datarus")).to_have_count(0)
    page.page.locator("button.jp-SidePanel-collapse:visible").click()
    expect(page.box).to_be_hidden()
    page.page.reload()
    page.wait_for_idle_kernel()
    expect(page.box).to_be_hidden()
    page.page.goto(f"{lab.url}/tree")
    expect(page.page.get_by_role("button", name="work.ipynb", exact=True)).to_be_visible()
    expect(page.panel).to_have_count(0)
