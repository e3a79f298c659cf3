"""No page of somebody else's reads anything, no path leads further than Jupyter's own, no other user's run is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_server.serverapp import ServerApp
from test_access import RUN, cookies, our_handlers, verbs_of
from tornado.httpclient import HTTPClientError

from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.server.websocket import TabSocket


async def test_a_foreign_page_reads_nothing(
    jp_serverapp: ServerApp, http_server_client: Any, jp_fetch: Callable[..., Any]
) -> None:
    headers = {"Cookie": await cookies(jp_fetch), "Origin": "https://elsewhere.example"}
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in verbs_of(handler) if handler is not TabSocket else []:
            body = "{}" if verb in ("POST", "PUT", "PATCH") else None
            response = await http_server_client.fetch(path, method=verb, body=body, headers=headers, raise_error=False)
            assert response.code in (403, 404), (verb, path)
            assert "Access-Control-Allow-Origin" not in response.headers


PLACES = ["a.ipynb", "link.ipynb", "linked/b.ipynb", "away/../a.ipynb", "../b.ipynb", "nowhere.ipynb", ".hid.ipynb"]
PLACES += ["linked/../../b.ipynb", "/etc/passwd.ipynb", "none.ipynb"]


@pytest.mark.parametrize("place", PLACES)
async def test_a_path_leads_where_jupyters_own_leads(
    jp_fetch: Callable[..., Any], jp_root_dir: Path, tmp_path: Path, place: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for path in (
        outside / "b.ipynb",
        jp_root_dir / "a.ipynb",
        jp_root_dir / ".hid.ipynb",
        jp_root_dir.parent / "b.ipynb",
    ):
        nbformat.write(nbformat.v4.new_notebook(), path)
    (outside / "far.csv").write_text("a,b\n1,2\n")
    (jp_root_dir / "link.ipynb").symlink_to(outside / "b.ipynb")
    (jp_root_dir / "linked").symlink_to(outside)
    (jp_root_dir / "nowhere.ipynb").symlink_to(outside / "none.ipynb")

    async def status(*parts: str, **params: str) -> int:
        try:
            return int((await jp_fetch(*parts, params=params)).code)
        except HTTPClientError as error:
            return error.code

    theirs = await status("api", "contents", place, content="1")
    ours = await status("datarus", "api", "attachments", "files", notebook=place)
    assert ours == (404 if theirs >= 400 else 200)


async def test_the_runs_of_another_data_folder_are_none_of_ours(
    jp_serverapp: ServerApp, http_server_client: Any, jp_auth_header: dict[str, str], connect: Any, tmp_path: Path
) -> None:
    with RunLog(tmp_path / "others" / f"{RUN}.jsonl") as log:
        log.append(ev.RunStarted(question="theirs", prompt=[], engine="e", model="m", profile="p", notebook="a.ipynb"))
    before = log.path.read_bytes()
    for path, handler in our_handlers(jp_serverapp.web_app):
        for verb in verbs_of(handler) if RUN in path else []:
            body = json.dumps(BODIES.get(path.rpartition("/")[2], {})) if verb == "POST" else None
            response = await http_server_client.fetch(
                path, method=verb, body=body, headers=dict(jp_auth_header), raise_error=False
            )
            assert response.code == 404, (verb, path)
    browser = await connect()
    await browser.open(**{RUN: 0})
    await browser.send("edited", run=RUN, step=1, cell=f"datarus-{RUN}-1-code", source="mine")
    await browser.send("edited", run=f"../others/{RUN}", step=1, cell="x", source="mine")
    await browser.until(lambda: any(frame["kind"] == "error" for frame in browser.frames))
    assert browser.events() == []
    assert log.path.read_bytes() == before


BODIES: dict[str, dict[str, Any]] = {
    "mode": {"mode": "auto"},
    "approval": {"step": 1, "sha256": "0", "verdict": "approved"},
    "feedback": {"rating": 1},
    "proposal": {"accepted": True},
    "revert": {"step": 1},
}
