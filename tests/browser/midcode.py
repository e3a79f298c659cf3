"""A run that is stopped while its code runs: what must hold in every front end."""

from __future__ import annotations

from lab import Tab
from playwright.sync_api import expect

from datarus_jupyter.protocol.tags import render_step

SLOW = "import time\nprint('begun', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)"
REPLIES = [render_step("Wait long.", SLOW)]


def stop_in_mid_code(page: Tab) -> None:
    """Ask, stop while the code runs, and look at what is left."""
    page.ask("Wait.")
    expect(page.page.locator(".jp-Notebook .jp-OutputArea").get_by_text("begun")).to_be_visible()
    page.panel.get_by_role("button", name="Stop").click()
    page.wait_for_end()
    expect(page.panel).to_contain_text("Stopped")
    assert page.sources() == ["Wait long.", SLOW]
    page.wait_for_idle_kernel()
