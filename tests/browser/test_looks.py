"""Every state of the panel in Lab's themes, at two widths: nothing overflows; pictures for a person to look at."""

from __future__ import annotations

import pytest
from lab import Tab
from penguins_run import PENGUINS, QUESTION
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark", "contrast": "JupyterLab Dark High Contrast"}
WIDTHS = (300, 500)

OVERFLOWING = """() => {
    const right = document.querySelector('.jp-Datarus').getBoundingClientRect().right;
    return [...document.querySelectorAll('.jp-Datarus *')]
        .filter(e => e.getBoundingClientRect().right > right + 1 && !e.closest('pre, table, .jp-RenderedHTMLCommon'))
        .map(e => `${e.tagName}.${e.className}`);
}"""
RESIZE = """width => {
    const split = document.querySelector('#jp-main-split-panel');
    const handle = [...split.querySelectorAll(':scope > .lm-SplitPanel-handle:not(.lm-mod-hidden)')].at(-1);
    const panel = document.querySelector('#jp-right-stack').getBoundingClientRect();
    const at = handle.getBoundingClientRect();
    return {x: at.x + at.width / 2, y: at.y + at.height / 2, to: panel.right - width};
}"""


def look(page: Tab, state: str) -> None:
    """Take the pictures of a state; fail where text or a control sticks out of its box."""
    for width in WIDTHS:
        handle = page.page.evaluate(RESIZE, width)
        page.page.mouse.move(handle["x"], handle["y"])
        page.page.mouse.down()
        page.page.mouse.move(handle["to"], handle["y"], steps=3)
        page.page.mouse.up()
        for name, theme in THEMES.items():
            page.command("apputils:change-theme", theme=theme)
            expect(page.page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
            expect(page.page.locator("#jupyterlab-splash")).to_have_count(0)
            page.screenshot(f"look_{state}_{name}_{width}")
            assert page.page.evaluate(OVERFLOWING) == []


def test_empty(start, tab) -> None:
    page = tab(start(PENGUINS))
    expect(page.panel.get_by_role("button").filter(has_text="penguins").first).to_be_visible()
    look(page, "empty")


def test_streaming(start, tab) -> None:
    page = tab(start(PENGUINS, speed=3))
    page.ask(QUESTION)
    page.until(lambda: page.sources() != [], "the first words")
    look(page, "streaming")


def test_approval(start, tab) -> None:
    page = tab(start(PENGUINS))
    page.panel.get_by_label("Who decides that code runs").select_option("ask")
    page.ask(QUESTION)
    expect(page.panel.get_by_role("button", name="Run", exact=True)).to_be_visible()
    look(page, "approval")


def test_answer_after_an_error(start, tab) -> None:
    page = tab(start(PENGUINS))
    page.ask(QUESTION)
    page.wait_for_end()
    look(page, "answer")


def test_failed_run(start, tab) -> None:
    page = tab(start([*PENGUINS[:1], {"status": 404, "text": "The model `x` does not exist."}]))
    page.ask(QUESTION)
    page.wait_for_end()
    look(page, "error")


def test_no_engine(start, tab) -> None:
    page = tab(start([], DATARUS_MODEL="qwen2.5-coder-0.5b"))
    expect(page.panel.get_by_role("button", name="Download")).to_be_visible()
    look(page, "no_engine")


def test_going_back(start, tab) -> None:
    page = tab(start(PENGUINS))
    page.ask(QUESTION)
    page.wait_for_end()
    page.panel.get_by_role("button", name="Undo run").click()
    page.page.locator(".lm-Menu").get_by_text("Undo from Step").click()
    page.page.locator(".lm-Menu").last.get_by_text("stats was never imported").click()
    expect(page.panel).to_contain_text("Undone from step ③ on.")
    page.panel.get_by_role("listitem").first.hover()
    page.panel.get_by_role("button", name="Go back to step 1").click()
    page.page.locator(".lm-Menu").get_by_text("Change the Code").click()
    expect(page.panel.get_by_role("textbox", name="Code in place of step 1")).to_be_visible()
    look(page, "going_back")
