"""Between Enter and the first event of a run: the question is seen, can be stopped, and is never lost."""

from __future__ import annotations

import stat

import pytest
from lab import Tab, make_notebook
from playwright.sync_api import expect

from datarus_jupyter.protocol.tags import render_answer, render_step

pytestmark = pytest.mark.browser

REPLIES = [render_step("Add.", "print(17 + 1)"), render_answer("Done.", "It is 18.")]
BUSY = "import time\nfor second in range(600):\n    time.sleep(0.1)"
ASKED = "What is one more than 17?"


def keep_busy(page: Tab) -> None:
    """Let the user's own cell run on: the server then waits for the kernel before it begins a run."""
    page.command("notebook:run-all-cells")
    expect(page.page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")).to_be_visible()


def test_a_question_is_shown_at_once_and_stopped_before_its_run_is_there(start, tab) -> None:
    lab = start(REPLIES)
    make_notebook(lab.root / "work.ipynb", BUSY)
    page = tab(lab)
    keep_busy(page)
    page.ask(ASKED)
    asked = page.panel.get_by_role("article", name=ASKED)
    expect(asked).to_contain_text("Looking at the notebook and its data…")
    page.screenshot("asking")
    page.panel.get_by_role("button", name="Stop", exact=True).click()
    expect(asked).to_contain_text("Stop")
    page.until(lambda: [e["type"] for run in lab.journals() for e in run[-1:]] == ["run_finished"], "the run's end")
    assert lab.journals()[0][-1]["reason"] == "stopped"
    expect(asked).to_have_count(1)
    # The user's own cell runs on.
    expect(page.page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")).to_be_visible()
    page.command("notebook:interrupt-kernel")


def test_a_question_that_could_not_be_asked_is_in_the_box_again(start, tab) -> None:
    lab = start(REPLIES)
    page = tab(lab)
    lab.process.kill()
    page.ask(ASKED)
    expect(page.panel.get_by_role("alert")).to_contain_text("The Jupyter server does not answer")
    expect(page.box).to_have_value(ASKED)
    expect(page.panel.get_by_role("article", name=ASKED)).to_have_count(0)


def test_what_is_typed_stays_while_another_notebook_is_in_front(start, tab) -> None:
    lab = start(REPLIES)
    make_notebook(lab.root / "other.ipynb", "other = 1")
    page = tab(lab)
    page.box.fill("Half a ques")
    page.command("docmanager:open", path="other.ipynb")
    expect(page.panel).to_contain_text("other.ipynb")
    expect(page.box).to_have_value("")
    page.command("docmanager:open", path="work.ipynb")
    expect(page.box).to_have_value("Half a ques")


def test_the_engines_key_is_set_and_never_shown(start, tab) -> None:
    lab = start([], DATARUS_ENGINE_URL="http://127.0.0.1:9/v1", DATARUS_MODEL="some-model")
    page = tab(lab)
    page.panel.get_by_role("button", name="Set the API key…").click()
    dialog = page.page.get_by_role("dialog")
    page.screenshot("key")
    dialog.locator("input[type=password]").fill("sk-canary-123456")
    dialog.get_by_role("button", name="Keep").click()
    kept = lab.data / "datarus" / "keys" / "openai"
    page.until(kept.is_file, "the key in its file")
    assert kept.read_text() == "sk-canary-123456\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    page.panel.get_by_role("button", name="Set the API key…").click()
    expect(dialog).to_contain_text("One is kept in a file that only you can read.")
    assert "sk-canary" not in page.page.content()
