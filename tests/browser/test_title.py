"""The panel's title and status line: earlier questions, keeping to a notebook, the engine that is asked."""

from __future__ import annotations

import pytest
from lab import make_notebook
from playwright.sync_api import expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

REPLIES = [render_step("Add.", "print(17 + 1)"), render_answer("Done.", "It is 18.")]
ASKED = "What is one more than 17?"


def test_an_earlier_question_is_found_and_its_notebook_opened(start, tab) -> None:
    lab = start(REPLIES)
    make_notebook(lab.root / "other.ipynb", "other = 1")
    page = tab(lab)
    page.ask(ASKED)
    page.wait_for_end()
    page.load("other.ipynb")
    expect(page.panel).to_contain_text("other.ipynb")
    expect(page.panel.get_by_role("article", name=ASKED)).to_have_count(0)
    page.panel.get_by_role("button", name="Earlier questions").click()
    line = page.page.get_by_role("menuitem", name=ASKED)
    expect(line).to_contain_text("work.ipynb")
    page.screenshot("history")
    line.click()
    expect(page.panel.get_by_role("article", name=ASKED)).to_be_in_viewport()
    expect(page.panel).to_contain_text("work.ipynb")


def test_the_panel_keeps_to_a_notebook_while_it_is_pinned(start, tab) -> None:
    lab = start(REPLIES)
    make_notebook(lab.root / "other.ipynb", "other = 1")
    page = tab(lab)
    name = page.panel.locator(".jp-Datarus-name")
    pin = page.panel.get_by_role("button", name="Keep to this notebook")
    pin.click()
    page.command("docmanager:open", path="other.ipynb")
    other = page.page.get_by_role("tab", name="other.ipynb")
    expect(other).to_have_attribute("aria-selected", "true")
    expect(name).to_have_text("work.ipynb")
    page.ask(ASKED)
    page.wait_for_end()
    assert [event["notebook"] for event in lab.journals()[0] if event["type"] == "run_started"] == ["work.ipynb"]
    pin.click()
    expect(name).to_have_text("other.ipynb")


def test_the_engine_is_chosen_in_the_status_line(start, tab) -> None:
    page = tab(start(REPLIES))
    choice = page.panel.get_by_label("The engine that is asked")
    expect(choice).to_have_value("scripted")
    choice.select_option("embedded")
    expect(page.panel).to_contain_text("Answers need a model on this computer")
    choice.select_option("scripted")
    expect(page.panel).not_to_contain_text("Answers need a model on this computer")
    page.ask(ASKED)
    page.wait_for_end()
    assert page.lab.journals()[0][0]["engine"] == "scripted"
