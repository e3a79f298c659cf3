"""Who decides that code runs, through the server: the default, what an administrator allows, a switch to plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Api, Connect
from test_runs import ANSWER, ASK, refused, step
from traitlets.config import Config

from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.journal.log import read
from datarus_jupyter.server.app import DatarusApp
from datarus_jupyter.server.modes import ALL, Modes

RISKY = step("import os\nos.remove('a.csv')")
CAREFUL = {"allowed_modes": ["ask", "plan"], "default_mode": "auto"}


@pytest.mark.parametrize(
    "replies",
    [[step("frame = [1]\nspare = 2"), ANSWER, step("mine = frame + [2]\nspare = 3"), step("frame = 5"), RISKY, ANSWER]],
)
async def test_by_default_the_user_is_asked_about_what_is_risky_to_them(
    api: Api, notebook: Path, jp_root_dir: Path, tmp_path: Path, connect: Connect
) -> None:
    (jp_root_dir / "a.csv").write_text("x\n1\n")
    browser = await connect()
    await browser.open()
    await api("runs", body=ASK)
    await browser.until(lambda: browser.event("run_finished"))
    assert browser.event("run_started", mode="ask_if_risky")
    assert browser.event("approval_decided", step=1, verdict="approved", who="risk scan")
    # The tab saves; the run left two names, and the user goes on with one of them.
    (journal,) = (tmp_path / "runs").glob("*.jsonl")
    saved = nbformat.read(notebook, 4)
    saved.cells += nbformat.from_dict(CellsFold.of(read(journal)).cells)
    saved.cells.append(nbformat.v4.new_code_cell("len(frame)"))
    nbformat.write(saved, notebook)

    run = (await api("runs", body={**ASK, "question": "And now?"}))["run"]
    for number, reason in (
        (2, "line 1 overwrites or deletes your variable: frame"),
        (3, "line 2 deletes or moves files: os.remove"),
    ):
        request = await browser.until(lambda n=number: browser.event("approval_requested", step=n))
        assert request["reasons"] == [reason]
        verdict = {"step": number, "sha256": request["sha256"], "verdict": "rejected"}
        await api("runs", run, "approval", body=verdict)
    await browser.until(lambda: browser.event("run_finished", run=run))
    assert browser.event("execution_started", run=run, step=1)
    assert browser.event("execution_started", run=run, step=2) is None
    assert (jp_root_dir / "a.csv").exists()


@pytest.mark.parametrize("replies", [[step("print(1)"), step("print(2)"), ANSWER]])
async def test_a_switch_to_plan_rejects_what_waits(api: Api, notebook: Path, connect: Connect) -> None:
    browser = await connect()
    await browser.open()
    run = (await api("runs", body={**ASK, "mode": "ask"}))["run"]
    await browser.until(lambda: browser.event("approval_requested", step=1))
    await api("runs", run, "mode", body={"mode": "plan"})
    await browser.until(lambda: browser.event("run_finished"))
    assert browser.event("approval_decided", step=1, verdict="rejected", who="mode")
    assert browser.event("execution_started") is None


@pytest.mark.parametrize("settings", [CAREFUL])
@pytest.mark.parametrize("replies", [[step("print(1)"), ANSWER]])
async def test_a_mode_that_is_not_allowed_is_refused_in_words(api: Api, notebook: Path, connect: Connect) -> None:
    assert await api("modes") == {"modes": ["ask", "plan"], "mode": "ask"}
    browser = await connect()
    await browser.open()
    status, message = await refused(api("runs", body={**ASK, "mode": "auto"}))
    assert (status, message) == (400, "The mode auto is not allowed on this server: choose ask or plan.")
    run = (await api("runs", body=ASK))["run"]
    await browser.until(lambda: browser.event("approval_requested", step=1))
    assert (await refused(api("runs", run, "mode", body={"mode": "ask_if_risky"})))[0] == 400
    assert browser.event("run_started", mode="ask")
    await api("runs", run, "stop", body={})
    await browser.until(lambda: browser.event("run_finished"))


async def test_all_modes_are_allowed_by_default(api: Api) -> None:
    assert await api("modes") == {"modes": list(ALL), "mode": "ask_if_risky"}


@pytest.mark.parametrize(
    ("allowed", "default", "mode"),
    [
        (ALL, "auto", "auto"),
        (["plan", "ask"], "ask_if_risky", "ask"),
        (["auto", "ask_if_risky"], "plan", "ask_if_risky"),
        (["auto"], "ask", "auto"),
    ],
)
def test_a_default_that_is_not_allowed_gives_way_to_one_that_asks_more(allowed: Any, default: Any, mode: str) -> None:
    modes = Modes.of(allowed, default)
    assert modes.mode == mode
    assert modes.checked(None) == mode


def test_a_mode_that_there_is_not_is_no_setting() -> None:
    with pytest.raises(Exception, match="never"):
        DatarusApp(config=Config({"DatarusApp": {"allowed_modes": ["never"]}}))
